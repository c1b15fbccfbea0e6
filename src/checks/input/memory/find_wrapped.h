/* Pixels that were scaled or shifted in 8 bits without a limit: what exceeds them comes back at the other
 * end. */
#ifndef XR_FIND_WRAPPED_H
#define XR_FIND_WRAPPED_H

#include "checks/input/fit/input_fit.h"

typedef struct xr_wrapped {
    double gain, offset; /* of pixels, before they wrap; offset in levels, -128 to 128 */
    double share;        /* of the values that wrapped */
    double odd;          /* of those that are otherwise */
    size_t frames;
} xr_wrapped;

/* Whether the edge's values are the reference's by one factor and offset, modulo 256 levels. */
bool xr_find_wrapped(const exray_comparison *comparison, const xr_input_fit *fit, xr_wrapped *found);

#endif
