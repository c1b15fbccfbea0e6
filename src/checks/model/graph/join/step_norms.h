/* Normalizations that exporters took apart. */
#ifndef XR_STEP_NORMS_H
#define XR_STEP_NORMS_H

#include "checks/model/graph/op_steps.h"

/* Puts together what computes (x - mean) / sqrt(variance + epsilon), or x / sqrt(mean square + epsilon), with
 * a scale and a bias where these follow, in whatever operators: opset 16 of ONNX and before, TensorFlow and
 * others have none of their own.  Among a graph's raw steps, in their order; not where the other side is
 * written with the same operators, so that its parts have counterparts. */
void xr_step_join_norms(xr_step_graph *graph);

#endif
