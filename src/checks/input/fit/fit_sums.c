#include "checks/input/fit/fit_sums.h"

#include <math.h>
#include <string.h>

void xr_sums_add(xr_fit_sums *s, size_t channels, const float *edge, const float *reference,
                 const unsigned char *seen, size_t pixels, size_t step)
{
    for (size_t p = 0; p < pixels; p += step) {
        double e[XR_FIT_CHANNELS], r[XR_FIT_CHANNELS], check = 0;
        if (seen && !seen[p])
            continue;
        for (size_t c = 0; c < channels; c++) {
            e[c] = edge[c * pixels + p];
            r[c] = reference[c * pixels + p];
            check += e[c] + r[c];
        }
        if (!isfinite(check))
            continue;
        s->n += 1;
        for (size_t c = 0; c < channels; c++) {
            s->edge[c] += e[c];
            s->reference[c] += r[c];
            s->ee[c][c] += e[c] * e[c];
            for (size_t k = 0; k < channels; k++)
                s->er[c][k] += e[c] * r[k];
            for (size_t k = 0; k <= c; k++)
                s->rr[c][k] += r[c] * r[k];
        }
    }
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

double xr_unexplained_by_color(const xr_fit_sums *s, size_t channels)
{
    double m[XR_FIT_CHANNELS][2 * XR_FIT_CHANNELS], total = 0, residual = 0, ridge = 0;
    if (s->n < 4)
        return 1;
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
    for (size_t c = 0; c < channels; c++) {
        double variation = edge_variation(s, c), explained = 0;
        for (size_t k = 0; k < channels; k++)
            explained += m[k][channels + c] * shared(s, c, k);
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
