#include "checks/told/stages/vector_ways.h"

#include "checks/told/stages/value_sums.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_ROWS = 256, LEAST_VALUES = 8, LEAST_OF_FRAME = 6, LEAST_FRAMES = 3 };

/* Least squares; false: it leaves more than noise of the edge's spread. */
static bool fit_line(const xr_value_sums *s, double noise, double *gain, double *offset)
{
    const double spread = s->xx - s->x * s->x / s->n, own = s->yy - s->y * s->y / s->n;
    if (!(spread > 1e-9 * s->xx) || !(own > 1e-9 * s->yy))
        return false;
    *gain = (s->xy - s->x * s->y / s->n) / spread;
    *offset = (s->y - *gain * s->x) / s->n;
    const double left = own - *gain * (s->xy - s->x * s->y / s->n);
    return left <= 4 * noise * noise * own + 1e-12 * s->yy;
}

/* ---- Functions ----------------------------------------------------------------------------------- */

static double inverse(double x)
{
    return 1 / x;
}

static double square(double x)
{
    return x * x;
}

typedef struct value_function {
    double (*of)(double);
    const char *words;
} value_function;

static const value_function functions[] = {
    {inverse, "1 / x"},      {log, "the logarithm of x"}, {exp, "the exponential of x"},
    {sqrt, "the root of x"}, {square, "the square of x"}, {fabs, "x without its sign"},
    {tanh, "tanh of x"}};

static bool is_function(const xr_stage_series *series, double noise, const value_function *f,
                        xr_vector_story *story)
{
    xr_value_sums s = {0};
    bool changes = false; /* positive values have no sign to lose */
    for (size_t k = 0; k < series->count; k++)
        for (size_t i = 0; i < series->frame[k].side[0].count; i++) {
            const double own = (double)series->frame[k].side[1].value[i], x = f->of(own);
            changes = changes || x != own;
            if (!isfinite(x) || !isfinite(series->frame[k].side[0].value[i]))
                return false;
            xr_value_sums_add(&s, x, (double)series->frame[k].side[0].value[i]);
        }
    double gain, offset;
    if (!changes || s.n < LEAST_VALUES || !fit_line(&s, noise, &gain, &offset))
        return false;
    story->way = XR_VECTORS_FUNCTION;
    story->function = f->words;
    story->gain = gain;
    story->offset = fabs(offset) < 1e-3 * sqrt(s.yy / s.n) ? 0 : offset;
    return true;
}

static bool try_functions(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
        if (is_function(series, noise, &functions[i], story))
            return true;
    return false;
}

/* ---- Frames --------------------------------------------------------------------------------------- */

/* Stretched to the values of its own frame, as maps of depth are for display. */
bool xr_vector_in_frames(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    size_t frames = 0;
    for (size_t k = 0; k < series->count; k++) {
        const xr_stage_frame *f = &series->frame[k];
        xr_value_sums s = {0};
        double gain, offset;
        if (f->side[0].count != f->side[1].count)
            return false;
        for (size_t i = 0; i < f->side[0].count; i++)
            xr_value_sums_add(&s, (double)f->side[1].value[i], (double)f->side[0].value[i]);
        if (s.n < LEAST_OF_FRAME || !fit_line(&s, noise, &gain, &offset) || !(gain > 0))
            return false;
        frames++;
    }
    if (frames < 2)
        return false;
    story->way = XR_VECTORS_FRAMES;
    return true;
}

/* How much of this frame's values the edge tells, the rest being the frame before's: told by the edge
 * (own), or the reference's. */
static bool try_mixture(const xr_stage_series *series, double noise, bool own, xr_vector_story *story)
{
    double xx = 0, xy = 0, yy = 0, total = 0;
    size_t frames = 0;
    for (size_t k = 1; k < series->count; k++) {
        const xr_stage_frame *at = &series->frame[k], *before = &series->frame[k - 1];
        const xr_stage_values *last = &before->side[own ? 0 : 1];
        if (last->count != at->side[1].count || at->frame != before->frame + 1)
            return false;
        for (size_t i = 0; i < last->count; i++) {
            const double x = (double)at->side[1].value[i] - (double)last->value[i],
                         y = (double)at->side[0].value[i] - (double)last->value[i];
            xx += x * x;
            xy += x * y;
            yy += y * y;
            total += (double)at->side[0].value[i] * (double)at->side[0].value[i];
        }
        frames++;
    }
    const double part = xx > 0 ? xy / xx : 0;
    if (frames < LEAST_FRAMES || !(part > 0.02 && part < 0.98) ||
        !(yy - part * xy <= 4 * noise * noise * total + 1e-12 * total))
        return false;
    story->way = own ? XR_VECTORS_SMOOTHED : XR_VECTORS_AVERAGED;
    story->gain = part;
    return true;
}

/* ---- Rows: points that have another's place -------------------------------------------------------- */

typedef struct point_turn {
    double x, y; /* signs of the two coordinates */
    bool exchanged;
    const char *words;
} point_turn;

static const point_turn turns[] = {{1, 1, false, ""},
                                   {-1, 1, false, "mirrored left to right, and "},
                                   {1, -1, false, "flipped upside down, and "},
                                   {-1, -1, false, "turned by 180 degrees, and "},
                                   {1, 1, true, "with x and y exchanged, and "}};

/* Coordinates in shares of the picture are mirrored about its middle, others about 0. */
static double placed(double value, double sign, bool shares)
{
    return sign > 0 ? value : shares ? 1 - value : -value;
}

static bool is_row(const xr_stage_series *series, double noise, const point_turn *t, bool shares, size_t edge,
                   size_t reference)
{
    for (size_t k = 0; k < series->count; k++) {
        const float *e = series->frame[k].side[0].value + 2 * edge,
                    *r = series->frame[k].side[1].value + 2 * reference;
        const double x = placed((double)r[t->exchanged ? 1 : 0], t->x, shares),
                     y = placed((double)r[t->exchanged ? 0 : 1], t->y, shares);
        const double allow = 4 * noise * fmax(fabs(x) + fabs(y), 1e-3);
        if (!(fabs((double)e[0] - x) <= allow && fabs((double)e[1] - y) <= allow))
            return false;
    }
    return true;
}

static bool are_rows(const xr_stage_series *series, double noise, const point_turn *t, bool shares,
                     size_t rows)
{
    bool taken[MOST_ROWS] = {false};
    for (size_t e = 0; e < rows; e++) {
        size_t r = 0;
        while (r < rows && (taken[r] || !is_row(series, noise, t, shares, e, r)))
            r++;
        if (r == rows)
            return false;
        taken[r] = true;
    }
    return true;
}

static bool try_rows(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    size_t rows = 0;
    for (size_t k = 0; k < series->count; k++)
        for (int s = 0; s < 2; s++) {
            const xr_stage_values *v = &series->frame[k].side[s];
            if (v->rank != 2 || v->shape[1] != 2 || v->shape[0] < 3 || v->shape[0] > MOST_ROWS ||
                (rows && v->shape[0] != rows))
                return false;
            rows = v->shape[0];
        }
    for (size_t i = 0; i < sizeof turns / sizeof *turns; i++)
        for (int shares = 1; shares >= 0; shares--)
            if (are_rows(series, noise, &turns[i], shares != 0, rows)) {
                story->way = XR_VECTORS_ROWS;
                story->turn = turns[i].words;
                return true;
            }
    return false;
}

bool xr_vector_other_ways(const xr_stage_series *series, double noise, xr_vector_story *story)
{
    for (size_t k = 0; k < series->count; k++)
        if (series->frame[k].side[0].count != series->frame[k].side[1].count)
            return false;
    return try_rows(series, noise, story) || try_functions(series, noise, story) ||
           try_mixture(series, noise, true, story) || try_mixture(series, noise, false, story);
}
