/* Differences between the graphs, told as findings: one for each cause, with all its places. */
#ifndef XR_OPERATOR_REPORT_H
#define XR_OPERATOR_REPORT_H

#include "checks/model/graph/step_difference.h"

/* Reports the differences that the values show to matter.  False: out of memory. */
bool xr_report_operators(const exray_comparison *comparison, const xr_differences *differences,
                         exray_findings *findings);

#endif
