#include "core/summary/stats.h"

#include "core/dtype.h"
#include "core/summary/element.h"
#include <math.h>
#include <string.h>

void xr_stats_merge(xr_stat_moments *into, const xr_stat_moments *other)
{
    if (!other->count)
        return;
    if (!into->count) {
        *into = *other;
        return;
    }
    const double n = (double)into->count, m = (double)other->count;
    const double delta = other->mean - into->mean;
    into->mean += delta * m / (n + m);
    into->squares += other->squares + delta * delta * n * m / (n + m);
    into->count += other->count;
    into->min = other->min < into->min ? other->min : into->min;
    into->max = other->max > into->max ? other->max : into->max;
}

/* Values one by one, two passes over a block that is in cache. */
static void add_values(const double *values, size_t count, xr_stat_moments *all, exray_stats *out)
{
    xr_stat_moments block = {.min = (double)INFINITY, .max = -(double)INFINITY};
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const double x = values[i];
        out->zero_count += x == 0;
        out->nan_count += x != x;
        if (x - x != 0) { /* NaN, and what infinity minus infinity is */
            out->inf_count += x == x;
            continue;
        }
        block.min = x < block.min ? x : block.min;
        block.max = x > block.max ? x : block.max;
        sum += x;
        block.count++;
    }
    if (block.count)
        block.mean = sum / (double)block.count;
    for (size_t i = 0; i < count; i++)
        if (values[i] - values[i] == 0)
            block.squares += (values[i] - block.mean) * (values[i] - block.mean);
    xr_stats_merge(all, &block);
}

enum { BLOCK = 256 };

/* Stored values at the ends of an integer type's range.  As bits: a double cannot tell those of 64 bits from
 * their neighbours. */
static void count_extremes(exray_dtype dtype, const uint8_t *data, uint64_t count, exray_stats *out)
{
    const unsigned bits = exray_dtype_bits(dtype);
    int64_t low;
    uint64_t high;
    xr_dtype_integer_range(dtype, &low, &high);
    const uint64_t lowest = (uint64_t)low & UINT64_MAX >> (64 - bits);
    for (uint64_t i = 0; i < count; i++) {
        const uint64_t stored = xr_stored_bits(data, i, bits);
        out->low_count += stored == lowest;
        out->high_count += stored == high;
    }
}

static double zero_point_of(const exray_quantization *q, uint32_t slice)
{
    return q->zero_point ? (double)q->zero_point[slice] : 0;
}

/* Any type, value by value, as they are meant. */
static void value_stats(const xr_stats_way *way, const exray_tensor_info *info, const xr_axis_walk *walk,
                        const uint8_t *data, uint64_t count, xr_stat_moments *all, exray_stats *out)
{
    const exray_quantization *q = &info->quantization;
    double values[BLOCK];
    uint32_t slice = 0;
    uint64_t left = walk->run; /* of the run that the next element is in */
    for (uint64_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? (size_t)(count - first) : BLOCK;
        way->to_double(info->dtype, data, first, n, values);
        for (size_t i = 0; q->count && i < n; i++) {
            values[i] = (double)q->scale[slice] * (values[i] - zero_point_of(q, slice));
            if (--left == 0) {
                left = walk->run;
                slice = slice + 1 == walk->slices ? 0 : slice + 1;
            }
        }
        add_values(values, n, all, out);
    }
}

void xr_stats_add_slowly(const xr_stats_way *way, const void *data, size_t count, xr_stat_moments *all,
                         exray_stats *stats)
{
    const exray_tensor_info floats = {.dtype = EXRAY_DTYPE_FLOAT32};
    value_stats(way, &floats, &(xr_axis_walk){1, UINT64_MAX}, data, count, all, stats);
}

/* ---- Bytes -------------------------------------------------------------------- */

/* From stored values to real ones, one scale for all. */
static void dequantize_moments(const exray_quantization *q, xr_stat_moments *all)
{
    const double scale = (double)q->scale[0], zero = zero_point_of(q, 0);
    const double a = scale * (all->min - zero), b = scale * (all->max - zero);
    all->min = a < b ? a : b;
    all->max = a < b ? b : a;
    all->mean = scale * (all->mean - zero);
    all->squares *= scale * scale;
}

static void byte_stats(const xr_stats_kernels *kernels, const exray_tensor_info *info, const uint8_t *data,
                       uint64_t count, xr_stat_moments *all, exray_stats *out)
{
    const bool is_signed = info->dtype == EXRAY_DTYPE_INT8;
    const uint8_t flip = is_signed ? 0x80 : 0;
    const int64_t offset = is_signed ? -128 : 0; /* stored value of byte 0, flipped */
    const int64_t zero_point =
        info->quantization.count && info->quantization.zero_point ? info->quantization.zero_point[0] : 0;
    const int64_t zero = zero_point < INT32_MAX ? zero_point - offset : INT32_MAX; /* no byte is as much */
    uint64_t sum = 0, squares = 0; /* at most 2^40 elements: the sizes given are bounded by memory */
    uint8_t min = 255, max = 0;
    for (uint64_t first = 0; first < count; first += XR_STATS_BLOCK) {
        const size_t n = count - first < XR_STATS_BLOCK ? (size_t)(count - first) : XR_STATS_BLOCK;
        xr_byte_block block;
        kernels->bytes(data + first, n, flip, (uint8_t)zero, &block);
        sum += block.sum;
        squares += block.squares;
        min = block.min < min ? block.min : min;
        max = block.max > max ? block.max : max;
        out->zero_count += zero >= 0 && zero <= 255 ? block.zeros : 0;
        out->low_count += block.lows;
        out->high_count += block.highs;
    }
    if (!count)
        return;
    const double mean = (double)sum / (double)count;
    /* The sums are exact, and bytes are small: this difference loses nothing. */
    const double deviations = (double)squares - (double)sum * mean;
    *all = (xr_stat_moments){count, mean + (double)offset, deviations > 0 ? deviations : 0,
                             (double)(min + offset), (double)(max + offset)};
    if (info->quantization.count)
        dequantize_moments(&info->quantization, all);
}

bool xr_element_count_of(const exray_tensor_info *info, size_t size, uint64_t *count)
{
    const unsigned bits = exray_dtype_bits(info->dtype);
    if (xr_shape_count(info->shape, info->rank, count))
        return xr_dtype_bytes(info->dtype, *count) <= size;
    *count = bits == 4 ? (uint64_t)size * 2 : size / (bits / 8);
    return true;
}

void xr_stats_end(const xr_stat_moments *all, exray_stats *out)
{
    out->min = all->count ? all->min : (double)NAN;
    out->max = all->count ? all->max : (double)NAN;
    out->mean = all->count ? all->mean : (double)NAN;
    out->variance = all->count ? all->squares / (double)all->count : (double)NAN;
}

exray_status xr_stats_compute(const xr_stats_way *way, const exray_tensor_info *info, const void *data,
                              size_t size, exray_stats *out)
{
    const exray_quantization *q = &info->quantization;
    xr_axis_walk walk;
    xr_stat_moments all = {0};
    *out = (exray_stats){0};
    if (!xr_dtype_is_numeric(info->dtype))
        return EXRAY_E_UNSUPPORTED;
    if (!xr_element_count_of(info, size, &out->count) || (q->count && !q->scale) || (out->count && !data) ||
        !xr_axis_walk_of(info, &walk))
        return EXRAY_E_ARGUMENT;
    const uint64_t count = out->count;
    const bool bytes = info->dtype == EXRAY_DTYPE_INT8 || info->dtype == EXRAY_DTYPE_UINT8;
    if (bytes && walk.slices <= 1) {
        byte_stats(way->kernels, info, data, count, &all, out);
    } else if (info->dtype == EXRAY_DTYPE_FLOAT32 && !q->count && way->add_floats) {
        way->add_floats(way, data, count, &all, out);
    } else {
        value_stats(way, info, &walk, data, count, &all, out);
        if (xr_dtype_is_integer(info->dtype))
            count_extremes(info->dtype, data, count, out);
    }
    xr_stats_end(&all, out);
    return EXRAY_OK;
}
