/* Layers that are run alone: what decides whether, with which engine and which model file. */
#ifndef XR_ISOLATION_H
#define XR_ISOLATION_H

#include "report/report.h"
#include "validate/models.h"

/* What came of it. */
typedef struct xr_isolation_result {
    xr_isolation told; /* for the reports */
    char model[512];   /* the model file */
    char why[320];     /* why some layers were not run; "" where all were */
    char remark[480];  /* for people, or "" */
} xr_isolation_result;

/* Whether the options can be combined. */
exray_status xr_isolation_check(const exray_validation_options *o, exray_error *error);

/* Runs layers alone: those that are wrong, with the engine that the options name; or, where they name none
 * and do not forbid it, with the one that is found here, if something is wrong and the model file that the
 * reference ran is at hand: `o->reference_model`, or in the folder of the reference's log. */
exray_status xr_isolation_run(const exray_validation_options *o, const xr_side_model *reference,
                              exray_comparison *comparison, xr_isolation_result *result, exray_error *error);

#endif
