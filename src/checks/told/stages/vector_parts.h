/* Values of which a part is told otherwise: those beyond a limit, or those at a few places. */
#ifndef XR_VECTOR_PARTS_H
#define XR_VECTOR_PARTS_H

#include "checks/told/stages/vector_story.h"

/* Tries them where both sides have as many values in each frame; false: neither explains all frames.  noise:
 * as in xr_vector_noise, the largest. */
bool xr_vector_in_part(const xr_stage_series *series, double noise, xr_vector_story *story);

#endif
