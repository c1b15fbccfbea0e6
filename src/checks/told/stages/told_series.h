/* What both sides told under one name in /result (a mask, keypoints, vectors), as what they record in stages.
 */
#ifndef XR_TOLD_SERIES_H
#define XR_TOLD_SERIES_H

#include "checks/told/silence.h"
#include "checks/told/stages/stage_series.h"

#define XR_SCORES_OF_POINTS "scores of keypoints"

/* Reads the results of that position: 0 masks, 1 keypoints, 2 their scores, from 3 on the edge's vectors by
 * name.  *found is false beyond the last; without frames where nothing of the kind was told.  As
 * xr_stage_series_make. */
exray_status xr_told_series_make(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 const xr_silence *silence, size_t position, xr_stage_series *out,
                                 bool *found, exray_error *error);

#endif
