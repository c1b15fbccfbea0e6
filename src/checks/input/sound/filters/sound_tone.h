/* Whether one side's samples are the other's and a tone, or a hum: a tone and its multiples. */
#ifndef XR_SOUND_TONE_H
#define XR_SOUND_TONE_H

#include "checks/input/sound/sound_relation.h"

enum { XR_TONE_MULTIPLES = 8 };

typedef struct xr_sound_tone {
    double turns;     /* of the tone, a sample */
    size_t multiples; /* 1: a tone alone */
    double level;     /* its energy over that of the reference's samples */
    double rest;      /* the variance that is left; and without the tone */
    double before;
} xr_sound_tone;

/* Of segments that were brought together without a shift; allowed: the variance that noise leaves. */
bool xr_find_sound_tone(const xr_sound_segment *segments, size_t count, double allowed, xr_sound_tone *out);

#endif
