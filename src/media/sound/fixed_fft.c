/* A transform of half the length (even samples real, odd ones imaginary) in passes of 4, the innermost of 2
 * where the length asks for it, then the two halves' spectra joined.  The order of operations and each
 * rounding are those of KISS FFT 130 with 16-bit samples, of which every bit of the front end's values
 * depends. */
#include "media/sound/fixed_fft.h"

#include <math.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

enum { ONE = 32767, SHIFT = 15, HALF = 1 << (SHIFT - 1) };

static inline int16_t rounded(int32_t product)
{
    return (int16_t)((product + HALF) >> SHIFT);
}

static inline xr_fixed times(xr_fixed a, xr_fixed b)
{
    return (xr_fixed){rounded(a.re * b.re - a.im * b.im), rounded(a.re * b.im + a.im * b.re)};
}

/* By a radix: a product with the whole part of 32767 / radix. */
static inline xr_fixed divided(xr_fixed a, int32_t radix)
{
    const int32_t part = ONE / radix;
    return (xr_fixed){rounded(a.re * part), rounded(a.im * part)};
}

static inline xr_fixed sum(xr_fixed a, xr_fixed b)
{
    return (xr_fixed){(int16_t)(a.re + b.re), (int16_t)(a.im + b.im)};
}

static inline xr_fixed difference(xr_fixed a, xr_fixed b)
{
    return (xr_fixed){(int16_t)(a.re - b.re), (int16_t)(a.im - b.im)};
}

static xr_fixed turn_of(double phase)
{
    return (xr_fixed){(int16_t)floor(0.5 + ONE * cos(phase)), (int16_t)floor(0.5 + ONE * sin(phase))};
}

bool xr_fixed_fft_make(xr_fixed_fft *fft, uint32_t n)
{
    const uint32_t half = n / 2;
    *fft = (xr_fixed_fft){.n = n,
                          .turns = malloc(half * sizeof *fft->turns),
                          .joins = malloc((half / 2 + 1) * sizeof *fft->joins),
                          .order = malloc(half * sizeof *fft->order),
                          .scratch = malloc(half * sizeof *fft->scratch)};
    if (!fft->turns || !fft->joins || !fft->order || !fft->scratch)
        return false;
    for (uint32_t k = 0; k < half; k++)
        fft->turns[k] = turn_of(-2 * pi * k / half);
    for (uint32_t k = 0; k <= half / 2; k++)
        fft->joins[k] = turn_of(-pi * ((double)k / half + 0.5));
    /* Digits of the place, the outermost radix first, are those of the sample, the innermost first. */
    for (uint32_t place = 0; place < half; place++) {
        uint32_t rest = half, at = place, sample = 0, stride = 1;
        while (rest > 1) {
            const uint32_t radix = rest % 4 == 0 ? 4 : 2, inner = rest / radix;
            sample += at / inner * stride;
            at %= inner;
            stride *= radix;
            rest = inner;
        }
        fft->order[place] = (uint16_t)sample;
    }
    return true;
}

void xr_fixed_fft_free(xr_fixed_fft *fft)
{
    free(fft->turns);
    free(fft->joins);
    free(fft->order);
    free(fft->scratch);
    *fft = (xr_fixed_fft){0};
}

static void pass_of_four(xr_fixed *x, const xr_fixed *turns, uint32_t stride, uint32_t m)
{
    for (uint32_t k = 0; k < m; k++) {
        xr_fixed x0 = divided(x[k], 4), x1 = divided(x[k + m], 4), x2 = divided(x[k + 2 * m], 4),
                 x3 = divided(x[k + 3 * m], 4);
        x1 = times(x1, turns[(size_t)k * stride]);
        x2 = times(x2, turns[2 * (size_t)k * stride]);
        x3 = times(x3, turns[3 * (size_t)k * stride]);
        const xr_fixed apart = difference(x0, x2), even = sum(x0, x2), odd = sum(x1, x3),
                       skew = difference(x1, x3);
        x[k] = sum(even, odd);
        x[k + 2 * m] = difference(even, odd);
        x[k + m] = (xr_fixed){(int16_t)(apart.re + skew.im), (int16_t)(apart.im - skew.re)};
        x[k + 3 * m] = (xr_fixed){(int16_t)(apart.re - skew.im), (int16_t)(apart.im + skew.re)};
    }
}

static void pass_of_two(xr_fixed *x, const xr_fixed *turns, uint32_t stride, uint32_t m)
{
    for (uint32_t k = 0; k < m; k++) {
        const xr_fixed x0 = divided(x[k], 2), x1 = times(divided(x[k + m], 2), turns[(size_t)k * stride]);
        x[k + m] = difference(x0, x1);
        x[k] = sum(x0, x1);
    }
}

/* The passes over x[half], from the innermost radix out. */
static void run_passes(const xr_fixed_fft *fft, xr_fixed *x)
{
    const uint32_t half = fft->n / 2;
    uint32_t done = 1, fours = 0;
    for (uint32_t rest = half; rest % 4 == 0; rest /= 4)
        fours++;
    if (half >> (2 * fours) == 2) {
        for (uint32_t at = 0; at < half; at += 2)
            pass_of_two(x + at, fft->turns, half / 2, 1);
        done = 2;
    }
    for (; done < half; done *= 4)
        for (uint32_t at = 0; at < half; at += 4 * done)
            pass_of_four(x + at, fft->turns, half / (4 * done), done);
}

void xr_fixed_fft_run(const xr_fixed_fft *fft, const int16_t *samples, xr_fixed *bins)
{
    const uint32_t half = fft->n / 2;
    xr_fixed *x = fft->scratch;
    for (uint32_t place = 0; place < half; place++) {
        const int16_t *pair = samples + 2 * (size_t)fft->order[place];
        x[place] = (xr_fixed){pair[0], pair[1]};
    }
    run_passes(fft, x);
    const xr_fixed first = divided(x[0], 2);
    bins[0] = (xr_fixed){(int16_t)(first.re + first.im), 0};
    bins[half] = (xr_fixed){(int16_t)(first.re - first.im), 0};
    for (uint32_t k = 1; k <= half / 2; k++) {
        const xr_fixed mirrored = {x[half - k].re, (int16_t)-x[half - k].im};
        const xr_fixed a = divided(x[k], 2), b = divided(mirrored, 2);
        const xr_fixed even = sum(a, b), odd = times(difference(a, b), fft->joins[k]);
        bins[k] = (xr_fixed){(int16_t)((even.re + odd.re) >> 1), (int16_t)((even.im + odd.im) >> 1)};
        bins[half - k] = (xr_fixed){(int16_t)((even.re - odd.re) >> 1), (int16_t)((odd.im - even.im) >> 1)};
    }
}
