/* The part of sketches, in little code. */
#include "core/parts.h"
#include "core/summary/element.h"
#include "core/summary/sketch.h"

static xr_sketch_way way_of(void)
{
    return (xr_sketch_way){xr_stats_way_small(), xr_sketch_rows_portable, xr_elements_to_float};
}

static exray_status sketch_small(const exray_tensor_info *info, const void *data, size_t size, uint64_t seed,
                                 exray_stats *stats, float bucket[EXRAY_SKETCH_BUCKETS], uint32_t *count)
{
    const xr_sketch_way way = way_of();
    return xr_sketch_compute(&way, info, data, size, seed, stats, bucket, count);
}

const exray_sketch_part *exray_sketch_part_small(void)
{
    static const exray_sketch_part part = {sketch_small};
    return &part;
}
