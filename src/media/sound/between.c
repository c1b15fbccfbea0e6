/* Samples at any times of a signal that has room above its band: a short windowed sinc for each of the phases
 * that occur, or, where those are too many, lines between the filters of a grid. */
#include "media/sound/between.h"

#include "media/sound/kaiser.h"
#include "media/sound/sound_lanes.h"

#include <math.h>
#include <stdlib.h>

enum {
    PHASES_MOST = 1024, /* a line between two of so many filters is off by (pi / 1024)^2 / 8: -118 dB */
    STEPS = 256,        /* of the window's table */
};

static const double pi = 3.14159265358979323846;

/* A Kaiser-windowed sinc: cut as a share of half the rate, half its length in samples. */
typedef struct tap_shape {
    double cut, half, beta;
} tap_shape;

/* The band's first image, which must go, begins at 2 - band. */
static tap_shape shape_of(const xr_between *how)
{
    /* A Kaiser filter has lost 0.01 dB at this share of its transition before the middle (for 137 dB). */
    const double begun = 0.3787;
    double width = how->flat ? 2 * (1 - how->band) : (2 - how->band - how->pass) / (0.5 + begun);
    return (tap_shape){.cut = 2 - how->band - width / 2,
                       .half = xr_kaiser_length(how->attenuation, pi * width) / 2,
                       .beta = xr_kaiser_beta(how->attenuation)};
}

size_t xr_between_half(const xr_between *how)
{
    return (size_t)ceil(2 * shape_of(how).half / XR_SOUND_LANES) * XR_SOUND_LANES / 2 + XR_SOUND_LANES % 2;
}

/* The window as a function of x * x, which has no bend anywhere, so that a cubic between few points is exact.
 */
typedef struct kaiser_table {
    double at[STEPS + 3];
} kaiser_table;

static void make_window(kaiser_table *w, double beta)
{
    const double top = xr_kaiser(beta, 0);
    for (int i = 0; i < STEPS + 3; i++)
        w->at[i] = xr_kaiser(beta, (double)(i - 1) / STEPS) / top;
}

static double window_at(const kaiser_table *w, double squared)
{
    double place = squared * STEPS;
    int below = (int)place < STEPS - 1 ? (int)place : STEPS - 1;
    double t = place - below;
    const double *y = w->at + below; /* at -1, 0, 1, 2 */
    return y[1] + t * ((y[2] - y[0]) / 2 + t * (y[0] - 2.5 * y[1] + 2 * y[2] - y[3] / 2 +
                                                t * (1.5 * (y[1] - y[2]) + (y[3] - y[0]) / 2)));
}

/* The filter for a time `fraction` behind a sample: taps[2 * half], the first for the sample half - 1 before.
 * Sines of sums, of which one part is that of the sample, the other that of the fraction. */
static void make_taps(double fraction, size_t half, const tap_shape *f, const kaiser_table *w,
                      const double *turns, float *taps)
{
    const double sine = sin(pi * f->cut * fraction) / pi, cosine = cos(pi * f->cut * fraction) / pi;
    const double scale = 1 / (f->half * f->half);
    for (size_t i = 0; i < 2 * half; i++) {
        double at = fraction + (double)half - 1 - (double)i; /* how far the sample lies before the time */
        double squared = at * at * scale;
        double wave = sine * turns[2 * i + 1] + cosine * turns[2 * i];
        taps[i] = (float)(squared >= 1 ? 0 : fabs(at) < 1e-9 ? f->cut : window_at(w, squared) * wave / at);
    }
}

/* taps[phases + 1][2 * half]; false: out of memory. */
static bool make_filters(const tap_shape *f, size_t half, size_t phases, float *taps)
{
    double *turns = malloc(4 * half * sizeof *turns);
    kaiser_table w;
    if (!turns)
        return false;
    make_window(&w, f->beta);
    for (size_t i = 0; i < 2 * half; i++) {
        double angle = pi * f->cut * ((double)half - 1 - (double)i);
        turns[2 * i] = sin(angle);
        turns[2 * i + 1] = cos(angle);
    }
    for (size_t p = 0; p <= phases; p++)
        make_taps((double)p / (double)phases, half, f, &w, turns, taps + p * 2 * half);
    free(turns);
    return true;
}

XR_SOUND_INLINED float sum_of(const xr_sound_lanes *v)
{
#ifdef __GNUC__
    xr_sound_lanes a = *v;
    return ((a[0] + a[4]) + (a[2] + a[6])) + ((a[1] + a[5]) + (a[3] + a[7]));
#else
    return *v;
#endif
}

typedef struct tap_run {
    const float *samples; /* half - 1 before the first */
    const float *taps;    /* [phases + 1][2 * half] */
    float *out;
    size_t count, half;
    uint64_t step, rate, phases;
} tap_run;

XR_SOUND_INLINED float weigh(const float *samples, const float *taps, size_t count)
{
    xr_sound_lanes sum = *(const xr_sound_lanes *)samples * *(const xr_sound_lanes *)taps;
    for (size_t i = XR_SOUND_LANES; i < count; i += XR_SOUND_LANES)
        sum += *(const xr_sound_lanes *)(samples + i) * *(const xr_sound_lanes *)(taps + i);
    return sum_of(&sum);
}

XR_SOUND_INLINED void read_all(const tap_run *r)
{
    const uint64_t whole = r->step / r->rate, rest = r->step % r->rate;
    const size_t taps = 2 * r->half;
    const bool exact = r->phases == r->rate;
    uint64_t at = 0, phase = 0; /* the time is at + phase / rate */
    for (size_t i = 0; i < r->count; i++) {
        const float *samples = r->samples + at;
        if (exact)
            r->out[i] = weigh(samples, r->taps + phase * taps, taps);
        else {
            double place = (double)phase / (double)r->rate * (double)r->phases;
            size_t below = (size_t)place;
            float a = weigh(samples, r->taps + below * taps, taps),
                  b = weigh(samples, r->taps + (below + 1) * taps, taps);
            r->out[i] = a + (b - a) * (float)(place - (double)below);
        }
        at += whole;
        phase += rest;
        if (phase >= r->rate) {
            phase -= r->rate;
            at++;
        }
    }
}

static void read_narrow(const tap_run *r)
{
    read_all(r);
}

XR_SOUND_WIDE static void read_wide(const tap_run *r)
{
    read_all(r);
}

bool xr_between_run(const xr_between *how, const float *samples, float *out, size_t count)
{
    if (how->rate == 0)
        return false;
    const size_t half = xr_between_half(how);
    const size_t phases = how->rate <= PHASES_MOST ? (size_t)how->rate : PHASES_MOST;
    const tap_shape f = shape_of(how);
    float *taps = malloc((phases + 1) * 2 * half * sizeof *taps);
    if (!taps || !make_filters(&f, half, phases, taps)) {
        free(taps);
        return false;
    }
    const tap_run r = {samples - (half - 1), taps, out, count, half, how->step, how->rate, phases};
    if (XR_SOUND_HAS_WIDE)
        read_wide(&r);
    else
        read_narrow(&r);
    free(taps);
    return true;
}
