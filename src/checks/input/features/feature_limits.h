/* Features under a line where one side's range clips them. */
#ifndef XR_FEATURE_LIMITS_H
#define XR_FEATURE_LIMITS_H

#include "checks/input/features/feature_relation.h"

/* Whether the cells that lie at neither side's limits are under a line, and those at a limit are beyond it by
 * that line: then out is XR_FEATURES_LIMITED. */
bool xr_fit_limited_features(const xr_feature_frames *f, xr_feature_relation *out);

#endif
