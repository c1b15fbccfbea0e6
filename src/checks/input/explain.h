/* Explains an input that differs: searches, judges, reports. */
#ifndef XR_EXPLAIN_H
#define XR_EXPLAIN_H

#include "checks/input/fit/input_fit.h"
#include "checks/input/search/input_pair.h"

/* A picture that differs by more than an order of channels and a map.  fine: small differences matter, as
 * they look like those of a kernel or of colors. */
exray_status xr_explain_input(const exray_comparison *comparison, const xr_input_fit *before, bool fine,
                              exray_findings *findings, exray_error *error);

/* The frames that differ from the reference's, to be freed; NULL: none does, or all do, or memory is short.
 */
bool *xr_differing_frames(xr_input_pair *pair);

/* What a fit says by itself: order of channels, normalization, quantization, or that it is not known. */
void xr_report_colors(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings);

#endif
