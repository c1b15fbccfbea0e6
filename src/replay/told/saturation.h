/* An integer input that the pipeline's values do not fit into. */
#ifndef XR_SATURATION_H
#define XR_SATURATION_H

#include "replay/fill.h"

/* Warns of inputs whose picture is mostly the least or the most that their type holds, where the pipeline's
 * range is wider than the model's. */
void xr_saturation_warn(const xr_pipeline *pipeline, const xr_fills *fills, const xr_feeds *feeds,
                        void (*warn)(void *user, const char *text), void *user);

#endif
