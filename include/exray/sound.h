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
} exray_mel;
#define EXRAY_MEL_INIT                                                                                       \
    {                                                                                                        \
        sizeof(exray_mel), 0, 0, 0, 0, EXRAY_MEL_HANN, EXRAY_MEL_FROM_START, EXRAY_MEL_PAD_DEFAULT, 0, 0, 0, \
            EXRAY_MEL_HTK, EXRAY_MEL_OF_HERTZ, 0, 0, EXRAY_MEL_LINEAR, 0                                     \
    }

/* Rows that `length` samples become, one for each window; 0 where they are too few, or an option is out of
 * its range.  Since 0.2.0. */
size_t exray_mel_rows(const exray_mel *how, size_t length);

/* Computes out[exray_mel_rows(how, length)][n_mels] of one channel at `rate`.  EXRAY_E_ARGUMENT: an option is
 * out of its range; EXRAY_E_MEMORY.  Since 0.2.0. */
exray_status exray_mel_run(const exray_mel *how, const float *samples, size_t length, float *out,
                           exray_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
