#include "checks/input/moments/moment_fit.h"

#include "checks/input/fit/next_order.h"

#include <math.h>
#include <string.h>

/* In levels, as in input_fit.c: what decoders and rounding leave of the luma, of the colors, of one frame. */
#define NOISE_LUMA  1.5
#define NOISE_COLOR 4.0
#define NOISE_FRAME 2.5
/* Below this the arithmetic of the statistics is what differs. */
#define FLOOR 1e-4
/* What a named cause may leave: less than a level, and so small a share of what it explains.  A mild gamma is
 * nearly a line and leaves a tenth; another decoder, or rounding to 8 bits, under a hundredth. */
#define EXPLAINED   1.0
#define MAP_RATIO   32.0
#define ORDER_RATIO 8.0
#define MAP_LEVELS  2.0
/* Between floats that are not rounded: a smaller map, where the fit is exact. */
#define EXACT        0.01
#define EXACT_LEVELS 0.05
#define EXACT_RATIO  8.0
/* So many bits of coincidence are none. */
#define SURPRISE 30.0

double xr_moment_unit(const xr_moment_pairs *pairs, double gain)
{
    return fmax(pairs->level[0], fabs(gain) * pairs->level[1]);
}

static const xr_input_moments *side(const xr_moment_pairs *p, int s, size_t i)
{
    return &p->frames->of[s][s == 0 ? p->edge[i] : p->reference[i]];
}

const unsigned char xr_moment_identity[XR_MOMENT_PARTS] = {
    0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43,
    44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 62, 63};

static double mean_of(const xr_input_moments *m, size_t c)
{
    return m->part[2 * c];
}

static double std_of(const xr_input_moments *m, size_t c)
{
    return m->part[2 * c + 1];
}

/* ---- One fit ---------------------------------------------------------------------------- */

/* Least squares of the edge's moments on the reference's for channels first .. last; `sign` of the gain. */
static double fit_line(const xr_moment_pairs *p, const unsigned char *from, size_t first, size_t last,
                       int sign, double *gain, double *offset)
{
    double n = 0, e_mean = 0, r_mean = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t c = first; c <= last; c++, n++) {
            e_mean += mean_of(side(p, 0, i), c);
            r_mean += mean_of(side(p, 1, i), from[c]);
        }
    e_mean /= n;
    r_mean /= n;
    double er = 0, rr = 0, ee = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t c = first; c <= last; c++) {
            const xr_input_moments *e = side(p, 0, i), *r = side(p, 1, i);
            const size_t k = from[c];
            double x = mean_of(r, k) - r_mean, y = mean_of(e, c) - e_mean;
            double u = std_of(r, k), v = sign * std_of(e, c);
            er += x * y + u * v;
            rr += x * x + u * u;
            ee += y * y + v * v;
        }
    *gain = rr > 0 ? er / rr : 1;
    if (*gain * sign < 0)
        *gain = 0; /* the other sign's */
    *offset = e_mean - *gain * r_mean;
    return fmax(ee - 2 * *gain * er + *gain * *gain * rr, 0);
}

static void fit_map(const xr_moment_pairs *p, xr_moment_fit *fit)
{
    const size_t parts = p->frames->parts;
    for (size_t c = 0; c < parts; c++) {
        fit->gain[c] = 1;
        fit->offset[c] = 0;
    }
    if (fit->kind == XR_MOMENT_SAME)
        return;
    const bool shared = fit->kind == XR_MOMENT_SHARED;
    for (size_t c = 0; c < (shared ? 1 : parts); c++) {
        double gain[2], offset[2], left[2];
        for (int k = 0; k < 2; k++)
            left[k] = fit_line(p, fit->from, c, shared ? parts - 1 : c, k ? -1 : 1, &gain[k], &offset[k]);
        int k = left[1] < 0.25 * left[0]; /* a mirrored range only where the usual one fails */
        fit->gain[c] = gain[k];
        fit->offset[c] = offset[k];
    }
    for (size_t c = 1; c < parts && shared; c++) {
        fit->gain[c] = fit->gain[0];
        fit->offset[c] = fit->offset[0];
    }
}

/* The errors of a pair's mean and deviation of a channel, in levels. */
static void error_of(const xr_moment_pairs *p, const xr_moment_fit *fit, size_t i, size_t c, double error[2])
{
    const size_t k = fit->from[c];
    const xr_input_moments *e = side(p, 0, i), *r = side(p, 1, i);
    const double unit = xr_moment_unit(p, fit->gain[c]);
    error[0] = (mean_of(e, c) - fit->gain[c] * mean_of(r, k) - fit->offset[c]) / unit;
    error[1] = (std_of(e, c) - fabs(fit->gain[c]) * std_of(r, k)) / unit;
}

double xr_moment_residual(const xr_moment_pairs *p, const xr_moment_fit *fit, size_t i)
{
    double sum = 0;
    for (size_t c = 0; c < p->frames->parts; c++) {
        double e[2];
        error_of(p, fit, i, c, e);
        sum += e[0] * e[0] + e[1] * e[1];
    }
    return sqrt(sum / (double)p->frames->parts);
}

/* The scatter of what is explained: of the edge's moments around one mean and one deviation. */
static double scatter_of(const xr_moment_pairs *p)
{
    const double n = (double)(p->count * p->frames->parts);
    double sum[2] = {0, 0}, square = 0;
    for (size_t i = 0; i < p->count; i++)
        for (size_t c = 0; c < p->frames->parts; c++) {
            sum[0] += mean_of(side(p, 0, i), c);
            sum[1] += std_of(side(p, 0, i), c);
        }
    for (size_t i = 0; i < p->count; i++)
        for (size_t c = 0; c < p->frames->parts; c++) {
            double x = mean_of(side(p, 0, i), c) - sum[0] / n, y = std_of(side(p, 0, i), c) - sum[1] / n;
            square += x * x + y * y;
        }
    return sqrt(square / n);
}

/* The misfit of least and greatest values, levels rms.  A map for each channel does not tell them. */
static double misfit_of_ends(const xr_moment_pairs *p, const xr_moment_fit *fit)
{
    const double a = fit->gain[0], b = fit->offset[0], unit = xr_moment_unit(p, a);
    double sum = 0;
    if (fit->kind == XR_MOMENT_CHANNELS && p->frames->parts > 1)
        return NAN;
    for (size_t i = 0; i < p->count; i++) {
        const xr_input_moments *e = side(p, 0, i), *r = side(p, 1, i);
        double low = a * (a < 0 ? r->max : r->min) + b, high = a * (a < 0 ? r->min : r->max) + b;
        sum += (e->min - low) * (e->min - low) + (e->max - high) * (e->max - high);
    }
    return sqrt(sum / (2 * (double)p->count)) / unit;
}

/* How much of the spread of some numbers is explained, in bits. */
static double bits(double numbers, double spread, double residual)
{
    return numbers > 0 && spread > 0 ? numbers * log2(spread / fmax(residual, FLOOR)) : 0;
}

static void judge_fit(const xr_moment_pairs *p, xr_moment_fit *fit)
{
    const size_t parts = p->frames->parts;
    double sum = 0, deviation = 0;
    fit->worst = -1;
    for (size_t i = 0; i < p->count; i++) {
        double r = xr_moment_residual(p, fit, i);
        sum += r * r;
        deviation += side(p, 0, i)->std / (double)p->count;
        if (r > fit->worst) {
            fit->worst = r;
            fit->worst_pair = i;
        }
    }
    const double unit = xr_moment_unit(p, fit->gain[0]);
    fit->residual = sqrt(sum / (double)p->count);
    fit->ends = misfit_of_ends(p, fit);
    fit->parameters = fit->kind == XR_MOMENT_SAME ? 0 : 2 * (fit->kind == XR_MOMENT_SHARED ? 1 : parts);
    const bool tells_spread = deviation > 1e-9 * fabs(mean_of(side(p, 0, 0), 0));
    fit->numbers = (tells_spread ? 2 : 1) * parts * p->count;
    double free_numbers = (double)fit->numbers - (double)fit->parameters;
    fit->surprise = bits(free_numbers, scatter_of(p) / unit, fit->residual);
    if (!isnan(fit->ends) && tells_spread && p->frames->elements > 2) {
        fit->numbers += 2 * p->count;
        fit->surprise += fmax(bits(2 * (double)p->count, deviation / unit, fit->ends), 0);
    }
}

static bool is_reordered(const unsigned char *from, size_t parts)
{
    for (size_t c = 0; c < parts; c++)
        if (from[c] != c)
            return true;
    return false;
}

xr_moment_fit xr_moment_fit_make(const xr_moment_pairs *pairs, const unsigned char *from, xr_moment_map kind)
{
    xr_moment_fit fit = {.kind = kind};
    memcpy(fit.from, from, sizeof fit.from);
    fit.reordered = is_reordered(from, pairs->frames->parts);
    fit_map(pairs, &fit);
    judge_fit(pairs, &fit);
    return fit;
}

/* ---- Noise ---------------------------------------------------------------------------------- */

/* The mean of a frame's luma, in levels off, whether the channels are RGB or BGR. */
static double luma_error(const xr_moment_pairs *p, const xr_moment_fit *fit, size_t i)
{
    static const double weights[2][3] = {{0.299, 0.587, 0.114}, {0.114, 0.587, 0.299}};
    double least = INFINITY;
    for (int w = 0; w < 2; w++) {
        double sum = 0;
        for (size_t c = 0; c < 3; c++) {
            double e[2];
            error_of(p, fit, i, c, e);
            sum += weights[w][c] * e[0];
        }
        least = fmin(least, fabs(sum));
    }
    return least;
}

bool xr_moment_is_noise(const xr_moment_pairs *p, const xr_moment_fit *fit)
{
    const bool color = p->frames->picture && p->frames->parts == 3;
    double sum = 0, worst = 0;
    for (size_t i = 0; i < p->count; i++) {
        double e = color ? luma_error(p, fit, i) : xr_moment_residual(p, fit, i);
        sum += e * e;
        worst = fmax(worst, e);
    }
    return sqrt(sum / (double)p->count) <= NOISE_LUMA && worst <= NOISE_FRAME &&
           fit->residual <= (color ? NOISE_COLOR : NOISE_LUMA);
}

/* ---- The choice ------------------------------------------------------------------------------ */

static bool is_far_better(const xr_moment_fit *a, const xr_moment_fit *b)
{
    return fmax(a->residual, FLOOR) * ORDER_RATIO <= fmax(b->residual, FLOOR) &&
           a->surprise > b->surprise + 3;
}

/* The distance of an edge channel from a channel of the reference, without a map. */
static double channel_distance(const xr_moment_pairs *p, size_t c, size_t from)
{
    double sum = 0;
    for (size_t i = 0; i < p->count; i++) {
        const xr_input_moments *e = side(p, 0, i), *r = side(p, 1, i);
        const double x = mean_of(e, c) - mean_of(r, from), y = std_of(e, c) - std_of(r, from);
        sum += x * x + y * y;
    }
    return sum;
}

/* Of too many channels to try all orders: each edge channel as the reference's nearest one; the identity
 * where that is no order. */
static xr_moment_fit nearest_order(const xr_moment_pairs *p, xr_moment_map kind)
{
    unsigned char from[XR_MOMENT_PARTS];
    bool taken[XR_MOMENT_PARTS] = {false}, order = kind == XR_MOMENT_SAME && p->frames->ordered;
    for (size_t c = 0; order && c < p->frames->parts; c++) {
        size_t best = c;
        for (size_t k = 0; k < p->frames->parts; k++)
            if (channel_distance(p, c, k) < channel_distance(p, c, best))
                best = k;
        order = !taken[best];
        taken[best] = true;
        from[c] = (unsigned char)best;
    }
    return xr_moment_fit_make(p, order ? from : xr_moment_identity, kind);
}

enum { ORDERS = 24 };

/* The best order with a kind of map that is not the identity, if there is one; how many others are as good.
 */
static xr_moment_fit best_order(const xr_moment_pairs *p, xr_moment_map kind, xr_moment_choice *c)
{
    const size_t parts = p->frames->parts;
    unsigned char from[XR_MOMENT_PARTS];
    memcpy(from, xr_moment_identity, sizeof from);
    c->others = 0;
    if (parts > XR_FIT_CHANNELS)
        return nearest_order(p, kind);
    xr_moment_fit best = xr_moment_fit_make(p, from, kind), all[ORDERS];
    size_t count = 0;
    while (p->frames->ordered && count < ORDERS && xr_next_order(from, parts)) {
        all[count] = xr_moment_fit_make(p, from, kind);
        if (!best.reordered || all[count].residual < best.residual)
            best = all[count];
        count++;
    }
    for (size_t i = 0; i < count; i++)
        if (memcmp(all[i].from, best.from, sizeof best.from) != 0 &&
            all[i].residual <= 2 * best.residual + 10 * FLOOR) {
            c->others++;
            memcpy(c->other, all[i].from, sizeof c->other);
        }
    return best;
}

/* Whether the map is the reference's own normalization, applied after the exchange of channels: then the maps
 * undo each other around every cycle of the exchange. */
static bool is_map_after_exchange(const xr_moment_pairs *p, const xr_moment_fit *f)
{
    for (size_t c = 0; c < p->frames->parts; c++) {
        double gain = 1, offset = 0;
        size_t at = c;
        do {
            offset += gain * f->offset[at];
            gain *= f->gain[at];
            at = f->from[at];
        } while (at != c);
        const double tolerance = 0.25 + ORDER_RATIO * f->residual;
        for (size_t i = 0; i < p->count; i++) {
            const xr_input_moments *r = side(p, 1, i);
            if (fabs((gain - 1) * mean_of(r, c) + offset) > tolerance * xr_moment_unit(p, gain) ||
                fabs(gain - 1) * std_of(r, c) > tolerance * xr_moment_unit(p, gain))
                return false;
        }
    }
    return true;
}

static void vote(const xr_moment_pairs *p, const xr_moment_fit *without, xr_moment_choice *c)
{
    for (size_t i = 0; i < p->count; i++) {
        double with = xr_moment_residual(p, &c->best, i), other = xr_moment_residual(p, without, i);
        c->supporting += other > 4 * with + 0.05;
        c->opposing += with > 4 * other + 0.05;
    }
}

static void judge_order(const xr_moment_pairs *p, xr_moment_choice *c)
{
    const xr_moment_fit without = xr_moment_fit_make(p, xr_moment_identity, c->best.kind);
    const xr_moment_fit each = xr_moment_fit_make(p, xr_moment_identity, XR_MOMENT_CHANNELS);
    c->without = without.residual;
    vote(p, &without, c);
    c->tied = c->best.kind != XR_MOMENT_CHANNELS && each.numbers > each.parameters &&
              each.residual <= 4 * fmax(c->best.residual, 10 * FLOOR);
    c->order_named = c->best.residual <= EXPLAINED && c->opposing == 0 && c->supporting > 0 &&
                     without.residual > ORDER_RATIO * c->best.residual && without.residual > EXACT_LEVELS &&
                     c->best.surprise >= SURPRISE;
}

static void judge_map(const xr_moment_pairs *p, xr_moment_choice *c)
{
    const xr_moment_fit *f = &c->best;
    xr_moment_fit plain = *f;
    plain.kind = XR_MOMENT_SAME;
    for (size_t k = 0; k < p->frames->parts; k++) {
        plain.gain[k] = 1;
        plain.offset[k] = 0;
    }
    judge_fit(p, &plain);
    double scale = 0;
    for (size_t k = 0; k < p->frames->parts; k++)
        scale = fmax(scale, xr_moment_unit(p, f->gain[k]));
    c->effect = plain.residual * xr_moment_unit(p, 1) / scale;
    const bool beyond =
        c->effect > MAP_LEVELS && c->effect > MAP_RATIO * f->residual && f->residual <= EXPLAINED;
    const bool exact = p->frames->floats && f->residual <= EXACT && c->effect > EXACT_LEVELS &&
                       c->effect > EXACT_RATIO * f->residual;
    /* A line through moments alone may be a curve of the values: their ends are on it as well. */
    const bool ends = isnan(f->ends) || f->ends <= NOISE_LUMA + 0.1 * c->effect;
    bool follows = true;
    for (size_t k = 0; k < p->frames->parts; k++)
        follows = follows && f->gain[k] != 0;
    c->map_named = (beyond || exact) && ends && follows && f->surprise >= SURPRISE;
}

xr_moment_choice xr_moment_choose(const xr_moment_pairs *p)
{
    static const xr_moment_map kinds[] = {XR_MOMENT_SAME, XR_MOMENT_SHARED, XR_MOMENT_CHANNELS};
    xr_moment_choice c = {0};
    c.best = c.same = xr_moment_fit_make(p, xr_moment_identity, XR_MOMENT_SAME);
    for (int k = 0; k < 3; k++) {
        if (kinds[k] == XR_MOMENT_CHANNELS && (p->frames->parts < 2 || p->count < 2))
            continue;
        const xr_moment_fit in_order = xr_moment_fit_make(p, xr_moment_identity, kinds[k]);
        if (is_far_better(&in_order, &c.best)) {
            c.best = in_order;
            c.others = 0;
        }
        xr_moment_choice other = {0};
        const xr_moment_fit reordered = best_order(p, kinds[k], &other);
        if (reordered.reordered && is_far_better(&reordered, &c.best)) {
            c.best = reordered;
            c.others = other.others;
            memcpy(c.other, other.other, sizeof c.other);
        }
    }
    if (c.best.kind != XR_MOMENT_SAME)
        judge_map(p, &c);
    if (c.best.reordered)
        judge_order(p, &c);
    if (c.order_named && c.map_named && c.best.kind == XR_MOMENT_CHANNELS &&
        is_map_after_exchange(p, &c.best)) {
        c.after_exchange = true;
        c.map_named = false;
    }
    /* An order beside a map that is not certain is none either. */
    if (c.best.kind != XR_MOMENT_SAME && !c.map_named && !c.after_exchange)
        c.order_named = false;
    if (c.best.reordered && !c.order_named)
        c.map_named = false;
    return c;
}
