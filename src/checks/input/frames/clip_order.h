/* Whether a clip (an input of several pictures, one a moment) holds the reference's pictures in another
 * order. */
#ifndef XR_CLIP_ORDER_H
#define XR_CLIP_ORDER_H

#include "checks/findings.h"
#include "checks/input/fit/input_fit.h"

/* In every frame that is looked at, each of the edge's pictures is one of the reference's of that frame, and
 * not all are at their own place; reported.  False: it is not so. */
bool xr_report_clip_order(const exray_comparison *comparison, const xr_input_fit *fit,
                          exray_findings *findings);

#endif
