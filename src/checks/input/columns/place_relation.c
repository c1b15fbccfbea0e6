#include "checks/input/columns/place_relation.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of a line's variance: what may be left, and what has to differ at least as it is. */
#define EXACT 1e-3
#define OTHER 0.02

enum { FRAMES = 12, LINES = 32, LINE_VALUES = 16384, LONGEST = 4096, SHORTEST = 8, TURNED_SAMPLES = 4096 };

/* Lines of values along a dimension, some of each frame; flat ones are left out. */
typedef struct line_set {
    size_t length, count, room;
    float *value[2]; /* [room][length] by exray_side */
    double *spread;  /* [room] variance of the edge's */
    size_t frames;
} line_set;

/* Adds a line; left out where it is flat, or holds what is no number. */
static void add_line(const float *const value[2], size_t begin, size_t stride, line_set *set)
{
    double sum = 0, square = 0;
    bool finite = true;
    for (size_t t = 0; t < set->length; t++)
        for (int s = 0; s < 2; s++) {
            const double v = xr_value_at(value[s], begin + t * stride);
            set->value[s][set->count * set->length + t] = (float)v;
            finite = finite && isfinite(v);
            sum += s ? 0 : v;
            square += s ? 0 : v * v;
        }
    const double n = (double)set->length, spread = square / n - sum / n * (sum / n);
    set->spread[set->count] = spread;
    set->count += finite && spread > 1e-10 * square / n;
}

static bool add_frame(const exray_tensor_view *view, const float *const value[2], uint32_t axis,
                      line_set *set)
{
    size_t outer = 1, inner = 1;
    for (uint32_t i = 0; i < view->info.rank; i++) {
        if (view->info.shape[i] < 1)
            return false;
        if (i != axis)
            *(i < axis ? &outer : &inner) *= (size_t)view->info.shape[i];
    }
    if (outer * inner * set->length != view->count)
        return false;
    const size_t lines = outer * inner, most = set->room / FRAMES, step = (lines + most - 1) / most;
    for (size_t l = 0; l < lines && set->count < set->room; l += step)
        add_line(value, l / inner * set->length * inner + l % inner, inner, set);
    set->frames++;
    return true;
}

static void free_lines(line_set *set)
{
    free(set->value[0]);
    free(set->value[1]);
    free(set->spread);
    *set = (line_set){0};
}

static bool make_lines(const exray_tensor_view *view, uint32_t axis, line_set *set)
{
    if (axis >= view->info.rank || view->info.shape[axis] < SHORTEST || view->info.shape[axis] > LONGEST)
        return false;
    set->length = (size_t)view->info.shape[axis];
    const size_t each = LINE_VALUES / set->length;
    set->room = FRAMES * (each < 1 ? 1 : each > LINES ? LINES : each);
    for (int s = 0; s < 2; s++)
        set->value[s] = calloc((set->room + 1) * set->length, sizeof *set->value[s]);
    set->spread = calloc(set->room + 1, sizeof *set->spread);
    return set->value[0] && set->value[1] && set->spread;
}

static bool read_lines(const exray_comparison *c, size_t pair, uint32_t axis, line_set *set)
{
    const size_t frames = exray_comparison_frame_count(c), step = frames / FRAMES + 1;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    *set = (line_set){0};
    bool good = slot[0] && slot[1];
    for (size_t f = 0; good && f < frames; f += step) {
        exray_tensor_view view[2];
        const float *value[2];
        if (!xr_both_of_one_shape(c, EXRAY_KIND_INPUT, pair, f, slot, view, value))
            continue;
        good = (set->length || make_lines(&view[0], axis, set)) && axis < view[0].info.rank &&
               (size_t)view[0].info.shape[axis] == set->length && add_frame(&view[0], value, axis, set);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (!good || set->count == 0) {
        free_lines(set);
        return false;
    }
    return true;
}

/* Where the reference's value of the edge's place t is; SIZE_MAX: that is open. */
static size_t origin(const xr_place_relation *r, size_t t)
{
    const long n = (long)r->length, at = (long)t - r->by;
    switch (r->kind) {
    case XR_PLACES_LATER:
        return at >= 0 && at < n ? (size_t)at : SIZE_MAX;
    case XR_PLACES_ROLLED:
        return (size_t)((at % n + n) % n);
    case XR_PLACES_REVERSED:
        return r->length - 1 - t;
    default: {
        const double place = floor((double)t * r->step + 1e-9);
        return place < (double)r->length ? (size_t)place : SIZE_MAX;
    }
    }
}

/* The share of the variance that differs so, at most `limit` and more: then it ends early.  All of it where
 * no line varies in what is compared: an end that is padding is alike at any distance. */
static double difference(const line_set *set, const xr_place_relation *r, double limit)
{
    double sum = 0;
    bool varies = false;
    for (size_t l = 0; l < set->count && sum <= limit * (double)set->count; l++) {
        const float *e = set->value[0] + l * set->length, *v = set->value[1] + l * set->length;
        double line = 0, n = 0, edge = 0, square = 0;
        for (size_t t = 0; t < set->length; t++) {
            const size_t from = origin(r, t);
            if (from == SIZE_MAX)
                continue;
            const double d = (double)e[t] - (double)v[from];
            line += d * d, n++;
            edge += (double)e[t], square += (double)e[t] * (double)e[t];
        }
        sum += n > 0 ? line / n / set->spread[l] : 1;
        varies = varies || square * n - edge * edge > EXACT * set->spread[l] * n * n;
    }
    return varies ? sum / (double)set->count : 1;
}

static bool try_places(const line_set *set, xr_place_relation *r)
{
    r->after = difference(set, r, EXACT);
    return r->after <= EXACT;
}

/* By how much, the least first; a roll is told before what leaves an end open. */
static bool find_shift(const line_set *set, bool rolled, xr_place_relation *r)
{
    for (long d = 1; d <= (long)r->length / 2; d++)
        for (int sign = 1; sign >= -1; sign -= 2) {
            r->by = sign * d;
            r->kind = XR_PLACES_ROLLED;
            if (try_places(set, r))
                return true;
            r->kind = XR_PLACES_LATER;
            if (!rolled && try_places(set, r))
                return true;
        }
    r->by = 0;
    return false;
}

static bool find_held(const line_set *set, xr_place_relation *r)
{
    static const double steps[] = {1 / 2., 2, 1 / 3., 3, 1 / 4., 4, 2 / 3., 3 / 2., 1 / 5., 5};
    r->kind = XR_PLACES_HELD;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        r->step = steps[i];
        if (try_places(set, r))
            return true;
    }
    return false;
}

bool xr_relate_places(const exray_comparison *comparison, size_t pair, uint32_t axis, bool rolled,
                      xr_place_relation *out)
{
    line_set set;
    *out = (xr_place_relation){.axis = axis};
    if (!read_lines(comparison, pair, axis, &set))
        return false;
    out->length = set.length;
    out->frames = set.frames;
    out->kind = XR_PLACES_LATER;
    out->before = difference(&set, out, INFINITY);
    bool found = false;
    if (out->before > OTHER && !rolled) {
        out->kind = XR_PLACES_REVERSED;
        found = try_places(&set, out);
    }
    found = found || (out->before > OTHER && find_shift(&set, rolled, out));
    found = found || (out->before > OTHER && !rolled && find_held(&set, out));
    free_lines(&set);
    return found;
}

/* ---- Dimensions in another order -------------------------------------------------------------------- */

static const uint32_t orders[][XR_TURNED_AXES] = {{0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}};
enum { ORDERS = sizeof orders / sizeof *orders };

/* The share of a frame's variance that differs where the edge's last three dimensions are written in an
 * order; NULL: as they are. */
static double turned_difference(const exray_tensor_view *view, const float *const value[2],
                                const uint32_t *order)
{
    static const uint32_t as_it_is[XR_TURNED_AXES] = {0, 1, 2};
    size_t n[XR_TURNED_AXES] = {1, 1, 1};
    for (uint32_t i = 0; i < XR_TURNED_AXES && i < view->info.rank; i++)
        n[XR_TURNED_AXES - 1 - i] = (size_t)view->info.shape[view->info.rank - 1 - i];
    const size_t whole = n[0] * n[1] * n[2], step = view->count / TURNED_SAMPLES + 1;
    double sum = 0, square = 0, left = 0, count = 0;
    if (whole == 0 || view->count % whole)
        return 1;
    order = order ? order : as_it_is;
    for (size_t k = 0; k < view->count; k += step, count++) {
        const size_t in = k % whole, at[XR_TURNED_AXES] = {in / n[2] / n[1], in / n[2] % n[1], in % n[2]};
        const size_t place = (at[order[0]] * n[order[1]] + at[order[1]]) * n[order[2]] + at[order[2]];
        const double e = xr_value_at(value[0], k / whole * whole + place), r = xr_value_at(value[1], k);
        sum += e, square += e * e, left += (e - r) * (e - r);
    }
    const double spread = square - sum * sum / count;
    return spread > 0 ? left / spread : left > 0 ? 1 : 0;
}

bool xr_relate_turned(const exray_comparison *comparison, size_t pair, xr_place_relation *out)
{
    const size_t frames = exray_comparison_frame_count(comparison), step = frames / FRAMES + 1;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool may[ORDERS] = {true, true, true, true, true};
    *out = (xr_place_relation){.kind = XR_PLACES_TURNED};
    for (size_t f = 0; slot[0] && slot[1] && f < frames; f += step) {
        exray_tensor_view view[2];
        const float *value[2];
        if (!xr_both_of_one_shape(comparison, EXRAY_KIND_INPUT, pair, f, slot, view, value) ||
            view[0].info.rank < 2)
            continue;
        out->rank = view[0].info.rank;
        out->bands = out->rank == 4 && view[0].info.shape[3] < view[0].info.shape[1] ? 3 : 1;
        out->before = fmax(out->before, turned_difference(&view[0], value, NULL));
        for (size_t i = 0; i < ORDERS; i++)
            may[i] = may[i] && turned_difference(&view[0], value, orders[i]) <= EXACT;
        out->frames++;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    for (size_t i = 0; i < ORDERS && out->before > OTHER; i++)
        if (may[i] && out->frames) {
            memcpy(out->order, orders[i], sizeof out->order);
            return true;
        }
    return false;
}
