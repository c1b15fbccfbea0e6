/* Fourier transforms of any length, of eight signals at once: a signal a lane. */
#ifndef XR_LANE_FFT_H
#define XR_LANE_FFT_H

#include "media/sound/sound_lanes.h"

#include <stdbool.h>
#include <stdint.h>

typedef struct xr_complex {
    xr_sound_lanes re, im;
} xr_complex;

enum {
    XR_FFT_MOST = 1 << 20,
    XR_FFT_FACTORS = 24,
};

typedef struct xr_fft {
    uint32_t n;
    uint32_t factors[XR_FFT_FACTORS];
    uint32_t factor_count;
    const float *turns; /* cosine and sine of -2 pi k / (n * apart) */
    uint32_t apart;     /* every such one is used */
} xr_fft;

/* turns[n][2]: for transforms of n and of its divisors. */
void xr_fft_turns(float *turns, uint32_t n);

/* A transform of n = whole / apart with the turns of `whole`, which are borrowed; 1 <= n <= XR_FFT_MOST. */
xr_fft xr_fft_of(const float *turns, uint32_t n, uint32_t apart);

/* X[k] = sum of x[i] exp(-2 pi j i k / n), not scaled.  Both have n elements and are overwritten; returns the
 * one that has the result.  The inverse, times n: real and imaginary parts exchanged before and after. */
xr_complex *xr_fft_run(const xr_fft *fft, xr_complex *x, xr_complex *other);

#endif
