/* Softmax and sigmoid, computed again. */
#ifndef XR_RECOMPUTE_H
#define XR_RECOMPUTE_H

#include "compare/comparison.h"

/* The difference between the edge's output and the reference's softmax or sigmoid of the edge's own input,
 * relative to its deviation; NAN for other ops, and where there are no values. */
double xr_recomputed_error(const exray_comparison *comparison, const xr_pair *pair);

#endif
