/* What recurrent operators are told, as numbers and words. */
#ifndef XR_RECURRENT_TRAITS_H
#define XR_RECURRENT_TRAITS_H

#include "checks/model/graph/step_graph.h"
#include "checks/model/graph/trait_list.h"

/* Adds those of an LSTM, a GRU or a simple cell of ONNX; of other steps, nothing. */
void xr_recurrent_traits(xr_step_graph *graph, const xr_op_step *step, xr_traits *traits);

#endif
