/* The options of a mel spectrogram, checked, and the triangles that follow from them. */
#ifndef XR_MEL_BANDS_H
#define XR_MEL_BANDS_H

#include <exray/sound.h>

/* A row of the weights without its zeros. */
typedef struct xr_mel_band {
    uint32_t first, count; /* bins */
    double *weights;
} xr_mel_band;

/* Copies the options with their defaults filled in; false where one is out of its range, with `error` filled.
 */
bool xr_mel_options(exray_mel *options, const exray_mel *how, exray_error *error);

/* n_mels bands of the bins 0 to n_fft / 2.  NULL: out of memory.  One block: free it with free. */
xr_mel_band *xr_mel_bands(const exray_mel *options);

#endif
