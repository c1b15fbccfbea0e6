#include "checks/input/sound/filters/sound_tone.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    MOST_UNKNOWN = 2 * XR_TONE_MULTIPLES + 2,
    MOST_SEGMENTS = 8,
    LEAST_SAMPLES = 1024,
    MOST_SAMPLES = 16384
};

/* It has to leave so many times less than the samples as they are. */
#define MUCH_BETTER 20
/* Of a hum, the strongest tone alone leaves no more of what differs. */
#define LEFT_OF_HUM 0.7
/* What is added to the diagonal, of each unknown's own sum. */
#define RIDGE 1e-12

static const double two_pi = 6.28318530717958647692;

static size_t used_of(const xr_sound_segment *g)
{
    return g->count < MOST_SAMPLES ? g->count : MOST_SAMPLES;
}

/* What is fitted to one segment: y = gain x + offset + tone and multiples, with phases of their own. */
typedef struct tone_fit {
    double rest, variance; /* sums of squares: what is left, of y about its mean */
    double tone;           /* of the tone's own samples */
} tone_fit;

static void row_of(const xr_sound_segment *g, size_t i, double turns, size_t multiples,
                   double row[MOST_UNKNOWN])
{
    row[0] = (double)g->x[i], row[1] = 1;
    for (size_t k = 1; k <= multiples; k++) {
        const double angle = two_pi * fmod(turns * (double)k * (double)i, 1);
        row[2 * k] = cos(angle), row[2 * k + 1] = sin(angle);
    }
}

static bool fit(const xr_sound_segment *g, double turns, size_t multiples, tone_fit *out)
{
    const size_t unknown = 2 + 2 * multiples, n = used_of(g);
    double a[MOST_UNKNOWN][MOST_UNKNOWN] = {{0}}, b[MOST_UNKNOWN] = {0}, row[MOST_UNKNOWN], y1 = 0, yy = 0;
    for (size_t i = 0; i < n; i++) {
        const double y = (double)g->y[i];
        row_of(g, i, turns, multiples, row);
        for (size_t p = 0; p < unknown; p++) {
            for (size_t q = 0; q <= p; q++)
                a[p][q] += row[p] * row[q];
            b[p] += row[p] * y;
        }
        y1 += y, yy += y * y;
    }
    for (size_t p = 0; p < unknown; p++)
        a[p][p] *= 1 + RIDGE;
    if (!xr_solve_positive(a[0], MOST_UNKNOWN, b, unknown))
        return false;
    *out = (tone_fit){.variance = yy - y1 * y1 / (double)n};
    for (size_t i = 0; i < n; i++) {
        row_of(g, i, turns, multiples, row);
        double made = 0, tone = 0;
        for (size_t p = 0; p < unknown; p++)
            (p < 2 ? (made += b[p] * row[p]) : (tone += b[p] * row[p]));
        out->rest += ((double)g->y[i] - made - tone) * ((double)g->y[i] - made - tone);
        out->tone += tone * tone;
    }
    return true;
}

/* The strongest turn of what a line leaves of a segment, to a bin of its spectrum; 0: none, or no memory. */
static double strongest(const xr_sound_segment *g)
{
    size_t n = xr_power_of_two(used_of(g));
    n = n > used_of(g) ? n / 2 : n;
    double *re = calloc(2 * n, sizeof *re), *im = re ? re + n : NULL, most = 0;
    size_t at = 0;
    const xr_line line = xr_fit_line(g->y, g->x, g->count);
    for (size_t i = 0; re && i < n; i++) {
        const double shape = 0.5 - 0.5 * cos(two_pi * (double)i / (double)n);
        re[i] = shape * ((double)g->y[i] - line.gain * (double)g->x[i] - line.offset);
    }
    if (re)
        xr_fft(re, im, n, false);
    for (size_t k = 2; re && k < n / 2; k++)
        if (re[k] * re[k] + im[k] * im[k] > most)
            most = re[k] * re[k] + im[k] * im[k], at = k;
    free(re);
    return (double)at / (double)n;
}

/* Turns a sample, to where one tone leaves least: between the neighbors of the strongest bin. */
static double refined(const xr_sound_segment *g, double turns)
{
    double step = 1 / (double)used_of(g), least = INFINITY;
    for (int finer = 0; finer < 8; finer++, step /= 3) {
        const double around = turns;
        for (int k = -3; k <= 3; k++) {
            tone_fit now;
            const double at = around + k * step / 3;
            if (at > 0 && fit(g, at, 1, &now) && now.rest < least)
                least = now.rest, turns = at;
        }
    }
    return turns;
}

static bool try_multiples(const xr_sound_segment *segments, size_t count, double allowed, xr_sound_tone *out)
{
    double rest = 0, variance = 0, tone = 0, plain = 0;
    for (size_t i = 0; i < count; i++) {
        tone_fit now;
        if (used_of(&segments[i]) < LEAST_SAMPLES || !fit(&segments[i], out->turns, out->multiples, &now))
            continue;
        rest += now.rest, variance += now.variance, tone += now.tone;
        plain += xr_fit_line(segments[i].y, segments[i].x, used_of(&segments[i])).rest * now.variance;
    }
    if (!(variance > 0))
        return false;
    out->rest = rest / variance;
    out->level = tone / variance;
    out->before = plain / variance;
    return out->rest <= allowed && rest < plain / MUCH_BETTER;
}

bool xr_find_sound_tone(const xr_sound_segment *segments, size_t count, double allowed, xr_sound_tone *out)
{
    const size_t used = count < MOST_SEGMENTS ? count : MOST_SEGMENTS;
    *out = (xr_sound_tone){.multiples = 1};
    if (used == 0 || used_of(&segments[0]) < LEAST_SAMPLES)
        return false;
    const double near = strongest(&segments[0]);
    if (near <= 0)
        return false;
    const double turns = refined(&segments[0], near);
    out->turns = turns;
    if (try_multiples(segments, used, allowed, out))
        return true;
    if (out->rest > LEFT_OF_HUM * out->before)
        return false;
    /* The strongest may be a multiple of a hum's. */
    for (int by = 1; by <= 3; by++) {
        *out = (xr_sound_tone){.turns = turns / by, .multiples = XR_TONE_MULTIPLES};
        if (out->turns * XR_TONE_MULTIPLES < 0.5 && try_multiples(segments, used, allowed, out))
            return true;
    }
    return false;
}
