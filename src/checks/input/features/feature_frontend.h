/* Features of TensorFlow Lite's integer front end, computed again from the sound in the log. */
#ifndef XR_FEATURE_FRONTEND_H
#define XR_FEATURE_FRONTEND_H

#include "checks/input/features/feature_heard.h"

typedef struct xr_frontend_rendering {
    char options[320];     /* the reference's: "microfrontend {window_size: 30, ...}" */
    char differences[320]; /* the edge's for the reference's; "": only what it hears is another */
    xr_heard heard;        /* what the edge's front end hears */
    char words[128];       /* likewise */
    double rest[2];        /* by exray_side: the variance that is left, under a line */
    double rest_swapped;   /* that the reference's options leave of the edge's features */
} xr_frontend_rendering;

/* false: there is no sound in the log, or the front end makes neither side's features. */
bool xr_render_frontend(const xr_feature_frames *frames, xr_frontend_rendering *out);

/* What noise of the sound makes of the reference's features; false: the front end does not make them. */
bool xr_frontend_noise(const xr_feature_frames *frames, xr_feature_noise *out);

#endif
