#include "checks/told/stages/vector_search.h"

#include "checks/told/stages/value_sums.h"
#include "checks/told/stages/vector_parts.h"
#include "checks/told/stages/vector_places.h"
#include "checks/told/stages/vector_rounding.h"
#include "checks/told/stages/vector_ways.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FURTHEST_LAG = 4 };

/* Of equal outputs: another order of adding up. */
#define EXACT 1e-4

typedef struct vector_work {
    const xr_stage_series *series;
    xr_vector_story *story;
    double noise;
    bool some;    /* frames that are the same say nothing */
    bool rounded; /* some frames differ by that alone */
} vector_work;

static void add_value(xr_value_sums *s, double x, double y)
{
    if (isfinite(x) && isfinite(y))
        xr_value_sums_add(s, x, y);
}

double xr_vector_error(const xr_stage_values *a, const xr_stage_values *b)
{
    double difference = 0, square = 0;
    if (a->count != b->count)
        return INFINITY;
    for (size_t i = 0; i < a->count; i++) {
        double x = a->value[i], y = b->value[i];
        square += isfinite(y) ? y * y : 0;
        if (x == y || (isnan(x) && isnan(y)))
            continue;
        difference += (x - y) * (x - y);
    }
    return difference == 0 ? 0 : square > 0 && isfinite(difference) ? sqrt(difference / square) : INFINITY;
}

double xr_vector_noise(const xr_stage_frame *frame, double noise)
{
    return frame->exact ? EXACT : fmax(EXACT, noise);
}

static const xr_stage_frame *frame_at(const vector_work *w, size_t f)
{
    return &w->series->frame[f];
}

/* `all`: those, too, whose values are only rounded. */
static void mark_differing(vector_work *w, bool all)
{
    double cosine = 0, error = 0;
    w->story->frames = 0;
    for (size_t f = 0; f < w->series->count; f++) {
        const xr_stage_values *edge = &frame_at(w, f)->side[0], *reference = &frame_at(w, f)->side[1];
        double own = xr_vector_error(edge, reference);
        const bool apart = own > xr_vector_noise(frame_at(w, f), w->noise),
                   rounded = apart && !all && xr_is_rounded(edge, reference);
        w->rounded = w->rounded || rounded;
        w->story->differs[f] = apart && !rounded;
        if (!w->story->differs[f])
            continue;
        w->story->frames++;
        error += isfinite(own) ? own : 1;
        xr_value_sums s = {0};
        for (size_t i = 0; i < edge->count && i < reference->count; i++)
            add_value(&s, reference->value[i], edge->value[i]);
        cosine += s.xx > 0 && s.yy > 0 ? s.xy / sqrt(s.xx * s.yy) : 0;
    }
    double n = w->story->frames ? (double)w->story->frames : 1;
    w->story->cosine = cosine / n;
    w->story->error = error / n;
}

/* ---- Number and time ------------------------------------------------------------------------------ */

static bool try_shape(vector_work *w)
{
    bool cut = true, shape = false;
    for (size_t f = 0; f < w->series->count; f++) {
        const xr_stage_values *edge = &frame_at(w, f)->side[0], *reference = &frame_at(w, f)->side[1];
        if (edge->count == reference->count)
            continue;
        shape = true;
        cut = cut && edge->count < reference->count &&
              memcmp(edge->value, reference->value, edge->count * sizeof *edge->value) == 0;
    }
    if (shape)
        w->story->way = cut ? XR_VECTORS_CUT : XR_VECTORS_SHAPE;
    return shape;
}

static bool try_lag(vector_work *w, long lag)
{
    size_t fits = 0;
    for (size_t f = 0; f < w->series->count; f++) {
        long from = (long)f - lag;
        if (w->some && !w->story->differs[f])
            continue;
        if (from < 0 || (size_t)from >= w->series->count)
            continue;
        const xr_stage_frame *at = frame_at(w, f), *other = frame_at(w, (size_t)from);
        if (xr_vector_error(&at->side[0], &other->side[1]) >
            fmax(xr_vector_noise(at, w->noise), xr_vector_noise(other, w->noise)))
            return false;
        fits += w->story->differs[f];
    }
    if (fits < 2)
        return false;
    w->story->way = XR_VECTORS_LATE;
    w->story->lag = lag;
    return true;
}

static bool try_lags(vector_work *w)
{
    for (long lag = 1; lag <= FURTHEST_LAG; lag++)
        if (try_lag(w, lag) || try_lag(w, -lag))
            return true;
    return false;
}

/* Values that are no number on that side only. */
static bool try_numbers(vector_work *w, exray_side side)
{
    size_t frames = 0;
    for (size_t f = 0; f < w->series->count; f++) {
        const xr_stage_frame *at = frame_at(w, f);
        size_t before = w->story->not_numbers;
        for (size_t i = 0; w->story->differs[f] && i < at->side[side].count; i++)
            w->story->not_numbers += !isfinite(at->side[side].value[i]) && isfinite(at->side[!side].value[i]);
        frames += w->story->not_numbers > before;
    }
    if (frames)
        w->story->way = XR_VECTORS_NAN;
    w->story->not_number_side = side;
    return frames > 0;
}

/* ---- Gains ----------------------------------------------------------------------------------------------
 */

static bool fits_line(const xr_value_sums *s, double gain, double offset, double noise)
{
    double left = s->yy - 2 * gain * s->xy - 2 * offset * s->y + gain * gain * s->xx +
                  2 * gain * offset * s->x + s->n * offset * offset;
    double mean = s->y / s->n, spread = s->yy - s->n * mean * mean;
    return fmax(left, 0) <= noise * noise * fmax(spread, 1e-12 * s->yy) * 4 + 1e-12 * s->yy;
}

/* Offset 0 where that does; else both. */
static bool fit_line(const xr_value_sums *s, double noise, double *gain, double *offset)
{
    *offset = 0;
    *gain = s->xx > 0 ? s->xy / s->xx : 0;
    if (*gain != 0 && fits_line(s, *gain, 0, noise))
        return true;
    double spread = s->xx - s->x * s->x / fmax(s->n, 1);
    if (!(spread > 1e-9 * s->xx))
        return false;
    *gain = (s->xy - s->x * s->y / s->n) / spread;
    *offset = (s->y - *gain * s->x) / s->n;
    return *gain != 0 && fits_line(s, *gain, *offset, noise);
}

static double largest_noise(const vector_work *w)
{
    double most = 0;
    for (size_t f = 0; f < w->series->count; f++)
        most = fmax(most, xr_vector_noise(frame_at(w, f), w->noise));
    return most;
}

/* The line that fits is none: the values are the same, if no frame is far from that. */
static bool is_hardly_more_than_noise(vector_work *w)
{
    const double times = 4;
    for (size_t f = 0; f < w->series->count; f++)
        if (xr_vector_error(&frame_at(w, f)->side[0], &frame_at(w, f)->side[1]) >
            times * xr_vector_noise(frame_at(w, f), w->noise))
            return false;
    memset(w->story->differs, 0, w->series->count * sizeof *w->story->differs);
    w->story->frames = 0;
    w->story->way = XR_VECTORS_SAME;
    return true;
}

static bool try_gain(vector_work *w)
{
    xr_value_sums s = {0};
    for (size_t f = 0; f < w->series->count; f++)
        for (size_t i = 0; i < frame_at(w, f)->side[0].count; i++)
            add_value(&s, frame_at(w, f)->side[1].value[i], frame_at(w, f)->side[0].value[i]);
    if (s.n < 4 || !fit_line(&s, largest_noise(w), &w->story->gain, &w->story->offset))
        return false;
    if (fabs(w->story->gain - 1) < 1e-3)
        w->story->gain = 1;
    if (w->story->gain == 1 && w->story->offset == 0)
        return is_hardly_more_than_noise(w);
    w->story->way = XR_VECTORS_GAIN;
    return true;
}

static bool has_length_one(const xr_value_sums *s, bool edge)
{
    return fabs(sqrt(edge ? s->yy : s->xx) - 1) < 1e-3;
}

/* The same direction in each frame.  Of few values it needs several frames. */
static bool try_length(vector_work *w)
{
    enum { LEAST_VALUES = 4, LEAST_FRAMES = 3 };
    bool edge = true, reference = true;
    const double least = w->series->count >= LEAST_FRAMES ? 2 : LEAST_VALUES;
    for (size_t f = 0; f < w->series->count; f++) {
        xr_value_sums s = {0};
        for (size_t i = 0; i < frame_at(w, f)->side[0].count; i++)
            add_value(&s, frame_at(w, f)->side[1].value[i], frame_at(w, f)->side[0].value[i]);
        double noise = xr_vector_noise(frame_at(w, f), w->noise);
        if (s.n < least || !(s.xy > 0) || 1 - s.xy / sqrt(s.xx * s.yy) > noise * noise)
            return false;
        edge = edge && has_length_one(&s, true);
        reference = reference && has_length_one(&s, false);
    }
    w->story->way = edge ? XR_VECTORS_NORMALIZED : reference ? XR_VECTORS_RAW : XR_VECTORS_LENGTH;
    return true;
}

/* ---- Columns ------------------------------------------------------------------------------------------- */

/* Of a table; a few values that are no table are a row a frame, each with a unit of its own perhaps. */
static size_t columns_of(const vector_work *w)
{
    size_t columns = 0;
    for (size_t f = 0; f < w->series->count; f++)
        for (int s = 0; s < 2; s++) {
            const xr_stage_values *v = &frame_at(w, f)->side[s];
            size_t own = v->rank ? v->shape[v->rank - 1] : 1;
            if (own > XR_MOST_COLUMNS || (columns && own != columns))
                return 0;
            columns = own;
        }
    return columns;
}

static bool fit_column(const vector_work *w, size_t edge, size_t reference, double *gain, double *offset)
{
    xr_value_sums s = {0};
    for (size_t f = 0; f < w->series->count; f++)
        for (size_t i = 0; i < frame_at(w, f)->side[0].count; i += w->story->columns)
            add_value(&s, frame_at(w, f)->side[1].value[i + reference],
                      frame_at(w, f)->side[0].value[i + edge]);
    return s.n >= 4 && fit_line(&s, largest_noise(w), gain, offset);
}

static bool try_columns(vector_work *w)
{
    w->story->columns = columns_of(w);
    for (size_t k = 0; k < w->story->columns; k++) {
        bool found = false;
        for (size_t i = 0; i < w->story->columns && !found; i++) {
            w->story->from[k] = (k + i) % w->story->columns; /* its own first */
            found =
                fit_column(w, k, w->story->from[k], &w->story->column_gain[k], &w->story->column_offset[k]);
        }
        if (!found)
            return false;
    }
    if (w->story->columns)
        w->story->way = XR_VECTORS_COLUMNS;
    return w->story->columns > 1;
}

/* ---- Order, activations ------------------------------------------------------------------------------ */

static int compare_floats(const void *a, const void *b)
{
    float x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

static bool is_reordered(const vector_work *w, const xr_stage_frame *f)
{
    xr_stage_values sorted[2];
    bool same = true;
    for (int s = 0; s < 2; s++) {
        sorted[s] = f->side[s];
        sorted[s].value = calloc(f->side[s].count + 1, sizeof(float));
        if (sorted[s].value) {
            memcpy(sorted[s].value, f->side[s].value, f->side[s].count * sizeof(float));
            qsort(sorted[s].value, f->side[s].count, sizeof(float), compare_floats);
        }
    }
    /* Many values of noise are near each other in any order. */
    same = sorted[0].value && sorted[1].value && f->side[0].count >= 4 &&
           xr_vector_error(&sorted[0], &sorted[1]) <= fmin(xr_vector_noise(f, w->noise), 1e-3);
    free(sorted[0].value);
    free(sorted[1].value);
    return same;
}

static bool try_order(vector_work *w)
{
    for (size_t f = 0; f < w->series->count; f++)
        if (w->story->differs[f] && !is_reordered(w, frame_at(w, f)))
            return false;
    w->story->way = XR_VECTORS_ORDER;
    return true;
}

static bool is_activation(const vector_work *w, const xr_stage_frame *f, bool softmax)
{
    double total = 1, most = -INFINITY, difference = 0, square = 0;
    for (size_t i = 0; i < f->side[1].count; i++)
        most = fmax(most, f->side[1].value[i]);
    if (softmax) {
        total = 0;
        for (size_t i = 0; i < f->side[1].count; i++)
            total += exp(f->side[1].value[i] - most);
    }
    for (size_t i = 0; i < f->side[0].count; i++) {
        double x = f->side[1].value[i], made = softmax ? exp(x - most) / total : 1 / (1 + exp(-x));
        difference += (f->side[0].value[i] - made) * (f->side[0].value[i] - made);
        square += made * made;
    }
    double noise = xr_vector_noise(f, w->noise);
    return square > 0 && difference <= noise * noise * square;
}

static bool try_activation(vector_work *w, bool softmax)
{
    for (size_t f = 0; f < w->series->count; f++)
        if (w->story->differs[f] && !is_activation(w, frame_at(w, f), softmax))
            return false;
    w->story->way = softmax ? XR_VECTORS_SOFTMAX : XR_VECTORS_SIGMOID;
    return true;
}

/* ---- All -------------------------------------------------------------------------------------------------
 */

static bool try_simple_ways(vector_work *w)
{
    return try_shape(w) || try_numbers(w, EXRAY_SIDE_EDGE) || try_numbers(w, EXRAY_SIDE_REFERENCE) ||
           try_lags(w) || try_gain(w);
}

/* Ways that hold in every frame of the series. */
static bool search_ways(vector_work *w)
{
    const double noise = largest_noise(w);
    return try_simple_ways(w) || try_length(w) || xr_vector_moved(w->series, noise, w->story) ||
           try_columns(w) || try_activation(w, true) || try_activation(w, false) || try_order(w) ||
           xr_vector_other_ways(w->series, noise, w->story) ||
           xr_vector_wrapped(w->series, noise, w->story) || xr_vector_in_window(w->series, noise, w->story);
}

/* Some frames only may be told otherwise: those are searched alone.  False: out of memory. */
static bool search_some(vector_work *w)
{
    xr_stage_series some = *w->series;
    w->some = true;
    w->story->some = try_lags(w);
    if (w->story->some)
        return true;
    bool *differs = calloc(w->story->frames + 1, sizeof *differs), *all = w->story->differs;
    some.frame = calloc(w->story->frames + 1, sizeof *some.frame);
    some.count = 0;
    bool room = differs && some.frame;
    for (size_t f = 0; room && f < w->series->count; f++)
        if (all[f]) {
            differs[some.count] = true;
            some.frame[some.count++] = *frame_at(w, f);
        }
    if (room) {
        vector_work part = {&some, w->story, w->noise, false, false};
        w->story->differs = differs;
        w->story->some = search_ways(&part) && w->story->way != XR_VECTORS_LATE;
        w->story->differs = all;
    }
    free(differs);
    free(some.frame);
    return room;
}

/* Steps are no difference where they are small, unless one place's values are lost in them.  False: out of
 * memory. */
static bool try_steps(vector_work *w, bool *found)
{
    xr_vector_story *story = w->story;
    if (!xr_vector_steps_find(w->series, largest_noise(w), &story->steps, found))
        return false;
    if (!*found)
        return true;
    if (story->steps.row)
        mark_differing(w, true);
    if (story->steps.error <= XR_LARGEST_ROUNDING && !story->steps.row) {
        memset(story->differs, 0, w->series->count * sizeof *story->differs);
        story->frames = 0;
    } else {
        story->way = XR_VECTORS_STEPS;
    }
    return true;
}

/* Whether each column has enough different values: any two lie on one line, whatever made them, and those of
 * a picture that is shown again and again are no more. */
static bool show_lines(const vector_work *w, size_t columns, double least)
{
    enum { ENOUGH = 4 };
    for (size_t k = 0; k < columns; k++) {
        double seen[ENOUGH];
        size_t count = 0;
        for (size_t f = 0; f < w->series->count && count < ENOUGH; f++)
            for (size_t i = k; i < frame_at(w, f)->side[1].count && count < ENOUGH; i += columns) {
                const double x = (double)frame_at(w, f)->side[1].value[i];
                size_t same = 0;
                while (same < count && !(fabs(x - seen[same]) <= least * fmax(fabs(x), fabs(seen[same]))))
                    same++;
                if (same == count)
                    seen[count++] = x;
            }
        if (count < ENOUGH)
            return false;
    }
    return true;
}

/* What other kernels may do is larger than much of what an application does; but a factor or an offset that
 * leaves nothing is none of it. */
static bool is_exact_line(vector_work *w)
{
    const double least = 1e-3;
    vector_work tight = {w->series, w->story, 0, false, false};
    mark_differing(&tight, false);
    if (w->story->frames == w->series->count && w->story->error >= least &&
        ((show_lines(w, 1, least) && try_gain(&tight)) ||
         (try_columns(&tight) && show_lines(w, w->story->columns, least))))
        return true;
    memset(w->story->differs, 0, w->series->count * sizeof *w->story->differs);
    w->story->frames = 0;
    w->story->way = XR_VECTORS_SAME;
    return false;
}

bool xr_vector_search(const xr_stage_series *series, double noise, xr_vector_story *out)
{
    *out = (xr_vector_story){.way = XR_VECTORS_SAME, .gain = 1};
    out->differs = calloc(series->count + 1, sizeof *out->differs);
    vector_work w = {series, out, noise, false, false};
    if (!out->differs)
        return false;
    mark_differing(&w, false);
    bool steps = false;
    /* Both sides may tell steps, one of them half a step aside. */
    if (out->frames && try_simple_ways(&w))
        return true;
    if ((out->frames || w.rounded) && !try_steps(&w, &steps))
        return false;
    if (!out->frames && !w.rounded && !steps && is_exact_line(&w))
        return true;
    if (!out->frames || steps || search_ways(&w))
        return true;
    if (out->frames < series->count && !search_some(&w))
        return false;
    if (!out->some && !xr_vector_in_frames(series, largest_noise(&w), out) &&
        !xr_vector_in_part(series, largest_noise(&w), out))
        out->way = XR_VECTORS_UNKNOWN;
    return true;
}

void xr_vector_story_free(xr_vector_story *story)
{
    free(story->differs);
    *story = (xr_vector_story){0};
}
