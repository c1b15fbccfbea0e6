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

enum { XR_EVALUATED_PAIRS = 8 };
typedef struct xr_evaluated {
    double error;
    double within; /* NAN, or what remains of it where all values are held by the ranges of the side's
                      integers */
    double stored; /* NAN, or what rounding the inputs to the types that they are recorded in makes of the
                      output */
    const xr_pair *read[XR_EVALUATED_PAIRS]; /* [count] the pairs whose values went in */
    size_t count;
    uint32_t nodes; /* of the reference that were computed */
} xr_evaluated;

/* The error of the side's output against what the reference's nodes make of the same side's values of the
 * tensors that they read, relative to the output's standard deviation; NAN where a node's function is not
 * known (operator_functions.h) or values are missing.  Where the error is beyond `enough`, `within` is found
 * with the values that go in and come out cut off at the ends of the integer types that the side has them in,
 * and `stored` by moving every input by up to half a step of its type: engines that compute in more digits
 * than they store pass those on, and a log cannot have them. */
xr_evaluated xr_evaluate(const xr_evaluator *evaluator, const xr_pair *pair, exray_side side, double enough);

/* The pair's error channel by channel, each relative to its own deviation, at most 1: root of the mean square
 * over the channels that vary.  NAN: values are missing.  Weights that are rounded with a scale for each
 * channel, and floats, err in every channel alike. */
double xr_channel_error(const xr_evaluator *evaluator, const xr_pair *pair);

/* Likewise the error of the edge's output against what the reference's nodes make of the edge's inputs;
 * rounded: what rounding those inputs and that output to their types makes of it. */
double xr_channel_error_made(const xr_evaluator *evaluator, const xr_pair *pair, double *rounded);

#endif
