#include "checks/told/stages/vector_steps.h"

#include "checks/ascending.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    LEAST_VALUES = 4,
    LEAST_LEVELS = 3,
    MOST_VALUES = 1 << 20,
    MOST_LEVELS = 1 << 15,
    A_FEW = 1 << 12,
    MOST_ROW = 16, /* places of values of other kinds; longer rows are features, of one kind */
    LEAST_OF_PLACE = 3,
    MOST_PARTS = 10, /* of the smallest distance between two values that a step may be */
};

typedef struct pairs {
    float *value[2]; /* by exray_side: of all frames */
    float *sorted;
    size_t count;
} pairs;

static size_t count_values(const xr_stage_series *series)
{
    size_t count = 0;
    for (size_t f = 0; f < series->count; f++) {
        const xr_stage_values *v = series->frame[f].side;
        if (v[0].count != v[1].count || v[0].count > MOST_VALUES)
            return 0;
        count += v[0].count;
        if (count > MOST_VALUES)
            return 0;
    }
    return count;
}

/* False: out of memory; count 0: values that are not numbers. */
static bool gather(const xr_stage_series *series, pairs *p)
{
    p->value[0] = calloc(3 * p->count, sizeof(float));
    if (!p->value[0])
        return false;
    p->value[1] = p->value[0] + p->count;
    p->sorted = p->value[1] + p->count;
    size_t at = 0;
    for (size_t f = 0; f < series->count; f++) {
        const size_t own = series->frame[f].side[0].count;
        for (int s = 0; s < 2; s++)
            memcpy(p->value[s] + at, series->frame[f].side[s].value, own * sizeof(float));
        at += own;
    }
    for (size_t i = 0; i < p->count; i++)
        if (!isfinite(p->value[0][i]) || !isfinite(p->value[1][i])) {
            p->count = 0;
            break;
        }
    return true;
}

/* The smallest distance between two of the first `count` values of a side that are not equal; 0: they are too
 * many levels; INFINITY: too few. */
static double gap_of(pairs *p, int side, size_t count)
{
    memcpy(p->sorted, p->value[side], count * sizeof(float));
    qsort(p->sorted, count, sizeof(float), xr_ascending_floats);
    const double most = fmax(fabs((double)p->sorted[0]), fabs((double)p->sorted[count - 1]));
    double gap = INFINITY;
    size_t levels = 1;
    for (size_t i = 1; i < count; i++) {
        const double apart = (double)p->sorted[i] - (double)p->sorted[i - 1];
        if (apart <= 1e-6 * most)
            continue;
        levels++;
        gap = fmin(gap, apart);
    }
    return levels < LEAST_LEVELS ? INFINITY : gap * MOST_LEVELS > most ? gap : 0;
}

/* The same of all values; 0: there is no step.  Few of those that have none tell it already. */
static double smallest_gap(pairs *p, int side)
{
    const double first = p->count > A_FEW ? gap_of(p, side, A_FEW) : INFINITY;
    const double gap = first > 0 ? gap_of(p, side, p->count) : 0;
    return isfinite(gap) ? gap : 0;
}

/* A step that was measured between two values, as the largest one has it. */
static double refined(const pairs *p, double step)
{
    const double most = fmax(fabs((double)p->sorted[0]), fabs((double)p->sorted[p->count - 1]));
    const double steps = rint(most / step);
    return steps > 0 ? most / steps : step;
}

static bool is_on_grid(const float *value, size_t count, double step)
{
    for (size_t i = 0; i < count; i++) {
        const double at = (double)value[i] / step;
        if (!(fabs(at - rint(at)) <= 1e-3 + 3e-7 * fabs(at)))
            return false;
    }
    return true;
}

typedef enum nearness { FAR, NEAREST, CUT } nearness;

static nearness compare(const float *told, const float *whole, size_t count, double step, double noise)
{
    bool nearest = true, lower = true, inwards = true;
    for (size_t i = 0; i < count; i++) {
        const double a = (double)told[i], b = (double)whole[i],
                     slack = 1e-3 * step + (noise + 3e-7) * fabs(b);
        const double down = b - a, in = fabs(b) - fabs(a);
        nearest = nearest && fabs(down) <= step / 2 + slack;
        lower = lower && down >= -slack && down <= step + slack;
        inwards = inwards && fabs(down) <= step + slack && in >= -slack && in <= step + slack;
    }
    return nearest ? NEAREST : lower || inwards ? CUT : FAR;
}

static bool find_step(pairs *p, int side, double noise, xr_vector_steps *out)
{
    const double gap = smallest_gap(p, side);
    bool found = false;
    /* The smallest step that holds is the one that was taken. */
    for (int parts = 1; gap > 0 && parts <= MOST_PARTS; parts++) {
        const double step = refined(p, gap / parts);
        if (!is_on_grid(p->value[side], p->count, step))
            continue;
        const nearness near = compare(p->value[side], p->value[!side], p->count, step, noise);
        if (near == FAR || is_on_grid(p->value[!side], p->count, step))
            continue;
        found = true;
        out->side = (exray_side)side;
        out->step = step;
        out->cut = near == CUT;
    }
    return found;
}

static double error_of(const pairs *p)
{
    double difference = 0, square = 0;
    for (size_t i = 0; i < p->count; i++) {
        const double x = (double)p->value[0][i], y = (double)p->value[1][i];
        difference += (x - y) * (x - y);
        square += y * y;
    }
    return square > 0 ? sqrt(difference / square) : INFINITY;
}

/* ---- Places of a row ---------------------------------------------------------------------------------- */

/* Of a place's own values: so much of them is not there in steps. */
#define LOST 0.25
/* Of a step: what varies less is one value. */
#define VARIES 0.01

/* The places of a row: value i is at i / stride % count. */
typedef struct place_rows {
    size_t count, stride;
} place_rows;

/* Rows along the last dimension, or the one before (values of one kind side by side).  False: none that all
 * frames have. */
static bool find_rows(const xr_stage_series *series, bool before, place_rows *out)
{
    *out = (place_rows){0, 1};
    for (size_t f = 0; f < series->count; f++)
        for (int s = 0; s < 2; s++) {
            const xr_stage_values *v = &series->frame[f].side[s];
            const size_t last = v->rank ? v->shape[v->rank - 1] : 0;
            if (v->rank < 1U + before)
                return false;
            const place_rows own = {before ? v->shape[v->rank - 2] : last, before ? last : 1};
            if (out->count && (out->count != own.count || out->stride != own.stride))
                return false;
            *out = own;
        }
    return out->count > 1 && out->count <= MOST_ROW;
}

typedef struct place_sums {
    double low, high, least, most, difference, square; /* of what is told in steps; of the other's values */
    size_t count;
} place_sums;

/* Of all places of the row. */
static void sum_places(const xr_stage_series *series, exray_side told, const place_rows *r,
                       place_sums sums[MOST_ROW])
{
    for (size_t k = 0; k < r->count; k++)
        sums[k] = (place_sums){INFINITY, -INFINITY, INFINITY, -INFINITY, 0, 0, 0};
    for (size_t f = 0; f < series->count; f++) {
        const xr_stage_values *v = series->frame[f].side;
        for (size_t i = 0; i < v->count; i++) {
            place_sums *p = &sums[i / r->stride % r->count];
            const double x = (double)v[told].value[i], y = (double)v[!told].value[i];
            p->low = fmin(p->low, x), p->high = fmax(p->high, x);
            p->least = fmin(p->least, y), p->most = fmax(p->most, y);
            p->difference += (x - y) * (x - y);
            p->square += y * y;
            p->count++;
        }
    }
}

/* Values within -1 .. 1 are all of one kind: shares, probabilities, of which small ones are little. */
static bool are_shares(const xr_stage_series *series, exray_side side)
{
    for (size_t f = 0; f < series->count; f++)
        for (size_t i = 0; i < series->frame[f].side[side].count; i++)
            if (fabs((double)series->frame[f].side[side].value[i]) > 1)
                return false;
    return true;
}

/* A place of which one or two steps are all that a side tells, where the other's values vary. */
static bool find_lost(const xr_stage_series *series, bool before, xr_vector_steps *out)
{
    place_rows r;
    place_sums sums[MOST_ROW];
    out->row = 0;
    if (!find_rows(series, before, &r) || are_shares(series, !out->side))
        return false;
    sum_places(series, out->side, &r, sums);
    for (size_t k = 0; k < r.count && !out->row; k++) {
        const place_sums *p = &sums[k];
        if (p->count < LEAST_OF_PLACE || p->high - p->low > 1.5 * out->step ||
            p->most - p->least <= VARIES * out->step || p->difference <= LOST * LOST * p->square)
            continue;
        out->row = r.count;
        out->lost = k;
    }
    return out->row > 0;
}

/* Drops the places whose values both sides tell alike: a score beside corners in whole pixels. */
static void drop_equal_places(const xr_stage_series *series, double noise, pairs *p)
{
    place_rows r;
    place_sums sums[MOST_ROW];
    if (!find_rows(series, false, &r))
        return;
    sum_places(series, EXRAY_SIDE_EDGE, &r, sums);
    size_t kept = 0;
    for (size_t i = 0; i < p->count; i++) {
        const place_sums *own = &sums[i % r.count];
        if (own->difference <= noise * noise * own->square)
            continue;
        p->value[0][kept] = p->value[0][i];
        p->value[1][kept++] = p->value[1][i];
    }
    p->count = kept;
}

bool xr_vector_steps_find(const xr_stage_series *series, double noise, xr_vector_steps *out, bool *found)
{
    pairs p = {.count = count_values(series)};
    *found = false;
    if (p.count < LEAST_VALUES)
        return true;
    if (!gather(series, &p))
        return false;
    if (p.count)
        drop_equal_places(series, noise, &p);
    if (p.count >= LEAST_VALUES)
        *found =
            find_step(&p, EXRAY_SIDE_EDGE, noise, out) || find_step(&p, EXRAY_SIDE_REFERENCE, noise, out);
    if (*found) {
        out->error = error_of(&p);
        if (!find_lost(series, false, out))
            find_lost(series, true, out);
    }
    free(p.value[0]);
    return true;
}
