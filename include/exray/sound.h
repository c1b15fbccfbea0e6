/* Sounds as a sensor record has them: what an assertion needs to hear what the microphone
 * heard.
 *
 * A sound is immutable; any number of threads may use one.  Functions return NULL with
 * `error` filled: EXRAY_E_FORMAT (damaged, or no sound), EXRAY_E_UNSUPPORTED (a coding
 * that is not read), EXRAY_E_LIMIT (too long), EXRAY_E_ARGUMENT, EXRAY_E_MEMORY. */
#ifndef EXRAY_SOUND_H
#define EXRAY_SOUND_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

typedef struct exray_sound exray_sound;

/* Decodes a sensor record of the format wav (RIFF WAVE: PCM of 8, 16, 24 or 32 bits, IEEE
 * float of 32 or 64), s16 or f32 (little-endian, channels interleaved).  `media` may be
 * NULL: then it must be wav.  A file that is cut short is read as far as it goes. */
exray_sound *exray_sound_decode(const exray_media *media, const void *data, size_t size, exray_error *error);
/* NULL is allowed. */
void exray_sound_free(exray_sound *sound);

/* Hz; 0: the record does not say. */
uint32_t exray_sound_rate(const exray_sound *sound);
uint32_t exray_sound_channels(const exray_sound *sound); /* at least 1 */
/* Points in time; each has a sample of every channel. */
size_t exray_sound_length(const exray_sound *sound);
/* [length][channels], full scale is -1 to 1 (floats as they stand); lives as long as the
 * sound. */
const float *exray_sound_samples(const exray_sound *sound);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
