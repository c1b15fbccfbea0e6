/* Whether two nodes do the same, with the same stored numbers. */
#ifndef XR_SAME_NUMBERS_H
#define XR_SAME_NUMBERS_H

#include "compare/comparison.h"

/* Whether both sides run one node by itself, of which all that it reads is listed, and have data of it. */
bool xr_is_one_node(const exray_comparison *comparison, const xr_pair *pair);

/* Of two files: one operator with the same attributes, whose constants are the same bit for bit and whose
 * tensors have the same scales and zero points: of equal inputs both make the same, whatever files they are
 * of.  False where the logs do not tell all of it. */
bool xr_has_same_numbers(const exray_comparison *comparison, const xr_pair *pair);

#endif
