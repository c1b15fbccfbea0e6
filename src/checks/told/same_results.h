/* Whether both sides told their users the very same, whatever the outputs look like. */
#ifndef XR_SAME_RESULTS_H
#define XR_SAME_RESULTS_H

#include <exray/assertion.h>

/* In all matched frames, each with a result on both sides; numbers up to rounding. */
bool xr_same_results(const exray_comparison *comparison);

#endif
