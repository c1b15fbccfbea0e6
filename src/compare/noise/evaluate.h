/* A layer's function, evaluated on the edge's own recorded inputs: the answer where no bound on errors passes
 * through it.  A logarithm near zero, a difference that cancels, the variance of a flat row turn an error
 * within noise into any; a look-up of another index has nothing to do with its neighbor's. */
#ifndef XR_EVALUATE_H
#define XR_EVALUATE_H

#include "compare/comparison.h"

typedef struct xr_evaluator xr_evaluator;

/* NULL: out of memory, or a log has no model. */
xr_evaluator *xr_evaluator_new(const exray_comparison *comparison);
void xr_evaluator_free(xr_evaluator *evaluator);

/* The error of the edge's output against what the reference's nodes make of the edge's values of the tensors
 * that they read, relative to the output's standard deviation; NAN where a node's function is not known
 * (functions.h) or values are missing. */
double xr_evaluated_error(const xr_evaluator *evaluator, const xr_pair *pair);

#endif
