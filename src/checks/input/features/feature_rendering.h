/* The features computed again from the sound in the log: with which options each side's are. */
#ifndef XR_FEATURE_RENDERING_H
#define XR_FEATURE_RENDERING_H

#include "checks/input/features/feature_heard.h"

typedef struct xr_feature_rendering {
    char options[2][320];  /* by exray_side: "mel {n_fft: 512, ...}"; "": not searched */
    char differences[320]; /* "scale: slaney for htk, ..." (the edge's for the reference's); "": none */
    double rest[2];        /* the variance that each leaves, under a line */
    double rest_swapped;   /* that the reference's options leave of the edge's features */
    xr_heard heard;        /* what the edge's front end hears */
    double rate;           /* Hz of the sound in the log */
} xr_feature_rendering;

/* Searches usual options; false: there is no sound in the log, or none of them make either side's features.
 */
bool xr_render_features(const xr_feature_frames *frames, xr_feature_rendering *out);

/* What noise of the sound makes of the reference's features; false: no usual options make them. */
bool xr_mel_noise(const xr_feature_frames *frames, xr_feature_noise *out);

#endif
