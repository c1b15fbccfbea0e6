/* How the edge's values of a stage (an embedding, key points, a regression) follow from the reference's. */
#ifndef XR_VECTOR_SEARCH_H
#define XR_VECTOR_SEARCH_H

#include "checks/told/stages/vector_story.h"

/* noise: how large such an error is where kernels are others.  False: out of memory; free in any case. */
bool xr_vector_search(const xr_stage_series *series, double noise, xr_vector_story *out);
void xr_vector_story_free(xr_vector_story *story);

/* The error of a against b, as above; INFINITY where they are not as many. */
double xr_vector_error(const xr_stage_values *a, const xr_stage_values *b);

/* What of it is noise in that frame. */
double xr_vector_noise(const xr_stage_frame *frame, double noise);

#endif
