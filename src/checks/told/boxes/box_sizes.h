/* How the sizes of boxes with the same centers relate, and the corners of turned boxes at the same places. */
#ifndef XR_BOX_SIZES_H
#define XR_BOX_SIZES_H

#include "checks/told/boxes/box_search.h"

typedef struct xr_box_sizes {
    size_t pairs;
    size_t factors;           /* that differ, of width and height together; 0: too many to be anchors */
    bool inverse;             /* what the width has more, the height has less: they are exchanged before */
    double least[2], most[2]; /* of width and height: by how much the edge's are larger */
} xr_box_sizes;

/* Of the pairs of a story of XR_BOXES_SIZES.  False: out of memory. */
bool xr_box_sizes_judge(const xr_box_frames *frames, const xr_box_story *story, xr_box_sizes *out);

typedef struct xr_box_corners {
    size_t pairs, other; /* boxes with corners on both sides; of them, with others */
    bool mirrored;       /* those are the reference's mirrored about their own center: the angle's sign */
} xr_box_corners;

/* Of boxes that are at the same places; marks the frames in story->differs and counts them.  False: out of
 * memory. */
bool xr_box_corners_judge(const xr_box_frames *frames, xr_box_story *story, xr_box_corners *out);

#endif
