/* Distances from sketches (spec/sketch.md): of two sketches, or of a sketch and the other side's data. */
#include "compare/measure/sketch_distance.h"

#include <exray/exray.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Standard errors between the estimate and its bounds: 99.9 % of the layers are within. */
#define Z 3.3
/* Of both tensors' norms: the difference that rounding to float32 alone can cause. */
#define ROUNDING 3e-7

/* Shape in the order of the sketch's elements, without dimensions of 1. */
static uint32_t walked_shape(const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK])
{
    const char *layout = info->layout ? info->layout : "", *c = strchr(layout, 'C');
    bool moves = c && strlen(layout) == info->rank && !strchr(c + 1, 'C');
    uint32_t rank = 0, channels = moves ? (uint32_t)(c - layout) : EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < info->rank && i < EXRAY_MAX_RANK; i++)
        if (i != channels && info->shape[i] != 1)
            shape[rank++] = info->shape[i];
    if (moves && info->shape[channels] != 1)
        shape[rank++] = info->shape[channels];
    return rank;
}

bool xr_sketch_same_order(const exray_tensor_info *edge, const exray_tensor_info *reference)
{
    int64_t a[EXRAY_MAX_RANK], b[EXRAY_MAX_RANK];
    uint32_t ra = walked_shape(edge, a), rb = walked_shape(reference, b);
    return ra == 1 || rb == 1 || (ra == rb && memcmp(a, b, ra * sizeof *a) == 0);
}

bool xr_sketch_is_good(const exray_sketch *sketch, uint64_t elements)
{
    uint64_t buckets = elements < EXRAY_SKETCH_BUCKETS ? elements : EXRAY_SKETCH_BUCKETS;
    if (sketch->version != EXRAY_SKETCH_VERSION || sketch->count != buckets || buckets == 0)
        return false;
    for (uint32_t i = 0; i < sketch->count; i++)
        if (!isfinite(sketch->bucket[i]))
            return false;
    return true;
}

bool xr_sketch_values(const exray_tensor_info *info, bool canonical, const float *values, uint64_t count,
                      uint64_t seed, float bucket[EXRAY_SKETCH_BUCKETS], exray_sketch *out)
{
    const int64_t flat[1] = {(int64_t)count};
    exray_tensor_info of = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 1, .shape = flat};
    if (!canonical) {
        of.rank = info->rank;
        of.shape = info->shape;
        of.layout = info->layout;
    }
    *out = (exray_sketch){.version = EXRAY_SKETCH_VERSION, .seed = seed, .bucket = bucket};
    return exray_sketch_compute(&of, values, (size_t)count * sizeof *values, seed, NULL, bucket,
                                &out->count) == EXRAY_OK;
}

bool xr_sketch_add(xr_pair *pair, const exray_sketch sketch[2])
{
    if (!pair->sketch)
        pair->sketch = calloc(1, sizeof *pair->sketch);
    xr_sketch_sums *sums = pair->sketch;
    if (!sums)
        return false;
    for (uint32_t i = 0; i < sketch[0].count; i++) {
        double d = (double)sketch[0].bucket[i] - (double)sketch[1].bucket[i];
        sums->square[i] += d * d;
    }
    sums->exact = sketch[0].count < EXRAY_SKETCH_BUCKETS && (sums->frames == 0 || sums->exact);
    sums->frames++;
    return true;
}

bool xr_has_sketch(const xr_pair *pair)
{
    return pair->frames == 0 && pair->sketch && pair->sketch->frames == pair->stats.frames &&
           pair->stats.count > 0;
}

/* Clamps the estimate to what the moments of both sides allow: for any a and b, var(a - b) lies between
 * the squares of the difference and of the sum of their deviations. */
static double allowed(const xr_stat_sums *stats, double square)
{
    double most = sqrt(stats->square[0]) + sqrt(stats->square[1]);
    square = fmin(square, most * most * (1 + 1e-9));
    return stats->bound * (1 - 1e-9) > square ? stats->bound : square;
}

xr_distance xr_sketch_distance(const xr_pair *pair)
{
    const xr_sketch_sums *sums = pair->sketch;
    double total = 0, spread = 0;
    for (int i = 0; i < EXRAY_SKETCH_BUCKETS; i++)
        total += sums->square[i];
    const double mean = total / EXRAY_SKETCH_BUCKETS, count = (double)pair->stats.count;
    for (int i = 0; i < EXRAY_SKETCH_BUCKETS; i++)
        spread += (sums->square[i] - mean) * (sums->square[i] - mean);
    double se = sqrt(spread * EXRAY_SKETCH_BUCKETS / (EXRAY_SKETCH_BUCKETS - 1));
    double floor = ROUNDING * sqrt(pair->stats.square[0] + pair->stats.square[1]);
    double away = total > 0 ? exp(Z * se / total) : 1;
    if (sums->exact) {
        away = 1;
        floor = 0;
    }
    double low = sqrt(allowed(&pair->stats, total / away)), high = sqrt(allowed(&pair->stats, total * away));
    return (xr_distance){.rmse = sqrt(allowed(&pair->stats, total) / count),
                         .low = fmax(0, low - floor) / sqrt(count),
                         .high = (high + floor) / sqrt(count)};
}

/* From the norms, which statistics have, and the distance. */
static double cosine_of(const xr_stat_sums *stats, double rmse)
{
    double length = sqrt(stats->square[0]) * sqrt(stats->square[1]);
    if (!(length > 0))
        return stats->square[0] == stats->square[1] ? 1 : NAN;
    double gap = sqrt(stats->square[0]) - sqrt(stats->square[1]);
    return fmax(-1, fmin(1, 1 - (rmse * rmse * (double)stats->count - gap * gap) / (2 * length)));
}

void xr_sketch_metrics(const xr_pair *pair, exray_layer_pair *shown)
{
    exray_metrics *m = &shown->metrics;
    const xr_stat_sums *stats = &pair->stats;
    xr_distance d = xr_sketch_distance(pair);
    double range = m->max[1] - m->min[1];
    m->rmse = d.rmse;
    if (range > 0) {
        m->nrmse = d.rmse / range;
        shown->nrmse_low = d.low / range;
        shown->nrmse_high = d.high / range;
    } else if (d.rmse == 0) {
        m->nrmse = shown->nrmse_low = shown->nrmse_high = 0;
    }
    m->cosine = cosine_of(stats, d.rmse);
    shown->cosine_low = cosine_of(stats, d.high);
    shown->cosine_high = cosine_of(stats, d.low);
    double square = d.rmse * d.rmse * (double)stats->count;
    if (square == 0)
        m->sqnr_db = INFINITY;
    else
        m->sqnr_db = stats->square[1] > 0 ? 10 * log10(stats->square[1] / square) : -INFINITY;
}
