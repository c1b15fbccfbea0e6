#include "checks/input/fit/value_lines.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <stdlib.h>

enum { FEWEST = 16, SAMPLES = 6000, FRAMES = 12, FEWEST_IN_POINT = 20 };

/* Levels: equal up to decoders and rounding. */
#define SAME 1.5

typedef struct line_sides {
    const float *value[2];
    xr_pixel_view view[2];
    size_t count;
    size_t first, last; /* channels of which a line is made: from one up to another, not with it */
} line_sides;

static double value_of(const line_sides *b, int side, size_t i)
{
    const xr_pixel_view *v = &b->view[side];
    return xr_value_at(b->value[side], xr_pixel_place(v, i / v->channels, i % v->channels));
}

static bool read_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame,
                       exray_slot *const slot[2], line_sides *out)
{
    exray_tensor_view tensor[2];
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, tensor, out->view, out->value))
        return false;
    for (int s = 0; s < 2; s++) {
        const xr_pixel_view *v = &out->view[s];
        out->count = (size_t)tensor[s].count;
        if (tensor[s].count != v->rows * v->columns * v->channels)
            return false;
    }
    return xr_is_same_size(&out->view[0], &out->view[1]);
}

/* ---- Lines --------------------------------------------------------------------------------------- */

typedef struct sums_of_line {
    double x, y, xx, yy, xy, square, low, high;
} sums_of_line;

/* Adds a row of pixels that begins at these places; false: a value is no number. */
static bool add_row(const line_sides *b, const size_t begin[2], sums_of_line *to)
{
    const xr_pixel_view *v[2] = {&b->view[0], &b->view[1]};
    sums_of_line s = *to; /* in registers */
    bool finite = true;
    for (size_t column = 0; column < v[0]->columns; column++)
        for (size_t c = b->first; c < b->last; c++) {
            double y = xr_value_at(b->value[0],
                                   begin[0] + column * v[0]->column_stride + c * v[0]->channel_stride),
                   x = xr_value_at(b->value[1],
                                   begin[1] + column * v[1]->column_stride + c * v[1]->channel_stride);
            finite = finite && isfinite(x) && isfinite(y);
            s.x += x, s.y += y, s.xx += x * x, s.yy += y * y, s.xy += x * y;
            s.square += (y - x) * (y - x);
            s.low = y < s.low ? y : s.low;
            s.high = y > s.high ? y : s.high;
        }
    *to = s;
    return finite;
}

/* Row by row: a place is not worth a division for each value. */
static bool add_rows(const line_sides *b, sums_of_line *s)
{
    const xr_pixel_view *v[2] = {&b->view[0], &b->view[1]};
    for (size_t row = 0; row < v[0]->rows; row++) {
        const size_t begin[2] = {xr_row_place(v[0], row), xr_row_place(v[1], row)};
        if (!add_row(b, begin, s))
            return false;
    }
    return true;
}

static xr_value_line line_of(const line_sides *b, double level)
{
    xr_value_line l = {.known = false};
    sums_of_line s = {.low = INFINITY, .high = -INFINITY};
    if (b->count < FEWEST || !add_rows(b, &s))
        return l;
    const double n = (double)(b->view[0].rows * b->view[0].columns * (b->last - b->first)), sx = s.x,
                 sy = s.y;
    double xx = fmax(s.xx - sx * sx / n, 0), yy = fmax(s.yy - sy * sy / n, 0), xy = s.xy - sx * sy / n;
    l.edge[0] = s.low, l.edge[1] = s.high;
    l.mean = sy / n;
    l.spread = sqrt(yy / n);
    l.same = sqrt(s.square / n) < SAME * level;
    l.known = xx > 1e-9 * fmax(sx * sx / n, 1e-30) && yy > 0;
    if (l.known) {
        l.gain = xy / xx;
        l.offset = (sy - l.gain * sx) / n;
        l.rest = fmax(0, 1 - xy * xy / (xx * yy));
    }
    return l;
}

xr_value_line *xr_value_lines(const exray_comparison *comparison, const xr_input_fit *fit, int channel,
                              double limit)
{
    bool within = true;
    size_t frames = exray_comparison_frame_count(comparison);
    xr_value_line *line = calloc(frames + 1, sizeof *line);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    for (size_t f = 0; line && slot[0] && slot[1] && f < frames && within; f++) {
        line_sides b;
        if (!read_frame(comparison, fit, f, slot, &b))
            continue;
        b.first = channel == XR_ALL_CHANNELS ? 0 : (size_t)channel;
        b.last = channel == XR_ALL_CHANNELS ? b.view[0].channels : b.first + 1;
        if (b.last <= b.view[0].channels)
            line[f] = line_of(&b, fit->level[EXRAY_SIDE_EDGE]);
        within = !line[f].known || line[f].same || line[f].rest <= limit;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return line;
}

/* ---- A curve ------------------------------------------------------------------------------------- */

typedef struct curve_sums {
    double low, width; /* of the reference's values, and of a point's */
    double n[XR_CURVE_POINTS], x[XR_CURVE_POINTS], y[XR_CURVE_POINTS], xx[XR_CURVE_POINTS],
        xy[XR_CURVE_POINTS], yy[XR_CURVE_POINTS];
} curve_sums;

static void add_values(const line_sides *b, curve_sums *s)
{
    size_t step = b->count / SAMPLES + 1;
    step += step > 1 && step % 3 == 0; /* all channels */
    for (size_t i = 0; i < b->count; i += step) {
        double y = value_of(b, 0, i), x = value_of(b, 1, i);
        if (!isfinite(x) || !isfinite(y))
            continue;
        double place = (x - s->low) / s->width;
        size_t k = place > 0 ? (size_t)fmin(place, XR_CURVE_POINTS - 1) : 0;
        s->n[k] += 1, s->x[k] += x, s->y[k] += y, s->xx[k] += x * x, s->xy[k] += x * y, s->yy[k] += y * y;
    }
}

/* The squares that a line through a point's values leaves. */
static double left_of(double n, double x, double y, double xx, double xy, double yy)
{
    xx -= x * x / n, yy -= y * y / n, xy -= x * y / n;
    return fmax(0, xx > 1e-12 ? yy - xy * xy / xx : yy);
}

static bool judge_curve(const curve_sums *s, double level, xr_tone_curve *out)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0, yy = 0, left = 0, last = -INFINITY;
    for (size_t k = 0; k < XR_CURVE_POINTS; k++) {
        n += s->n[k], x += s->x[k], y += s->y[k], xx += s->xx[k], xy += s->xy[k], yy += s->yy[k];
        if (s->n[k] < 1)
            continue;
        left += left_of(s->n[k], s->x[k], s->y[k], s->xx[k], s->xy[k], s->yy[k]);
        if (s->n[k] < FEWEST_IN_POINT)
            continue;
        double value = s->y[k] / s->n[k];
        if (value < last - level)
            return false; /* it falls */
        last = fmax(last, value);
        out->at[out->points] = s->x[k] / s->n[k];
        out->value[out->points++] = value;
    }
    if (n < FEWEST || out->points < 8)
        return false;
    out->before = sqrt(left_of(n, x, y, xx, xy, yy) / n) / level;
    out->after = sqrt(left / n) / level;
    return out->before > 2 * SAME && out->after < fmax(2 * SAME, 0.3 * out->before) &&
           out->after < 0.4 * out->before;
}

bool xr_find_tone_curve(const exray_comparison *comparison, const xr_input_fit *fit, xr_tone_curve *found)
{
    const xr_input_values *v = &fit->values;
    double low = INFINITY, high = -INFINITY;
    *found = (xr_tone_curve){0};
    for (size_t c = 0; c < v->channels; c++) {
        low = fmin(low, v->min[EXRAY_SIDE_REFERENCE][c]);
        high = fmax(high, v->max[EXRAY_SIDE_REFERENCE][c]);
    }
    if (!v->picture || !(high > low) || !isfinite(high - low))
        return false;
    curve_sums s = {.low = low, .width = (high - low) / XR_CURVE_POINTS};
    size_t frames = exray_comparison_frame_count(comparison), step = frames / FRAMES + 1;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    for (size_t f = 0; slot[0] && slot[1] && f < frames; f += step) {
        line_sides b;
        if (read_frame(comparison, fit, f, slot, &b))
            add_values(&b, &s);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return judge_curve(&s, fit->level[EXRAY_SIDE_EDGE], found);
}
