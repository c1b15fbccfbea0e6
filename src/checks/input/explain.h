/* Explains an input that differs: searches, judges, reports. */
#ifndef XR_EXPLAIN_H
#define XR_EXPLAIN_H

#include "checks/input/fit/input_fit.h"

/* A picture that differs by more than an order of channels and a map.  fine: small differences matter, as
 * they look like those of a kernel or of colors. */
exray_status xr_explain_input(const exray_comparison *comparison, const xr_input_fit *before, bool fine,
                              exray_findings *findings, exray_error *error);

/* What a fit says by itself: order of channels, normalization, quantization, or that it is not known. */
void xr_report_colors(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings);

#endif
