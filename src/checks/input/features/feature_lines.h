/* Bins of one side's features that follow from the other's each by itself, or at other places. */
#ifndef XR_FEATURE_LINES_H
#define XR_FEATURE_LINES_H

#include "checks/findings.h"
#include "checks/input/features/feature_frames.h"

/* Where one line for all cells does not do: a gain and an offset of each bin, of each frame, or of each bin
 * in each frame, that leaves nothing in any of them.  Reported as input.normalization. */
bool xr_report_own_lines(const xr_feature_frames *frames, exray_findings *findings);

/* Where all bins are the reference's in another order (input.layout), or some are equal and the others are
 * not (input.features); value for value, in all frames that differ. */
bool xr_report_bins(const xr_feature_frames *frames, exray_findings *findings);

/* Where all bins are the reference's a few places up or down, value for value (input.features). */
bool xr_report_moved_bins(const xr_feature_frames *frames, exray_findings *findings);

/* Where some rows differ and the others are equal, by no known relation: at the ends of the table, or in runs
 * that begin as far apart (input.features), or elsewhere (input.unknown). */
bool xr_report_rows(const xr_feature_frames *frames, exray_findings *findings);

/* Where rows are several frames of features behind each other, and all begin a part of a row late or early.
 */
bool xr_report_part_of_row(const xr_feature_frames *frames, exray_findings *findings);

#endif
