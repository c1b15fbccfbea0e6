#include "checks/input/columns/column_relation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Shares of a column's variance: what an explanation may leave over all frames, and in one of them; a
 * difference that is rounding; how much more a column has to differ than its explanation leaves. */
#define EXACT         1e-3
#define EXACT_FRAME   1e-2
#define ROUNDING      1e-7
#define TIMES_SMALLER 10
/* Gains around a cycle of exchanged columns that cancel. */
#define CANCELS 0.01

/* Samples that two numbers may be fitted to, and that show an order. */
enum { FIT_LEAST = 16, ORDER_LEAST = 8, EXACT_LEAST = 4 }; /* the last: where all columns are exact */

/* Two columns over some samples. */
typedef struct column_sums {
    double n, e, r, ee, rr, er;
} column_sums;

static column_sums sum_columns(const float *edge, const float *reference, size_t begin, size_t end)
{
    column_sums s = {.n = (double)(end - begin)};
    for (size_t i = begin; i < end; i++) {
        const double e = (double)edge[i], r = (double)reference[i];
        s.e += e, s.r += r, s.ee += e * e, s.rr += r * r, s.er += e * r;
    }
    return s;
}

static double variance(double n, double x, double xx)
{
    return n > 0 ? fmax(0, xx / n - x / n * (x / n)) : 0;
}

static bool is_flat(double n, double x, double xx)
{
    return variance(n, x, xx) <= 1e-10 * xx / fmax(n, 1);
}

/* The mean square that a line leaves. */
static double left_by(const column_sums *s, double gain, double offset)
{
    return fmax(0, (s->ee - 2 * gain * s->er - 2 * offset * s->e + gain * gain * s->rr +
                    2 * gain * offset * s->r + s->n * offset * offset) /
                       s->n);
}

static void fit_line(const column_sums *s, double *gain, double *offset)
{
    const double rr = variance(s->n, s->r, s->rr), er = s->er / s->n - s->e / s->n * (s->r / s->n);
    *gain = rr > 0 ? er / rr : 1;
    *offset = (s->e - *gain * s->r) / s->n;
}

/* One way to make an edge column; shares are of its variance. */
typedef struct column_try {
    xr_column_map map;
    double left; /* share */
    bool suffices, plain;
} column_try;

static column_try try_column(const xr_column_table *t, size_t column, size_t from)
{
    const float *edge = xr_column(t, EXRAY_SIDE_EDGE, column),
                *reference = xr_column(t, EXRAY_SIDE_REFERENCE, from);
    const column_sums s = sum_columns(edge, reference, 0, t->samples);
    column_try out = {.map = {.from = from, .gain = 1}};
    const bool flat = is_flat(s.n, s.e, s.ee), none = is_flat(s.n, s.r, s.rr);
    const double spread = flat ? fmax(s.ee / s.n, s.rr / s.n) : variance(s.n, s.e, s.ee);
    const double plainly = spread > 0 ? left_by(&s, 1, 0) / spread : 0;
    if (flat || none) { /* one value: an offset at most, and of another column nothing is shown */
        out.left = flat && none ? 0 : 1;
        out.plain = plainly <= ROUNDING;
        out.map.offset = (s.e - s.r) / s.n;
    } else {
        fit_line(&s, &out.map.gain, &out.map.offset);
        out.left = left_by(&s, out.map.gain, out.map.offset) / spread;
        out.plain = plainly <= fmax(TIMES_SMALLER * out.left, ROUNDING);
    }
    out.map.mapped = !out.plain;
    out.suffices = out.left <= EXACT && (out.plain || t->samples >= FIT_LEAST);
    if (out.plain)
        out.map.gain = 1, out.map.offset = 0;
    return out;
}

/* The best of all of the reference's columns: its own where that suffices, then one that is not mapped. */
static bool find_column(const xr_column_table *t, size_t column, xr_column_map *out)
{
    column_try best = try_column(t, column, column);
    for (size_t from = 0; from < t->columns && !best.suffices; from++) {
        const column_try now = from == column ? best : try_column(t, column, from);
        if (now.suffices)
            best = now;
    }
    for (size_t from = 0; from < t->columns && best.suffices && best.map.from != column && !best.plain;
         from++) {
        const column_try now = try_column(t, column, from);
        if (now.suffices && (now.plain || now.left < best.left / TIMES_SMALLER))
            best = now;
    }
    *out = best.map;
    return best.suffices;
}

/* Whether no frame has more of a column left than others: else something else is wrong in it. */
static bool holds_in_frames(const xr_column_table *t, size_t column, const xr_column_map *m)
{
    const float *edge = xr_column(t, EXRAY_SIDE_EDGE, column),
                *reference = xr_column(t, EXRAY_SIDE_REFERENCE, m->from);
    const column_sums all = sum_columns(edge, reference, 0, t->samples);
    const double spread = fmax(variance(all.n, all.e, all.ee), 1e-10 * all.ee / all.n);
    for (size_t f = 0; f < t->frames; f++) {
        const column_sums s = sum_columns(edge, reference, t->begin[f], t->begin[f + 1]);
        if (s.n > 0 && spread > 0 && left_by(&s, m->gain, m->offset) > EXACT_FRAME * spread)
            return false;
    }
    return true;
}

/* Whether each frame's column is a line of its own of the reference's, and these are not one. */
static bool find_own(const xr_column_table *t, size_t column, xr_column_map *out)
{
    const float *edge = xr_column(t, EXRAY_SIDE_EDGE, column),
                *reference = xr_column(t, EXRAY_SIDE_REFERENCE, column);
    *out = (xr_column_map){.from = column, .gain = 1, .mapped = true, .own = true};
    for (size_t f = 0; f < t->frames; f++) {
        const column_sums s = sum_columns(edge, reference, t->begin[f], t->begin[f + 1]);
        double gain, offset;
        if (s.n < FIT_LEAST || is_flat(s.n, s.e, s.ee) || is_flat(s.n, s.r, s.rr))
            return false;
        fit_line(&s, &gain, &offset);
        if (left_by(&s, gain, offset) > EXACT * variance(s.n, s.e, s.ee))
            return false;
        if (f == 0)
            out->gain = gain, out->offset = offset;
    }
    return t->frames >= 2;
}

/* Whether a column is one value on the edge alone. */
static bool find_blank(const xr_column_table *t, size_t column, xr_column_map *out)
{
    const column_sums s = sum_columns(xr_column(t, EXRAY_SIDE_EDGE, column),
                                      xr_column(t, EXRAY_SIDE_REFERENCE, column), 0, t->samples);
    *out = (xr_column_map){.from = column, .offset = s.e / s.n, .blank = true};
    return is_flat(s.n, s.e, s.ee) && !is_flat(s.n, s.r, s.rr);
}

/* One value shows no place: what has the value of a column that is at its own place is that column no second
 * time, but filled by nothing. */
static void unplace_blanks(const xr_column_table *t, xr_column_relation *r)
{
    for (size_t c = 0; c < r->columns; c++) {
        const size_t from = r->column[c].from;
        xr_column_map blank;
        if (from != c && r->column[from].from == from && find_blank(t, c, &blank))
            r->column[c] = blank;
    }
}

static void count_columns(xr_column_relation *r)
{
    bool used[XR_COLUMNS_MOST] = {false};
    for (size_t c = 0; c < r->columns; c++) {
        const xr_column_map *m = &r->column[c];
        r->moved += m->from != c;
        r->mapped += m->mapped;
        r->repeated += used[m->from];
        r->own = r->own || m->own;
        r->blank += m->blank;
        used[m->from] = true;
    }
}

/* Whether gains and offsets cancel around the cycle of places that begins at a column: then they are those of
 * each place, applied after the exchange. */
static bool cancels(const xr_column_relation *r, size_t column)
{
    double gain = 1, offset = 0, most = 0;
    size_t at = column, steps = 0;
    do {
        const xr_column_map *m = &r->column[at];
        offset += gain * m->offset;
        most = fmax(most, fabs(gain * m->offset));
        gain *= m->gain;
        at = m->from;
    } while (at != column && ++steps < r->columns);
    return at == column && fabs(gain - 1) < CANCELS && fabs(offset) <= CANCELS * fmax(most, 1);
}

static void judge_order(xr_column_relation *r)
{
    r->after_order = r->moved > 0 && r->mapped > 0 && !r->repeated;
    for (size_t c = 0; c < r->columns && r->after_order; c++)
        r->after_order = cancels(r, c);
}

/* What differs, as it is and so explained. */
static void measure(const xr_column_table *t, xr_column_relation *r)
{
    double spread = 0;
    for (size_t c = 0; c < r->columns; c++) {
        const xr_column_map *m = &r->column[c];
        const float *edge = xr_column(t, EXRAY_SIDE_EDGE, c);
        const column_sums s = sum_columns(edge, xr_column(t, EXRAY_SIDE_REFERENCE, m->from), 0, t->samples);
        const column_sums as_is = sum_columns(edge, xr_column(t, EXRAY_SIDE_REFERENCE, c), 0, t->samples);
        const double v = fmax(variance(s.n, s.e, s.ee), variance(as_is.n, as_is.r, as_is.rr));
        spread += v > 0;
        r->before += v > 0 ? left_by(&as_is, 1, 0) / v : 0;
        r->after += v > 0 && !m->own ? left_by(&s, m->gain, m->offset) / v : 0;
    }
    r->before /= fmax(spread, 1);
    r->after /= fmax(spread, 1);
}

/* Whether every column is another one's, or its own, to float noise. */
static bool is_exact(const xr_column_table *t, const xr_column_relation *r)
{
    for (size_t c = 0; c < r->columns; c++) {
        const xr_column_map *m = &r->column[c];
        const column_sums s = sum_columns(xr_column(t, EXRAY_SIDE_EDGE, c),
                                          xr_column(t, EXRAY_SIDE_REFERENCE, m->from), 0, t->samples);
        if (m->mapped || m->blank || m->own || is_flat(s.n, s.e, s.ee) ||
            left_by(&s, 1, 0) > ROUNDING * variance(s.n, s.e, s.ee))
            return false;
    }
    return true;
}

bool xr_relate_columns(const xr_column_table *table, xr_column_relation *out)
{
    *out = (xr_column_relation){.columns = table->columns,
                                .column = calloc(table->columns + 1, sizeof *out->column)};
    bool found = out->column && table->samples >= EXACT_LEAST;
    for (size_t c = 0; found && c < table->columns; c++) {
        xr_column_map *m = &out->column[c];
        found = (find_column(table, c, m) && holds_in_frames(table, c, m)) || find_own(table, c, m) ||
                find_blank(table, c, m);
    }
    found = found && (table->samples >= ORDER_LEAST || is_exact(table, out));
    if (found) {
        unplace_blanks(table, out);
        count_columns(out);
        judge_order(out);
        measure(table, out);
    }
    const bool lines = found && (out->moved > 0 || out->mapped > 0) && !(out->own && out->moved > 0);
    found = found && (out->blank ? !out->moved && !out->mapped && out->blank < out->columns : lines);
    if (!found)
        xr_column_relation_free(out);
    return found;
}

void xr_column_relation_free(xr_column_relation *relation)
{
    free(relation->column);
    *relation = (xr_column_relation){0};
}
