/* Reads the inputs of all matched frames into sums. */
#ifndef XR_FIT_READ_H
#define XR_FIT_READ_H

#include "checks/input/fit/fit_sums.h"

#include <exray/assertion.h>

/* Brings both sides of a matched frame into the same place, so that the remaining difference is one
 * of colors.  Both pictures are planar and of the same size and channels; the second is in the
 * reference's unit, and NAN where it is not known.  `plane` is valid until the next call.
 * EXRAY_E_STATE: this frame cannot be used. */
typedef struct xr_placed {
    size_t width, height, channels;
    const float *plane[2]; /* by exray_side */
} xr_placed;
typedef struct xr_placement {
    void *user;
    exray_status (*read)(void *user, size_t frame, xr_placed *out, exray_error *error);
    size_t step; /* every how many frames are read: 1 or more */
} xr_placement;

/* Properties of the two inputs, apart from their difference. */
typedef struct xr_input_values {
    size_t channels, rows, columns;
    bool picture;   /* height, width and 1 to 4 channels */
    bool floats;    /* on both sides: no step of quantization between them */
    bool tokens;    /* integers without a unit on both sides, and no picture */
    bool open_unit; /* pixels of 8 bits without a unit on one side: any factor and offset between the two may
                       be the model's own */
    size_t frames;
    double clipped, counted; /* elements that the edge's 8-bit tensor cannot hold, of how many */
    double limit[2];         /* what it can hold, where counted > 0 */
    double min[2][XR_FIT_CHANNELS], max[2][XR_FIT_CHANNELS];
    size_t other_shape;  /* frames that are left out: the two sides have different shapes */
    const char *problem; /* why they cannot be compared, or NULL */
} xr_input_values;

/* The sums of each frame. */
typedef struct xr_fit_frames {
    xr_fit_sums *pixels, *blocks; /* [frames] */
    size_t *frame;                /* [frames]: matched frame */
    size_t count;
} xr_fit_frames;

/* Reads input `pair`, as recorded or (placement not NULL) placed; stops at the first problem. */
exray_status xr_fit_read(const exray_comparison *comparison, size_t pair, const xr_placement *placement,
                         xr_input_values *inputs, xr_fit_frames *frames, exray_error *error);
void xr_fit_frames_free(xr_fit_frames *frames);

#endif
