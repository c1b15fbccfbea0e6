#include "core/dtype.h"

#include <string.h>

bool xr_dtype_is_numeric(exray_dtype dtype)
{
    return exray_dtype_bits(dtype) != 0;
}

bool xr_dtype_is_integer(exray_dtype dtype)
{
    return (dtype >= EXRAY_DTYPE_INT8 && dtype <= EXRAY_DTYPE_UINT64) || dtype == EXRAY_DTYPE_INT4 ||
           dtype == EXRAY_DTYPE_UINT4;
}

void xr_dtype_integer_range(exray_dtype dtype, int64_t *low, uint64_t *high)
{
    const unsigned bits = exray_dtype_bits(dtype);
    const bool is_signed = dtype == EXRAY_DTYPE_INT8 || dtype == EXRAY_DTYPE_INT16 ||
                           dtype == EXRAY_DTYPE_INT32 || dtype == EXRAY_DTYPE_INT64 ||
                           dtype == EXRAY_DTYPE_INT4;
    const uint64_t all = bits ? UINT64_MAX >> (64 - bits) : 0;
    *high = is_signed ? all >> 1 : all;
    *low = is_signed ? -(int64_t)*high - 1 : 0;
}

uint64_t xr_dtype_bytes(exray_dtype dtype, uint64_t count)
{
    const unsigned bits = exray_dtype_bits(dtype);
    if (bits == 4)
        return count / 2 + count % 2;
    const uint64_t bytes = bits / 8;
    return bytes && count > UINT64_MAX / bytes ? UINT64_MAX : count * bytes;
}

bool xr_shape_count(const int64_t *shape, uint32_t rank, uint64_t *count)
{
    bool zero = false;
    *count = 1;
    for (uint32_t i = 0; i < rank; i++) {
        if (shape[i] < 0)
            return false;
        zero = zero || shape[i] == 0;
    }
    for (uint32_t i = 0; i < rank && !zero; i++) {
        if (*count > UINT64_MAX / (uint64_t)shape[i])
            return false;
        *count *= (uint64_t)shape[i];
    }
    if (zero)
        *count = 0;
    return true;
}

bool xr_axis_walk_of(const exray_tensor_info *info, xr_axis_walk *walk)
{
    const exray_quantization *q = &info->quantization;
    *walk = (xr_axis_walk){1, UINT64_MAX};
    if (q->count <= 1)
        return true;
    if (q->axis >= info->rank || info->shape[q->axis] != (int64_t)q->count)
        return false;
    walk->slices = q->count;
    if (!xr_shape_count(info->shape + q->axis + 1, info->rank - q->axis - 1, &walk->run))
        return false;
    if (walk->run == 0) /* no elements at all */
        walk->run = 1;
    return true;
}

bool xr_format_is_opaque(const char *format)
{
    static const char formats[][5] = {"jpeg", "png", "wav", "utf8"};
    for (size_t i = 0; format && i < sizeof formats / sizeof *formats; i++)
        if (strcmp(format, formats[i]) == 0)
            return true;
    return false;
}
