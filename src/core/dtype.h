/* Element types: what is known of them without looking at values. */
#ifndef XR_DTYPE_H
#define XR_DTYPE_H

#include <exray/types.h>

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

/* Whether data of that media format (NULL: none) are an encoded file or a text: bytes, no numbers to make
 * statistics of. */
bool xr_format_is_opaque(const char *format);

#endif
