/* Moments of each channel, and a histogram: what is kept of an input beside its statistics. */
#include "core/dtype.h"
#include "core/summary/dtypes.h"
#include "core/summary/stats.h"

#include <string.h>

/* LANES: sums side by side, a whole number of pixels of 1, 2, 3 and 4 channels; a block is a whole number of
 * these. */
enum {
    LANES = 12,
    BLOCK = 21 * LANES,
    FEWEST_ELEMENTS = 64,
    BINS = EXRAY_HISTOGRAM_BINS,
    MOST = EXRAY_MAX_CHANNEL_STATS,
    FEW = 4
};

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

/* Sums of each channel, of x - pivot. */
typedef struct deviation_sums {
    double sum[MOST], squares[MOST];
} deviation_sums;

/* Sums that do not wait for each other. */
typedef struct lane_sums {
    double sum[LANES], squares[LANES];
} lane_sums;

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

/* `restrict`: the sums stay in registers. */
static void add_lanes(const double *restrict x, size_t count, lane_sums *restrict s)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++) {
            s->sum[k] += x[i + k];
            s->squares[k] += x[i + k] * x[i + k];
        }
    for (size_t k = 0; i + k < count; k++) {
        s->sum[k] += x[i + k];
        s->squares[k] += x[i + k] * x[i + k];
    }
}

/* Lane k is of channel k mod `channels`, from channel `first` on. */
static void join_lanes(const lane_sums *s, uint32_t first, uint32_t channels, deviation_sums *out)
{
    for (uint32_t k = 0; k < LANES; k++) {
        out->sum[first + k % channels] += s->sum[k];
        out->squares[first + k % channels] += s->squares[k];
    }
}

/* Runs of one channel. */
static void add_runs(const double *x, uint64_t first, size_t count, const channel_walk *walk,
                     deviation_sums *sums)
{
    uint32_t channel = (uint32_t)(first / walk->inner % walk->channels);
    uint64_t left = walk->inner - first % walk->inner;
    for (size_t i = 0; i < count; left = walk->inner) {
        const size_t n = left < count - i ? (size_t)left : count - i;
        lane_sums lanes = {{0}, {0}};
        add_lanes(x + i, n, &lanes);
        join_lanes(&lanes, channel, 1, sums);
        i += n;
        channel = channel + 1 == walk->channels ? 0 : channel + 1;
    }
}

/* Channels side by side, so many that they do not fill lanes. */
static void add_pixels(const double *x, uint64_t first, size_t count, uint32_t channels, deviation_sums *sums)
{
    uint32_t channel = (uint32_t)(first % channels);
    for (size_t i = 0; i < count; i++) {
        sums->sum[channel] += x[i];
        sums->squares[channel] += x[i] * x[i];
        channel = channel + 1 == channels ? 0 : channel + 1;
    }
}

/* Histograms that are counted in turn: equal neighbors do not wait for each other. */
enum { TURNS = 4 };

static void add_to_histogram(const double *x, size_t count, double low, double scale,
                             uint32_t histogram[TURNS][BINS])
{
    int32_t bin[BLOCK];
    for (size_t i = 0; i < count; i++) {
        double at = (x[i] - low) * scale;
        at = at > 0 ? at : 0;
        bin[i] = (int32_t)(at < BINS - 1 ? at : BINS - 1);
    }
    size_t i = 0;
    for (; i + TURNS <= count; i += TURNS)
        for (size_t k = 0; k < TURNS; k++)
            histogram[k][bin[i + k]]++;
    for (; i < count; i++)
        histogram[0][bin[i]]++;
}

typedef struct all_sums {
    lane_sums lanes; /* of channels that fill them */
    deviation_sums sums;
    uint32_t histogram[TURNS][BINS];
} all_sums;

static bool fill_lanes(const channel_walk *walk)
{
    return walk->inner == 1 && LANES % walk->channels == 0;
}

/* Values of a block, from element `first` on. */
static void add_block(double *values, uint64_t first, size_t count, const channel_walk *walk,
                      const exray_stats *stats, all_sums *s)
{
    const double scale = stats->max > stats->min ? BINS / (stats->max - stats->min) : 0;
    add_to_histogram(values, count, stats->min, scale, s->histogram);
    for (size_t i = 0; i < count; i++)
        values[i] -= stats->mean;
    if (fill_lanes(walk))
        add_lanes(values, count, &s->lanes);
    else if (walk->inner > 1)
        add_runs(values, first, count, walk, &s->sums);
    else
        add_pixels(values, first, count, walk->channels, &s->sums);
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
    all_sums s;
    double values[BLOCK];
    memset(&s, 0, sizeof s);
    memset(room, 0, sizeof *room);
    for (uint64_t first = 0; first < count; first += BLOCK) {
        const size_t n = count - first < BLOCK ? (size_t)(count - first) : BLOCK;
        xr_dtype_to_double(info->dtype, data, first, n, values);
        if (info->quantization.count)
            dequantize(info, &axis, first, n, values);
        add_block(values, first, n, &walk, stats, &s);
    }
    if (fill_lanes(&walk))
        join_lanes(&s.lanes, 0, walk.channels, &s.sums);
    for (size_t i = 0; i < BINS; i++)
        for (size_t k = 0; k < TURNS; k++)
            room->histogram[i] += s.histogram[k][i];
    const double each = (double)(count / walk.channels);
    for (uint32_t c = 0; c < walk.channels; c++) {
        const double mean = s.sums.sum[c] / each, variance = s.sums.squares[c] / each - mean * mean;
        room->mean[c] = (float)(stats->mean + mean);
        room->variance[c] = (float)(variance > 0 ? variance : 0);
    }
    *out = (exray_channel_stats){walk.channels, BINS, room->mean, room->variance, room->histogram};
    return EXRAY_OK;
}
