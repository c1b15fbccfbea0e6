/* Moments of each channel, and a histogram: what is kept of an input beside its statistics. */
#include "core/dtype.h"
#include "core/summary/dtypes.h"
#include "core/summary/stats.h"

#include <string.h>

enum { BLOCK = 256, FEWEST_ELEMENTS = 64, BINS = EXRAY_HISTOGRAM_BINS, MOST = EXRAY_MAX_CHANNEL_STATS, FEW = 4 };

/* Elements lie in runs of `inner` of one channel; after the last channel it begins again. */
typedef struct channel_walk {
    uint32_t channels;
    uint64_t inner;
} channel_walk;

/* Of the dimension with the channels; rank: there is none, all is one channel. */
static uint32_t channel_dimension(const exray_tensor_info *info)
{
    const char *layout = info->layout ? info->layout : "";
    const char *c = strchr(layout, 'C');
    if (c && strlen(layout) == info->rank && !strchr(c + 1, 'C'))
        return (uint32_t)(c - layout);
    const bool planes = info->rank == 4 && info->shape[1] >= 2 && info->shape[1] <= FEW;
    if (info->rank >= 2 && info->shape[info->rank - 1] <= (planes ? FEW : MOST))
        return info->rank - 1;
    return info->rank == 4 && info->shape[1] <= MOST ? 1 : info->rank;
}

/* false: the channels are too many, or too short. */
static bool walk_of(const exray_tensor_info *info, uint64_t count, channel_walk *walk)
{
    const uint32_t dimension = channel_dimension(info);
    *walk = (channel_walk){1, count};
    if (dimension < info->rank) {
        const int64_t channels = info->shape[dimension];
        uint64_t inner = 1;
        for (uint32_t i = dimension + 1; i < info->rank; i++) {
            if (info->shape[i] <= 0)
                return false;
            inner *= (uint64_t)info->shape[i]; /* a factor of the count: no overflow */
        }
        if (channels < 1 || channels > MOST)
            return false;
        *walk = (channel_walk){(uint32_t)channels, inner};
    }
    return count / walk->channels >= FEWEST_ELEMENTS;
}

/* Sums of a channel, of x - pivot. */
typedef struct deviation_sums {
    double sum[MOST], squares[MOST];
} deviation_sums;

static void dequantize(const exray_tensor_info *info, const xr_axis_walk *walk, uint64_t first, size_t count,
                       double *values)
{
    const exray_quantization *q = &info->quantization;
    for (size_t i = 0; i < count; i++) {
        const uint32_t slice = q->count > 1 ? xr_axis_slice(walk, first + i) : 0;
        values[i] =
            (double)q->scale[slice] * (values[i] - (q->zero_point ? (double)q->zero_point[slice] : 0));
    }
}

/* Values of a block, from element `first` on. */
static void add_block(const double *values, uint64_t first, size_t count, const channel_walk *walk,
                      const exray_stats *stats, deviation_sums *sums, uint32_t *histogram)
{
    const double scale = stats->max > stats->min ? BINS / (stats->max - stats->min) : 0;
    uint32_t channel = (uint32_t)(first / walk->inner % walk->channels);
    uint64_t left = walk->inner - first % walk->inner;
    for (size_t i = 0; i < count; i++) {
        const double x = values[i] - stats->mean;
        const double at = (values[i] - stats->min) * scale;
        const unsigned bin = at > 0 ? (unsigned)at : 0;
        sums->sum[channel] += x;
        sums->squares[channel] += x * x;
        histogram[bin < BINS ? bin : BINS - 1]++;
        if (--left == 0) {
            left = walk->inner;
            channel = channel + 1 == walk->channels ? 0 : channel + 1;
        }
    }
}

exray_status exray_channel_stats_compute(const exray_tensor_info *info, const void *data, size_t size,
                                         const exray_stats *stats, exray_channel_room *room,
                                         exray_channel_stats *out)
{
    channel_walk walk;
    xr_axis_walk axis;
    uint64_t count;
    *out = (exray_channel_stats){0};
    if (!xr_dtype_is_numeric(info->dtype) || stats->nan_count || stats->inf_count)
        return EXRAY_E_UNSUPPORTED;
    if (!data || !xr_element_count_of(info, size, &count) || !xr_axis_walk_of(info, &axis))
        return EXRAY_E_ARGUMENT;
    if (!walk_of(info, count, &walk))
        return EXRAY_E_UNSUPPORTED;
    deviation_sums sums = {{0}, {0}};
    double values[BLOCK];
    memset(room, 0, sizeof *room);
    for (uint64_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? (size_t)(count - first) : BLOCK;
        xr_dtype_to_double(info->dtype, data, first, n, values);
        if (info->quantization.count)
            dequantize(info, &axis, first, n, values);
        add_block(values, first, n, &walk, stats, &sums, room->histogram);
    }
    const double each = (double)(count / walk.channels);
    for (uint32_t c = 0; c < walk.channels; c++) {
        const double mean = sums.sum[c] / each, variance = sums.squares[c] / each - mean * mean;
        room->mean[c] = (float)(stats->mean + mean);
        room->variance[c] = (float)(variance > 0 ? variance : 0);
    }
    *out = (exray_channel_stats){walk.channels, BINS, room->mean, room->variance, room->histogram};
    return EXRAY_OK;
}
