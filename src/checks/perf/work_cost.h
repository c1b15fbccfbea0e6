/* Layers that are slow for their work, compared with the edge's other layers alone. */
#ifndef XR_WORK_COST_H
#define XR_WORK_COST_H

#include <exray/assertion.h>

/* Reports as perf.straggler each layer that takes far more time per multiply-accumulate than the
 * edge's other layers of the same kind, kernel size and about the same size, where the reference has
 * no latency of it.  True: one was reported. */
bool xr_stragglers_by_work(const exray_comparison *comparison, exray_findings *findings);

#endif
