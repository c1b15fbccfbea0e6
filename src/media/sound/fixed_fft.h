/* The Fourier transform of real 16-bit samples in 16-bit integers, rounded as TensorFlow Lite's front end
 * rounds: halves are added before each shift, every pass first divides by its radix. */
#ifndef XR_FIXED_FFT_H
#define XR_FIXED_FFT_H

#include <stdbool.h>
#include <stdint.h>

typedef struct xr_fixed {
    int16_t re, im;
} xr_fixed;

typedef struct xr_fixed_fft {
    uint32_t n;        /* a power of two, 4 to 32768 */
    xr_fixed *turns;   /* [n / 2]: of the transform of half the length */
    xr_fixed *joins;   /* [n / 4]: of the step that joins even and odd samples */
    uint16_t *order;   /* [n / 2]: where the passes begin */
    xr_fixed *scratch; /* [n / 2] */
} xr_fixed_fft;

/* false: out of memory; free it in any case. */
bool xr_fixed_fft_make(xr_fixed_fft *fft, uint32_t n);
void xr_fixed_fft_free(xr_fixed_fft *fft);

/* samples[n] to bins[n / 2 + 1], divided by n. */
void xr_fixed_fft_run(const xr_fixed_fft *fft, const int16_t *samples, xr_fixed *bins);

#endif
