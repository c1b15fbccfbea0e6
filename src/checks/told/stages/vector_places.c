#include "checks/told/stages/vector_places.h"

#include "checks/ascending.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_FRAMES = 3, LONGEST_WINDOW = 8, LEAST_WRAPPED = 2 };

static bool is_one_length(const xr_stage_series *series)
{
    for (size_t f = 0; f < series->count; f++)
        for (int s = 0; s < 2; s++)
            if (series->frame[f].side[s].count != series->frame[0].side[0].count)
                return false;
    return series->count > 0;
}

static double value(const xr_stage_series *series, size_t frame, exray_side side, size_t place)
{
    return (double)series->frame[frame].side[side].value[place];
}

/* ---- Places ------------------------------------------------------------------------------------- */

static bool has_value_of(const xr_stage_series *series, double noise, size_t edge, size_t reference)
{
    double apart = 0, square = 0;
    for (size_t f = 0; f < series->count; f++) {
        const double e = value(series, f, EXRAY_SIDE_EDGE, edge),
                     r = value(series, f, EXRAY_SIDE_REFERENCE, reference);
        apart += (e - r) * (e - r);
        square += r * r;
    }
    return apart <= noise * noise * square;
}

bool xr_vector_moved(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    const size_t places = series->count ? series->frame[0].side[0].count : 0;
    bool taken[XR_MOST_MOVED] = {false}, any = false;
    if (series->count < LEAST_FRAMES || series->frame[0].side[0].rank > 1 || places < 2 ||
        places > XR_MOST_MOVED || !is_one_length(series))
        return false;
    for (size_t e = 0; e < places; e++) {
        size_t r = e;
        for (size_t k = 0; k < places; k++, r = (r + 1) % places) /* its own first */
            if (!taken[r] && has_value_of(series, noise, e, r))
                break;
        if (taken[r] || !has_value_of(series, noise, e, r))
            return false;
        taken[r] = true;
        any = any || r != e;
        story->moved[e] = r;
    }
    if (!any)
        return false;
    story->places = places;
    story->way = XR_VECTORS_MOVED;
    return true;
}

/* ---- Periods ------------------------------------------------------------------------------------ */

typedef struct wrap_sums {
    double least[2], most[2]; /* by exray_side */
    double largest, period;   /* of the differences; the smallest that is none of noise */
    double low, high;         /* of the lower values of those pairs */
    size_t wrapped;
} wrap_sums;

static void look(const xr_stage_series *series, double noise, wrap_sums *w)
{
    for (size_t f = 0; f < series->count; f++)
        for (size_t i = 0; i < series->frame[f].side[0].count; i++)
            for (int s = 0; s < 2; s++) {
                const double v = value(series, f, (exray_side)s, i);
                w->least[s] = fmin(w->least[s], v);
                w->most[s] = fmax(w->most[s], v);
            }
    const double none = 4 * noise * fmax(w->most[0] - w->least[0], w->most[1] - w->least[1]);
    for (size_t f = 0; f < series->count; f++)
        for (size_t i = 0; i < series->frame[f].side[0].count; i++) {
            const double edge = value(series, f, EXRAY_SIDE_EDGE, i),
                         reference = value(series, f, EXRAY_SIDE_REFERENCE, i),
                         apart = fabs(edge - reference);
            if (!(apart > none))
                continue;
            w->period = fmin(w->period, apart);
            w->largest = fmax(w->largest, apart);
            w->low = fmin(w->low, fmin(edge, reference));
            w->high = fmax(w->high, fmin(edge, reference));
            w->wrapped++;
        }
}

/* Each side tells one period of the quantity (an angle), and not the same one.  It is so at more than one
 * place of the period: what is 0 or 1 is a period apart, too, where the sides decide otherwise. */
bool xr_vector_wrapped(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    wrap_sums w = {{INFINITY, INFINITY}, {-INFINITY, -INFINITY}, 0, INFINITY, INFINITY, -INFINITY, 0};
    size_t count = 0;
    if (!is_one_length(series))
        return false;
    look(series, noise, &w);
    for (size_t f = 0; f < series->count; f++)
        count += series->frame[f].side[0].count;
    if (w.wrapped < LEAST_WRAPPED || w.wrapped == count || !isfinite(w.period))
        return false;
    const double same = fmax(1e-3, 8 * noise);
    if (w.largest / w.period - 1 > same || !(w.high - w.low > same * w.period) ||
        w.most[0] - w.least[0] > (1 + same) * w.period || w.most[1] - w.least[1] > (1 + same) * w.period)
        return false;
    story->gain = (w.largest + w.period) / 2;
    story->way = XR_VECTORS_WRAPPED;
    return true;
}

/* ---- Frames before ------------------------------------------------------------------------------ */

static double of_window(const xr_stage_series *series, size_t frame, size_t place, size_t length, bool median)
{
    double last[LONGEST_WINDOW], sum = 0;
    for (size_t k = 0; k < length; k++)
        sum += last[k] = value(series, frame - k, EXRAY_SIDE_REFERENCE, place);
    if (!median)
        return sum / (double)length;
    qsort(last, length, sizeof *last, xr_ascending_doubles);
    return last[length / 2];
}

/* Of what hardly changes the frames before are as good as this one: they have to explain what this one does
 * not. */
static bool is_window(const xr_stage_series *series, double noise, size_t length, bool median)
{
    double apart = 0, before = 0, square = 0;
    for (size_t f = length - 1; f < series->count; f++)
        for (size_t i = 0; i < series->frame[f].side[0].count; i++) {
            const double told = value(series, f, EXRAY_SIDE_EDGE, i);
            const double made = of_window(series, f, i, length, median);
            const double own = value(series, f, EXRAY_SIDE_REFERENCE, i);
            apart += (told - made) * (told - made);
            before += (told - own) * (told - own);
            square += told * told;
        }
    return apart <= 4 * noise * noise * square && 4 * apart <= before;
}

bool xr_vector_in_window(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    if (!is_one_length(series))
        return false;
    for (size_t f = 1; f < series->count; f++)
        if (series->frame[f].frame != series->frame[f - 1].frame + 1)
            return false;
    for (size_t length = 2; length <= LONGEST_WINDOW && series->count >= length - 1 + LEAST_FRAMES; length++)
        for (int median = 0; median <= (length % 2 == 1); median++)
            if (is_window(series, noise, length, median != 0)) {
                story->lag = (long)length;
                story->function = median ? "median" : "mean";
                story->way = XR_VECTORS_WINDOW;
                return true;
            }
    return false;
}
