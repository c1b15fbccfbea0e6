#include "report/html/drawing/spectrum.h"

#include <math.h>

#define PI     3.14159265358979323846
#define SILENT 1e-12 /* power below which there is nothing: -120 dB */

/* In place, of a power of two. */
static void transform(double *re, double *im, size_t n)
{
    for (size_t i = 1, j = 0; i < n; i++) {
        size_t bit = n >> 1;
        for (; j & bit; bit >>= 1)
            j ^= bit;
        j ^= bit;
        if (i < j) {
            double t = re[i];
            re[i] = re[j], re[j] = t;
            t = im[i];
            im[i] = im[j], im[j] = t;
        }
    }
    for (size_t half = 1; half < n; half *= 2)
        for (size_t k = 0; k < half; k++) {
            double wr = cos(PI * (double)k / (double)half), wi = -sin(PI * (double)k / (double)half);
            for (size_t i = k; i < n; i += 2 * half) {
                size_t o = i + half;
                double tr = wr * re[o] - wi * im[o], ti = wr * im[o] + wi * re[o];
                re[o] = re[i] - tr, im[o] = im[i] - ti;
                re[i] += tr, im[i] += ti;
            }
        }
}

void xr_spectrogram(const float *values, size_t count, size_t columns, float *out)
{
    double re[XR_SPECTRUM_WINDOW], im[XR_SPECTRUM_WINDOW];
    for (size_t column = 0; column < columns; column++) {
        size_t start = columns > 1 ? (count - XR_SPECTRUM_WINDOW) * column / (columns - 1) : 0;
        for (size_t i = 0; i < XR_SPECTRUM_WINDOW; i++) {
            double hann = 0.5 - 0.5 * cos(2 * PI * (double)i / XR_SPECTRUM_WINDOW),
                   v = (double)values[start + i];
            re[i] = isfinite(v) ? hann * v : 0;
            im[i] = 0;
        }
        transform(re, im, XR_SPECTRUM_WINDOW);
        for (size_t band = 0; band < XR_SPECTRUM_BANDS; band++) {
            double power = (re[band] * re[band] + im[band] * im[band]) / XR_SPECTRUM_WINDOW;
            out[(XR_SPECTRUM_BANDS - 1 - band) * columns + column] = (float)(10 * log10(power + SILENT));
        }
    }
}
