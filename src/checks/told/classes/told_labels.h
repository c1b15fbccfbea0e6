/* Classes that do not exclude each other (the task multi_label): what was told is a set. */
#ifndef XR_TOLD_LABELS_H
#define XR_TOLD_LABELS_H

#include "checks/told/told_finding.h"

/* Whether both logs say that their classes are such. */
bool xr_tells_labels(const exray_comparison *comparison);

/* Compares the sets of the frames whose outputs are equal value for value, and reports labels that one side
 * alone tells.  *done is false where each side tells some that the other does not: other labels, in whatever
 * way. */
exray_status xr_check_told_labels(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  xr_told_side side, bool *done, exray_findings *findings,
                                  exray_error *error);

#endif
