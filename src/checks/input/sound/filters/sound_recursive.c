/* A filter with feedback, as biquads are: y[i] = b0 x[i] + ... - a1 y[i - 1] - ... */
#include "checks/input/sound/filters/sound_filter.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <string.h>

enum { ORDER = XR_FILTER_ORDER, MOST = 2 * ORDER + 1, LEAST_SAMPLES = 512 };

/* What is added to the diagonal, of each unknown's own sum. */
#define RIDGE 1e-13
/* It has to leave so many times less than the samples as they are. */
#define MUCH_BETTER 20
/* What it makes of silence, from its first outputs on, may be this part of what differs: a tone that is added
 * to the samples goes on by itself, and follows from none of them. */
#define MOST_BY_ITSELF 0.25

typedef struct equations {
    double a[MOST][MOST], b[MOST];
    size_t unknown;
} equations;

/* What multiplies the unknowns at sample i: x[i], x[i - 1], ..., -y[i - 1], ... */
static void row_of(const float *x, const float *y, size_t i, size_t order, double row[MOST])
{
    for (size_t k = 0; k <= order; k++)
        row[k] = x[i - k];
    for (size_t k = 1; k <= order; k++)
        row[order + k] = -(double)y[i - k];
}

static void add_segment(const xr_sound_segment *g, int filtered, size_t order, equations *e)
{
    const float *y = filtered ? g->x : g->y, *x = filtered ? g->y : g->x;
    double row[MOST];
    for (size_t i = order; i < g->count; i++) {
        row_of(x, y, i, order, row);
        for (size_t p = 0; p < e->unknown; p++) {
            for (size_t q = 0; q <= p; q++)
                e->a[p][q] += row[p] * row[q];
            e->b[p] += row[p] * y[i];
        }
    }
}

/* false: they do not tell all unknowns. */
static bool solve(equations *e)
{
    for (size_t i = 0; i < e->unknown; i++)
        e->a[i][i] *= 1 + RIDGE;
    return xr_solve_positive(e->a[0], MOST, e->b, e->unknown);
}

/* The filter run over each segment from its first outputs on: the variance that it leaves, and what there was
 * before; infinite: it does not settle, or goes on by itself. */
static double rest_of(const xr_sound_segment *segments, size_t count, int filtered, const xr_sound_filter *f,
                      double *as_is)
{
    double rest = 0, yy = 0, y1 = 0, n = 0, plain = 0, by_itself = 0;
    for (size_t s = 0; s < count; s++) {
        const xr_sound_segment *g = &segments[s];
        const float *y = filtered ? g->x : g->y, *x = filtered ? g->y : g->x;
        double made[ORDER] = {0}, alone[ORDER] = {0}; /* [k]: of k + 1 samples before */
        for (size_t k = 0; k < f->order && g->count > f->order; k++)
            alone[k] = made[k] = y[f->order - 1 - k];
        for (size_t i = f->order; i < g->count; i++) {
            double now = 0, silent = 0;
            for (size_t k = 0; k <= f->order; k++)
                now += f->forward[k] * x[i - k];
            for (size_t k = 0; k < f->order; k++)
                now -= f->back[k] * made[k], silent -= f->back[k] * alone[k];
            memmove(made + 1, made, (ORDER - 1) * sizeof *made);
            memmove(alone + 1, alone, (ORDER - 1) * sizeof *alone);
            made[0] = now, alone[0] = silent;
            by_itself += silent * silent;
            rest += (y[i] - now) * (y[i] - now);
            plain += ((double)y[i] - x[i]) * ((double)y[i] - x[i]);
            yy += (double)y[i] * y[i], y1 += y[i], n++;
        }
    }
    const double variance = n >= LEAST_SAMPLES ? yy - y1 * y1 / n : 0;
    *as_is = variance > 0 ? plain / variance : 0;
    return variance > 0 && isfinite(rest) && by_itself <= MOST_BY_ITSELF * plain ? rest / variance : INFINITY;
}

bool xr_find_recursive_filter(const xr_sound_segment *segments, size_t count, double allowed,
                              xr_sound_filter *out)
{
    xr_sound_segment part[XR_FILTER_SEGMENTS];
    const size_t used = xr_filter_parts(segments, count, part);
    for (size_t order = 1; order <= ORDER; order *= 2)
        for (int filtered = 0; filtered < 2; filtered++) {
            equations e = {.unknown = 2 * order + 1};
            double as_is;
            for (size_t i = 0; i < used; i++)
                add_segment(&part[i], filtered, order, &e);
            if (!solve(&e))
                continue;
            *out = (xr_sound_filter){.filtered = filtered, .order = order};
            memcpy(out->forward, e.b, (order + 1) * sizeof *e.b);
            memcpy(out->back, e.b + order + 1, order * sizeof *e.b);
            out->rest = rest_of(part, used, filtered, out, &as_is);
            if (out->rest > allowed)
                continue;
            out->rest = rest_of(segments, used, filtered, out, &as_is);
            if (out->rest <= allowed && out->rest < as_is / MUCH_BETTER)
                return true;
        }
    return false;
}
