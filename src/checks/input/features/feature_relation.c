#include "checks/input/features/feature_relation.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>

/* A place: where in the reference the cell of the edge is. */
typedef struct feature_place {
    double ratio, late; /* row j is the reference's row j / ratio - late */
    bool bins_reversed, rows_reversed, transposed;
    bool whole_rows; /* only rows that fall on one of the reference's */
} feature_place;

/* What a place leaves has to be this part of what a line alone leaves, and less than this. */
#define MUCH_BETTER 5
#define EXPLAINS    0.1
/* In any one frame. */
#define CONTRADICTS 0.5
/* What two resamplers leave below the band that one of them cuts. */
#define BAND_NOISE 0.01
/* The least logarithm of a factor that most cells have. */
#define LEAST_FACTOR 0.25
/* Rows whose levels correlate by this are those of one sound. */
#define SAME_TIME 0.75

static feature_place no_place(void)
{
    return (feature_place){.ratio = 1};
}

typedef struct feature_sums {
    double n, x, y, xx, yy, xy;
} feature_sums;

static void add(feature_sums *s, double y, double x)
{
    s->n++, s->x += x, s->y += y, s->xx += x * x, s->yy += y * y, s->xy += x * y;
}

static void add_sums(feature_sums *s, const feature_sums *o)
{
    s->n += o->n, s->x += o->x, s->y += o->y, s->xx += o->xx, s->yy += o->yy, s->xy += o->xy;
}

/* The variance of y that a line leaves; 1 where there is none. */
static double rest_of(const feature_sums *s, double *gain, double *offset)
{
    double xx = s->xx - s->x * s->x / s->n, yy = s->yy - s->y * s->y / s->n, xy = s->xy - s->x * s->y / s->n;
    if (!(s->n > 8) || !(xx > 0) || !(yy > 0))
        return 1;
    *gain = xy / xx;
    *offset = (s->y - *gain * s->x) / s->n;
    return fmax(0, 1 - xy * xy / (xx * yy));
}

/* One frame's cells at a place. */
static void add_frame(const xr_feature_frames *f, const xr_feature_frame *frame, const feature_place *p,
                      feature_sums *s)
{
    for (size_t j = 0; j < f->rows; j++) {
        double at = (double)(p->rows_reversed ? f->rows - 1 - j : j) / p->ratio - p->late;
        double low = floor(at + 1e-6), part = fmax(0, at - low);
        if (low < 0 || low + (part > 1e-6) > (double)f->rows - 1 || (p->whole_rows && part > 1e-6))
            continue;
        const float *x = frame->side[1] + (size_t)low * f->bins;
        for (size_t b = 0; b < f->bins; b++) {
            size_t bin = p->bins_reversed ? f->bins - 1 - b : b;
            double y = frame->side[0][p->transposed ? b * f->rows + j : j * f->bins + b];
            double v = part > 1e-6 ? x[bin] + part * (x[f->bins + bin] - x[bin]) : x[bin];
            add(s, y, v);
        }
    }
}

typedef struct feature_fit {
    double gain, offset, rest, worst; /* worst: of any frame, with a line of its own */
    double spread;                    /* of the edge's cells */
} feature_fit;

/* Of the first frames that differ, `count` at most.  Ends at the first that leaves more than `most`: then
 * only `worst` is known. */
static feature_fit fit_frames(const xr_feature_frames *f, size_t count, const feature_place *p, double most)
{
    feature_sums all = {0};
    feature_fit out = {.gain = 1, .worst = 0};
    for (size_t i = 0; i < f->count && count && out.worst <= most; i++) {
        feature_sums own = {0};
        double gain, offset;
        if (!f->list[i].differs)
            continue;
        count--;
        add_frame(f, &f->list[i], p, &own);
        out.worst = fmax(out.worst, rest_of(&own, &gain, &offset));
        add_sums(&all, &own);
    }
    out.rest = rest_of(&all, &out.gain, &out.offset);
    out.spread = all.n > 0 ? sqrt(fmax(0, all.yy / all.n - pow(all.y / all.n, 2))) : 0;
    return out;
}

static feature_fit fit_place(const xr_feature_frames *f, const feature_place *p, double most)
{
    return fit_frames(f, f->count, p, most);
}

/* Takes a place where it explains what the ones before do not.  Most are refuted by the first frame. */
static bool take(const xr_feature_frames *f, const feature_place *p, xr_feature_kind kind, double limit,
                 xr_feature_relation *out)
{
    feature_fit fit = fit_place(f, p, CONTRADICTS);
    double best =
        out->kind == XR_FEATURES_UNRELATED ? out->rest_before / MUCH_BETTER : out->rest / MUCH_BETTER;
    if (fit.rest > fmax(limit, f->allowed) || fit.rest > best || fit.worst > CONTRADICTS || fit.gain <= 0)
        return false;
    out->kind = kind;
    out->late = p->late, out->ratio = p->ratio;
    out->gain = fit.gain, out->offset = fit.offset, out->rest = fit.rest, out->spread = fit.spread;
    return true;
}

/* ---- Bytes ------------------------------------------------------------------------------------------ */

/* Whether the edge's stored bytes are what a mistake makes of the reference's, nearly all to the step. */
static bool is_byte_fault(const xr_feature_frames *f, bool sign)
{
    double equal = 0, moved = 0, all = 0;
    for (size_t i = 0; i < f->count; i++)
        for (size_t k = 0; f->list[i].differs && k < f->rows * f->bins; k++) {
            double e = round(f->list[i].side[0][k] / f->scale + f->zero[0]);
            double r = round(f->list[i].side[1][k] / f->scale + f->zero[1]), made = r - f->zero[1];
            if (sign)
                made = r >= f->low + 128 ? r - 128 : r + 128;
            made = fmin(f->low + 255, fmax(f->low, made));
            equal += fabs(e - made) <= 1, all++, moved += made != r;
        }
    return all > 0 && equal > 0.98 * all && moved > 0.1 * all;
}

/* ---- Most cells by a line --------------------------------------------------------------------------- */

/* A line through most cells: those that are far from it are left out, a few times. */
static bool fit_most(const xr_feature_frames *f, xr_feature_relation *out)
{
    enum { TURNS = 8 };
    feature_place p = no_place();
    feature_fit line = fit_place(f, &p, INFINITY);
    double gain = line.gain, offset = line.offset, kept = 0, all = 0, rest = line.rest;
    for (int turn = 0; turn < TURNS; turn++) {
        double square = 0, yy = 0, y = 0;
        feature_sums s = {0};
        all = 0;
        for (int pass = 0; pass < 2; pass++)
            for (size_t i = 0; i < f->count; i++)
                for (size_t k = 0; f->list[i].differs && k < f->rows * f->bins; k++) {
                    double e = f->list[i].side[0][k], r = f->list[i].side[1][k], d = e - gain * r - offset;
                    if (pass == 0)
                        square += d * d, yy += e * e, y += e, all++;
                    else if (d * d <= 2 * square / all)
                        add(&s, e, r);
                }
        if (all <= 0)
            return false;
        rest = rest_of(&s, &gain, &offset);
        kept = s.n;
    }
    /* By a factor near 1 cells agree that nothing was done to: what differs is elsewhere. */
    if (kept < 0.5 * all || rest > fmax(0.01, 2 * f->allowed) || gain <= 0 || fabs(log(gain)) < LEAST_FACTOR)
        return false;
    out->kind = XR_FEATURES_MOST_CELLS;
    out->gain = gain, out->offset = offset, out->rest = rest;
    return true;
}

/* ---- A band that one side lacks ------------------------------------------------------------------------
 */

/* Bins at the edge of the band, where filters differ; and those that have to be on either side of them. */
enum { BETWEEN = 4, LEAST_BELOW = 8, LEAST_ABOVE = 3 };
/* Above the band a side is lower by this many deviations of the other's values there, and so in this part of
 * the cells that differ by as much. */
#define LOWER      0.25
#define MOST_LOWER 0.85

/* Sums of bins first..end - 1: of the edge's cells over the reference's. */
static feature_sums sums_of_bins(const xr_feature_frames *f, size_t first, size_t end)
{
    feature_sums s = {0};
    for (size_t i = 0; i < f->count; i++)
        for (size_t r = 0; f->list[i].differs && r < f->rows; r++)
            for (size_t b = first; b < end; b++)
                add(&s, f->list[i].side[0][r * f->bins + b], f->list[i].side[1][r * f->bins + b]);
    return s;
}

/* Of the cells from a bin on that differ by more than `least`, the share in which a side is the lower one. */
static double share_lower(const xr_feature_frames *f, size_t first, int side, double least)
{
    double lower = 0, all = 0;
    for (size_t i = 0; i < f->count; i++)
        for (size_t r = 0; f->list[i].differs && r < f->rows; r++)
            for (size_t b = first; b < f->bins; b++) {
                double d = (double)f->list[i].side[1 - side][r * f->bins + b] -
                           f->list[i].side[side][r * f->bins + b];
                lower += d > least, all += fabs(d) > least;
            }
    return all > 0 ? lower / all : 0;
}

/* The variance of the difference itself, relative to the reference's. */
static double difference_of(const feature_sums *s)
{
    double variance = s->xx / s->n - pow(s->x / s->n, 2), difference = s->yy - 2 * s->xy + s->xx;
    return s->n > 0 && variance > 0 ? difference / s->n / variance : INFINITY;
}

static void judge_band(const xr_feature_frames *f, double allowed, xr_feature_relation *out)
{
    size_t cut = 0;
    feature_sums upto = {0};
    for (size_t b = 1; b + BETWEEN + LEAST_ABOVE <= f->bins; b++) {
        const feature_sums bin = sums_of_bins(f, b - 1, b);
        add_sums(&upto, &bin);
        if (b >= LEAST_BELOW && difference_of(&upto) <= allowed)
            cut = b;
    }
    if (!cut)
        return;
    feature_sums above = sums_of_bins(f, cut + BETWEEN, f->bins), below = sums_of_bins(f, 0, cut);
    double mean[2] = {above.y / above.n, above.x / above.n};
    double spread[2] = {sqrt(fmax(0, above.yy / above.n - mean[0] * mean[0])),
                        sqrt(fmax(0, above.xx / above.n - mean[1] * mean[1]))};
    int lacks = mean[0] < mean[1] ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE;
    double least = LOWER * spread[1 - lacks];
    if (mean[1 - lacks] - mean[lacks] < least || share_lower(f, cut + BETWEEN, lacks, least) < MOST_LOWER)
        return;
    out->kind = XR_FEATURES_BAND;
    out->cut = cut, out->lacks = lacks;
    out->rest = difference_of(&below);
}

/* ---- Levels in time ----------------------------------------------------------------------------------- */

/* The correlation of the rows' levels, where time runs `ratio` times as fast and the edge is late by some
 * rows. */
static double levels_alike(const xr_feature_frames *f, double ratio, double late)
{
    double xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < f->count; i++) {
        feature_sums s = {0};
        if (!f->list[i].differs)
            continue;
        for (size_t j = 0; j < f->rows; j++) {
            double at = (double)j / ratio - late, level[2] = {0};
            if (at < 0 || at > (double)f->rows - 1)
                continue;
            size_t low = (size_t)at < f->rows - 1 ? (size_t)at : f->rows - 2;
            double part = at - (double)low;
            const float *x = f->list[i].side[1] + low * f->bins, *y = f->list[i].side[0] + j * f->bins;
            for (size_t b = 0; b < f->bins; b++)
                level[0] += y[b], level[1] += x[b] + part * (x[f->bins + b] - x[b]);
            add(&s, level[0], level[1]);
        }
        if (s.n < 6)
            continue;
        xx += s.xx - s.x * s.x / s.n, yy += s.yy - s.y * s.y / s.n, xy += s.xy - s.x * s.y / s.n;
    }
    return xx > 0 && yy > 0 ? xy / sqrt(xx * yy) : 0;
}

static void judge_time(const xr_feature_frames *f, xr_feature_relation *out)
{
    static const double ratios[] = {44100.0 / 16000,
                                    3,
                                    2,
                                    1.5,
                                    22050.0 / 16000,
                                    0.5,
                                    1.0 / 3,
                                    16000.0 / 44100,
                                    2.0 / 3,
                                    16000.0 / 22050,
                                    11025.0 / 16000,
                                    48000.0 / 44100,
                                    44100.0 / 48000,
                                    32000.0 / 44100,
                                    44100.0 / 32000};
    double same = levels_alike(f, 1, 0), best = 0, ratio = 1;
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++) {
        double now = levels_alike(f, ratios[i], 0);
        if (now > best)
            best = now, ratio = ratios[i];
    }
    if (best >= SAME_TIME && best > same + 0.2) {
        out->kind = XR_FEATURES_TIME_AND_BINS;
        out->ratio = ratio, out->in_time = best;
    } else if (same >= SAME_TIME) {
        out->kind = XR_FEATURES_TIME_ONLY;
        out->in_time = same;
    }
}

/* ---- The search --------------------------------------------------------------------------------------- */

/* product[L mod n], L the rows by which the reference's cells are later: the sums of products with the edge's
 * cells; n: xr_power_of_two(2 rows).  false: memory is lacking. */
static bool multiply_delayed(const xr_feature_frames *f, const xr_feature_frame *frame, size_t n,
                             double *product)
{
    float *column[2] = {malloc(f->rows * sizeof **column), malloc(f->rows * sizeof **column)};
    double *re = malloc(n * sizeof *re), *im = malloc(n * sizeof *im);
    const bool known = column[0] && column[1] && re && im;
    for (size_t i = 0; i < n; i++)
        product[i] = 0;
    for (size_t b = 0; known && b < f->bins; b++) {
        for (int side = 0; side < 2; side++)
            for (size_t j = 0; j < f->rows; j++)
                column[side][j] = frame->side[side][j * f->bins + b];
        xr_correlate(column[0], f->rows, column[1], f->rows, n, re, im);
        for (size_t i = 0; i < n; i++)
            product[i] += re[i] / (double)n;
    }
    free(column[0]);
    free(column[1]);
    free(re);
    free(im);
    return known;
}

/* What each delay leaves of a frame: rest[most + late].  With many rows all delays by way of transforms take
 * no longer than a few one by one.  false: memory is lacking. */
static bool rests_of_delays(const xr_feature_frames *f, const xr_feature_frame *frame, long most,
                            double *rest)
{
    const size_t n = xr_power_of_two(2 * f->rows);
    const long rows = (long)f->rows;
    feature_sums *upto = calloc(f->rows + 1, sizeof *upto); /* of all rows before */
    double *product = malloc(n * sizeof *product), gain, offset;
    const bool known = upto && product && multiply_delayed(f, frame, n, product);
    for (size_t j = 0; known && j < f->rows; j++) {
        upto[j + 1] = upto[j];
        for (size_t k = j * f->bins; k < (j + 1) * f->bins; k++)
            add(&upto[j + 1], frame->side[0][k], frame->side[1][k]);
    }
    for (long late = -most; known && late <= most; late++) {
        const long first = late > 0 ? late : 0, end = late > 0 ? rows : rows + late;
        const feature_sums *y[2] = {&upto[first], &upto[end]},
                           *x[2] = {&upto[first - late], &upto[end - late]};
        const feature_sums s = {.n = y[1]->n - y[0]->n,
                                .x = x[1]->x - x[0]->x,
                                .y = y[1]->y - y[0]->y,
                                .xx = x[1]->xx - x[0]->xx,
                                .yy = y[1]->yy - y[0]->yy,
                                .xy = product[late > 0 ? n - (size_t)late : (size_t)-late]};
        rest[most + late] = rest_of(&s, &gain, &offset);
    }
    free(upto);
    free(product);
    return known;
}

/* Those that the first frame does not refute. */
static void try_delays(const xr_feature_frames *f, xr_feature_relation *out)
{
    const long most = (long)(2 * f->rows / 3);
    size_t first = 0;
    while (first < f->count && !f->list[first].differs)
        first++;
    double *rest = malloc((2 * (size_t)most + 1) * sizeof *rest);
    const bool known = rest && first < f->count && rests_of_delays(f, &f->list[first], most, rest);
    for (long size = 1; known && size <= most; size++)
        for (int sign = -1; sign < 2; sign += 2) {
            feature_place p = no_place();
            p.late = (double)(sign * size);
            if (rest[most + sign * size] <= CONTRADICTS + 1e-6)
                take(f, &p, XR_FEATURES_DELAY, EXPLAINS, out);
        }
    free(rest);
}

static void try_turned(const xr_feature_frames *f, xr_feature_relation *out)
{
    for (int i = 0; i < 3; i++) {
        feature_place p = no_place();
        p.bins_reversed = i == 0, p.transposed = i == 1, p.rows_reversed = i == 2;
        static const xr_feature_kind kinds[] = {XR_FEATURES_BINS_REVERSED, XR_FEATURES_TRANSPOSED,
                                                XR_FEATURES_ROWS_REVERSED};
        take(f, &p, kinds[i], EXPLAINS, out);
    }
}

static void try_hops(const xr_feature_frames *f, xr_feature_relation *out)
{
    /* Hops of 5, 8, 10, 12.5, 15, 16, 20, 25, 30 ms for one another. */
    static const double ratios[] = {2,    0.5, 1.5, 2.0 / 3, 4,   0.25, 3,       1.0 / 3,
                                    1.25, 0.8, 1.6, 0.625,   2.5, 0.4,  4.0 / 3, 0.75};
    for (size_t i = 0; i < sizeof ratios / sizeof *ratios; i++)
        for (int whole = 1; whole >= 0; whole--)
            for (int late = 0; late < 5; late++) {
                feature_place p = no_place();
                p.ratio = ratios[i];
                p.whole_rows = whole != 0;
                p.late = (late + 1) / 2 * (late % 2 ? 1 : -1);
                take(f, &p, XR_FEATURES_STRETCHED, whole ? EXPLAINS : 2 * EXPLAINS, out);
            }
}

/* Between rows, which a line between two of them meets in part only: the best one of a few frames. */
static void try_fractions(const xr_feature_frames *f, xr_feature_relation *out)
{
    enum { FEW = 8 };
    feature_place best = no_place(), p = no_place();
    double least = INFINITY;
    for (int eighth = -16; eighth <= 16; eighth++) {
        p.late = eighth / 8.0;
        const feature_fit now = fit_frames(f, FEW, &p, CONTRADICTS);
        if (now.worst < CONTRADICTS && now.rest < least)
            least = now.rest, best = p;
    }
    if (best.late == 0 || !(levels_alike(f, 1, best.late) > levels_alike(f, 1, 0)))
        return;
    const feature_fit fit = fit_place(f, &best, CONTRADICTS);
    if (fit.worst < CONTRADICTS && fit.rest < 0.5 * out->rest_before && fit.rest < 2 * EXPLAINS) {
        out->kind = XR_FEATURES_DELAY;
        out->late = best.late, out->gain = fit.gain, out->offset = fit.offset, out->rest = fit.rest;
    }
}

void xr_find_feature_relation(const xr_feature_frames *f, xr_feature_relation *out)
{
    feature_place same = no_place();
    feature_fit line = fit_place(f, &same, INFINITY);
    *out = (xr_feature_relation){
        .ratio = 1, .gain = line.gain, .offset = line.offset, .rest = line.rest, .rest_before = line.rest};
    for (int sign = 0; sign < 2 && f->bytes && out->kind == XR_FEATURES_UNRELATED; sign++)
        if (is_byte_fault(f, sign != 0)) {
            out->kind = sign ? XR_FEATURES_SIGN : XR_FEATURES_NO_ZERO;
            return;
        }
    if (line.rest <= f->allowed && line.gain > 0) {
        out->kind = XR_FEATURES_LINE;
        out->spread = line.spread;
        return;
    }
    try_turned(f, out);
    try_delays(f, out);
    if (out->kind == XR_FEATURES_UNRELATED)
        try_hops(f, out);
    if (out->kind == XR_FEATURES_UNRELATED && !fit_most(f, out)) {
        try_fractions(f, out);
        if (out->kind == XR_FEATURES_UNRELATED)
            judge_band(f, fmax(BAND_NOISE, 2 * f->allowed), out);
        if (out->kind == XR_FEATURES_UNRELATED)
            judge_time(f, out);
    }
}
