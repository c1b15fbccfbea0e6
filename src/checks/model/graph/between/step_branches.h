/* Branches that read one tensor and have weights of one size: their order in the file says nothing, and the
 * functions behind say which is which. */
#ifndef XR_STEP_BRANCHES_H
#define XR_STEP_BRANCHES_H

#include "checks/model/graph/between/step_layers.h"

/* Exchanges the mates of two steps, and of the functions behind them, where each has the other's function and
 * the weights do not deny it.  False: out of memory. */
bool xr_step_branches_settle(const xr_step_layers *by);

#endif
