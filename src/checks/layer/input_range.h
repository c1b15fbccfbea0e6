/* Where a model of floats quantizes its inputs itself: what the range of that costs. */
#ifndef XR_INPUT_RANGE_H
#define XR_INPUT_RANGE_H

#include "checks/layer/value_evidence.h"

/* The edge's node that quantizes the input at position `input` (of exray_comparison_input) to integers with
 * one scale, and nothing before it: its place among the model's nodes, or EXRAY_NO_INDEX. */
uint32_t xr_input_quantizer(const exray_comparison *comparison, size_t input);

/* What the range of that node costs of the input's values, in up to a few frames, as xr_layer_evidence has
 * it: frames (0: there are no data), deviation, min, max, the range, below, above, clipped, and difference:
 * what clipping and rounding make together. */
exray_status xr_input_range_evidence(const exray_comparison *comparison, size_t input, uint32_t node,
                                     xr_layer_evidence *out, exray_error *error);

#endif
