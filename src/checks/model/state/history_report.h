/* Findings of what running both sides' models again has shown. */
#ifndef XR_HISTORY_REPORT_H
#define XR_HISTORY_REPORT_H

#include "checks/model/state/history.h"

/* A finding of its own: the sides' memories are others.  `tensor`: where; `op`: what keeps it, or NULL. */
void xr_history_report(const exray_comparison *comparison, const xr_histories *histories, const char *tensor,
                       const char *op, exray_findings *findings);

/* Adds to a finding that the logs alone prove what the runs say of it; histories NULL: nothing. */
void xr_history_explain(const exray_comparison *comparison, const xr_histories *histories,
                        exray_finding *finding);

#endif
