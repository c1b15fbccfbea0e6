/* The two halves of a resampler, as exray_resampling_run joins them. */
#ifndef XR_RESAMPLE_H
#define XR_RESAMPLE_H

#include <exray/types.h>

enum { XR_RATIO_MOST = 256 };

/* I0(beta sqrt(1 - x * x)): a Kaiser window, not scaled; |x| <= 1. */
double xr_kaiser(double beta, double x);
/* The same of x * x; a little beyond 1, too. */
double xr_kaiser_squared(double beta, double squared);
/* The window's beta, and its length in samples for a transition of `width` radians a sample. */
double xr_kaiser_beta(double attenuation);
double xr_kaiser_length(double attenuation, double width);

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
