/* The first half of a resampler. */
#ifndef XR_BAND_LIMIT_H
#define XR_BAND_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

/* A low pass that also changes the rate by a power of two. */
typedef struct xr_band_limit {
    double pass, stop; /* as shares of half the input's rate */
    double attenuation;
    int octaves;   /* the output's rate is the input's times 2^octaves */
    size_t margin; /* samples of the output before the first input sample and behind the last */
} xr_band_limit;

/* The samples of xr_band_limit_run's output, both margins included. */
size_t xr_band_limit_length(const xr_band_limit *how, size_t length);
/* Of these, before the first input sample: at least the margin. */
size_t xr_band_limit_before(const xr_band_limit *how);
bool xr_band_limit_run(const xr_band_limit *how, const float *samples, size_t length, float *out);

#endif
