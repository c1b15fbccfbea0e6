/* Element types: reading stored elements as numbers.  Data is little-endian and
 * need not be aligned. */
#ifndef XR_DTYPE_H
#define XR_DTYPE_H

#include <exray/types.h>

/* One element each, from its stored bits. */
float xr_float16_to_float(uint16_t bits);
float xr_bfloat16_to_float(uint16_t bits);
float xr_float8_e4m3_to_float(uint8_t bits); /* OCP "fn": no infinities, NaN is 0x7F and 0xFF */
float xr_float8_e5m2_to_float(uint8_t bits); /* IEEE-like: infinities and NaN */

/* Whether elements are numbers of fixed size: all types but strings and
 * unspecified. */
bool xr_dtype_is_numeric(exray_dtype dtype);
/* Signed or unsigned integers, 4 to 64 bits; bool is none. */
bool xr_dtype_is_integer(exray_dtype dtype);
/* The smallest and largest stored value of an integer type. */
void xr_dtype_integer_range(exray_dtype dtype, int64_t *low, uint64_t *high);

/* Bytes of `count` elements (4-bit types round up); UINT64_MAX where that
 * overflows, 0 where the type has no fixed size. */
uint64_t xr_dtype_bytes(exray_dtype dtype, uint64_t count);

/* Elements of a shape, its product; false where a dimension is unknown (-1) or
 * the product overflows. */
bool xr_shape_count(const int64_t *shape, uint32_t rank, uint64_t *count);

/* Stored values of elements first .. first + count - 1 as doubles, quantization
 * not applied.  The type must be numeric, the data long enough.  64-bit
 * integers beyond 2^53 round. */
void xr_dtype_to_double(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out);

/* The same as floats: exact for all types up to 16 bits, and float32. */
void xr_dtype_to_float(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out);

/* A walk over the slices of a tensor quantized along an axis: the elements
 * come in runs of `run` that share a scale; after the last slice it begins
 * again.  count <= 1: one run without end. */
typedef struct xr_axis_walk {
    uint32_t slices;
    uint64_t run;
} xr_axis_walk;
/* false: the axis or the number of scales does not fit the shape. */
bool xr_axis_walk_of(const exray_tensor_info *info, xr_axis_walk *walk);
/* The slice that an element is in. */
static inline uint32_t xr_axis_slice(const xr_axis_walk *walk, uint64_t element)
{
    return (uint32_t)(element / walk->run % walk->slices);
}

#endif
