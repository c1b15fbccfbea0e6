/* Frames in words. */
#ifndef XR_FRAME_LIST_H
#define XR_FRAME_LIST_H

#include <exray/assertion.h>

/* "frame 3", "frames 1 to 4 and 9", "frames 1, 3, ... and 40 more": the edge's numbers of the matched frames
 * that are set in `in` [exray_comparison_frame_count]. */
void xr_list_frames(const exray_comparison *comparison, const bool *in, char *text, size_t size);

#endif
