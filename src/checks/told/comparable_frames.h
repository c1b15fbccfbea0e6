/* In which matched frames both sides must have told the same: their outputs are equal within noise, by their
 * values or, where a log has none, by their statistics; where outputs were not recorded, their inputs. */
#ifndef XR_COMPARABLE_FRAMES_H
#define XR_COMPARABLE_FRAMES_H

#include "checks/told/silence.h"

typedef enum xr_frame_equality {
    XR_FRAME_OTHER, /* the outputs, or the inputs, differ, or are not known: nothing follows for what was told
                     */
    XR_FRAME_NOISE, /* equal within noise */
    XR_FRAME_EXACT, /* the outputs are equal value for value */
} xr_frame_equality;

typedef struct xr_equal_frames {
    xr_frame_equality *of; /* [matched frames] */
    bool *unseen;          /* [matched frames] OTHER since a log has neither values nor statistics there */
    size_t count;          /* of frames that are not OTHER */
    bool by_outputs;       /* else by inputs */
    xr_silence silence;    /* what a frame without a result means in each log */
} xr_equal_frames;

/* Compares every frame.  Anything but EXRAY_OK is an error; free in any case. */
exray_status xr_equal_frames_make(const exray_comparison *comparison, xr_equal_frames *out,
                                  exray_error *error);
void xr_equal_frames_free(xr_equal_frames *frames);

#endif
