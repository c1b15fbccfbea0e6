/* Layers that are slow for their work, told from the edge's other layers alone. */
#ifndef XR_PERF_WORK_H
#define XR_PERF_WORK_H

#include "checks/builtin.h"

/* Reports as perf.straggler each layer that the reference has no latency of and that takes
 * far more time per multiply-accumulate than the edge's other layers of its kind, kernel
 * size and about its size.  True: one was reported. */
bool xr_stragglers_by_work(const exray_comparison *comparison, exray_findings *findings);

#endif
