/* Whether some rows of features lie at the places of others. */
#ifndef XR_FEATURE_ROW_ORDER_H
#define XR_FEATURE_ROW_ORDER_H

#include "checks/findings.h"
#include "checks/input/features/feature_frames.h"

/* At most half of them, the same in every frame that differs, value for value; reported. */
bool xr_report_row_order(const xr_feature_frames *n, exray_findings *findings);

#endif
