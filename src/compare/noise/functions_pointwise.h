/* Functions of each value by itself, and of pairs of values. */
#ifndef XR_FUNCTIONS_POINTWISE_H
#define XR_FUNCTIONS_POINTWISE_H

#include "compare/noise/value_array.h"

/* `name`: the operator's, in lower case, letters and digits alone.  False: it is none of these. */
bool xr_function_pointwise(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                           xr_array *out);

#endif
