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

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
