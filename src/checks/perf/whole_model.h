/* Models that are slow as a whole. */
#ifndef XR_WHOLE_MODEL_H
#define XR_WHOLE_MODEL_H

#include <exray/assertion.h>

/* Reports perf.threads where the edge runs the model on more threads than it has processors, and is slower
 * for it.  True: it did; then times of layers are waiting times, and say nothing. */
bool xr_judge_threads(const exray_comparison *comparison, exray_findings *findings);

/* Reports perf.kernels where the edge is slower than the reference because other kernels, fewer threads or no
 * delegate run its model, or nothing that differs explains it.  `layers_slow`: most of what the model does is
 * known to be slow, layer by layer. */
void xr_judge_whole(const exray_comparison *comparison, exray_findings *findings, bool layers_slow);

#endif
