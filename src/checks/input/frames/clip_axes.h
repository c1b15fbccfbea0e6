/* Clips whose values were written with their dimensions in another order ([C, T, H, W] for [T, C, H, W]). */
#ifndef XR_CLIP_AXES_H
#define XR_CLIP_AXES_H

#include "checks/findings.h"
#include "checks/input/fit/input_fit.h"

/* Reports input.layout; false: it is not so. */
bool xr_report_clip_axes(const exray_comparison *comparison, const xr_input_fit *fit,
                         exray_findings *findings);

#endif
