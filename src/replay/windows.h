/* A recording as several frames: windows of its sound, each with the sample that it begins at. */
#ifndef XR_WINDOWS_H
#define XR_WINDOWS_H

#include "replay/items.h"

typedef struct xr_windows {
    const xr_audio *audio; /* borrowed */
    exray_sound *sound;    /* NULL: there is no recording at hand */
    bool whole;            /* its samples are whole numbers of 16 bits */
    uint64_t at, count, length;
    uint64_t run_begin; /* the first sample of the windows without a gap that the last one is of */
    void *bytes;        /* of the last window, and what is around it */
    xr_sound_around around;
    char *source; /* and its FILE@SAMPLE */
} xr_windows;

bool xr_is_wav(const void *data, size_t size);

/* Takes a WAV file's sound; false where it is damaged or shorter than a window. */
bool xr_windows_open(xr_windows *windows, const xr_audio *audio, const void *data, size_t size,
                     exray_error *error);
void xr_windows_close(xr_windows *windows);

bool xr_windows_left(const xr_windows *windows);
/* Fills source, media, data and size, borrowed until the next call: samples as the file has them, s16 where
 * they are of 16 bits or fewer, else f32.  false: out of memory. */
bool xr_windows_next(xr_windows *windows, const char *name, xr_item *item, exray_error *error);

#endif
