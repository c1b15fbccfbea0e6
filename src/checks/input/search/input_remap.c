/* Integers that leave hardly any values to fit a line to: normalized far out of the range
 * of their type, quantized once too often, or not at all. */
#include "checks/input/input_words.h"
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROOM = 12000, FEW_LEVELS = 12 };

/* Levels of the reference that two healthy sides may be apart: where a step of the map lies
 * between, their values may be anywhere between. */
#define SLACK_LEVELS 2.0

/* ---- The map ------------------------------------------------------------------------------ */

/* The edge's value for a reference's value, under each mistake; in the edge's unit.  The
 * reference's is gain * pixel + offset. */
static double remapped(const xr_remap *m, double value, double gain, double offset, size_t c)
{
    double q;
    switch (m->kind) {
    case XR_REMAP_NORMALIZED: /* another convention, then quantized */
        value = ((value - offset) / gain - m->mean[c % 3]) / m->std[c % 3];
        q = round(value / m->scale) + m->zero;
        break;
    case XR_REMAP_AGAIN:
        q = round((gain * value + offset) / m->scale) + m->zero;
        break;
    case XR_REMAP_TWICE:
        q = round(fmin(fmax(round(value / m->scale) + m->zero, m->least), m->least + 255) / m->scale) +
            m->zero;
        break;
    case XR_REMAP_NOT: /* cast, or rounded, as it is */
        q = round(value);
        break;
    case XR_REMAP_CAST:
        q = trunc(value);
        break;
    default: /* as it should be; what the tensor cannot hold is clipped */
        q = round(value / m->scale) + m->zero;
    }
    q = fmin(fmax(q, m->least), m->least + 255);
    return m->scale * (q - m->zero);
}

void xr_remap_apply(const xr_chain *chain, xr_raster *r)
{
    size_t pixels = r->width * r->height;
    if (chain->remap.kind == XR_REMAP_NONE)
        return;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++)
            r->v[i] = (float)remapped(&chain->remap, (double)r->v[i], chain->gain[c], chain->offset[c], c);
}

void xr_remap_towards(const xr_scene *scene, const xr_chain *chain, xr_raster *r, const xr_raster *edge)
{
    size_t pixels = r->width * r->height;
    double slack = SLACK_LEVELS * scene->fit->level[1];
    if (chain->remap.kind == XR_REMAP_NONE)
        return;
    for (size_t c = 0; c < r->channels; c++)
        for (size_t i = c * pixels; i < (c + 1) * pixels; i++) {
            double v = r->v[i], gain = chain->gain[c], offset = chain->offset[c];
            double a = remapped(&chain->remap, v - slack, gain, offset, c);
            double b = remapped(&chain->remap, v + slack, gain, offset, c);
            r->v[i] = (float)fmin(fmax((double)edge->v[i], fmin(a, b)), fmax(a, b));
        }
}

/* ---- Values of both sides -------------------------------------------------------------------- */

typedef struct samples {
    float *edge, *reference, *other; /* edge: ascending */
    size_t *channel;
    size_t count, levels;
    double at_ends[2][2]; /* [side][low, high]: shares that lie at the ends of the edge's range */
} samples;

static int ascending(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

static size_t take(const xr_scene *scene, exray_side side, float *out, size_t *channel)
{
    size_t n = 0;
    for (size_t f = 0; f < scene->count; f++) {
        const xr_raster *r = side == EXRAY_SIDE_EDGE ? &scene->frame[f].edge[0] : &scene->frame[f].reference;
        size_t pixels = r->width * r->height, step = pixels * scene->count * scene->channels / ROOM + 1;
        for (size_t c = 0; c < r->channels; c++)
            for (size_t i = 0; i < pixels && n < ROOM; i += step) {
                channel[n] = c;
                out[n++] = r->v[c * pixels + i];
            }
    }
    return n;
}

static void free_samples(samples *s)
{
    free(s->edge);
    free(s->reference);
    free(s->other);
    free(s->channel);
}

static bool take_samples(const xr_scene *scene, double scale, samples *s)
{
    *s = (samples){malloc(ROOM * sizeof(float)),
                   malloc(ROOM * sizeof(float)),
                   malloc(ROOM * sizeof(float)),
                   malloc(ROOM * sizeof(size_t)),
                   0,
                   0,
                   {{0, 0}, {0, 0}}};
    if (!s->edge || !s->reference || !s->other || !s->channel)
        return false;
    s->count = take(scene, EXRAY_SIDE_EDGE, s->edge, s->channel);
    if (s->count == 0 || take(scene, EXRAY_SIDE_REFERENCE, s->reference, s->channel) != s->count)
        return false;
    double n = (double)s->count;
    for (size_t i = 0; i < s->count; i++) {
        double e = s->edge[i], r = s->reference[i];
        s->at_ends[0][0] += (e < scene->low + scale / 4) / n;
        s->at_ends[0][1] += (e > scene->high - scale / 4) / n;
        s->at_ends[1][0] += (fabs(r - scene->low) < scale) / n;
        s->at_ends[1][1] += (fabs(r - scene->high) < scale) / n;
    }
    qsort(s->edge, s->count, sizeof *s->edge, ascending);
    s->levels = 1;
    for (size_t i = 1; i < s->count; i++)
        s->levels += s->edge[i] != s->edge[i - 1];
    return true;
}

/* How far apart the values are as distributions, under a map: mean distance of equal ranks. */
static double apart(samples *s, const xr_remap *m, const xr_chain *chain)
{
    double sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t c = s->channel[i];
        s->other[i] = (float)remapped(m, (double)s->reference[i], chain->gain[c], chain->offset[c], c);
    }
    qsort(s->other, s->count, sizeof *s->other, ascending);
    for (size_t i = 0; i < s->count; i++)
        sum += fabs((double)s->edge[i] - (double)s->other[i]);
    return sum / (double)s->count;
}

/* ---- Searching ----------------------------------------------------------------------------------- */

/* What the edge's tensor holds; false where it is no quantized tensor of 8 bits. */
static bool stored_as(xr_scene *scene, xr_remap *m)
{
    xr_storage stored;
    if (!xr_scene_storage(scene, &stored) || !stored.quantized || !(stored.scale > 0))
        return false;
    *m = (xr_remap){.scale = stored.scale, .zero = stored.zero, .least = stored.least};
    return true;
}

/* The best of the mistakes in normalizing, and of those in quantizing. */
typedef struct best_map {
    xr_remap best;
    double least;
} best_map;

static void weigh(samples *s, const xr_chain *chain, const xr_remap *m, best_map *now)
{
    double left = apart(s, m, chain);
    if (left < 0.8 * now->least) {
        now->least = left;
        now->best = *m;
    }
}

static void choose(xr_scene *scene, xr_chain *chain, samples *s, const xr_remap *as_it_should_be)
{
    xr_remap m = *as_it_should_be;
    bool unit = xr_chain_unit(scene, chain);
    double same = apart(s, as_it_should_be, chain);
    best_map normalizing = {*as_it_should_be, same}, quantizing = normalizing;
    for (size_t k = 0; unit && k < xr_convention_count(); k++) {
        const xr_convention *convention = xr_convention_at(k);
        m.kind = XR_REMAP_NORMALIZED;
        m.name = convention->name;
        memcpy(m.mean, convention->mean, sizeof m.mean);
        memcpy(m.std, convention->std, sizeof m.std);
        weigh(s, chain, &m, &normalizing);
    }
    m.kind = XR_REMAP_AGAIN;
    if (unit)
        weigh(s, chain, &m, &normalizing);
    for (int kind = XR_REMAP_TWICE; kind <= XR_REMAP_CAST; kind++) {
        m.kind = (xr_remap_kind)kind;
        weigh(s, chain, &m, &quantizing);
    }
    /* Constants that do the same as a second quantization, or as none: the former is said first. */
    best_map *first = &normalizing, *other = &quantizing;
    if (quantizing.least + 0.01 * m.scale < normalizing.least)
        first = &quantizing, other = &normalizing;
    if (!first->best.kind || first->least > 0.2 * same || same < 2 * m.scale)
        return;
    chain->remap = first->best;
    if (other->best.kind && other->least < 1.25 * first->least + 0.01 * m.scale)
        chain->remap.tied = other->best.kind;
}

void xr_find_remap(xr_scene *scene, xr_chain *chain)
{
    xr_remap m;
    samples s;
    if (scene->count == 0 || !stored_as(scene, &m))
        return;
    scene->low = m.scale * (m.least - m.zero);
    scene->high = m.scale * (m.least + 255 - m.zero);
    scene->clamped = scene->fit->clipped > 0.01 * scene->fit->counted;
    if (take_samples(scene, m.scale, &s)) {
        /* More of the edge's values lie at an end of its range than of the reference's. */
        for (int end = 0; end < 2; end++)
            scene->censored = scene->censored || s.at_ends[0][end] > s.at_ends[1][end] + 0.0003;
        /* Values hardly left to fit a line to: what could have flattened them? */
        if (s.at_ends[0][0] + s.at_ends[0][1] > 0.8 || s.levels < FEW_LEVELS)
            choose(scene, chain, &s, &m);
        if (chain->remap.kind)
            scene->censored = false;
    }
    free_samples(&s);
}
