/* What findings about inputs say in words. */
#ifndef XR_WORDS_H
#define XR_WORDS_H

#include "checks/input/fit/input_fit.h"

/* "values of 0 to 1 ([0,1])". */
void xr_describe_values(const xr_input_fit *fit, exray_side side, char *text, size_t size);

/* "swapping channels 0 and 2", "taking the edge's channels in the order 1, 2, 0"; from[edge channel]: the
 * reference's channel. */
void xr_describe_exchange(size_t channels, const unsigned char *from, char *text, size_t size);

/* The confidence in an explanation, from its residual and the runner-up's: 0.5 (equal) .. 0.99. */
double xr_confidence(double residual, double runner_up);

#endif
