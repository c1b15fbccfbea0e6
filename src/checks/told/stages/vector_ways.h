/* Further ways in which values are told otherwise: points exchanged, functions of the values, frames mixed.
 */
#ifndef XR_VECTOR_WAYS_H
#define XR_VECTOR_WAYS_H

#include "checks/told/stages/vector_story.h"

/* Tries them where both sides have as many values in each frame; false: none explains all frames.  noise: as
 * in xr_vector_noise, the largest. */
bool xr_vector_other_ways(const xr_stage_series *series, double noise, xr_vector_story *story);

/* Whether each frame has a gain and an offset of its own, as by the least and the most of its values. */
bool xr_vector_in_frames(const xr_stage_series *series, double noise, xr_vector_story *story);

#endif
