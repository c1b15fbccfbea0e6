/* Arithmetic on samples: spectra, resampling, a line through two series, linear equations. */
#ifndef XR_SOUND_MATH_H
#define XR_SOUND_MATH_H

#include <stdbool.h>
#include <stddef.h>

/* The least power of two that is at least n. */
size_t xr_power_of_two(size_t n);

/* The discrete Fourier transform in place, n a power of two; `inverse` without the factor 1 / n. */
void xr_fft(double *re, double *im, size_t n, bool inverse);

/* re[L mod n]: n times the sum of y[i] x[i + L]; n a power of two, at least y_count + x_count; im[n]: room.
 */
void xr_correlate(const float *y, size_t y_count, const float *x, size_t x_count, size_t n, double *re,
                  double *im);

/* How two series are best laid over each other: y[i] is x[i + shift]. */
typedef struct xr_lag {
    long shift;
    double share;     /* of y's energy that x, shifted and scaled, explains: 0..1 */
    double rival;     /* the same of the best shift that is not beside it */
    long rival_shift; /* that shift */
    double opposite;  /* of the best shift with the other sign of the correlation */
} xr_lag;

/* The shift at which `x` explains most of `y`; at most `most` in either direction.  false: out of memory, or
 * one of them is silent. */
bool xr_find_lag(const float *y, size_t y_count, const float *x, size_t x_count, size_t most, xr_lag *out);

/* y = gain x + offset, by least squares. */
typedef struct xr_line {
    double gain, offset;
    double rest;      /* the variance of y that it leaves, relative to y's: 0 is equal */
    double deviation; /* of x */
} xr_line;
xr_line xr_fit_line(const float *y, const float *x, size_t n);

/* Solves a x = b by Cholesky's method, x in the place of b; of a, whose rows are `stride` apart, the lower
 * triangle is read and overwritten.  false: a is not positive. */
bool xr_solve_positive(double *a, size_t stride, double *b, size_t n);

/* Of the lower band, what a change of rate keeps. */
#define XR_KEPT_BAND 0.95

/* Samples at `ratio` times the rate, through a windowed sinc.  Makes up to
 * `most` of them; how many were made (0: out of memory). */
size_t xr_change_rate(const float *x, size_t n, double ratio, float *out, size_t most);

/* x without what is above that share of its band, by the same sinc. */
bool xr_low_pass(const float *x, size_t n, double share, float *out);

/* x between its samples: out[i] = x[i + fraction], 0 < fraction < 1, in the same way. */
bool xr_shift_by_fraction(const float *x, size_t n, double fraction, float *out);

/* The mean of interleaved channels; NULL: out of memory. */
float *xr_mean_of_channels(const float *samples, size_t length, size_t channels);

/* Usual rates in Hz, ending with 0. */
extern const double xr_usual_rates[];

#endif
