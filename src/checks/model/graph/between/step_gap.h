/* Steps between two matched ones that the other side does not have. */
#ifndef XR_STEP_GAP_H
#define XR_STEP_GAP_H

#include "checks/model/graph/step_match.h"

/* The steps without a mate that a tensor is made of, back to steps that have one. */
typedef struct xr_step_gap {
    uint32_t count;       /* of steps that compute something */
    uint32_t first, last; /* of those; steps of that side */
    uint32_t entry[4];    /* tensors that go into it; at most the first four */
    uint32_t entries;     /* how many there are */
} xr_step_gap;

/* `seen`: scratch of one bool for each step of that side.  A tensor of a matched step, or of the model's
 * inputs, is its own entry. */
void xr_step_gap_of(const xr_step_match *match, int side, uint32_t tensor, bool *seen, xr_step_gap *out);

#endif
