/* The boxes that both sides told, frame by frame. */
#ifndef XR_BOX_FRAMES_H
#define XR_BOX_FRAMES_H

#include "checks/told/comparable_frames.h"

/* x_min, y_min, x_max, y_max. */
typedef struct xr_told_box {
    double at[4];
    double score;
    int64_t id;
    bool turned; /* it has corners: x, y of each, in their order */
    float corner[8];
} xr_told_box;

typedef struct xr_box_frame {
    size_t frame;        /* of the comparison */
    bool exact;          /* the outputs are equal value for value */
    bool told[2];        /* there is a result */
    xr_told_box *box[2]; /* by exray_side: [count] as they were told */
    size_t count[2];
    size_t not_numbers[2]; /* of them, boxes with a place, a corner or a score that is none */
} xr_box_frame;

typedef struct xr_box_frames {
    xr_box_frame *frame;
    size_t count;
    size_t boxes[2]; /* in all frames */
    size_t most[2];  /* in one frame */
    double least[2]; /* the lowest score told; INFINITY without boxes */
    bool scored;     /* scores differ between boxes */
    double grid;     /* all of a side's coordinates are multiples of it (pixels); 0: they are not */
} xr_box_frames;

/* Reads the frames in which both sides must tell the same.  Anything but EXRAY_OK is an error; free in any
 * case. */
exray_status xr_box_frames_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                xr_box_frames *out, exray_error *error);
void xr_box_frames_free(xr_box_frames *frames);

/* Computes boxes, most, least, scored and grid anew. */
void xr_box_frames_sum(xr_box_frames *frames);

#endif
