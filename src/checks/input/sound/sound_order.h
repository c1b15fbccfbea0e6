/* Samples of another frame. */
#ifndef XR_SOUND_ORDER_H
#define XR_SOUND_ORDER_H

#include "checks/input/sound/sound_frames.h"

typedef struct xr_sound_order {
    long by;           /* the edge has the reference's frame i + by; 0: no one number */
    size_t supporting; /* frames that are another one */
    size_t differing;
} xr_sound_order;

/* Whether the edge's frames are the reference's of another place. */
bool xr_find_sound_order(const xr_sound_frames *frames, xr_sound_order *out);

#endif
