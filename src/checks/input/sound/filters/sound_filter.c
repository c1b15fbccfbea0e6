#include "checks/input/sound/filters/sound_filter.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TAPS = XR_FILTER_TAPS, BEFORE = XR_FILTER_BEFORE };

/* What is added to the diagonal, of the signal's energy: bands in which there is nothing tell nothing. */
#define RIDGE 1e-9
/* It has to leave so many times less than the samples as they are. */
#define MUCH_BETTER 20

/* ---- What is searched --------------------------------------------------------------------------------- */

/* Samples of all parts, and of the pieces that they are chosen by. */
enum { ALL_PARTS = 1 << 18, PIECE = 1 << 12 };

/* The first sample of the loudest stretch of so many pieces. */
static size_t loudest_from(const xr_sound_segment *g, size_t pieces)
{
    double window[ALL_PARTS / PIECE] = {0}, sum = 0, most = -1;
    size_t best = 0;
    for (size_t piece = 0; (piece + 1) * PIECE <= g->count; piece++) {
        double energy = 0;
        for (size_t i = piece * PIECE; i < (piece + 1) * PIECE; i++)
            energy += (double)g->x[i] * g->x[i];
        sum += energy - window[piece % pieces];
        window[piece % pieces] = energy;
        if (piece + 1 >= pieces && sum > most)
            most = sum, best = (piece + 1 - pieces) * PIECE;
    }
    return best;
}

size_t xr_filter_parts(const xr_sound_segment *segments, size_t count, xr_sound_segment *parts)
{
    const size_t used = count < XR_FILTER_SEGMENTS ? count : XR_FILTER_SEGMENTS;
    const size_t pieces = used ? ALL_PARTS / PIECE / used : 0;
    for (size_t i = 0; i < used; i++) {
        parts[i] = segments[i];
        if (segments[i].count <= pieces * PIECE)
            continue;
        const size_t from = loudest_from(&segments[i], pieces);
        parts[i].x += from, parts[i].y += from, parts[i].first += from;
        parts[i].count = pieces * PIECE;
    }
    return used;
}

/* ---- A filter of taps --------------------------------------------------------------------------------- */

typedef struct normal_sums {
    double a[TAPS][TAPS], b[TAPS], yy, y, n;
} normal_sums;

/* Sums of products of the given side's samples around each of the filtered side's. */
static void add_segment(const xr_sound_segment *g, int filtered, normal_sums *s)
{
    const float *out = filtered ? g->x : g->y, *in = filtered ? g->y : g->x;
    for (size_t i = TAPS; i + BEFORE < g->count; i++) {
        const float *v = in + i + BEFORE; /* tap k takes v[-k] */
        for (int k = 0; k < TAPS; k++) {
            s->b[k] += (double)out[i] * v[-k];
            s->a[0][k] += (double)v[0] * v[-k];
        }
        s->yy += (double)out[i] * out[i], s->y += out[i], s->n++;
    }
}

/* The taps of a side's filter by least squares (its samples' correlations depend on their distance alone). */
static bool fit(const xr_sound_segment *segments, size_t count, int filtered, double tap[TAPS])
{
    normal_sums *s = calloc(1, sizeof *s);
    for (size_t i = 0; s && i < count; i++)
        add_segment(&segments[i], filtered, s);
    bool known = s && s->n > 8 * TAPS;
    for (int i = 0; known && i < TAPS; i++)
        for (int j = 0; j < TAPS; j++)
            if (i > 0)
                s->a[i][j] = s->a[0][abs(i - j)];
    for (int i = 0; known && i < TAPS; i++)
        s->a[i][i] += RIDGE * s->a[0][0];
    known = known && xr_solve_positive(s->a[0], TAPS, s->b, TAPS);
    if (known)
        memcpy(tap, s->b, sizeof s->b);
    free(s);
    return known;
}

/* The variance that the filter leaves, in all segments together. */
static double rest_of(const xr_sound_segment *segments, size_t count, int filtered, const double tap[TAPS])
{
    double rest = 0, yy = 0, y = 0, n = 0;
    for (size_t s = 0; s < count; s++) {
        const xr_sound_segment *g = &segments[s];
        const float *out = filtered ? g->x : g->y, *in = filtered ? g->y : g->x;
        for (size_t i = TAPS; i + BEFORE < g->count; i++) {
            double made = 0;
            for (int k = 0; k < TAPS; k++)
                made += tap[k] * in[i + BEFORE - (size_t)k];
            rest += (out[i] - made) * (out[i] - made);
            yy += (double)out[i] * out[i], y += out[i], n++;
        }
    }
    double variance = n > 0 ? yy - y * y / n : 0;
    return variance > 0 ? rest / variance : 1;
}

bool xr_find_sound_filter(const xr_sound_segment *segments, size_t count, double allowed,
                          xr_sound_filter *out)
{
    xr_sound_segment part[XR_FILTER_SEGMENTS];
    const size_t used = xr_filter_parts(segments, count, part);
    *out = (xr_sound_filter){.rest = 1};
    for (int filtered = 0; filtered < 2; filtered++) {
        xr_sound_filter now = {.filtered = filtered, .rest = 1};
        if (fit(part, used, filtered, now.tap))
            now.rest = rest_of(part, used, filtered, now.tap);
        if (now.rest < out->rest / 2)
            *out = now;
    }
    double identity[TAPS] = {0};
    identity[BEFORE] = 1;
    if (out->rest > allowed)
        return false;
    out->rest = rest_of(segments, used, out->filtered, out->tap);
    return out->rest <= allowed && out->rest < rest_of(segments, used, out->filtered, identity) / MUCH_BETTER;
}

/* A sum of rising powers of a turn, 1 / z. */
static double magnitude(const double *factor, size_t count, double share)
{
    double re = 0, im = 0;
    for (size_t k = 0; k < count; k++) {
        const double angle = 3.14159265358979323846 * share * (double)k;
        re += factor[k] * cos(angle), im -= factor[k] * sin(angle);
    }
    return hypot(re, im);
}

double xr_filter_decibels(const xr_sound_filter *f, double share)
{
    double re = 0, im = 0;
    if (f->order) {
        double back[XR_FILTER_ORDER + 1] = {1};
        memcpy(back + 1, f->back, f->order * sizeof *back);
        return 20 * log10(fmax(magnitude(f->forward, f->order + 1, share), 1e-6) /
                          fmax(magnitude(back, f->order + 1, share), 1e-9));
    }
    for (int k = 0; k < TAPS; k++) {
        double angle = 3.14159265358979323846 * share * (k - BEFORE);
        re += f->tap[k] * cos(angle), im -= f->tap[k] * sin(angle);
    }
    return 20 * log10(fmax(hypot(re, im), 1e-6));
}

double xr_filter_emphasis(const xr_sound_filter *f)
{
    double first = f->tap[BEFORE], a = -f->tap[BEFORE + 1] / first;
    if (f->order)
        return 0;
    for (int k = 0; k < TAPS; k++)
        if (k != BEFORE && k != BEFORE + 1 && fabs(f->tap[k]) > 0.02 * fabs(first))
            return 0;
    return a > 0.5 && a < 1.01 ? a : 0;
}
