#include "checks/input/fit/fit_sums.h"

#include "checks/input/fit/lanes.h"

#include <math.h>

enum { BLOCK = 64 }; /* pixels that are added up together */

/* Pixels of both pictures, one channel after the other. */
typedef struct pixel_block {
    double edge[XR_FIT_CHANNELS][BLOCK], reference[XR_FIT_CHANNELS][BLOCK];
    size_t count;
} pixel_block;

/* Adds a block, of which what is behind its pixels is 0. */
XR_INLINED void add_block(xr_fit_sums *s, size_t channels, const pixel_block *b)
{
    for (size_t c = 0; c < channels; c++) {
        xr_lanes edge = {0}, ee = {0}, er[XR_FIT_CHANNELS] = {{0}};
        xr_lanes reference = {0}, rr[XR_FIT_CHANNELS] = {{0}};
        for (size_t i = 0; i < b->count; i += XR_LANES) {
            xr_lanes e = XR_LANES_AT(b->edge[c] + i), r = XR_LANES_AT(b->reference[c] + i);
            edge += e;
            ee += e * e;
            reference += r;
            for (size_t k = 0; k < channels; k++)
                er[k] += e * XR_LANES_AT(b->reference[k] + i);
            for (size_t k = 0; k <= c; k++)
                rr[k] += r * XR_LANES_AT(b->reference[k] + i);
        }
        s->edge[c] += xr_lanes_total(&edge);
        s->ee[c][c] += xr_lanes_total(&ee);
        s->reference[c] += xr_lanes_total(&reference);
        for (size_t k = 0; k < channels; k++)
            s->er[c][k] += xr_lanes_total(&er[k]);
        for (size_t k = 0; k <= c; k++)
            s->rr[c][k] += xr_lanes_total(&rr[k]);
    }
    s->n += (double)b->count;
}

/* Adds what a block has got so far, and empties it. */
XR_INLINED void flush(xr_fit_sums *s, size_t channels, pixel_block *b)
{
    for (size_t c = 0; c < channels; c++)
        for (size_t i = b->count; i < BLOCK && i % XR_LANES; i++)
            b->edge[c][i] = b->reference[c][i] = 0;
    add_block(s, channels, b);
    b->count = 0;
}

/* Takes over a whole block of neighbors; false: some value is not finite. */
XR_INLINED bool take_all(size_t channels, const float *edge, const float *reference, size_t pixels,
                         pixel_block *b)
{
    double probe = 0;
    for (size_t c = 0; c < channels; c++) {
        const float *e = edge + c * pixels, *r = reference + c * pixels;
        xr_lanes sum = {0};
        for (size_t i = 0; i < BLOCK; i++) {
            b->edge[c][i] = e[i];
            b->reference[c][i] = r[i];
        }
        for (size_t i = 0; i < BLOCK; i += XR_LANES)
            sum += XR_LANES_AT(b->edge[c] + i) + XR_LANES_AT(b->reference[c] + i);
        probe += xr_lanes_total(&sum);
    }
    b->count = BLOCK;
    return isfinite(probe);
}

/* The same of single pixels: those that are seen and finite. */
XR_INLINED void take_some(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                          const unsigned char *seen, size_t pixels, size_t from, size_t end, size_t step,
                          pixel_block *b)
{
    for (size_t p = from; p < end; p += step) {
        double check = 0;
        if (seen && !seen[p])
            continue;
        for (size_t c = 0; c < channels; c++) {
            double e = edge[c * pixels + p], r = reference[c * pixels + p];
            b->edge[c][b->count] = e;
            b->reference[c][b->count] = r;
            check += e + r;
        }
        b->count += isfinite(check) != 0;
        if (b->count == BLOCK)
            flush(s, channels, b);
    }
    flush(s, channels, b);
}

XR_INLINED void add(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                    const unsigned char *seen, size_t pixels, size_t step)
{
    pixel_block b = {.count = 0};
    size_t p = 0;
    for (; step == 1 && p + BLOCK <= pixels; p += BLOCK)
        if (!(seen && memchr(seen + p, 0, BLOCK)) && take_all(channels, edge + p, reference + p, pixels, &b))
            flush(s, channels, &b);
        else {
            b.count = 0;
            take_some(s, channels, edge, reference, seen, pixels, p, p + BLOCK, 1, &b);
        }
    take_some(s, channels, edge, reference, seen, pixels, p, pixels, step, &b);
}

/* With a constant number of channels, loops over them are unrolled. */
XR_INLINED void add_by_channels(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                                const unsigned char *seen, size_t pixels, size_t step)
{
    if (channels == 3)
        add(s, 3, edge, reference, seen, pixels, step);
    else if (channels == 1)
        add(s, 1, edge, reference, seen, pixels, step);
    else
        add(s, channels, edge, reference, seen, pixels, step);
}

XR_WIDE_CLONE static void add_wide(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                                   const unsigned char *seen, size_t pixels, size_t step)
{
    add_by_channels(s, channels, edge, reference, seen, pixels, step);
}

void xr_sums_add(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                 const unsigned char *seen, size_t pixels, size_t step)
{
    if (XR_HAS_WIDE)
        add_wide(s, channels, edge, reference, seen, pixels, step);
    else
        add_by_channels(s, channels, edge, reference, seen, pixels, step);
}

void xr_sums_join(xr_fit_sums *into, const xr_fit_sums *s)
{
    into->n += s->n;
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++) {
        into->edge[c] += s->edge[c];
        into->reference[c] += s->reference[c];
        for (size_t k = 0; k < XR_FIT_CHANNELS; k++) {
            into->ee[c][k] += s->ee[c][k];
            into->rr[c][k] += s->rr[c][k];
            into->er[c][k] += s->er[c][k];
        }
    }
}

/* ---- Explaining ---------------------------------------------------------------------------- */

static double edge_variation(const xr_fit_sums *s, size_t c)
{
    return fmax(s->ee[c][c] - s->edge[c] * s->edge[c] / s->n, 0);
}

static double shared(const xr_fit_sums *s, size_t c, size_t k)
{
    return s->er[c][k] - s->edge[c] * s->reference[k] / s->n;
}

static double reference_product(const xr_fit_sums *s, size_t a, size_t b)
{
    return (a > b ? s->rr[a][b] : s->rr[b][a]) - s->reference[a] * s->reference[b] / s->n;
}

double xr_sums_spread(const xr_fit_sums *s, size_t channels)
{
    double total = 0;
    for (size_t c = 0; c < channels && s->n > 0; c++)
        total += edge_variation(s, c);
    return s->n > 0 ? sqrt(total / (s->n * (double)channels)) : 0;
}

typedef double cost_matrix[XR_FIT_CHANNELS][XR_FIT_CHANNELS];

/* The order of channels with the least sum of cost[c][from[c]]. */
static double best_order(cost_matrix cost, size_t channels, unsigned char from[XR_FIT_CHANNELS])
{
    double best = INFINITY;
    size_t orders = 1;
    for (size_t i = 0; i < channels; i++)
        orders *= channels;
    for (size_t code = 0; code < orders; code++) {
        unsigned char p[XR_FIT_CHANNELS] = {0};
        unsigned used = 0;
        double sum = 0;
        size_t rest = code;
        for (size_t c = 0; c < channels; c++, rest /= channels) {
            p[c] = (unsigned char)(rest % channels);
            used |= 1U << p[c];
            sum += cost[c][p[c]];
        }
        /* The identity comes first and is kept where another is no better. */
        if (used + 1 != 1U << channels || sum >= best * (1 - 1e-9))
            continue;
        best = sum;
        if (from)
            memcpy(from, p, sizeof p);
    }
    return best;
}

/* What a positive gain and an offset do not explain of each edge channel by each of the reference's;
 * returns the edge's variation in all channels. */
static double make_costs(const xr_fit_sums *s, size_t channels, cost_matrix cost)
{
    double total = 0;
    for (size_t c = 0; c < channels; c++) {
        double variation = edge_variation(s, c);
        total += variation;
        for (size_t k = 0; k < channels; k++) {
            double own = reference_product(s, k, k), both = shared(s, c, k);
            cost[c][k] = own > 0 && both > 0 ? variation - both * both / own : variation;
        }
    }
    return total;
}

double xr_unexplained_by_order(const xr_fit_sums *s, size_t channels, unsigned char from[XR_FIT_CHANNELS])
{
    cost_matrix cost = {{0}};
    if (s->n < 4)
        return 1;
    double total = make_costs(s, channels, cost), best = best_order(cost, channels, from);
    return total > 0 ? fmax(best, 0) / total : 0;
}

double xr_unexplained_in_order(const xr_fit_sums *s, size_t channels,
                               const unsigned char from[XR_FIT_CHANNELS])
{
    cost_matrix cost = {{0}};
    double sum = 0;
    if (s->n < 4)
        return 1;
    double total = make_costs(s, channels, cost);
    for (size_t c = 0; c < channels; c++)
        sum += cost[c][from[c]];
    return total > 0 ? fmax(sum, 0) / total : 0;
}

double xr_unexplained_plainly(const xr_fit_sums *s, size_t channels)
{
    cost_matrix cost = {{0}};
    double total = 0;
    for (size_t c = 0; c < channels && s->n >= 4; c++) {
        total += edge_variation(s, c);
        for (size_t k = 0; k < channels; k++)
            cost[c][k] = s->ee[c][c] - 2 * s->er[c][k] + s->rr[k][k];
    }
    return total > 0 ? fmax(best_order(cost, channels, NULL), 0) / total : 1;
}

double xr_unexplained_as_is(const xr_fit_sums *s, size_t channels)
{
    double total = 0, sum = 0;
    for (size_t c = 0; c < channels && s->n >= 4; c++) {
        total += edge_variation(s, c);
        sum += s->ee[c][c] - 2 * s->er[c][c] + s->rr[c][c];
    }
    return total > 0 ? fmax(sum, 0) / total : 1;
}

bool xr_solve_color(const xr_fit_sums *s, size_t channels, double out[XR_FIT_CHANNELS][XR_FIT_CHANNELS])
{
    double m[XR_FIT_CHANNELS][2 * XR_FIT_CHANNELS], ridge = 0;
    if (s->n < 4)
        return false;
    for (size_t k = 0; k < channels; k++)
        ridge += 1e-9 * reference_product(s, k, k);
    for (size_t a = 0; a < channels; a++)
        for (size_t b = 0; b < channels; b++) {
            m[a][b] = reference_product(s, a, b) + (a == b ? ridge + 1e-12 : 0);
            m[a][channels + b] = shared(s, b, a);
        }
    /* Gauss-Jordan on a positive definite matrix: no pivoting is needed. */
    for (size_t i = 0; i < channels; i++) {
        double pivot = m[i][i] != 0 ? m[i][i] : 1e-30;
        for (size_t k = 0; k < 2 * channels; k++)
            m[i][k] /= pivot;
        for (size_t j = 0; j < channels; j++) {
            double factor = m[j][i];
            for (size_t k = 0; j != i && k < 2 * channels; k++)
                m[j][k] -= factor * m[i][k];
        }
    }
    for (size_t c = 0; c < channels; c++)
        for (size_t k = 0; k < channels; k++)
            out[c][k] = m[k][channels + c];
    return true;
}

double xr_unexplained_by_color(const xr_fit_sums *s, size_t channels)
{
    double m[XR_FIT_CHANNELS][XR_FIT_CHANNELS], total = 0, residual = 0;
    if (!xr_solve_color(s, channels, m))
        return 1;
    for (size_t c = 0; c < channels; c++) {
        double variation = edge_variation(s, c), explained = 0;
        for (size_t k = 0; k < channels; k++)
            explained += m[c][k] * shared(s, c, k);
        total += variation;
        residual += fmax(variation - explained, 0);
    }
    return total > 0 ? residual / total : 0;
}

double xr_no_worse(double residual, double spread)
{
    double levels = sqrt(fmax(residual, 0)) * spread, bound = 1.5 * levels + 0.3;
    return spread > 0 ? bound * bound / (spread * spread) : residual;
}
