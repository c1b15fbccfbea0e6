#include "report/html/drawing/spectrum.h"

#include "checks/input/sound/sound_math.h"

#include <math.h>

#define PI     3.14159265358979323846
#define SILENT 1e-12 /* power below which there is nothing: -120 dB */

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
        xr_fft(re, im, XR_SPECTRUM_WINDOW, false);
        for (size_t band = 0; band < XR_SPECTRUM_BANDS; band++) {
            double power = (re[band] * re[band] + im[band] * im[band]) / XR_SPECTRUM_WINDOW;
            out[(XR_SPECTRUM_BANDS - 1 - band) * columns + column] = (float)(10 * log10(power + SILENT));
        }
    }
}
