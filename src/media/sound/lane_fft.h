/* Fourier transforms of any length, of several signals at once: a signal a lane. */
#ifndef XR_LANE_FFT_H
#define XR_LANE_FFT_H

#include "media/sound/sound_lanes.h"

#include <stdint.h>

enum {
    XR_FFT_MOST = 1 << 20,
    XR_FFT_FACTORS = 24,
};

/* Of floats, and of doubles (names that end in _double):
 *
 * An xr_complex has as many signals as the type has lanes.
 *
 * xr_fft_turns fills turns[n][2], cosine and sine of -2 pi k / n, for transforms of n and of its divisors.
 *
 * xr_fft_of makes a transform of n = whole / apart with the turns of `whole`, which are borrowed; 1 <= n <=
 * XR_FFT_MOST.
 *
 * xr_fft_run: X[k] = sum of x[i] exp(-2 pi j i k / n), not scaled.  Both arrays have n elements and are
 * overwritten; returns the one that has the result.  The inverse, times n: real and imaginary parts exchanged
 * before and after. */
#define XR_FFT_TYPE(ending, real, lanes)                                                                     \
    typedef struct xr_complex##ending {                                                                      \
        lanes re, im;                                                                                        \
    } xr_complex##ending;                                                                                    \
    typedef struct xr_fft##ending {                                                                          \
        uint32_t n;                                                                                          \
        uint32_t factors[XR_FFT_FACTORS];                                                                    \
        uint32_t factor_count;                                                                               \
        const real *turns;                                                                                   \
        uint32_t apart;                                                                                      \
    } xr_fft##ending;                                                                                        \
    void xr_fft_turns##ending(real *turns, uint32_t n);                                                      \
    xr_fft##ending xr_fft_of##ending(const real *turns, uint32_t n, uint32_t apart);                         \
    xr_complex##ending *xr_fft_run##ending(const xr_fft##ending *fft, xr_complex##ending *x,                 \
                                           xr_complex##ending *other);

XR_FFT_TYPE(, float, xr_sound_lanes)
XR_FFT_TYPE(_double, double, xr_sound_doubles)

#endif
