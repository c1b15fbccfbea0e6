/* Models of both sides, run again for the check of states: with which engine and file, for how long. */
#ifndef XR_AGAIN_H
#define XR_AGAIN_H

#include "checks/reruns.h"
#include "report/report.h"
#include "validate/at_hand.h"

typedef struct xr_again {
    const exray_validation_options *options;
    const exray_log *log[2];
    const xr_side_model *model; /* [2] */
    xr_at_hand at_hand[2];
    bool looked[2];  /* at_hand was filled */
    double until;    /* of the monotonic clock, s; 0: nothing was run yet */
    xr_reruns calls; /* for the checks */
    xr_told_reruns told;
} xr_again;

/* All is borrowed, and nothing is run until a check asks for it. */
void xr_again_init(xr_again *again, const exray_validation_options *options, const exray_log *const log[2],
                   const xr_side_model model[2]);
void xr_again_free(xr_again *again);

#endif
