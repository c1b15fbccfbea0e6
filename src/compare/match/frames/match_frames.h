/* Which frame of one log is which of the other. */
#ifndef XR_MATCH_FRAMES_H
#define XR_MATCH_FRAMES_H

#include <exray/assertion.h>

/* Fills frame, frame_count, unmatched, matched_by.  False: out of memory. */
bool xr_match_frames(exray_comparison *comparison);

#endif
