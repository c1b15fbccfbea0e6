/* One row of a table of features that differs, and no other one. */
#ifndef XR_FEATURE_ROW_H
#define XR_FEATURE_ROW_H

#include "checks/input/features/feature_frames.h"

/* The row that has that share of the difference, the same in all frames that differ; SIZE_MAX: there is none.
 */
size_t xr_feature_row_that_differs(const xr_feature_frames *frames, double share);

/* Whether the edge's row is the reference's of another place, in all frames that differ. */
bool xr_feature_row_is(const xr_feature_frames *frames, size_t row, size_t of);

#endif
