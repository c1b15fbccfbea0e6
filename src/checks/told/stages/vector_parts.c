#include "checks/told/stages/vector_parts.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_CLIPPED = 3, LEAST_VALUES = 4, PART = 4 };

typedef struct extent {
    double least[2], most[2]; /* by exray_side, of all frames */
    size_t count;             /* values of each frame; 0: not the same in all, or not finite */
} extent;

static extent extent_of(const xr_stage_series *series)
{
    extent e = {
        {INFINITY, INFINITY}, {-INFINITY, -INFINITY}, series->count ? series->frame[0].side[0].count : 0};
    for (size_t f = 0; f < series->count; f++)
        for (int s = 0; s < 2; s++) {
            const xr_stage_values *v = &series->frame[f].side[s];
            if (v->count != e.count)
                return (extent){.count = 0};
            for (size_t i = 0; i < v->count; i++) {
                if (!isfinite(v->value[i]))
                    return (extent){.count = 0};
                e.least[s] = fmin(e.least[s], (double)v->value[i]);
                e.most[s] = fmax(e.most[s], (double)v->value[i]);
            }
        }
    return e;
}

static bool is_same(double edge, double reference, double noise, double range)
{
    return fabs(edge - reference) <= 4 * noise * fabs(reference) + 1e-6 * range;
}

/* The side whose values are the other's, limited to what it tells at most and at least. */
static bool try_limits(const xr_stage_series *series, double noise, int side, const extent *e,
                       xr_vector_story *story)
{
    const double low = e->least[side], high = e->most[side], range = e->most[!side] - e->least[!side];
    size_t below = 0, above = 0;
    for (size_t f = 0; f < series->count; f++)
        for (size_t i = 0; i < e->count; i++) {
            const double told = (double)series->frame[f].side[side].value[i],
                         whole = (double)series->frame[f].side[!side].value[i];
            if (!is_same(told, fmin(fmax(whole, low), high), noise, range))
                return false;
            below += !is_same(low, whole, noise, range) && whole < low;
            above += !is_same(high, whole, noise, range) && whole > high;
        }
    if (below + above < LEAST_CLIPPED)
        return false;
    story->way = XR_VECTORS_CLIPPED;
    story->clipped_side = (exray_side)side;
    story->low = below ? low : -INFINITY;
    story->high = above ? high : INFINITY;
    return true;
}

/* A few places, the same in all frames, at which they differ; the others are equal. */
static bool try_places(const xr_stage_series *series, double noise, const extent *e, xr_vector_story *story)
{
    const double range = e->most[1] - e->least[1];
    size_t places = 0, first = 0;
    double value = 0;
    bool constant = true;
    for (size_t i = 0; i < e->count; i++) {
        bool differs = false;
        for (size_t f = 0; f < series->count; f++)
            differs = differs || !is_same((double)series->frame[f].side[0].value[i],
                                          (double)series->frame[f].side[1].value[i], noise, range);
        if (!differs)
            continue;
        if (places++ == 0) {
            first = i;
            value = (double)series->frame[0].side[0].value[i];
        }
        for (size_t f = 0; f < series->count && constant; f++)
            constant = (double)series->frame[f].side[0].value[i] == value;
        if (PART * places > e->count)
            return false;
    }
    if (e->count < LEAST_VALUES || places == 0)
        return false;
    story->way = XR_VECTORS_PLACES;
    story->places = places;
    story->first_place = first;
    story->place_value = constant && series->count > 1 ? value : NAN;
    return true;
}

bool xr_vector_in_part(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    const extent e = extent_of(series);
    return e.count && (try_limits(series, noise, EXRAY_SIDE_EDGE, &e, story) ||
                       try_limits(series, noise, EXRAY_SIDE_REFERENCE, &e, story) ||
                       try_places(series, noise, &e, story));
}
