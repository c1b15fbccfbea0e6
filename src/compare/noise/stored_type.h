/* Weights whose values fit fewer bits than the type that they are stored in. */
#ifndef XR_STORED_TYPE_H
#define XR_STORED_TYPE_H

#include "compare/comparison.h"

/* What weights add that were rounded to 16 bits on one side and are stored in 32 again (a checkpoint of
 * bfloat16 exported as float32), to 8 bits and are stored in 32, or to 4 bits and are stored in bytes: the
 * noise of that type; 0: neither side's are, or both.  Reads the constants of both nodes of a pair, and of
 * those that lead to them from compared tensors. */
double xr_stored_type_noise(const exray_comparison *comparison, const xr_pair *pair);

#endif
