/* What a log has of a recording around one of its windows. */
#ifndef XR_SOUND_JOINED_H
#define XR_SOUND_JOINED_H

#include "pipeline/audio.h"

#include <exray/recorder.h>

/* A window: its sound and its source. */
typedef struct xr_sound_window {
    const char *source; /* FILE@SAMPLE; else it is part of nothing */
    bool resets;        /* something began anew with it */
    exray_media media;
    const void *data;
    size_t size;
} xr_sound_window;

/* Windows that follow one another, as samples of one recording. */
typedef struct xr_sound_joined {
    char file[512];
    uint32_t rate, channels;
    bool floats;
    uint64_t window; /* where the newest window begins */
    uint64_t begin;  /* where the samples do */
    uint8_t *bytes;
    size_t size, room, each; /* bytes; of a sample of all channels */
} xr_sound_joined;

void xr_sound_joined_free(xr_sound_joined *joined);

/* Forgets everything and takes this window.  false: it is part of no recording, or there is no memory. */
bool xr_sound_joined_begin(xr_sound_joined *joined, const xr_sound_window *window);
/* Takes one more, where it goes on from what there is: of the same recording, later, without a gap, equal
 * where the two overlap.  false: it does not. */
bool xr_sound_joined_add(xr_sound_joined *joined, const xr_sound_window *window);
/* Forgets what lies before this sample. */
void xr_sound_joined_cut(xr_sound_joined *joined, uint64_t sample);
/* The first sample that is not there any more. */
uint64_t xr_sound_joined_end(const xr_sound_joined *joined);

#endif
