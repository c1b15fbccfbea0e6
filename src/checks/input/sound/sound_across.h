/* Sound of windows that are cut, or put together, at other places of the stream of all frames. */
#ifndef XR_SOUND_ACROSS_H
#define XR_SOUND_ACROSS_H

#include "checks/input/sound/sound_frames.h"

typedef struct xr_sound_across {
    /* Torn: each frame that differs begins with its own samples, and has those of another frame from one on
     * (or the other way round). */
    bool torn, own_first;
    long by;                  /* that frame: so many later; negative: before */
    size_t least_at, most_at; /* where they begin */
    /* Else: the edge's windows are so many samples apart, the reference's follow each other. */
    long hop, length;
    size_t supporting, differing;
} xr_sound_across;

/* By copies of samples alone; false: it is neither. */
bool xr_find_sound_across(const xr_sound_frames *frames, xr_sound_across *out);

#endif
