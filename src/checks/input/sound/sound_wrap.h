/* A gain behind which 16-bit samples wrap around. */
#ifndef XR_SOUND_WRAP_H
#define XR_SOUND_WRAP_H

#include "checks/input/sound/sound_values.h"

/* Whether y is x times a gain, modulo the range of 16 bits: sets WRAPPED. */
bool xr_judge_sound_wrapping(const xr_sound_segment *segments, size_t count, xr_sound_values *out);

#endif
