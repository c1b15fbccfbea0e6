/* Operators' functions, computed from values: what a layer should have made of its inputs.
 *
 * Not an engine: operators without weights, and products of matrices, of floats; conventions that are not
 * known make a function fail. */
#ifndef XR_OPERATOR_FUNCTIONS_H
#define XR_OPERATOR_FUNCTIONS_H

#include "compare/noise/value_array.h"

enum { XR_FUNCTION_INPUTS = 8 };

/* The node's first output from its inputs; false where the function is not known, or the inputs do not fit
 * it. `described` tells what the output looks like (of operators that give values another shape). */
bool xr_function_apply(const exray_node *node, const xr_array *in, uint32_t count,
                       const exray_tensor_info *described, xr_array *out);

#endif
