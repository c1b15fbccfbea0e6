/* What the bits of samples make of them: 16 that wrap around, or fewer than the other side has. */
#ifndef XR_SOUND_WRAP_H
#define XR_SOUND_WRAP_H

#include "checks/input/sound/sound_values.h"

/* Whether y is x times a gain, modulo the range of 16 bits: sets WRAPPED. */
bool xr_judge_sound_wrapping(const xr_sound_segment *segments, size_t count, xr_sound_values *out);

/* Fewer bits: one side's samples lie `step` apart, the other's between them, none farther than a step. */
typedef struct xr_sound_steps {
    int coarse; /* exray_side */
    double step;
    double rest; /* the variance that the rounding is, relative to the signal's */
} xr_sound_steps;
bool xr_find_sound_steps(const xr_sound_frames *frames, xr_sound_steps *out);

#endif
