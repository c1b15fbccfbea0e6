/* Where a graph has integers behind a tensor of floats: their range clips it as an activation would. */
#ifndef XR_STEP_RANGE_H
#define XR_STEP_RANGE_H

#include "checks/model/graph/op_steps.h"

/* The range of the integers that what reads the tensor quantizes it to, and their step.  False: nothing does.
 */
bool xr_step_range_behind(const xr_step_graph *graph, uint32_t tensor, double range[2], double *step);

#endif
