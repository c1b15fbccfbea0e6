/* What both sides told under one name in /result (a mask, keypoints, vectors), as what they record in stages.
 */
#ifndef XR_TOLD_SERIES_H
#define XR_TOLD_SERIES_H

#include "checks/told/stages/stage_series.h"

#define XR_SCORES_OF_POINTS "scores of keypoints"
#define XR_DEPTHS_OF_POINTS "depths of keypoints"

enum {
    XR_TOLD_MASK,
    XR_TOLD_POINTS,
    XR_TOLD_SCORES,
    XR_TOLD_DEPTHS,
    XR_TOLD_VECTORS,
    XR_MOST_TOLD_VECTORS = 8
};

/* What there is in the comparable frames' results. */
typedef struct xr_told_kinds {
    bool both[XR_TOLD_VECTORS + 1];                  /* each side tells it in some frame */
    char vector[XR_MOST_TOLD_VECTORS][XR_TOLD_NAME]; /* names of the edge's */
    size_t vectors;
    bool only; /* the edge tells one vector alone: it needs no name */
} xr_told_kinds;

/* One pass through the results.  Anything but EXRAY_OK is an error. */
exray_status xr_told_kinds_find(const exray_comparison *comparison, const xr_equal_frames *equal,
                                xr_told_kinds *out, exray_error *error);

/* Reads the results of that position: masks, keypoints, their scores and depths (z), from XR_TOLD_VECTORS on
 * the edge's vectors by name.  *found is false beyond the last; without frames where not both sides tell it.
 * As xr_stage_series_make. */
exray_status xr_told_series_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 const xr_told_kinds *kinds, size_t position, xr_stage_series *out,
                                 bool *found, exray_error *error);

#endif
