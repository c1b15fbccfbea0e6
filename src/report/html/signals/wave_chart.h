/* Sound as a waveform and as a spectrogram, each with its axes. */
#ifndef XR_WAVE_CHART_H
#define XR_WAVE_CHART_H

#include "report/html/signals/signal_read.h"

/* What a drawing is of: in ids ("edge"), in a sentence ("the edge's input"), as its caption ("What the edge
 * fed the model"). */
typedef struct xr_sound_owner {
    const char *id, *words, *label;
} xr_sound_owner;

/* Values from low to high, over seconds where the rate is known, else over samples. */
void xr_put_wave(xr_page *page, const xr_sound_owner *owner, const xr_signal *signal, double low, double high,
                 size_t number);

/* Whether a signal is long enough for a spectrogram. */
bool xr_has_spectrum(const xr_signal *signal);
/* Frequencies over time, 80 dB from black to white. */
void xr_put_spectrum(xr_page *page, const xr_sound_owner *owner, const xr_signal *signal, size_t number);

#endif
