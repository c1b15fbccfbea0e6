/* The part of sketches, fast. */
#include "core/parts.h"
#include "core/summary/dtypes.h"
#include "core/summary/sketch.h"

static xr_sketch_way way_of(void)
{
    xr_sketch_rows_fn *fast = xr_sketch_rows_x86();
    return (xr_sketch_way){xr_stats_way_fast(), fast ? fast : xr_sketch_rows_portable, xr_dtype_to_float};
}

exray_status exray_sketch_compute(const exray_tensor_info *info, const void *data, size_t size, uint64_t seed,
                                  exray_stats *stats, float bucket[EXRAY_SKETCH_BUCKETS], uint32_t *count)
{
    const xr_sketch_way way = way_of();
    return xr_sketch_compute(&way, info, data, size, seed, stats, bucket, count);
}

const exray_sketch_part *exray_sketch_part_fast(void)
{
    static const exray_sketch_part part = {exray_sketch_compute};
    return &part;
}
