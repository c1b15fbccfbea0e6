/* Reading stored elements as numbers: one loop for each type.  Data is little-endian and need not
 * be aligned. */
#ifndef XR_DTYPES_H
#define XR_DTYPES_H

#include "core/summary/element.h"

/* Stored values of elements first .. first + count - 1 as doubles, quantization
 * not applied.  The type must be numeric, the data long enough.  64-bit
 * integers beyond 2^53 round. */
void xr_dtype_to_double(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out);

/* The same as floats: exact for all types up to 16 bits, and float32. */
void xr_dtype_to_float(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out);

#endif
