/* What the two models compute differently, by their graphs, and what the recorded values say to it. */
#ifndef XR_STEP_DIFFERENCE_H
#define XR_STEP_DIFFERENCE_H

#include "checks/model/graph/difference/finder.h"

/* Both logs have a model.  False: out of memory. */
bool xr_differences_find(const exray_comparison *comparison, xr_differences *out);
void xr_differences_free(xr_differences *differences);

/* Whether the pair's tensors are not the same quantity by the graphs: other steps, or another function of one
 * tensor.  Then their values say nothing of a kernel. */
bool xr_differences_contradict(const xr_differences *differences, const exray_layer_pair *layer);

/* Whether both graphs tell what the pair's layer computes, and it is the same step of both: then what was
 * not found there is not there. */
bool xr_differences_know(const xr_differences *differences, const exray_layer_pair *layer);

/* Whether the error of the pair's layer has gone before it reaches an output of the model: what is behind it
 * is right. */
bool xr_differences_absorb(const exray_comparison *comparison, const xr_differences *differences,
                           const exray_layer_pair *layer);

#endif
