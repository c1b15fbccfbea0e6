/* A scale and a shift that bring the reference's boxes to where the edge's are: constant ones, those of a
 * letterbox, pixels for shares of the picture. */
#ifndef XR_BOX_PLACE_H
#define XR_BOX_PLACE_H

#include "checks/told/boxes/box_match.h"

typedef enum xr_box_place_model {
    XR_PLACE_CONSTANT,         /* one scale and shift for x, one for y, in all frames */
    XR_PLACE_PIXELS,           /* a scale for x and y of each frame, no shift */
    XR_PLACE_LETTERBOX,        /* in each frame one of x and y is scaled about the middle */
    XR_PLACE_LETTERBOX_CORNER, /* ... about the top left corner */
    XR_PLACE_FRAMES,           /* any scale and shift in each frame */
    XR_PLACE_MODELS
} xr_box_place_model;

/* Fits the model behind a turn of the picture; own[frames] gets the map of each frame.  What is constant is
 * fitted to the frames that differ.  False: too few boxes can be told apart by class and score. */
bool xr_box_place_fit(const xr_box_frames *frames, const bool *differs, xr_box_place_model model, int turn,
                      xr_box_map *own);

/* Fits how much wider and higher boxes of that form are, about their centers.  False: they are not, or too
 * few can be told apart. */
bool xr_box_grow_fit(const xr_box_frames *frames, xr_box_form form, xr_box_map *out);

#endif
