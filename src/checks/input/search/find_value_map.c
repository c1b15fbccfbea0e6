/* Mistakes in normalizing and quantizing that leave hardly any distinct values, so that no map can be
 * fitted to them: each is tried on the reference's values, and the distributions are compared. */
#include "checks/input/search/find.h"

#include "checks/ascending.h"
#include "checks/input/fit/conventions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLE_LIMIT = 12000, FEW_LEVELS = 12 };

typedef struct value_samples {
    float *edge, *reference, *other; /* edge: sorted */
    size_t *channel;
    size_t count, levels;
    double at_ends[2][2]; /* [side][low, high]: shares of the values at the ends of the edge's range */
} value_samples;

static size_t take_side(const xr_input_pair *pair, exray_side side, float *out, size_t *channel)
{
    size_t n = 0;
    for (size_t f = 0; f < pair->count; f++) {
        const xr_raster *r = side == EXRAY_SIDE_EDGE ? &pair->frame[f].edge[0] : &pair->frame[f].reference;
        size_t pixels = r->width * r->height, step = pixels * pair->count * pair->channels / SAMPLE_LIMIT + 1;
        for (size_t c = 0; c < r->channels; c++)
            for (size_t i = 0; i < pixels && n < SAMPLE_LIMIT; i += step) {
                channel[n] = c;
                out[n++] = r->v[c * pixels + i];
            }
    }
    return n;
}

static void free_samples(value_samples *s)
{
    free(s->edge);
    free(s->reference);
    free(s->other);
    free(s->channel);
}

static bool take_samples(const xr_input_pair *pair, double scale, value_samples *s)
{
    *s = (value_samples){malloc(SAMPLE_LIMIT * sizeof(float)),
                         malloc(SAMPLE_LIMIT * sizeof(float)),
                         malloc(SAMPLE_LIMIT * sizeof(float)),
                         malloc(SAMPLE_LIMIT * sizeof(size_t)),
                         0,
                         0,
                         {{0, 0}, {0, 0}}};
    if (!s->edge || !s->reference || !s->other || !s->channel)
        return false;
    s->count = take_side(pair, EXRAY_SIDE_EDGE, s->edge, s->channel);
    if (s->count == 0 || take_side(pair, EXRAY_SIDE_REFERENCE, s->reference, s->channel) != s->count)
        return false;
    double n = (double)s->count;
    for (size_t i = 0; i < s->count; i++) {
        double e = s->edge[i], r = s->reference[i];
        s->at_ends[0][0] += (e < pair->low + scale / 4) / n;
        s->at_ends[0][1] += (e > pair->high - scale / 4) / n;
        s->at_ends[1][0] += (fabs(r - pair->low) < scale) / n;
        s->at_ends[1][1] += (fabs(r - pair->high) < scale) / n;
    }
    qsort(s->edge, s->count, sizeof *s->edge, xr_ascending_floats);
    s->levels = 1;
    for (size_t i = 1; i < s->count; i++)
        s->levels += s->edge[i] != s->edge[i - 1];
    return true;
}

/* The distance of the two distributions under a map: the mean difference of equal ranks. */
static double distance(value_samples *s, const xr_value_map *map, const xr_transform *transform)
{
    double sum = 0;
    for (size_t i = 0; i < s->count; i++) {
        size_t c = s->channel[i];
        s->other[i] = (float)xr_mapped_value(map, &transform->unit, (double)s->reference[i], c);
    }
    qsort(s->other, s->count, sizeof *s->other, xr_ascending_floats);
    for (size_t i = 0; i < s->count; i++)
        sum += fabs((double)s->edge[i] - (double)s->other[i]);
    return sum / (double)s->count;
}

/* The right map of the edge's tensor; false where it is not quantized to 8 bits. */
static bool stored_as(xr_input_pair *pair, xr_value_map *map)
{
    xr_storage stored;
    if (!xr_edge_storage(pair, &stored) || !stored.quantized || !(stored.scale > 0))
        return false;
    *map = (xr_value_map){.scale = stored.scale, .zero = stored.zero, .least = stored.least};
    return true;
}

/* The best of several mistakes. */
typedef struct best_mistake {
    xr_value_map best;
    double least;
} best_mistake;

static void consider(value_samples *s, const xr_transform *transform, const xr_value_map *map,
                     best_mistake *now)
{
    double residual = distance(s, map, transform);
    if (residual < 0.8 * now->least) {
        now->least = residual;
        now->best = *map;
    }
}

/* Finds the mistake that explains the edge's values, if one does. */
static void choose(xr_input_pair *pair, xr_transform *transform, value_samples *s, const xr_value_map *right)
{
    xr_value_map map = *right;
    bool unit = xr_find_pixel_unit(pair, &transform->unit);
    double same = distance(s, right, transform);
    best_mistake normalizing = {*right, same}, quantizing = normalizing;
    for (size_t k = 0; unit && k < xr_convention_count(); k++) {
        const xr_convention *convention = xr_convention_at(k);
        map.kind = XR_VALUES_OTHER_CONVENTION;
        map.name = convention->name;
        memcpy(map.mean, convention->mean, sizeof map.mean);
        memcpy(map.std, convention->std, sizeof map.std);
        consider(s, transform, &map, &normalizing);
    }
    map.kind = XR_VALUES_NORMALIZED_TWICE;
    if (unit)
        consider(s, transform, &map, &normalizing);
    for (int kind = XR_VALUES_QUANTIZED_TWICE; kind <= XR_VALUES_TRUNCATED; kind++) {
        map.kind = (xr_value_map_kind)kind;
        consider(s, transform, &map, &quantizing);
    }
    /* Constants may have the same effect as quantizing twice or not at all: then normalizing is named
     * first, and the other as tied. */
    best_mistake *first = &normalizing, *other = &quantizing;
    if (quantizing.least + 0.01 * map.scale < normalizing.least)
        first = &quantizing, other = &normalizing;
    if (!first->best.kind || first->least > 0.2 * same || same < 2 * map.scale)
        return;
    transform->value_map = first->best;
    if (other->best.kind && other->least < 1.25 * first->least + 0.01 * map.scale)
        transform->value_map.tied = other->best.kind;
}

void xr_find_value_map(xr_input_pair *pair, xr_transform *transform)
{
    xr_value_map map;
    value_samples s;
    if (pair->count == 0 || !stored_as(pair, &map))
        return;
    pair->low = map.scale * (map.least - map.zero);
    pair->high = map.scale * (map.least + 255 - map.zero);
    pair->clamped = pair->fit->values.clipped > 0.01 * pair->fit->values.counted;
    if (take_samples(pair, map.scale, &s)) {
        /* More of the edge's values than of the reference's are at an end of its range. */
        for (int end = 0; end < 2; end++)
            pair->saturated = pair->saturated || s.at_ends[0][end] > s.at_ends[1][end] + 0.0003;
        /* Most values are clipped, or there are only a few distinct ones. */
        if (s.at_ends[0][0] + s.at_ends[0][1] > 0.8 || s.levels < FEW_LEVELS)
            choose(pair, transform, &s, &map);
        if (transform->value_map.kind || pair->whole)
            pair->saturated = false;
    }
    free_samples(&s);
}
