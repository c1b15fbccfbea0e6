/* A windowed sinc by fast convolution: blocks of the signal are multiplied by the filter's spectrum (A.
 * Oppenheim, R. Schafer, Discrete-Time Signal Processing, overlap-save).  The filter is symmetric about 0, so
 * its spectrum is real: two blocks go through one complex transform as its real and imaginary part, and eight
 * of those are transformed at once. */
#include "media/sound/band_limit.h"

#include "media/sound/kaiser.h"
#include "media/sound/lane_fft.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCKS = 2 * XR_SOUND_LANES };

static const double pi = 3.14159265358979323846;

/* The sizes that follow from the parameters. */
typedef struct plan {
    uint32_t up, down;   /* one of them is 1 */
    size_t reach;        /* of the filter to each side, in samples of the input */
    size_t filter_reach; /* in samples of the rate that the filter works at */
    size_t before;       /* the margin in samples of the input */
    uint32_t n, filter_n, out_n;
    size_t useful; /* samples of the input in a block */
} plan;

static size_t round_up(size_t n, size_t step)
{
    return (n + step - 1) / step * step;
}

static size_t span_of(const xr_band_limit *how, size_t length)
{
    size_t down = (size_t)1 << (how->octaves < 0 ? -how->octaves : 0);
    size_t up = (size_t)1 << (how->octaves > 0 ? how->octaves : 0);
    return round_up(length, down) + 2 * round_up(how->margin * down, up) / up;
}

size_t xr_band_limit_length(const xr_band_limit *how, size_t length)
{
    size_t span = span_of(how, length);
    return how->octaves < 0 ? span >> -how->octaves : span << how->octaves;
}

size_t xr_band_limit_before(const xr_band_limit *how)
{
    size_t up = (size_t)1 << (how->octaves > 0 ? how->octaves : 0);
    return round_up(how->margin, up);
}

/* The filter's length to each side. */
static double half_of(const xr_band_limit *how)
{
    const double up = how->octaves > 0 ? ldexp(1, how->octaves) : 1;
    return xr_kaiser_length(how->attenuation, (how->stop - how->pass) * pi / up) / 2;
}

/* What blocks of n samples cost, in steps of one transform: those of all batches, and making the filter. */
static double cost_of(const plan *p, size_t n, size_t span)
{
    enum { OUTSIDE = 4, MAKING = 6 }; /* a sample's, beside the transforms' steps; a bin's */
    const double useful = BLOCKS * (double)(n - 2 * p->reach), out = (double)n * p->up / p->down;
    return ceil((double)span / useful) *
               ((double)n * (log2((double)n) + OUTSIDE) + out * (log2(out) + OUTSIDE)) +
           MAKING * (double)n * p->up;
}

/* Powers of two: none of more than the filter asks for, nor than the sound has. */
static uint32_t block_size(const plan *p, size_t span)
{
    uint32_t n = 64, best;
    while (n < 2 * p->reach + p->down)
        n *= 2;
    best = n;
    while (n < 6 * p->reach && n < span + 2 * p->reach && n < XR_FFT_MOST / 4) {
        n *= 2;
        if (cost_of(p, n, span) < cost_of(p, best, span))
            best = n;
    }
    return best;
}

static plan make_plan(const xr_band_limit *how, size_t length)
{
    plan p = {.up = 1u << (how->octaves > 0 ? how->octaves : 0),
              .down = 1u << (how->octaves < 0 ? -how->octaves : 0)};
    p.filter_reach = (size_t)half_of(how);
    p.reach = round_up(p.filter_reach / p.up + 1, p.down);
    p.before = round_up(how->margin * p.down, p.up) / p.up;
    p.n = block_size(&p, span_of(how, length));
    p.filter_n = p.n * p.up;
    p.out_n = p.filter_n / p.down;
    p.useful = (p.n - 2 * p.reach) / p.down * p.down;
    return p;
}

/* Buffers and transforms of a run. */
typedef struct band_limiter {
    plan p;
    xr_fft forward, backward;
    xr_complex *x, *y; /* [filter_n] */
    float *spectrum;   /* [filter_n] */
    float *turns;
    float *edge; /* a batch's samples, where it reaches beyond the sound's */
    void *room;  /* all of these */
} band_limiter;

/* ---- The filter's spectrum -------------------------------------------------------------------------- */

/* The Kaiser window's spectrum at `u` = radians a sample times half the window's length; not scaled. */
static double window_spectrum(double beta, double u)
{
    double rest = beta * beta - u * u, root = sqrt(fabs(rest));
    if (root < 1e-6)
        return 1;
    return rest > 0 ? sinh(root) / root : sin(root) / root;
}

enum { RAMP = 1024 };

/* The step response of a window's spectrum: a band edge.  Between its first nulls; what is beyond lies below
 * the attenuation that the window was chosen for. */
typedef struct ramp {
    double end;   /* from -end to end, in the unit of window_spectrum */
    double scale; /* of `at` */
    double at[RAMP + 1], slope[RAMP + 1];
} ramp;

static void make_ramp(ramp *r, double beta)
{
    r->end = sqrt(beta * beta + pi * pi);
    r->at[0] = 0;
    const double step = 2 * r->end / RAMP;
    double middle[RAMP];
    for (int i = 0; i <= RAMP / 2; i++) { /* the spectrum is even */
        r->slope[i] = r->slope[RAMP - i] = step * window_spectrum(beta, -r->end + i * step);
        if (i < RAMP / 2)
            middle[i] = middle[RAMP - 1 - i] = step * window_spectrum(beta, -r->end + (i + 0.5) * step);
    }
    for (int i = 0; i < RAMP; i++) /* Simpson's rule */
        r->at[i + 1] = r->at[i] + (r->slope[i] + 4 * middle[i] + r->slope[i + 1]) / 6;
    r->scale = 1 / r->at[RAMP];
}

/* A cubic through two values of the table with their slopes. */
static double ramp_at(const ramp *r, double u)
{
    const double place = (u + r->end) / (2 * r->end) * RAMP;
    if (place <= 0)
        return 0;
    if (place >= RAMP)
        return 1;
    const int below = (int)place;
    const double t = place - below, s = 1 - t;
    return r->scale * (r->at[below] * (1 + 2 * t) * s * s + r->slope[below] * t * s * s +
                       r->at[below + 1] * t * t * (3 - 2 * t) - r->slope[below + 1] * t * t * s);
}

/* With the inverse transform's scale. */
static void make_spectrum(band_limiter *b, const xr_band_limit *how)
{
    const uint32_t n = b->p.filter_n;
    const double half = half_of(how), cut = pi * (how->pass + how->stop) / 2 / b->p.up;
    ramp r;
    make_ramp(&r, xr_kaiser_beta(how->attenuation));
    for (uint32_t k = 0; k <= n / 2; k++) {
        float value = (float)(ramp_at(&r, half * (cut - 2 * pi * k / n)) / b->p.n);
        b->spectrum[k] = value;
        b->spectrum[(n - k) % n] = value;
    }
}

/* ---- A batch of blocks ------------------------------------------------------------------------------ */

typedef struct batch {
    const band_limiter *b;
    const float *from; /* blocks of p.n samples, p.useful apart */
    float *to;
    size_t room;
} batch;

XR_SOUND_INLINED void load_blocks(const batch *a)
{
    const size_t apart = a->b->p.useful;
    for (uint32_t i = 0; i < a->b->p.n; i++) {
        xr_complex *x = &a->b->x[i];
        for (unsigned l = 0; l < XR_SOUND_LANES; l++) {
            XR_LANE(x->re, l) = a->from[2 * l * apart + i];
            XR_LANE(x->im, l) = a->from[(2 * l + 1) * apart + i];
        }
    }
}

/* Multiplies by the filter and leaves the bins of the output's rate, their parts exchanged for the inverse.
 */
XR_SOUND_INLINED void filter_bins(const band_limiter *b, const xr_complex *x, xr_complex *y)
{
    const uint32_t mask = b->p.n - 1, out_n = b->p.out_n;
    for (uint32_t k = 0; k < out_n; k++) {
        xr_sound_lanes re = x[k & mask].re * b->spectrum[k], im = x[k & mask].im * b->spectrum[k];
        for (uint32_t m = k + out_n; m < b->p.filter_n; m += out_n) {
            if (b->spectrum[m] == 0)
                continue;
            re += x[m].re * b->spectrum[m];
            im += x[m].im * b->spectrum[m];
        }
        y[k].re = im;
        y[k].im = re;
    }
}

/* all: there is room for all of them. */
XR_SOUND_INLINED void store_blocks(const batch *a, const xr_complex *x, bool all)
{
    const plan *p = &a->b->p;
    const size_t skip = p->reach * p->up / p->down, count = p->useful * p->up / p->down;
    for (size_t i = 0; i < count; i++)
        for (unsigned l = 0; l < XR_SOUND_LANES; l++) {
            const size_t first = 2 * l * count + i, second = first + count;
            if (all || first < a->room)
                a->to[first] = XR_LANE(x[skip + i].im, l);
            if (all || second < a->room)
                a->to[second] = XR_LANE(x[skip + i].re, l);
        }
}

XR_SOUND_INLINED void run_batch(const batch *a)
{
    const band_limiter *b = a->b;
    load_blocks(a);
    xr_complex *x = xr_fft_run(&b->forward, b->x, b->y), *y = x == b->x ? b->y : b->x;
    filter_bins(b, x, y);
    x = xr_fft_run(&b->backward, y, x);
    if (a->room >= BLOCKS * b->p.useful * b->p.up / b->p.down)
        store_blocks(a, x, true);
    else
        store_blocks(a, x, false);
}

static void run_narrow(const batch *a)
{
    run_batch(a);
}

XR_SOUND_WIDE static void run_wide(const batch *a)
{
    run_batch(a);
}

/* One room: of several, a system takes the largest back each time and clears them anew. */
static bool allocate(band_limiter *b)
{
    const plan *p = &b->p;
    const size_t n = p->filter_n, edge = BLOCKS * p->useful + 2 * p->reach;
    b->room = malloc(2 * n * sizeof *b->x + (3 * n + edge) * sizeof *b->edge);
    if (!b->room)
        return false;
    b->x = b->room;
    b->y = b->x + n;
    b->spectrum = (float *)(b->y + n);
    b->turns = b->spectrum + n;
    b->edge = b->turns + 2 * n;
    xr_fft_turns(b->turns, p->filter_n);
    b->forward = xr_fft_of(b->turns, p->n, p->up);
    b->backward = xr_fft_of(b->turns, p->out_n, p->down);
    return true;
}

/* The samples of a batch: `skip` zeros before the sound, `length` samples, zeros. */
static const float *samples_of(band_limiter *b, const float *samples, size_t skip, size_t length,
                               size_t first)
{
    const size_t wanted = BLOCKS * b->p.useful + 2 * b->p.reach;
    if (first >= skip && first - skip + wanted <= length)
        return samples + (first - skip);
    memset(b->edge, 0, wanted * sizeof *b->edge);
    const size_t from = first > skip ? first - skip : 0,
                 end = first + wanted > skip ? first + wanted - skip : 0, to = end < length ? end : length;
    if (from < to)
        memcpy(b->edge + (from + skip - first), samples + from, (to - from) * sizeof *samples);
    return b->edge;
}

bool xr_band_limit_run(const xr_band_limit *how, const float *samples, size_t length, float *out)
{
    band_limiter b = {.p = make_plan(how, length)};
    const plan *p = &b.p;
    const bool ok = allocate(&b);
    const size_t made = p->useful * p->up / p->down, wanted = xr_band_limit_length(how, length);
    if (ok)
        make_spectrum(&b, how);
    for (size_t first = 0; ok && first * made < wanted; first += BLOCKS) {
        const batch a = {&b, samples_of(&b, samples, p->before + p->reach, length, first * p->useful),
                         out + first * made, wanted - first * made};
        if (XR_SOUND_HAS_WIDE)
            run_wide(&a);
        else
            run_narrow(&a);
    }
    free(b.room);
    return ok;
}
