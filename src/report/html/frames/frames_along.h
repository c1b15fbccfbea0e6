/* What goes on from frame to frame: states of the model, readings of other sensors. */
#ifndef XR_FRAMES_ALONG_H
#define XR_FRAMES_ALONG_H

#include "report/html/frames/html_frames.h"

/* A chart for each state that is recorded (its rms on both sides, and of their difference), and for each
 * reading; nothing where there are none. */
void xr_put_along(xr_page *page, const xr_frame_facts *facts, size_t count);

#endif
