/* Outputs whose floats are dequantized 8-bit integers. */
#ifndef XR_LEVELS_H
#define XR_LEVELS_H

#include "compare/comparison.h"

void xr_levels_add(xr_levels *levels, const float *values, uint64_t count);
/* The spacing of the lattice that the values lie on; 0: they lie on none. */
double xr_levels_step(const xr_levels *levels);

#endif
