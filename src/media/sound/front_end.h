/* The parts of the integer front end, in their order: channels of a spectrum, noise, gain, logarithm. */
#ifndef XR_FRONT_END_H
#define XR_FRONT_END_H

#include <exray/sound.h>

/* Copies the options with their defaults filled in and numbers below zero made zero; false where one is out
 * of its range, with `error` filled. */
bool xr_front_end_options(exray_microfrontend_options *o, const exray_microfrontend_options *from,
                          exray_error *error);

enum { XR_CHANNEL_BITS = 12 };

/* Neighboring channels share each bin: one has its weight, the one before it the rest. */
typedef struct xr_mel_channels {
    uint32_t count;         /* num_channels + 1: the first has no rising side */
    uint32_t *first;        /* [count + 1]: bins first[c] to first[c + 1] - 1 */
    int16_t *weight, *rest; /* of bin first[0] + i */
} xr_mel_channels;

/* bins: of the spectrum, fft_size / 2 + 1.  EXRAY_E_ARGUMENT where a channel would lie beyond them. */
exray_status xr_channels_make(xr_mel_channels *c, const exray_microfrontend_options *o, uint32_t bins,
                              exray_error *error);
void xr_channels_free(xr_mel_channels *c);
/* energy: of bin first[0] + i.  out[count - 1]: amplitudes, shifted down. */
void xr_channels_sum(const xr_mel_channels *c, const uint32_t *energy, unsigned shift, uint32_t *out);

/* Subtracts the noise, whose estimate [num_channels] it brings up to date. */
void xr_noise_subtract(const exray_microfrontend_options *o, uint32_t *estimate, uint32_t *signal);

/* A gain as a function of the noise: a parabola in each octave. */
typedef struct xr_gain {
    int16_t at[2];         /* of 0 and 1 */
    int16_t octave[33][3]; /* from 2 on: value, slope, bend */
    unsigned shift;
} xr_gain;

/* bits: fractional ones of amplitudes. */
exray_status xr_gain_make(xr_gain *gain, const exray_microfrontend_options *o, int bits, exray_error *error);
void xr_gain_apply(const xr_gain *gain, const uint32_t *noise, uint32_t *signal, uint32_t count);

/* The logarithm's corrections, and a value's logarithm times 2^scale_shift. */
typedef struct xr_log_table {
    uint16_t correction[130];
} xr_log_table;
void xr_log_table_make(xr_log_table *table);
uint16_t xr_log_scaled(const xr_log_table *table, const exray_microfrontend_options *o, uint32_t value,
                       int bits);

/* Bits up to the highest one; 0 for 0. */
unsigned xr_bits_of(uint32_t value);

#endif
