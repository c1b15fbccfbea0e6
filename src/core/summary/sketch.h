/* TensorSketch (spec/sketch.md), and TensorStats on the way. */
#ifndef XR_SKETCH_H
#define XR_SKETCH_H

#include "core/summary/sketch_rows.h"
#include "core/summary/stats.h"

/* How values are read and added up: in little code, or fast. */
typedef struct xr_sketch_way {
    xr_stats_way stats;
    xr_sketch_rows_fn *add_rows;
    /* xr_dtype_to_float, or the like */
    void (*to_float)(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out);
} xr_sketch_way;

/* exray_sketch_compute, in that way. */
exray_status xr_sketch_compute(const xr_sketch_way *way, const exray_tensor_info *info, const void *data,
                               size_t size, uint64_t seed, exray_stats *stats,
                               float bucket[EXRAY_SKETCH_BUCKETS], uint32_t *count);

#endif
