/* Quantiles of times. */
#ifndef XR_TIMES_H
#define XR_TIMES_H

#include <stddef.h>

/* The value below which a share q of them lies; NAN where there are none.  `scratch` has room for `count`. */
double xr_quantile(const double *value, size_t count, double q, double *scratch);

#endif
