/* Applies a transform to one frame: the edge's input and the reference's, brought into one place. */
#ifndef XR_APPLY_H
#define XR_APPLY_H

#include "checks/input/search/input_pair.h"

/* The user of a placement (xr_placement) that applies a transform. */
typedef struct xr_applied {
    xr_input_pair *pair;
    const xr_transform *transform;
    xr_raster edge, reference; /* of the last frame read */
} xr_applied;
exray_status xr_apply_transform(void *user, size_t frame, xr_placed *out, exray_error *error);
void xr_applied_free(xr_applied *applied);

/* Sums over the pixels of the frames that are searched, with the transform applied. */
xr_fit_sums xr_transform_sums(xr_input_pair *pair, const xr_transform *transform);

#endif
