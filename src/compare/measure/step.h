/* The distance between neighboring values of a model's input. */
#ifndef XR_STEP_H
#define XR_STEP_H

#include "compare/comparison.h"

/* Takes some values of one record; `info` gives the shape. */
void xr_samples_add(xr_samples *samples, const exray_tensor_info *info, const float *values, uint64_t count,
                    size_t frame);
/* The distance between neighboring values; NAN: not known. */
double xr_samples_step(xr_samples *samples);

#endif
