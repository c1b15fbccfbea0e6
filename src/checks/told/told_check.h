/* What both sides told their users, kind by kind; called by output.postprocess. */
#ifndef XR_TOLD_CHECK_H
#define XR_TOLD_CHECK_H

#include "checks/told/told_finding.h"

/* Each compares the frames that are `equal` and reports what it finds. */
exray_status xr_check_told_boxes(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 exray_findings *findings, exray_error *error);

#endif
