/* How much of the two models was compared. */
#ifndef XR_COVERAGE_H
#define XR_COVERAGE_H

#include <exray/assertion.h>

/* Fills coverage from the pairs that are left and from `inside`.  False: out of memory. */
bool xr_count_coverage(exray_comparison *comparison);

#endif
