/* Slices, splits and gathered ranges in one form: each part of a tensor is a step of its own that reads the
 * tensor which it is cut out of. */
#ifndef XR_STEP_CUTS_H
#define XR_STEP_CUTS_H

#include "checks/model/graph/op_steps.h"

/* Puts cuts in the place of the steps of such nodes, where shapes and constants tell which part it is; a cut
 * of a cut is one of the whole, and the whole of a tensor is that tensor.  `source`: for each tensor of the
 * model the constant that it is stored as, or itself. */
void xr_step_join_cuts(xr_step_graph *graph, const uint32_t *source);

/* Whether two cuts take the same part.  Where the tensors lie in other orders, the axis may be another one.
 */
bool xr_same_cut(const xr_step_graph graph[2], const xr_cut *edge, const xr_cut *reference);

/* "0:129 of axis 1". */
void xr_cut_words(const xr_cut *cut, char *text, size_t size);

#endif
