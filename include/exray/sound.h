/* Sounds, as sensor records have them: for assertions that look at what the microphone recorded.
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

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
