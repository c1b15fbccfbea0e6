/* Which of several layouts that fit the shapes of a pair is meant. */
#ifndef XR_LAYOUT_CHOICE_H
#define XR_LAYOUT_CHOICE_H

#include "compare/comparison.h"
#include "compare/match/shapes.h"

/* Chooses for each pair whose shapes leave it open, by the values: xr_pair.layout.  Reads only such pairs,
 * some frames of them.  False: out of memory. */
bool xr_choose_layouts(exray_comparison *comparison);

/* How a pair's records correspond: as chosen where their shapes fit in several ways, else as the shapes do.
 */
xr_layout_match xr_pair_layout(const xr_pair *pair, const exray_tensor_info *edge,
                               const exray_tensor_info *reference);
/* Of a shape that is the same on both sides, in which order the reference has the edge's values. */
xr_layout_match xr_cube_layout(const xr_pair *pair, const exray_tensor_info *info);

/* Of a pair of layers of one dimension (those of 1 aside): the shape that the edge had before it was
 * flattened, without dimensions of 1, where the reference flattens the same one in the other engine's order.
 * Returns how the two correspond then; NONE: nothing of the kind. */
xr_layout_match xr_flattened_ways(const exray_comparison *comparison, const xr_pair *pair, int64_t before[3]);

/* The edge's description as it was before. */
exray_tensor_info xr_before_flattening(const exray_tensor_info *edge, const int64_t before[3]);

#endif
