/* Softmaxes that an exporter or an engine took apart. */
#ifndef XR_STEP_SOFTMAX_H
#define XR_STEP_SOFTMAX_H

#include "checks/model/graph/op_steps.h"

/* Puts together exponentials divided by their sum, of x or of x less its maximum: ONNX Runtime writes a
 * Softmax of 16 bits so.  Among a graph's raw steps, in their order; where the other side has the operator.
 */
void xr_step_join_softmax(xr_step_graph *graph);

/* The axis of a softmax that was put together; NAN: it was not, or the axis is not known. */
double xr_step_joined_axis(const xr_step_graph *graph, const xr_op_step *step);

#endif
