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
    size_t samples;
    exray_stats stats[FRAMES];
    size_t stat_frames;
} layer_values;

struct xr_similarities {
    layer_values *side[2]; /* [layers of that side] */
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
        if (v->has_channels)
            v->channels_last[v->samples + k] = data[channels_first_index(at, chw + (rank - 3))];
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

xr_similarities *xr_similarities_new(const exray_comparison *c, const xr_layers layers[2])
{
    xr_similarities *l = calloc(1, sizeof *l);
    exray_slot *slot = exray_slot_new();
    bool ok = l && slot;
    size_t frames = c->frame_count < FRAMES ? c->frame_count : FRAMES;
    for (int s = 0; ok && s < 2; s++) {
        l->side[s] = calloc((size_t)layers[s].count + 1, sizeof *l->side[s]);
        ok = l->side[s] != NULL;
        for (uint32_t i = 0; ok && i < layers[s].count; i++)
            for (size_t f = 0; f < frames; f++)
                read_layer(c, s, &layers[s].layer[i], f, slot, &l->side[s][i]);
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

xr_similarity xr_similarity_of(const xr_similarities *l, uint32_t edge, uint32_t reference)
{
    const layer_values *a = &l->side[0][edge], *b = &l->side[1][reference];
    size_t samples = a->samples < b->samples ? a->samples : b->samples;
    if (samples && a->count == b->count)
        switch (xr_match_layout(&a->info, &b->info)) {
        case XR_LAYOUT_SAME:
            return of_samples(a->stored, b->stored, samples);
        case XR_LAYOUT_EDGE_LAST:
            return of_samples(a->stored, b->channels_last, samples);
        case XR_LAYOUT_EDGE_FIRST:
            return of_samples(a->channels_last, b->stored, samples);
        case XR_LAYOUT_NONE:
            break;
        }
    if (!samples && a->has_stats && b->has_stats)
        return of_stats(a, b);
    return (xr_similarity){0};
}
