/* Reading stored elements as numbers, in little code: the type is looked at for each element.
 * dtypes.h has the fast loops.  Data is little-endian and need not be aligned. */
#ifndef XR_ELEMENT_H
#define XR_ELEMENT_H

#include <exray/types.h>

/* One element each, from its stored bits. */
float xr_float16_to_float(uint16_t bits);
float xr_bfloat16_to_float(uint16_t bits);
float xr_float8_e4m3_to_float(uint8_t bits); /* OCP "fn": no infinities, NaN is 0x7F and 0xFF */
float xr_float8_e5m2_to_float(uint8_t bits); /* IEEE-like: infinities and NaN */

/* The bits of an element of 4, 8, 16, 32 or 64 of them. */
uint64_t xr_stored_bits(const uint8_t *bytes, uint64_t element, unsigned bits);
/* What xr_dtype_to_double and xr_dtype_to_float give; an int64 goes through a double. */
void xr_elements_to_double(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out);
void xr_elements_to_float(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out);

#endif
