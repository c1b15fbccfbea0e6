#include "compare/match/similarity.h"

#include "compare/comparison.h"
#include "compare/match/shapes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

/* A correlation of so many samples is accurate to 0.06; a second frame, in case the first picture is flat. */
enum { SAMPLES = 256, FRAMES = 2 };

/* One layer of one log. */
typedef struct layer_values {
    uint64_t count; /* elements; 0: no data */
    bool has_stats;
    bool has_channels; /* of three or four dimensions: it may be channels-first */
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    float stored[FRAMES * SAMPLES];        /* in the order in which they are stored */
    float channels_last[FRAMES * SAMPLES]; /* in channels-last order, if they are stored channels-first */
    float swapped[FRAMES * SAMPLES]; /* in the order of the tensor with its last two dimensions exchanged */
    size_t samples;
    float deviation; /* of the samples; 0: they are constant, or not finite */
    exray_stats stats[FRAMES];
    size_t stat_frames;
} layer_values;

struct xr_similarities {
    layer_values *side[2]; /* [layers of that side] */
    bool open;             /* which way is meant where shapes fit in several; else the first */
};

/* Which element is sample k: the same for all tensors of that many elements, spread over all of them. */
static uint64_t sample_index(size_t k, uint64_t count)
{
    uint64_t h = (k + 1) * UINT64_C(0x9E3779B97F4A7C15);
    h ^= h >> 32;
    return h % count;
}

/* The index in a channels-first tensor of that shape of element i in channels-last order. */
static uint64_t channels_first_index(uint64_t i, const int64_t *chw)
{
    uint64_t channels = (uint64_t)chw[0], area = (uint64_t)chw[1] * (uint64_t)chw[2];
    uint64_t batch = i / (channels * area);
    i %= channels * area;
    return (batch * channels + i % channels) * area + i / channels;
}

/* The index of element i of the tensor with the last two dimensions exchanged. */
static uint64_t swapped_index(uint64_t i, uint64_t rows, uint64_t columns)
{
    uint64_t before = i - i % (rows * columns);
    i %= rows * columns;
    return before + i % rows * columns + i / rows;
}

static void take_samples(layer_values *v, const exray_tensor_view *view, const float *data)
{
    int64_t chw[EXRAY_MAX_RANK];
    uint32_t rank = xr_squeeze(&view->info, chw);
    if (v->samples == 0) {
        v->count = view->count;
        v->info = view->info;
        for (uint32_t i = 0; i < view->info.rank; i++)
            v->shape[i] = view->info.shape[i];
        v->info.shape = v->shape;
        v->has_channels = rank == 3 || rank == 4;
    }
    if (view->count != v->count || v->count == 0)
        return;
    for (size_t k = 0; k < SAMPLES; k++) {
        uint64_t at = sample_index(k, v->count);
        v->stored[v->samples + k] = data[at];
        if (v->has_channels && (rank == 3 || rank == 4)) /* this frame's rank, too */
            v->channels_last[v->samples + k] = data[channels_first_index(at, chw + (rank - 3))];
        if (rank >= 2)
            v->swapped[v->samples + k] =
                data[swapped_index(at, (uint64_t)chw[rank - 2], (uint64_t)chw[rank - 1])];
    }
    v->samples += SAMPLES;
}

static void read_layer(const exray_comparison *c, int side, const xr_layer *layer, size_t frame,
                       exray_slot *slot, layer_values *v)
{
    if (layer->output == EXRAY_NO_INDEX || layer->constant)
        return;
    const exray_log *log = c->log[side];
    const exray_record *record =
        exray_log_find(log, c->frame[frame].frame[side], EXRAY_KIND_LAYER, layer->node, layer->output, NULL);
    exray_tensor_view view;
    const float *data = NULL;
    exray_error error = {EXRAY_OK, ""};
    if (!record)
        return;
    exray_status status = record->has_data ? exray_log_read_values(log, record, slot, &view, &data, &error)
                                           : exray_log_read_tensor(log, record, slot, &view, &error);
    if (status != EXRAY_OK)
        return;
    if (data)
        take_samples(v, &view, data);
    if (view.has_stats && v->stat_frames < FRAMES) {
        v->stats[v->stat_frames++] = view.stats;
        v->has_stats = true;
    }
}

static float deviation_of(const float *values, size_t count)
{
    double sum = 0, square = 0;
    for (size_t i = 0; i < count; i++) {
        sum += values[i];
        square += (double)values[i] * values[i];
    }
    double variance = count ? (square - sum * sum / (double)count) / (double)count : 0;
    return variance > FLT_EPSILON * square / (double)(count ? count : 1) && isfinite(variance)
               ? (float)sqrt(variance)
               : 0;
}

xr_similarities *xr_similarities_new(const exray_comparison *c, const xr_layers layers[2])
{
    xr_similarities *l = calloc(1, sizeof *l);
    exray_slot *slot = exray_slot_new();
    bool ok = l && slot;
    if (l)
        l->open = xr_layouts_may_differ(exray_log_model(c->log[0]), exray_log_model(c->log[1]));
    size_t frames = c->frame_count < FRAMES ? c->frame_count : FRAMES;
    for (int s = 0; ok && s < 2; s++) {
        l->side[s] = calloc((size_t)layers[s].count + 1, sizeof *l->side[s]);
        ok = l->side[s] != NULL;
        for (uint32_t i = 0; ok && i < layers[s].count; i++) {
            layer_values *v = &l->side[s][i];
            for (size_t f = 0; f < frames; f++)
                read_layer(c, s, &layers[s].layer[i], f, slot, v);
            v->deviation = deviation_of(v->stored, v->samples);
        }
    }
    exray_slot_free(slot);
    if (ok)
        return l;
    xr_similarities_free(l);
    return NULL;
}

void xr_similarities_free(xr_similarities *l)
{
    if (l)
        for (int s = 0; s < 2; s++)
            free(l->side[s]);
    free(l);
}

static xr_similarity of_samples(const float *a, const float *b, size_t n)
{
    double sa = 0, sb = 0, aa = 0, bb = 0, ab = 0;
    size_t used = 0;
    for (size_t i = 0; i < n; i++) {
        if (!isfinite(a[i]) || !isfinite(b[i]))
            continue;
        sa += a[i], sb += b[i];
        aa += (double)a[i] * a[i], bb += (double)b[i] * b[i], ab += (double)a[i] * b[i];
        used++;
    }
    if (used < 2)
        return (xr_similarity){0};
    double count = (double)used;
    double va = aa / count - sa * sa / count / count, vb = bb / count - sb * sb / count / count;
    double covariance = ab / count - sa * sb / count / count;
    double difference = (aa - 2 * ab + bb) / count;
    bool flat = va <= FLT_EPSILON * aa / count || vb <= FLT_EPSILON * bb / count;
    if (flat) /* constants: they are equal or not */
        return (xr_similarity){
            .known = difference <= FLT_EPSILON * bb / count, .correlation = 1, .determination = 1};
    return (xr_similarity){.known = true,
                           .correlation = covariance / sqrt(va * vb),
                           .determination = fmax(0, 1 - difference / vb)};
}

/* Means and spreads that agree to a tenth of the spread are similar. */
static xr_similarity of_stats(const layer_values *a, const layer_values *b)
{
    size_t frames = a->stat_frames < b->stat_frames ? a->stat_frames : b->stat_frames;
    double apart = 0;
    for (size_t f = 0; f < frames; f++) {
        const exray_stats *x = &a->stats[f], *y = &b->stats[f];
        if (x->count != y->count || !(y->variance > 0) || !(x->variance > 0))
            return (xr_similarity){0};
        double spread = sqrt(y->variance);
        apart += fabs(x->mean - y->mean) / spread + fabs(log(sqrt(x->variance) / spread)) +
                 0.2 * (fabs(x->max - y->max) + fabs(x->min - y->min)) / spread;
    }
    double similar = fmax(0, 1 - apart / (double)frames);
    return (xr_similarity){
        .known = true, .from_stats = true, .correlation = similar, .determination = similar};
}

/* How many ways there are to compare the samples of both; 0: there are no samples, or their shapes do not
 * correspond. */
static uint32_t ways_to_compare(const xr_similarities *l, const layer_values *a, const layer_values *b,
                                xr_layout_match way[XR_LAYOUT_WAYS], size_t *samples)
{
    *samples = a->samples < b->samples ? a->samples : b->samples;
    if (!*samples || a->count != b->count)
        return 0;
    uint32_t ways = xr_layout_ways(&a->info, &b->info, way);
    return ways > 1 && !l->open ? 1 : ways;
}

/* The samples of both in one order. */
static void side_by_side(const layer_values *a, const layer_values *b, xr_layout_match how,
                         const float *values[2])
{
    values[0] = how == XR_LAYOUT_EDGE_FIRST ? a->channels_last : a->stored;
    values[1] = how == XR_LAYOUT_EDGE_LAST ? b->channels_last
                : how == XR_LAYOUT_SWAPPED ? b->swapped
                                           : b->stored;
}

xr_similarity xr_similarity_of(const xr_similarities *l, uint32_t edge, uint32_t reference)
{
    const layer_values *a = &l->side[0][edge], *b = &l->side[1][reference];
    xr_similarity best = {0};
    xr_layout_match way[XR_LAYOUT_WAYS];
    size_t samples;
    uint32_t ways = ways_to_compare(l, a, b, way, &samples);
    for (uint32_t i = 0; i < ways; i++) {
        const float *values[2];
        side_by_side(a, b, way[i], values);
        xr_similarity s = of_samples(values[0], values[1], samples);
        if (i == 0 || (s.known && (!best.known || s.correlation > best.correlation)))
            best = s;
    }
    if (!samples && a->has_stats && b->has_stats)
        return of_stats(a, b);
    return best;
}

bool xr_values_equal(const xr_similarities *l, uint32_t edge, uint32_t reference)
{
    /* Ten times the noise of float layers in a row (judge/localize.c). */
    const float tolerance = 3e-4F;
    const layer_values *a = &l->side[0][edge], *b = &l->side[1][reference];
    xr_layout_match way[XR_LAYOUT_WAYS];
    size_t samples;
    uint32_t ways = ways_to_compare(l, a, b, way, &samples);
    for (uint32_t w = 0; w < ways; w++) {
        const float *values[2];
        side_by_side(a, b, way[w], values);
        float most = tolerance * b->deviation;
        bool equal = a->deviation > 0 && b->deviation > 0;
        for (size_t i = 0; equal && i < samples; i++)
            equal = fabsf(values[0][i] - values[1][i]) <= most;
        if (equal)
            return true;
    }
    return ways == 0 && !samples && a->has_stats && b->has_stats &&
           of_stats(a, b).correlation > 1 - tolerance;
}
