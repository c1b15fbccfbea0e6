/* Whether the residual is that of a kernel.  The kernels of a resize are separable: another one changes,
 * in each column, the picture by the same mixture of its slopes and curvatures along the rows, and in
 * each row by one of those along the columns.  The share of the residual that such mixtures explain
 * distinguishes kernels, and shifts of less than a pixel, from noise, decoders and compression.  The
 * mixtures are fitted by alternating least squares. */
#include "checks/input/search/residual.h"

#include "checks/ascending.h"
#include "checks/input/search/apply.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ROUNDS = 3, FRAMES = 4 };

/* The likeness from which on a residual is everywhere: of two rows in a hundred it is 0.15. */
#define ALIKE 0.4

/* The luma of one frame; NAN where a value is not known. */
typedef struct luma_field {
    size_t width, height;
    double *reference, *edge, *residual;
} luma_field;

static bool field_make(luma_field *f, const xr_placed *p)
{
    size_t n = p->width * p->height;
    *f = (luma_field){p->width, p->height, calloc(n, sizeof(double)), calloc(n, sizeof(double)),
                      calloc(n, sizeof(double))};
    return f->reference && f->edge && f->residual;
}

static void field_free(luma_field *f)
{
    free(f->reference);
    free(f->edge);
    free(f->residual);
}

static void take_luma(luma_field *f, const xr_placed *p, const double weight[3])
{
    size_t n = p->width * p->height;
    for (size_t i = 0; i < n; i++) {
        f->edge[i] = f->reference[i] = 0;
        for (size_t c = 0; c < p->channels; c++) {
            double w = p->channels == 3 ? weight[c] : 1.0 / (double)p->channels;
            f->edge[i] += w * (double)p->plane[0][c * n + i];
            f->reference[i] += w * (double)p->plane[1][c * n + i];
        }
    }
}

/* Fits edge = gain * reference + offset, and brings the reference into the edge's unit. */
static bool align_values(luma_field *f)
{
    double n = 0, e = 0, s = 0, ss = 0, es = 0;
    for (size_t i = 0; i < f->width * f->height; i++) {
        double a = f->edge[i], b = f->reference[i];
        if (!isfinite(a + b))
            continue;
        n++, e += a, s += b, ss += b * b, es += a * b;
    }
    double variance = n > 0 ? ss - s * s / n : 0;
    if (!(variance > 0))
        return false;
    double gain = (es - e * s / n) / variance, offset = (e - gain * s) / n;
    for (size_t i = 0; i < f->width * f->height; i++) {
        f->reference[i] = gain * f->reference[i] + offset;
        f->residual[i] = f->edge[i] - f->reference[i];
    }
    return true;
}

/* Slope and curvature of the reference at a pixel, along x (step 1) or y (step width). */
static void shape_at(const luma_field *f, size_t i, size_t step, double out[2])
{
    double before = f->reference[i - step], here = f->reference[i], after = f->reference[i + step];
    out[0] = (after - before) / 2;
    out[1] = after - 2 * here + before;
}

/* Takes the luma that differs least. */
static bool take_best_luma(luma_field *f, const xr_placed *p)
{
    double least = INFINITY;
    size_t best = 0;
    for (size_t w = 0; w < (p->channels == 3 ? XR_LUMAS : 1); w++) {
        double residual = 0;
        take_luma(f, p, xr_luma_weights[w]);
        if (!align_values(f))
            continue;
        for (size_t i = 0; i < f->width * f->height; i++)
            residual += isfinite(f->residual[i]) ? f->residual[i] * f->residual[i] : 0;
        if (residual < least) {
            least = residual;
            best = w;
        }
    }
    take_luma(f, p, xr_luma_weights[best]);
    return align_values(f);
}

typedef struct line_sums {
    double aa, ab, bb, ra, rb;
} line_sums;

/* Fits the mixture of one line and subtracts it from the residual. */
static void fit_line(luma_field *f, bool column, size_t at)
{
    size_t along = column ? f->width : 1, across = column ? 1 : f->width,
           length = column ? f->height : f->width;
    size_t start = column ? at : at * f->width;
    line_sums s = {0};
    for (size_t k = 1; k + 1 < length; k++) {
        double g[2], r = f->residual[start + k * along];
        shape_at(f, start + k * along, across, g);
        if (!isfinite(g[0] + g[1] + r))
            continue;
        s.aa += g[0] * g[0], s.ab += g[0] * g[1], s.bb += g[1] * g[1];
        s.ra += r * g[0], s.rb += r * g[1];
    }
    double det = s.aa * s.bb - s.ab * s.ab;
    if (!(det > 1e-6 * s.aa * s.bb))
        return;
    double a = (s.ra * s.bb - s.rb * s.ab) / det, b = (s.rb * s.aa - s.ra * s.ab) / det;
    for (size_t k = 1; k + 1 < length; k++) {
        double g[2];
        shape_at(f, start + k * along, across, g);
        f->residual[start + k * along] -= a * g[0] + b * g[1];
    }
}

typedef struct field_energy {
    double residual, n, slope_reference, slope_edge;
} field_energy;

static field_energy measure(const luma_field *f)
{
    field_energy s = {0};
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            size_t i = y * f->width + x;
            double g[2], h[2], dx = (f->edge[i + 1] - f->edge[i - 1]) / 2,
                               dy = (f->edge[i + f->width] - f->edge[i - f->width]) / 2;
            shape_at(f, i, 1, g);
            shape_at(f, i, f->width, h);
            if (!isfinite(f->residual[i] + g[0] + h[0] + g[1] + h[1] + dx + dy))
                continue;
            s.residual += f->residual[i] * f->residual[i];
            s.n += 1;
            s.slope_reference += g[0] * g[0] + h[0] * h[0];
            s.slope_edge += dx * dx + dy * dy;
        }
    return s;
}

static double slope_squared(const luma_field *f, size_t x, size_t y)
{
    double g[2], h[2];
    shape_at(f, y * f->width + x, 1, g);
    shape_at(f, y * f->width + x, f->width, h);
    return g[0] * g[0] + h[0] * h[0];
}

static void exchange(double *a, double *b)
{
    double kept = *a;
    *a = *b;
    *b = kept;
}

/* The k-th smallest of finite values, as sorting them would find it; they are put in another order. */
static double smallest(double *value, size_t count, size_t k)
{
    size_t from = 0, end = count;
    for (int rounds = 0; end - from > 32 && rounds < 64; rounds++) {
        double a = value[from], b = value[from + (end - from) / 2], c = value[end - 1];
        double pivot = fmax(fmin(a, b), fmin(fmax(a, b), c));
        size_t below = from, i = from, above = end; /* less; equal; greater */
        while (i < above)
            if (value[i] < pivot)
                exchange(&value[i++], &value[below++]);
            else if (value[i] > pivot)
                exchange(&value[i], &value[--above]);
            else
                i++;
        if (k < below)
            end = below;
        else if (k >= above)
            from = above;
        else
            return pivot;
    }
    qsort(value + from, end - from, sizeof *value, xr_ascending_doubles);
    return value[k];
}

/* The mean energy of the residual at the quarter of the pixels with the steepest slopes, over that at
 * the flatter half. */
static double energy_at_edges(const luma_field *f)
{
    double *slope = calloc(f->width * f->height + 1, sizeof *slope);
    size_t count = 0;
    for (size_t y = 1; slope && y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double s = slope_squared(f, x, y);
            if (isfinite(s))
                slope[count++] = s;
        }
    if (count < 64) {
        free(slope);
        return 1;
    }
    double flat = smallest(slope, count, count / 2), steep = smallest(slope, count, count - count / 4);
    double sum[2] = {0, 0}, n[2] = {0, 0};
    free(slope);
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double s = slope_squared(f, x, y), residual = f->residual[y * f->width + x];
            int where = s >= steep ? 1 : s <= flat ? 0 : -1;
            if (where < 0 || !isfinite(s + residual))
                continue;
            sum[where] += residual * residual;
            n[where] += 1;
        }
    return sum[0] > 0 && n[1] > 0 ? sum[1] / n[1] / (sum[0] / n[0]) : 1e6;
}

/* A small shift and enlargement along one axis: the residual fitted by slope * (1, position). */
typedef struct field_motion {
    double aa, ab, bb, ra, rb; /* sums */
    double shift, growth;
} field_motion;

static double place_in(size_t at, size_t size)
{
    return (double)at / (double)size - 0.5;
}

static void fit_motion(const luma_field *f, bool vertical, field_motion *m)
{
    *m = (field_motion){0};
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double g[2], r = f->residual[y * f->width + x];
            shape_at(f, y * f->width + x, vertical ? f->width : 1, g);
            if (!isfinite(g[0] + r))
                continue;
            double at = vertical ? place_in(y, f->height) : place_in(x, f->width);
            m->aa += g[0] * g[0], m->ab += g[0] * g[0] * at, m->bb += g[0] * g[0] * at * at;
            m->ra += r * g[0], m->rb += r * g[0] * at;
        }
    double det = m->aa * m->bb - m->ab * m->ab;
    if (!(det > 1e-9 * m->aa * m->bb))
        return;
    m->shift = (m->ra * m->bb - m->rb * m->ab) / det;
    m->growth = (m->rb * m->aa - m->ra * m->ab) / det;
}

static void subtract_motion(luma_field *f, bool vertical, const field_motion *m)
{
    for (size_t y = 1; y + 1 < f->height; y++)
        for (size_t x = 1; x + 1 < f->width; x++) {
            double g[2];
            size_t i = y * f->width + x;
            shape_at(f, i, vertical ? f->width : 1, g);
            f->residual[i] -=
                g[0] * (m->shift + m->growth * (vertical ? place_in(y, f->height) : place_in(x, f->width)));
        }
}

/* How alike the residual and the picture's slopes are spread over the rows (or columns): 1: alike; 0: where
 * the one is, the other is not.  A kernel changes whatever is steep. */
static double likeness_of_lines(const luma_field *f, bool columns)
{
    const size_t lines = columns ? f->width : f->height, length = columns ? f->height : f->width;
    const size_t across = columns ? 1 : f->width, along = columns ? f->width : 1;
    double alike = 0, residual = 0, slopes = 0;
    for (size_t k = 1; k + 1 < lines; k++) {
        double r = 0, s = 0;
        for (size_t i = 1; i + 1 < length; i++) {
            const size_t at = k * across + i * along;
            const double slope = slope_squared(f, at % f->width, at / f->width);
            if (!isfinite(slope + f->residual[at]))
                continue;
            r += f->residual[at] * f->residual[at];
            s += slope;
        }
        alike += sqrt(r * s);
        residual += r;
        slopes += s;
    }
    return residual > 0 && slopes > 0 ? alike / sqrt(residual * slopes) : 1;
}

typedef struct detail_totals {
    double before, moved, after, n, parameters, reference, edge, shift, at_edges, alike, frames;
} detail_totals;

static void join(detail_totals *into, const detail_totals *t)
{
    into->before += t->before, into->moved += t->moved, into->after += t->after;
    into->n += t->n, into->parameters += t->parameters;
    into->reference += t->reference, into->edge += t->edge;
    into->shift = fmax(into->shift, t->shift);
    into->at_edges += t->at_edges, into->alike += t->alike, into->frames += t->frames;
}

static void add_frame(luma_field *f, detail_totals *t)
{
    field_energy start = measure(f);
    field_motion across, down;
    if (start.n < 64)
        return;
    t->at_edges += energy_at_edges(f);
    t->alike += fmin(likeness_of_lines(f, false), likeness_of_lines(f, true));
    t->frames += 1;
    for (int round = 0; round < ROUNDS; round++) {
        fit_motion(f, false, &across);
        subtract_motion(f, false, &across);
        fit_motion(f, true, &down);
        subtract_motion(f, true, &down);
        if (round == 0)
            t->shift = fmax(t->shift, fmax(fabs(across.shift) + fabs(across.growth) / 2,
                                           fabs(down.shift) + fabs(down.growth) / 2));
    }
    field_energy moved = measure(f);
    for (int round = 0; round < ROUNDS; round++) {
        for (size_t x = 1; x + 1 < f->width; x++)
            fit_line(f, true, x);
        for (size_t y = 1; y + 1 < f->height; y++)
            fit_line(f, false, y);
    }
    field_energy end = measure(f);
    t->before += start.residual, t->moved += moved.residual, t->after += end.residual;
    t->n += start.n, t->parameters += 2.0 * (double)(f->width + f->height);
    t->reference += start.slope_reference, t->edge += start.slope_edge;
}

/* Frames that are measured at the same time. */
typedef struct detail_work {
    const xr_input_pair *pair;
    const xr_transform *transform;
    detail_totals of[FRAMES];
} detail_work;

static void measure_frame(void *user, size_t i)
{
    detail_work *w = user;
    xr_input_pair lent;
    xr_applied applied = {.pair = &lent, .transform = w->transform};
    xr_placed placed;
    exray_error error;
    luma_field now = {0};
    if (xr_input_pair_lend(w->pair, &lent) &&
        xr_apply_transform(&applied, w->pair->frame[i].frame, &placed, &error) == EXRAY_OK &&
        placed.width > 16 && placed.height > 16 && field_make(&now, &placed) && take_best_luma(&now, &placed))
        add_frame(&now, &w->of[i]);
    field_free(&now);
    xr_applied_free(&applied);
    xr_input_pair_return(&lent);
}

bool xr_measure_detail(xr_input_pair *pair, const xr_transform *transform, xr_residual_detail *out)
{
    detail_work work = {.pair = pair, .transform = transform};
    detail_totals t = {0};
    const size_t frames = pair->count < FRAMES ? pair->count : FRAMES;
    exray_comparison_share(pair->comparison, frames, measure_frame, &work);
    for (size_t f = 0; f < frames; f++)
        join(&t, &work.of[f]);
    if (!(t.before > 0))
        return false;
    /* Of noise alone, each parameter explains the share of one value. */
    double by_chance = fmin(t.parameters / t.n, 0.5);
    double explained = 1 - t.after / t.before;
    *out = (xr_residual_detail){.separable = fmax(0, (explained - by_chance) / (1 - by_chance)),
                                .by_motion = 1 - t.moved / t.before,
                                .shift = t.shift,
                                .at_edges = t.at_edges / t.frames,
                                .everywhere = t.alike / t.frames > ALIKE,
                                .levels = sqrt(t.before / t.n) / pair->fit->level[0],
                                .sharpness = t.reference > 0 ? sqrt(t.edge / t.reference) : 1};
    return true;
}
