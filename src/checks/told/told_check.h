/* What both sides told their users, kind by kind; called by output.postprocess. */
#ifndef XR_TOLD_CHECK_H
#define XR_TOLD_CHECK_H

#include "checks/told/told_finding.h"

/* Each compares the frames that are `equal` and reports what it finds.  side: whose classes do not follow
 * from its own outputs, where that is known. */
exray_status xr_check_told_boxes(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 exray_findings *findings, exray_error *error);
exray_status xr_check_told_classes(const exray_comparison *comparison, const xr_equal_frames *equal,
                                   xr_told_side side, exray_findings *findings, exray_error *error);
exray_status xr_check_told_text(const exray_comparison *comparison, const xr_equal_frames *equal,
                                exray_findings *findings, exray_error *error);
exray_status xr_check_told_stages(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  exray_findings *findings, exray_error *error);

#endif
