/* Scores that a mask hides from a softmax: whether they are -10000 or -65504 is nothing that it makes. */
#ifndef XR_MASKED_H
#define XR_MASKED_H

#include "compare/comparison.h"

/* Of a layer whose values only a softmax comes to see, in either model: the error of what is hidden on
 * neither side, relative to the signal of that.  NAN: it is no such layer, or nothing of it is hidden. */
double xr_error_beside_mask(const exray_comparison *comparison, const xr_pair *pair);

#endif
