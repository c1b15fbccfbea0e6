/* Buffers that were lost, repeated, silenced or exchanged: one side's samples in pieces of the other's. */
#ifndef XR_SOUND_PIECES_H
#define XR_SOUND_PIECES_H

#include "checks/input/sound/sound_frames.h"

typedef struct xr_sound_pieces {
    size_t frames;                 /* that were taken apart */
    size_t lost, repeated, zeroed; /* places, in all of them */
    size_t least[3], most[3];      /* samples at such a place: lost, repeated, zeroed */
    size_t unfilled;               /* frames that are zero to their end, and right before */
    size_t spacing;                /* samples from one to the next, where it is even; 0: it is not */
    double gain;
} xr_sound_pieces;

/* Takes all frames that differ apart: the edge's in pieces of the reference's.  false: some cannot be. */
bool xr_find_sound_pieces(const xr_sound_frames *frames, xr_sound_pieces *out);

#endif
