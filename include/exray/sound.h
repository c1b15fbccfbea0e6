/* Sounds, as sensor records have them, and what pipelines make of them (docs/pipeline.md): for assertions
 * that look at what the microphone recorded as a pre-processing would have made it.
 *
 * A sound does not change after it was made.  Threads: any number may use one. */
#ifndef EXRAY_SOUND_H
#define EXRAY_SOUND_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* A decoded sound.  Since 0.1.0. */
typedef struct exray_sound exray_sound;

/* Decodes a sensor record of the format wav (RIFF WAVE: PCM of 8, 16, 24 or 32 bits, IEEE float of 32 or
 * 64), s16 or f32 (little-endian, channels interleaved).  `media` may be NULL: then it must be wav.  A file
 * that is cut short is read as far as it goes.  The bytes are borrowed during the call; the caller frees the
 * sound with exray_sound_free.  NULL on failure, with `error` filled: EXRAY_E_FORMAT (damaged, or not a
 * sound), EXRAY_E_UNSUPPORTED (a coding that is not supported), EXRAY_E_LIMIT (too long), EXRAY_E_ARGUMENT,
 * EXRAY_E_MEMORY.  Since 0.1.0. */
exray_sound *exray_sound_decode(const exray_media *media, const void *data, size_t size, exray_error *error);

/* Frees it.  NULL is allowed.  Since 0.1.0. */
void exray_sound_free(exray_sound *sound);

/* The sample rate in Hz; 0: the record does not say.  Since 0.1.0. */
uint32_t exray_sound_rate(const exray_sound *sound);

/* At least 1.  Since 0.1.0. */
uint32_t exray_sound_channels(const exray_sound *sound);

/* Samples of each channel.  Since 0.1.0. */
size_t exray_sound_length(const exray_sound *sound);

/* [length][channels]; full scale is -1 to 1 (floats as they are in the record); valid until the sound is
 * freed.  Since 0.1.0. */
const float *exray_sound_samples(const exray_sound *sound);

/* ---- Another rate ---- */

/* How samples of another rate are made.  Since 0.2.0. */
typedef enum exray_resampler {
    EXRAY_RESAMPLER_SINC = 0,   /* a windowed sinc: a low pass and nothing else */
    EXRAY_RESAMPLER_LINEAR = 1, /* a line between neighbors, without a low pass */
    EXRAY_RESAMPLER_HOLD = 2,   /* the sample at that time or before it, without a low pass */
} exray_resampler;

/* A resampler, by its parameters; those of the sinc are those of soxr's "HQ".  Since 0.2.0. */
typedef struct exray_resampling {
    uint32_t size;
    exray_resampler kind;
    float passband;    /* kept whole up to here, as a share of half the lower rate; 0: 0.91374 */
    float stopband;    /* gone from here on, above `passband`, at most 1.5; 0: 1 */
    float attenuation; /* of the stopband, in dB, 20 to 160; 0: 127 */
} exray_resampling;
#define EXRAY_RESAMPLING_INIT                                                                                \
    {                                                                                                        \
        sizeof(exray_resampling), EXRAY_RESAMPLER_SINC, 0, 0, 0                                              \
    }

/* Samples that `length` samples of the rate `from` become at the rate `to`, rounded; 0 where a rate is 0 or
 * the number is too large.  Since 0.2.0. */
size_t exray_resampling_length(size_t length, uint32_t from, uint32_t to);

/* Resamples one channel; `how` may be NULL: the defaults.  Before its first and behind its last sample it is
 * silent; sample 0 stays at the same time.  out[exray_resampling_length(length, from, to)], apart from
 * `samples`; equal rates copy.  EXRAY_E_ARGUMENT: a parameter is out of its range; EXRAY_E_LIMIT: one rate is
 * more than 256 times the other; EXRAY_E_MEMORY.  Since 0.2.0. */
exray_status exray_resampling_run(const exray_resampling *how, const float *samples, size_t length,
                                  uint32_t from, uint32_t to, float *out, exray_error *error);

/* ---- Mel spectrograms ---- */

/* Since 0.2.0. */
typedef enum exray_mel_window {
    EXRAY_MEL_HANN = 0,           /* periodic, as librosa and tf.signal have it */
    EXRAY_MEL_HANN_SYMMETRIC = 1, /* numpy.hanning */
    EXRAY_MEL_HAMMING = 2,        /* periodic */
    EXRAY_MEL_BLACKMAN = 3,       /* periodic */
    EXRAY_MEL_RECTANGULAR = 4,
    EXRAY_MEL_POVEY = 5,             /* Kaldi's: the symmetric Hann to the power 0.85 */
    EXRAY_MEL_HAMMING_SYMMETRIC = 6, /* Kaldi's `hamming` */
} exray_mel_window;

/* Where windows lie.  Since 0.2.0. */
typedef enum exray_mel_center {
    EXRAY_MEL_FROM_START = 0,     /* the first begins at sample 0; none reaches beyond the sound */
    EXRAY_MEL_CENTER_ZEROS = 1,   /* window i has its middle at i * hop_length; around the sound is silence */
    EXRAY_MEL_CENTER_REFLECT = 2, /* the same; around the sound is its mirror image */
} exray_mel_center;

/* Where a window lies among n_fft samples, if it is shorter.  Since 0.2.0. */
typedef enum exray_mel_pad {
    EXRAY_MEL_PAD_DEFAULT = 0, /* MIDDLE with a center, else END */
    EXRAY_MEL_PAD_MIDDLE = 1,  /* in the middle: librosa, torch.stft */
    EXRAY_MEL_PAD_END = 2,     /* first, zeros behind it: tf.signal, Kaldi */
} exray_mel_pad;

/* Since 0.2.0. */
typedef enum exray_mel_scale {
    EXRAY_MEL_HTK = 0,    /* 2595 log10(1 + f / 700) */
    EXRAY_MEL_SLANEY = 1, /* straight up to 1000 Hz, logarithmic above */
} exray_mel_scale;

/* In which unit the triangles have straight sides.  Since 0.2.0. */
typedef enum exray_mel_triangles {
    EXRAY_MEL_OF_HERTZ = 0, /* librosa, torchaudio */
    EXRAY_MEL_OF_MEL = 1,   /* tf.signal, Kaldi */
} exray_mel_triangles;

/* Since 0.2.0. */
typedef enum exray_mel_log {
    EXRAY_MEL_LINEAR = 0,
    EXRAY_MEL_NATURAL = 1,
    EXRAY_MEL_LOG10 = 2,
    EXRAY_MEL_DB = 3, /* 10 log10 of a power, 20 log10 of an amplitude */
} exray_mel_log;

/* A mel spectrogram, by the options of a pipeline file's `mel` (docs/pipeline.md).  Since 0.2.0. */
typedef struct exray_mel {
    uint32_t size;
    uint32_t rate;       /* Hz; 0: 16000 */
    uint32_t n_fft;      /* at most 32768; 0: 512 */
    uint32_t win_length; /* at most n_fft; 0: n_fft */
    uint32_t hop_length; /* 0: win_length / 4 */
    exray_mel_window window;
    exray_mel_center center;
    exray_mel_pad pad;
    uint32_t n_mels;  /* at most 1024; 0: 40 */
    float fmin, fmax; /* Hz; fmax 0: rate / 2 */
    exray_mel_scale scale;
    exray_mel_triangles triangles;
    uint32_t slaney_norm; /* 1: each triangle has the area 1; 0: the height 1 */
    uint32_t power;       /* 1: of amplitudes, 2: of powers; 0: 2 */
    exray_mel_log log;
    float offset; /* added before the logarithm, which takes what is below 1e-10 (amplitudes in dB: 1e-5) for
                     that */
    float top_db; /* values further below the greatest of all rows than this are raised to that; 0: none is */
    uint32_t remove_dc_offset; /* 1: the mean of each window's samples is taken off (Kaldi) */
    float pre_emphasis;        /* this part of the sample before, too, within each window (Kaldi: 0.97) */
    float floor;               /* what the logarithm takes for less than that; 0: as at `offset` */
} exray_mel;
#define EXRAY_MEL_INIT                                                                                       \
    {                                                                                                        \
        sizeof(exray_mel), 0, 0, 0, 0, EXRAY_MEL_HANN, EXRAY_MEL_FROM_START, EXRAY_MEL_PAD_DEFAULT, 0, 0, 0, \
            EXRAY_MEL_HTK, EXRAY_MEL_OF_HERTZ, 0, 0, EXRAY_MEL_LINEAR, 0, 0, 0, 0, 0                         \
    }

/* Rows that `length` samples become, one for each window; 0 where they are too few, or an option is out of
 * its range.  Since 0.2.0. */
size_t exray_mel_rows(const exray_mel *how, size_t length);

/* Computes out[exray_mel_rows(how, length)][n_mels] of one channel at `rate`.  EXRAY_E_ARGUMENT: an option is
 * out of its range; EXRAY_E_MEMORY.  Since 0.2.0. */
exray_status exray_mel_run(const exray_mel *how, const float *samples, size_t length, float *out,
                           exray_error *error);

/* ---- The integer front end of TensorFlow Lite ---- */

/* How a front end's tables are computed, on which the last bit of some values depends.  Since 0.2.0. */
typedef enum exray_microfrontend_tables {
    EXRAY_MICROFRONTEND_AUTO = 0,       /* TFLM where window_step is 20 ms, else FLOATS */
    EXRAY_MICROFRONTEND_TENSORFLOW = 1, /* as TensorFlow's op: in doubles, rounded */
    EXRAY_MICROFRONTEND_TFLM = 2,   /* as TensorFlow Lite Micro's audio_preprocessor: weights are truncated */
    EXRAY_MICROFRONTEND_FLOATS = 3, /* as microWakeWord and pymicro-features: in floats, rounded */
} exray_microfrontend_tables;

/* The options of TensorFlow's op audio_microfrontend, by its names and with its defaults; a number below zero
 * stands for zero where zero is not the default.  Since 0.2.0. */
typedef struct exray_microfrontend_options {
    uint32_t size;
    uint32_t sample_rate;                     /* Hz; 0: 16000 */
    uint32_t window_size;                     /* ms; 0: 25 */
    uint32_t window_step;                     /* ms; 0: 10 */
    uint32_t num_channels;                    /* at most 512; 0: 32 */
    float upper_band_limit, lower_band_limit; /* Hz; 0: 7500, 125 */
    uint32_t smoothing_bits;                  /* 0: 10 */
    float even_smoothing, odd_smoothing;      /* 0 to 1; 0: 0.025, 0.06 */
    float min_signal_remaining;               /* 0 to 1; 0: 0.05 */
    uint32_t enable_pcan;                     /* 1: yes */
    float pcan_strength, pcan_offset;         /* 0: 0.95, 80 */
    uint32_t gain_bits;                       /* 0: 21 */
    uint32_t disable_log;                     /* 1: enable_log is false */
    uint32_t scale_shift;                     /* 0: 6 */
    uint32_t left_context, right_context; /* rows before and behind that each row has beside it; at most 64 */
    uint32_t frame_stride;                /* 0: 1 */
    uint32_t zero_padding; /* 1: rows that there are not are zeros; 0: copies of the outermost */
    uint32_t out_scale;    /* what values are divided by; 0: 1 */
    exray_microfrontend_tables tables;
} exray_microfrontend_options;
#define EXRAY_MICROFRONTEND_OPTIONS_INIT                                                                     \
    {                                                                                                        \
        sizeof(exray_microfrontend_options), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,  \
            EXRAY_MICROFRONTEND_AUTO                                                                         \
    }

/* Those of TensorFlow Lite Micro's micro_speech and of microWakeWord, but for `window_step`, which is 20 and
 * 10 there: 30 ms, 40 channels, PCAN.  Since 0.2.0. */
#define EXRAY_MICROFRONTEND_OPTIONS_TFLM                                                                     \
    {                                                                                                        \
        sizeof(exray_microfrontend_options), 16000, 30, 0, 40, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0,  \
            0, 0, EXRAY_MICROFRONTEND_AUTO                                                                   \
    }

/* Rows that `length` samples become, and numbers in a row; 0 where they are too few, or an option is out of
 * its range.  Since 0.2.0. */
size_t exray_microfrontend_rows(const exray_microfrontend_options *options, size_t length);
size_t exray_microfrontend_columns(const exray_microfrontend_options *options);

/* Computes out[rows][columns] of 16-bit samples in integers, equal in every bit to those that
 * `tables` names.   * EXRAY_E_ARGUMENT: an option is out of its range; EXRAY_E_MEMORY.  Since 0.2.0. */
exray_status exray_microfrontend_run(const exray_microfrontend_options *options, const int16_t *samples,
                                     size_t length, uint16_t *out, exray_error *error);

/* What int8 models of TensorFlow Lite Micro are given of a value: (raw * 256 + 333) / 666 - 128, clipped.
 * Since 0.2.0. */
int8_t exray_microfrontend_int8(uint16_t raw);

/* A front end on a stream: it keeps the samples that the next window begins with, and its estimate of the
 * noise. `left_context` to `out_scale` do not matter.  Threads: one at a time.  Since 0.2.0. */
typedef struct exray_microfrontend exray_microfrontend;

/* NULL on failure, with `error` filled.  Free it with exray_microfrontend_free, which allows NULL.  Since
 * 0.2.0. */
exray_microfrontend *exray_microfrontend_new(const exray_microfrontend_options *options, exray_error *error);
void exray_microfrontend_free(exray_microfrontend *frontend);

/* Takes samples until a row is complete; returns how many.  *made: whether it is, in row[num_channels].  Call
 * it again with the rest.  Since 0.2.0. */
size_t exray_microfrontend_feed(exray_microfrontend *frontend, const int16_t *samples, size_t count,
                                uint16_t *row, bool *made);

/* As it was when it was new.  Since 0.2.0. */
void exray_microfrontend_reset(exray_microfrontend *frontend);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
