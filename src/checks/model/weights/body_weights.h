/* Weights within the bodies of branches and loops, which are no constants of the model: a log tells their
 * number, their mean and their root mean square. */
#ifndef XR_BODY_WEIGHTS_H
#define XR_BODY_WEIGHTS_H

#include <exray/assertion.h>

typedef struct xr_body_weights {
    size_t layer;    /* the first such layer of the comparison */
    size_t layers;   /* how many there are */
    const char *key; /* of that layer's body: "then_branch" */
} xr_body_weights;

/* Finds layers that are wrong by themselves and have bodies of the same operators and other weights; false:
 * there are none. */
bool xr_body_weights_find(const exray_comparison *comparison, xr_body_weights *out);

/* Adds to a finding about weights what the bodies of such layers have. */
void xr_body_weights_tell(const exray_comparison *comparison, exray_finding *finding);

#endif
