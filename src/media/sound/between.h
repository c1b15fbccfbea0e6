/* The second half of a resampler. */
#ifndef XR_BETWEEN_H
#define XR_BETWEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Reads `count` samples at the times i * step / rate, in samples, of a signal whose spectrum ends at `band`
 * (a share of half its rate, below 1).  flat: up to there; else it falls by 0.01 dB up to `pass`, with fewer
 * taps, which is what soxr does. */
typedef struct xr_between {
    double pass, band, attenuation;
    uint64_t step, rate;
    bool flat;
} xr_between;

/* Samples that are needed on both sides of a time. */
size_t xr_between_half(const xr_between *how);
/* samples[-half] and as many behind the last time are there; false: out of memory. */
bool xr_between_run(const xr_between *how, const float *samples, float *out, size_t count);

#endif
