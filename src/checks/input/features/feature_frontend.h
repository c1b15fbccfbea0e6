/* Features of TensorFlow Lite's integer front end, computed again from the sound in the log. */
#ifndef XR_FEATURE_FRONTEND_H
#define XR_FEATURE_FRONTEND_H

#include "checks/input/features/feature_rendering.h"

/* Searches its options; false: there is no sound in the log, or the front end makes neither side's features.
 * Of the options those of the reference are filled in alone. */
bool xr_render_frontend(const xr_feature_frames *frames, xr_feature_rendering *out);

/* What noise of the sound makes of the reference's features; false: the front end does not make them. */
bool xr_frontend_noise(const xr_feature_frames *frames, xr_feature_noise *out);

#endif
