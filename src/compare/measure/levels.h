/* Outputs whose floats are dequantized 8-bit integers, or floats of 16 bits. */
#ifndef XR_LEVELS_H
#define XR_LEVELS_H

#include "compare/comparison.h"

void xr_levels_add(xr_levels *levels, const float *values, uint64_t count);
/* The spacing of the lattice that the values lie on; 0: they lie on none. */
double xr_levels_step(const xr_levels *levels);
/* The type of 16 bits whose numbers all values are, though they are stored in more; float32: none. */
exray_dtype xr_levels_type(const xr_levels *levels);

#endif
