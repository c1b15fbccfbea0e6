/* Features of TensorFlow Lite's integer front end, computed again from the sound in the log. */
#ifndef XR_FEATURE_FRONTEND_H
#define XR_FEATURE_FRONTEND_H

#include "checks/input/features/feature_sounds.h"

typedef struct xr_frontend_rendering {
    char options[256];     /* the reference's: "microfrontend {window_size: 30, ...}" */
    char differences[160]; /* the edge's for the reference's; "": only the level or the rate differs */
    double gain;           /* of the samples before the edge's front end; 1: none */
    bool raw;              /* the edge's are of the record's samples as they are, not resampled */
    double rate;           /* of the record, Hz */
    double rest[2];        /* by exray_side: the variance that is left, under a line */
    double rest_swapped;   /* that the reference's options leave of the edge's features */
} xr_frontend_rendering;

/* false: there is no sound in the log, or the front end makes neither side's features. */
bool xr_render_frontend(const xr_feature_frames *frames, xr_frontend_rendering *out);

#endif
