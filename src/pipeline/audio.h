/* From a sensor's sound to a model's input. */
#ifndef XR_AUDIO_H
#define XR_AUDIO_H

#include "pipeline/steps.h"

/* What a recording has around a frame of it, in bytes like the frame's own.  Its resampler hears it. */
typedef struct xr_sound_around {
    uint64_t begin; /* the frame's first sample in the recording */
    const void *before, *behind;
    size_t before_size, behind_size; /* as much as there is, up to xr_audio_reach */
} xr_sound_around;

/* Bytes of a sample of all channels; 0: the sound is a file's, which says so itself. */
size_t xr_sound_sample_size(const exray_media *media);

/* Makes a model's input of a sound (a sensor record of wav, s16 or f32): fills shape [info->rank], and writes
 * to the memory that `room` returns for so many bytes (NULL: no memory).  EXRAY_E_UNSUPPORTED: the pipeline
 * fits the model with no sound; other errors are this sound's.
 * around: NULL: the sound is a whole one.
 * noise[XR_MICROFRONTEND_CHANNELS], or NULL: the integer front end's estimate, which goes on
 * (xr_audio_goes_on). */
exray_status xr_pipeline_make_audio(const xr_pipeline *pipeline, const exray_media *media, const void *data,
                                    size_t size, const xr_sound_around *around, uint32_t *noise,
                                    const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK],
                                    void *(*room)(void *user, size_t size), void *user, exray_error *error);

#endif
