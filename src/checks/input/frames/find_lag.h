/* Inputs that are, value for value, those of another frame. */
#ifndef XR_FIND_LAG_H
#define XR_FIND_LAG_H

#include <exray/assertion.h>

/* Reports input.frame_order where every frame of the edge's input that differs, but for the first ones, is
 * exactly the reference's of one and the same number of frames before or after.  False: it is not so. */
bool xr_report_lag(const exray_comparison *comparison, size_t pair, exray_findings *findings);

/* Reports it where every frame that differs is exactly one of the reference's others: repeated, exchanged. */
bool xr_report_other_frames(const exray_comparison *comparison, size_t pair, exray_findings *findings);

#endif
