#include "checks/input/color/value_table.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <stdlib.h>

enum { POINTS = 512, FRAMES = 12, SAMPLES = 40000, FEWEST_IN_POINT = 12, FEWEST_POINTS = 24, REACH = 8 };

/* Levels rms that rounding leaves of a table; and how much more a line has to leave. */
#define ROUNDING 0.6
#define BY_LINE  0.8
#define RATIO    3.0
/* The share of the samples that a table must tell of. */
#define TOLD 0.9
/* Levels: a curve falls from here on; a line within limits, rounded, leaves up to so much more than the
 * table. */
#define FALLS     2.0
#define BY_LIMITS 0.45
/* Share of what a line leaves that may be steps. */
#define STEPS 0.5

/* What becomes of one value of the reference. */
typedef struct table_point {
    double n, x, y, xx, xy, yy;
} table_point;

typedef struct table_sums {
    table_point point[XR_FIT_CHANNELS][POINTS];
    double low[XR_FIT_CHANNELS], width[XR_FIT_CHANNELS]; /* of the reference's values, and of a point's */
    double edge_low, edge_high;
    size_t channels, frames;
} table_sums;

static void add_to(table_point *p, const table_point *q)
{
    p->n += q->n, p->x += q->x, p->y += q->y, p->xx += q->xx, p->xy += q->xy, p->yy += q->yy;
}

/* The squares that a line through values leaves; the line. */
static double left_of(const table_point *p, double line[2])
{
    const double xx = p->xx - p->x * p->x / p->n, yy = p->yy - p->y * p->y / p->n,
                 xy = p->xy - p->x * p->y / p->n;
    line[0] = xx > 1e-12 * fmax(p->xx, 1e-30) ? xy / xx : 0;
    line[1] = (p->y - line[0] * p->x) / p->n;
    return fmax(0, yy - line[0] * xy);
}

/* ---- Reading ------------------------------------------------------------------------------------- */

static bool add_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame,
                      exray_slot *const slot[2], table_sums *s)
{
    exray_tensor_view tensor[2];
    xr_pixel_view v[2];
    const float *value[2];
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, tensor, v, value))
        return true;
    if (!xr_is_same_size(&v[0], &v[1]) || v[0].channels != s->channels)
        return false;
    const size_t pixels = v[0].rows * v[0].columns, step = (pixels / SAMPLES) | 1;
    for (size_t i = 0; i < pixels; i += step)
        for (size_t k = 0; k < s->channels; k++) {
            const double y = xr_value_at(value[0], xr_pixel_place(&v[0], i, k)),
                         x = xr_value_at(value[1], xr_pixel_place(&v[1], i, k));
            if (!isfinite(x + y))
                continue;
            const double place = round((x - s->low[k]) / s->width[k]);
            table_point *p = &s->point[k][place > 0 ? (size_t)fmin(place, POINTS - 1) : 0];
            p->n += 1, p->x += x, p->y += y, p->xx += x * x, p->xy += x * y, p->yy += y * y;
            s->edge_low = fmin(s->edge_low, y), s->edge_high = fmax(s->edge_high, y);
        }
    s->frames++;
    return true;
}

static bool read_frames(const exray_comparison *c, const xr_input_fit *fit, table_sums *s)
{
    const xr_input_values *v = &fit->values;
    const double level = fit->level[EXRAY_SIDE_REFERENCE];
    const size_t frames = exray_comparison_frame_count(c), step = frames / FRAMES + 1;
    *s = (table_sums){.channels = v->channels, .edge_low = INFINITY, .edge_high = -INFINITY};
    for (size_t k = 0; k < s->channels; k++) {
        const double range = v->max[EXRAY_SIDE_REFERENCE][k] - v->min[EXRAY_SIDE_REFERENCE][k];
        if (!(range > 0) || !isfinite(range) || !(level > 0))
            return false;
        s->low[k] = v->min[EXRAY_SIDE_REFERENCE][k];
        s->width[k] = fmax(level, range / (POINTS - 1));
    }
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool ok = slot[0] && slot[1];
    for (size_t f = 0; ok && f < frames; f += step)
        ok = add_frame(c, fit, f, slot, s);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok && s->frames > 0;
}

/* ---- Judging ------------------------------------------------------------------------------------- */

/* Sums over all channels: samples, squares of the difference, those that lines leave, that the table leaves,
 * that steps make, that lines within limits leave. */
typedef struct table_rests {
    double all, told, raw, line, table, steps, limits;
    bool falls;
} table_rests;

/* What a point's mean is off from the line through those around it. */
static double off_neighbors(const table_point *p, size_t k)
{
    table_point around = {0};
    double line[2];
    for (size_t i = k > REACH ? k - REACH : 0; i < POINTS && i <= k + REACH; i++)
        if (p[i].n >= FEWEST_IN_POINT) { /* each value alike */
            const double x = p[i].x / p[i].n, y = p[i].y / p[i].n;
            add_to(&around, &(table_point){1, x, y, x * x, x * y, y * y});
        }
    left_of(&around, line);
    return p[k].y / p[k].n - line[0] * p[k].x / p[k].n - line[1];
}

/* The line through what is not at the ends, which clip the rest; what it leaves of all. */
static double left_by_limits(const table_sums *s, size_t c, double level, xr_value_table *out)
{
    table_point inside = {0};
    const double near = level;
    double left = 0, line[2] = {0, 0};
    for (size_t k = 0; k < POINTS; k++) {
        const table_point *p = &s->point[c][k];
        const double y = p->n > 0 ? p->y / p->n : 0;
        if (p->n > 0 && y > s->edge_low + near && y < s->edge_high - near)
            add_to(&inside, p);
    }
    if (inside.n < (double)FEWEST_IN_POINT * FEWEST_POINTS)
        return INFINITY;
    left_of(&inside, line);
    out->gain[c] = line[0], out->offset[c] = line[1];
    for (size_t k = 0; k < POINTS; k++) {
        const table_point *p = &s->point[c][k];
        if (p->n < 1)
            continue;
        const double by_line = line[0] * p->x / p->n + line[1];
        const double expected = fmin(fmax(by_line, s->edge_low), s->edge_high), y = p->y / p->n;
        left += p->n * (y - expected) * (y - expected) + fmax(0, p->yy - p->y * y);
        out->at_low = out->at_low || by_line < s->edge_low - level;
        out->at_high = out->at_high || by_line > s->edge_high + level;
        out->clipped += fabs(by_line - expected) > level / 2 ? p->n : 0;
    }
    return left;
}

static void judge_channel(const table_sums *s, size_t c, double level, table_rests *r, xr_value_table *out)
{
    table_point all = {0};
    size_t points = 0, told = 0;
    double line[2], last = -INFINITY;
    for (size_t k = 0; k < POINTS; k++) {
        add_to(&all, &s->point[c][k]);
        points += s->point[c][k].n >= FEWEST_IN_POINT;
    }
    r->all += all.n;
    r->raw += all.yy - 2 * all.xy + all.xx;
    if (points < FEWEST_POINTS)
        return;
    r->line += left_of(&all, line);
    for (size_t k = 0; k < POINTS; k++) {
        const table_point *p = &s->point[c][k];
        if (p->n < FEWEST_IN_POINT)
            continue;
        const double y = p->y / p->n, off = off_neighbors(s->point[c], k);
        r->told += p->n;
        r->table += left_of(p, line);
        r->steps += p->n * off * off;
        r->falls = r->falls || y < last - FALLS * level;
        last = fmax(last, y);
        for (size_t q = 0; q < 3; q++)
            if (told == (q + 1) * points / 4) {
                out->at[c][q] = p->x / p->n;
                out->value[c][q] = y;
            }
        told++;
    }
    r->limits += left_by_limits(s, c, level, out);
}

static bool judge(const table_sums *s, double level, xr_value_table *out)
{
    table_rests r = {0};
    *out = (xr_value_table){
        .channels = s->channels, .frames = s->frames, .low = s->edge_low, .high = s->edge_high};
    for (size_t c = 0; c < s->channels; c++)
        judge_channel(s, c, level, &r, out);
    if (!(r.told >= TOLD * r.all) || !(r.told > 0))
        return false;
    out->before = sqrt(r.line / r.all) / level;
    out->after = sqrt(r.table / r.told) / level;
    const double limits = sqrt(r.limits / r.all) / level;
    out->clipped /= r.all;
    const bool clips = (out->at_low || out->at_high) && limits < out->after + BY_LIMITS &&
                       limits < sqrt(r.raw / r.all) / level / RATIO;
    if (out->after > ROUNDING || (!clips && (out->before < BY_LINE || out->before < RATIO * out->after ||
                                             r.steps > STEPS * STEPS * r.line)))
        return false;
    out->kind = clips ? XR_TABLE_CLIPPED : r.falls ? XR_TABLE_OTHER : XR_TABLE_RISING;
    return true;
}

bool xr_find_value_table(const exray_comparison *comparison, const xr_input_fit *fit, xr_value_table *found)
{
    table_sums *s = malloc(sizeof *s);
    *found = (xr_value_table){0};
    const bool is_so = s && fit->values.picture && fit->values.channels <= XR_FIT_CHANNELS &&
                       read_frames(comparison, fit, s) && judge(s, fit->level[EXRAY_SIDE_EDGE], found);
    free(s);
    return is_so;
}
