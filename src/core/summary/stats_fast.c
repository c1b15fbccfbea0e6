/* The part of statistics, fast: a loop for each type, and what the processor has. */
#include "core/parts.h"
#include "core/summary/dtypes.h"
#include "core/summary/stats.h"

xr_stats_way xr_stats_way_fast(void)
{
    const xr_stats_kernels *kernels = xr_stats_kernels_x86();
    if (!kernels)
        kernels = xr_stats_kernels_neon();
    if (!kernels)
        kernels = xr_stats_kernels_portable();
    return (xr_stats_way){kernels, xr_dtype_to_double, xr_stats_floats()};
}

exray_status exray_stats_compute(const exray_tensor_info *info, const void *data, size_t size,
                                 exray_stats *out)
{
    const xr_stats_way way = xr_stats_way_fast();
    return xr_stats_compute(&way, info, data, size, out);
}

const exray_stats_part *exray_stats_part_fast(void)
{
    static const exray_stats_part part = {exray_stats_compute, exray_channel_stats_compute};
    return &part;
}
