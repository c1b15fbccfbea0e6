/* Ranges of integers that no layer of the other side has: a copy in integers of what a layer of floats made
 * (QuantizeLinear behind it), and integers between two nodes of which the other side made one layer (a
 * convolution and its activation). */
#ifndef XR_INNER_RANGE_H
#define XR_INNER_RANGE_H

#include "checks/layer/value_evidence.h"

/* Whether the edge's model has nodes that quantize. */
bool xr_has_quantizers(const exray_comparison *comparison);

/* The edge's node that quantizes what a layer of floats made, with one scale, where the copy has no
 * counterpart of its own; EXRAY_NO_INDEX: there is none. */
uint32_t xr_quantizer_behind(const exray_comparison *comparison, size_t layer);

/* What the range of that node costs: the layer's evidence with the copy's range.  `difference` is what the
 * copy is off by; unclipped is NAN. */
exray_status xr_quantizer_evidence(const exray_comparison *comparison, size_t layer, uint32_t node,
                                   xr_layer_evidence *out, exray_error *error);

/* The edge's integers, of one scale, that a layer reads first, where they have no counterpart and are no copy
 * of what has one: their tensor and the node that makes them; EXRAY_NO_INDEX: there are none. */
uint32_t xr_integers_before(const exray_comparison *comparison, size_t layer, uint32_t *maker);

/* Evidence about that tensor in a few frames: its range; min[0] and max[0] are of its own values, min[1] and
 * max[1] of what the reference's layer made; below and above are the shares of it at either end of its type,
 * clipped and unclipped the parts of the layer's `difference` at the ends and elsewhere.  frames is 0 where
 * the integers were not recorded. */
exray_status xr_integers_evidence(const exray_comparison *comparison, size_t layer, uint32_t tensor,
                                  xr_layer_evidence *out, exray_error *error);

/* Layers of the comparison that read an edge's tensor, straight or through nodes without a counterpart; up to
 * `most` of them. */
size_t xr_layers_that_read(const exray_comparison *comparison, uint32_t tensor, size_t *layer, size_t most);

/* Whether the edge's integers of a layer, its own or a copy's, have the scale of what they are made of, or of
 * what is made of them, by an operator that moves, joins, pools or resizes integers: engines keep one scale
 * there, that of the largest. */
bool xr_shares_range(const exray_comparison *comparison, size_t layer);

#endif
