/* The texts that both sides told, frame by frame. */
#ifndef XR_TEXT_FRAMES_H
#define XR_TEXT_FRAMES_H

#include "checks/told/comparable_frames.h"
#include "checks/told/text/text_changes.h"

typedef struct xr_text_frame {
    size_t frame; /* of the comparison */
    bool noisy;   /* noise of the outputs may have changed it: a best value is another on the two sides, or is
                     not known */
    bool differs;
    xr_told_text text[2]; /* by exray_side */
    char shown[2][96];    /* its beginning */
} xr_text_frame;

typedef struct xr_text_frames {
    xr_text_frame *frame;
    size_t count;
    size_t differ;  /* frames */
    size_t told[2]; /* frames with a text */
} xr_text_frames;

/* Reads the frames in which both sides must tell the same.  Anything but EXRAY_OK is an error; free in any
 * case. */
exray_status xr_text_frames_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 xr_text_frames *out, exray_error *error);
void xr_text_frames_free(xr_text_frames *frames);

#endif
