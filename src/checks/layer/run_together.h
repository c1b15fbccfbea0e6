/* Layers that could only be judged together: what an engine fused has no name in the model's file, so that a
 * layer behind it was run with it, from the tensors before; and what is of other shapes was not compared. */
#ifndef XR_RUN_TOGETHER_H
#define XR_RUN_TOGETHER_H

#include <exray/assertion.h>

/* Whether the finding is about the layer, or about one before it without which it was not judged: that it is
 * wrong then proves nothing of its own. */
bool xr_is_about_layer_or_run_with(const exray_comparison *comparison, const exray_finding *finding,
                                   size_t layer);

#endif
