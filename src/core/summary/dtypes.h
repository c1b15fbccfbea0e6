/* Reading stored elements as numbers.  Data is little-endian and need not be
 * aligned. */
#ifndef XR_DTYPES_H
#define XR_DTYPES_H

#include <exray/types.h>

/* One element each, from its stored bits. */
float xr_float16_to_float(uint16_t bits);
float xr_bfloat16_to_float(uint16_t bits);
float xr_float8_e4m3_to_float(uint8_t bits); /* OCP "fn": no infinities, NaN is 0x7F and 0xFF */
float xr_float8_e5m2_to_float(uint8_t bits); /* IEEE-like: infinities and NaN */

/* Stored values of elements first .. first + count - 1 as doubles, quantization
 * not applied.  The type must be numeric, the data long enough.  64-bit
 * integers beyond 2^53 round. */
void xr_dtype_to_double(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out);

/* The same as floats: exact for all types up to 16 bits, and float32. */
void xr_dtype_to_float(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out);

#endif
