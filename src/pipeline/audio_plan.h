/* The key `audio` of a pipeline file, parsed, and the windows that it makes of a recording. */
#ifndef XR_AUDIO_PLAN_H
#define XR_AUDIO_PLAN_H

#include <exray/sound.h>

typedef enum xr_audio_channels {
    XR_AUDIO_MONO,
    XR_AUDIO_LEFT,
    XR_AUDIO_RIGHT,
    XR_AUDIO_FIRST
} xr_audio_channels;

typedef enum xr_audio_features { XR_AUDIO_SAMPLES, XR_AUDIO_MEL, XR_AUDIO_MICROFRONTEND } xr_audio_features;

typedef struct xr_audio {
    bool given;
    unsigned line;
    uint32_t rate; /* Hz; 0: the sound's */
    exray_resampler resampler;
    xr_audio_channels channels;
    uint32_t first;       /* FIRST: how many */
    double scale;         /* what 1.0 becomes */
    bool rounded;         /* int16: whole numbers, clipped */
    uint64_t window, hop; /* samples of a frame at `rate`; 0: the whole sound */
    xr_audio_features features;
    unsigned features_line, window_line;
    exray_mel mel;
    exray_microfrontend_options microfrontend;
} xr_audio;

/* The windows of a recording, in samples of its own rate: how long they are, where window `i` begins, and how
 * many lie within `length` (none named: one, the whole). */
uint64_t xr_audio_window_length(const xr_audio *audio, uint32_t sound_rate, uint64_t length);
uint64_t xr_audio_window_begin(const xr_audio *audio, uint32_t sound_rate, uint64_t i);
uint64_t xr_audio_window_count(const xr_audio *audio, uint32_t sound_rate, uint64_t length);

/* How many samples of a recording, on either side of a frame, count where the frame is resampled as a part of
 * it; 0: none do. */
uint64_t xr_audio_reach(const xr_audio *audio, uint32_t sound_rate);

/* Where a frame that begins at sample `begin` of a recording lies in what the recording becomes at the other
 * rate. */
typedef struct xr_audio_part {
    uint64_t before; /* samples of the recording in front of the frame, which are resampled with it */
    uint64_t first;  /* of what these and the frame become: the frame's first sample */
} xr_audio_part;

xr_audio_part xr_audio_part_at(const xr_audio *audio, uint32_t sound_rate, uint64_t begin);

/* Whether windows follow each other without a row of the integer front end twice or missing, as on a device
 * that hears a stream: its estimate of the noise goes on from window to window. */
bool xr_audio_goes_on(const xr_audio *audio);

#endif
