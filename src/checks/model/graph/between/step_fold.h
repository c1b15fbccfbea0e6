/* What one side computes on its own, and the other within the layer before: a batch normalization in its
 * weights, a ReLU or a clip in the range of its integers. */
#ifndef XR_STEP_FOLD_H
#define XR_STEP_FOLD_H

#include "checks/model/graph/between/step_gap.h"

/* `gap`: what lies between the same two steps on each side, before `tensor`.  Whether each side does all that
 * the other has there within the layer before, or within the range of that tensor. */
bool xr_step_gap_is_within(xr_step_match *match, const xr_step_gap gap[2], const uint32_t tensor[2]);

#endif
