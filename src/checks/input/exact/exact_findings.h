/* Findings about dark pictures (find_exact.h). */
#ifndef XR_EXACT_FINDINGS_H
#define XR_EXACT_FINDINGS_H

#include "checks/input/fit/input_fit.h"

/* Whether an input that differs by no more than noise is the reference's, turned, shifted, of one color, or
 * of another frame; reported. */
bool xr_report_exact(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings);

#endif
