/* Frames that are torn: a part of their rows (or columns) is of another frame, as where a buffer is read
 * while the next picture is written into it; or every other row, as where two fields are woven that are not
 * of one picture; or patches, as blocks of a video that did not arrive; or a share of every pixel, as where
 * frames are blended. */
#ifndef XR_FIND_TORN_H
#define XR_FIND_TORN_H

#include "checks/input/search/input_pair.h"

typedef enum xr_tear {
    XR_TORN_AT_LINE,
    XR_TORN_FIELDS,
    XR_TORN_BLENDED,
    XR_TORN_PATCHES,  /* whatever differs, in patches of any form, is the other's */
    XR_TORN_SMOOTHED, /* blended with the edge's own frame before, which is blended itself */
    XR_TEARS
} xr_tear;

typedef struct xr_torn_frame {
    bool torn;
    size_t other; /* the reference's frame that a part shows */
    xr_tear tear;
    size_t line; /* the first row (or column) behind the border; of fields the other's first */
    bool columns;
    bool before;  /* the part before the border is the other's; else the one behind it */
    double share; /* of a blend, the other's */
} xr_torn_frame;

typedef struct xr_torn_frames {
    xr_torn_frame *frame; /* [frames] */
    size_t frames, torn;
    size_t of_kind[XR_TEARS];
    double residual_before, residual_after; /* levels rms, the largest of a torn frame */
} xr_torn_frames;

/* Whether every frame that differs is torn; free with xr_torn_frames_free in any case. */
bool xr_find_torn(xr_input_pair *pair, xr_torn_frames *out);
void xr_torn_frames_free(xr_torn_frames *torn);

#endif
