/* Group normalizations that an exporter took apart. */
#ifndef XR_STEP_GROUPS_H
#define XR_STEP_GROUPS_H

#include "checks/model/graph/op_steps.h"

/* Puts together what ONNX had no operator for before opset 18: a Reshape of the groups to channels, an
 * InstanceNormalization, the Reshape back, a scale and a bias.  Among a graph's raw steps, in their order;
 * where the other side has the operator. */
void xr_step_join_groups(xr_step_graph *graph);

/* In how many groups a step normalizes that was put together, or that takes groups for channels; NAN: it is
 * neither. */
double xr_step_joined_groups(const xr_step_graph *graph, const xr_op_step *step);

#endif
