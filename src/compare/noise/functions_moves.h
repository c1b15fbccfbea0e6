/* Functions that move values or look them up. */
#ifndef XR_FUNCTIONS_MOVES_H
#define XR_FUNCTIONS_MOVES_H

#include "compare/noise/value_array.h"

/* `name`: the operator's, in lower case, letters and digits alone.  False: it is none of these. */
bool xr_function_moves(const char *name, const exray_node *node, const xr_array *in, uint32_t count,
                       const exray_tensor_info *described, xr_array *out);

#endif
