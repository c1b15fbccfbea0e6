/* The part of statistics, in little code. */
#include "core/parts.h"
#include "core/summary/element.h"
#include "core/summary/stats.h"

xr_stats_way xr_stats_way_small(void)
{
    static const xr_stats_kernels kernels = {NULL, xr_stats_bytes_portable};
    return (xr_stats_way){&kernels, xr_elements_to_double, NULL};
}

static exray_status stats_small(const exray_tensor_info *info, const void *data, size_t size,
                                exray_stats *out)
{
    const xr_stats_way way = xr_stats_way_small();
    return xr_stats_compute(&way, info, data, size, out);
}

const exray_stats_part *exray_stats_part_small(void)
{
    static const exray_stats_part part = {stats_small, NULL};
    return &part;
}
