/* Frames in which one side's input is one value. */
#ifndef XR_BLANK_FRAMES_H
#define XR_BLANK_FRAMES_H

#include "checks/findings.h"
#include "checks/input/fit/input_fit.h"

/* Whether all frames that differ are one color (one value) on one side and not on the other, while others are
 * the same: a camera that warms up, a buffer that was not filled.  Reported. */
bool xr_report_blank_frames(const exray_comparison *comparison, const xr_input_fit *fit,
                            exray_findings *findings);

#endif
