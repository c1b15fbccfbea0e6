/* Nodes as steps: one each, or several where an operator is fused of several. */
#ifndef XR_STEP_EXPAND_H
#define XR_STEP_EXPAND_H

#include "checks/model/graph/op_steps.h"

/* Fills raw, raw_count, tensor_count of a graph whose model is set; marks constants in `constant`
 * ([model->tensor_count]) as it goes.  False: out of memory. */
bool xr_step_expand(xr_step_graph *graph, bool *constant);

#endif
