/* Short-time spectra of a signal, for a picture. */
#ifndef XR_REPORT_SPECTRUM_H
#define XR_REPORT_SPECTRUM_H

#include <stdbool.h>
#include <stddef.h>

enum { XR_SPECTRUM_WINDOW = 256, XR_SPECTRUM_BANDS = XR_SPECTRUM_WINDOW / 2 };

/* Powers in dB of `columns` windows (Hann) evenly taken from `count` values (at least
 * XR_SPECTRUM_WINDOW of them): out[band * columns + column], band 0 the highest frequency.
 * Values that are not finite count as 0. */
void xr_spectrogram(const float *values, size_t count, size_t columns, float *out);

#endif
