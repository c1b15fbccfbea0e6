/* Statistics of floats, block by block: the fast way. */
#include "core/summary/stats.h"

#include <string.h>

/* Elements of float data on a machine of the log's byte order. */
static bool is_little_endian(void)
{
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    return first == 1;
}

/* The mean of a block, to be subtracted before squares are summed; any number
 * near the data will do, and 0 where there is none. */
static double first_pivot(const xr_stats_kernels *kernels, const uint8_t *data, size_t count)
{
    xr_float_block block;
    kernels->floats(data, count, 0, &block);
    const double mean = block.sum / (double)count;
    return mean - mean == 0 ? mean : 0;
}

/* 1 to XR_STATS_BLOCK of them. */
static bool add_block(const xr_stats_way *way, const void *data, size_t count, xr_stat_moments *all,
                      exray_stats *stats)
{
    const xr_stats_kernels *kernels = way->kernels;
    const double pivot = all->count ? all->mean : first_pivot(kernels, data, count < 1024 ? count : 1024);
    xr_float_block block;
    kernels->floats(data, count, pivot, &block);
    if (block.squares - block.squares != 0) { /* something is not finite */
        xr_stats_add_slowly(way, data, count, all, stats);
        return false;
    }
    const double shift = block.sum / (double)count;
    const double squares = block.squares - block.sum * shift;
    const xr_stat_moments part = {count, pivot + shift, squares > 0 ? squares : 0, (double)block.min,
                                  (double)block.max};
    xr_stats_merge(all, &part);
    stats->zero_count += block.zeros;
    return true;
}

static bool add_floats(const xr_stats_way *way, const void *data, uint64_t count, xr_stat_moments *all,
                       exray_stats *stats)
{
    bool finite = true;
    for (uint64_t first = 0; first < count; first += XR_STATS_BLOCK) {
        const size_t n = count - first < XR_STATS_BLOCK ? (size_t)(count - first) : XR_STATS_BLOCK;
        finite = add_block(way, (const uint8_t *)data + 4 * first, n, all, stats) && finite;
    }
    return finite;
}

xr_stats_add_fn *xr_stats_floats(void)
{
    return is_little_endian() ? add_floats : NULL;
}
