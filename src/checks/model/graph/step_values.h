/* What recorded values say of a pair of steps: whether what they were given is right, and what they made of
 * it. */
#ifndef XR_STEP_VALUES_H
#define XR_STEP_VALUES_H

#include "checks/model/graph/step_match.h"

typedef enum xr_state { XR_STATE_UNKNOWN, XR_STATE_CLEAN, XR_STATE_WRONG } xr_state;

typedef struct xr_step_values {
    const exray_comparison *comparison;
    const xr_step_match *match;
    exray_slot *slot[2];
    unsigned visits; /* tensors that one question may still look at: a graph may fan out at every step */
} xr_step_values;

/* False: out of memory. */
bool xr_step_values_open(const exray_comparison *comparison, const xr_step_match *match, xr_step_values *out);
void xr_step_values_close(xr_step_values *values);

/* A tensor's recorded values in a matched frame, until the side is read again; NULL: not recorded. */
const float *xr_step_values_read(xr_step_values *values, int side, uint32_t tensor, size_t frame,
                                 uint64_t *count);

/* Whether the two tensors differ beyond noise. */
xr_state xr_state_of(xr_step_values *values, uint32_t edge, uint32_t reference);

/* Of a tensor of the edge and its mate; where that is unknown, of what they are made of. */
xr_state xr_state_before(xr_step_values *values, uint32_t edge);

/* Of what a matched step made; where that is unknown, of the next steps whose values are known. */
xr_state xr_state_behind(xr_step_values *values, uint32_t edge_step);

/* Whether any difference behind the step has gone before it reaches an output of the model. */
bool xr_is_absorbed(xr_step_values *values, uint32_t edge_step);

/* The edge's function and the reference's, both on the values that the edge recorded (or the reference,
 * where the edge did not): how much they differ, as a share of the result's deviation, and how much of a
 * difference from the recorded result the edge's own function leaves.  False: the values are not there. */
bool xr_compare_functions(xr_step_values *values, const xr_op_step *edge, const xr_op_step *reference,
                          double *differ, double *left);

#endif
