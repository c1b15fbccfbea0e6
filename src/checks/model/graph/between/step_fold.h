/* A batch normalization that one side computes on its own, and the other within the layer before. */
#ifndef XR_STEP_FOLD_H
#define XR_STEP_FOLD_H

#include "checks/model/graph/between/step_gap.h"

/* `gap`: what lies between the same two steps on each side.  Whether all of it is a normalization that is
 * folded into the weights before, or may be: they are others on the two sides, or unknown.  Where they are
 * the same, it was left out. */
bool xr_step_gap_is_folded(xr_step_match *match, const xr_step_gap gap[2]);

#endif
