/* Values told at the place of another one, by a period apart, or of several frames: what one value shows over
 * all frames. */
#ifndef XR_VECTOR_PLACES_H
#define XR_VECTOR_PLACES_H

#include "checks/told/stages/vector_story.h"

/* Each tries its ways where both sides have as many values in each frame; false: none explains all frames.
 * noise: as in xr_vector_noise, the largest. */
bool xr_vector_moved(const xr_stage_series *series, double noise, xr_vector_story *story);
bool xr_vector_wrapped(const xr_stage_series *series, double noise, xr_vector_story *story);
bool xr_vector_in_window(const xr_stage_series *series, double noise, xr_vector_story *story);

#endif
