/* Distances from sketches (spec/sketch.md). */
#ifndef XR_SKETCH_DISTANCE_H
#define XR_SKETCH_DISTANCE_H

#include "compare/comparison.h"

/* Whether the sketches of the two have their elements in the same order. */
bool xr_sketch_same_order(const exray_tensor_info *edge, const exray_tensor_info *reference);
/* Whether the sketch is of a known version and whole, of that many elements. */
bool xr_sketch_is_good(const exray_sketch *sketch, uint64_t elements);
/* The sketch of given values, as the recorder would have made it; `canonical`: they are in canonical order
 * already, whatever `info` says.  False: out of range. */
bool xr_sketch_values(const exray_tensor_info *info, bool canonical, const float *values, uint64_t count,
                      uint64_t seed, float bucket[EXRAY_SKETCH_BUCKETS], exray_sketch *out);
/* Adds a frame's two sketches, good ones of one seed and count.  False: out of memory. */
bool xr_sketch_add(xr_pair *pair, const exray_sketch sketch[2]);
/* Whether the pair's errors come from sketches: all frames have them, and no data. */
bool xr_has_sketch(const xr_pair *pair);
typedef struct xr_distance {
    double rmse, low, high; /* the estimate and its 99.9 % bounds */
} xr_distance;
xr_distance xr_sketch_distance(const xr_pair *pair);
/* Metrics from sketches and statistics, and their bounds. */
void xr_sketch_metrics(const xr_pair *pair, exray_layer_pair *shown);

#endif
