/* Where a graph has integers: their range clips values as an activation would. */
#ifndef XR_STEP_RANGE_H
#define XR_STEP_RANGE_H

#include "checks/layer/value_evidence.h"
#include "checks/model/graph/op_steps.h"

/* The range of the integers that what reads a tensor quantizes it to.  False: none is. */
bool xr_step_range_behind(const xr_step_graph *graph, uint32_t tensor, xr_layer_evidence *out);

/* Whether the integers that hold a tensor end where a function clips: clipped to their range, the function
 * (its values at xr_points) changes nothing. */
bool xr_step_is_clipped(const xr_step_graph *graph, uint32_t tensor, const double *value);

/* Likewise, of those that hold it or that what reads it quantizes it to. */
bool xr_step_is_by_range(const xr_step_graph *graph, uint32_t tensor, const double *value);

/* Whether two functions, each held to the range of the integers that its side has the result in, are the
 * same.  side, tensor, value: [2]. */
bool xr_step_same_within(const xr_step_graph *side, const uint32_t *tensor, const double *const *value);

#endif
