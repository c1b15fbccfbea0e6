/* Stored numbers to real ones: real = scale * (stored - zero_point). */
#include "core/dtype.h"
#include "core/summary/dtypes.h"
#include <exray/log.h>

#include <string.h>

/* Loops of a constant length over LANES elements, so that compilers make vector
 * code of them at -O2 as well. */
enum { LANES = 32 };

#define DEFINE_CONVERT(name, type)                                                                           \
    static void name(const uint8_t *restrict data, size_t count, float *restrict out)                        \
    {                                                                                                        \
        size_t i = 0;                                                                                        \
        type stored; /* copied: data may stand at any address */                                             \
        for (; i + LANES <= count; i += LANES)                                                               \
            for (size_t k = 0; k < LANES; k++) {                                                             \
                memcpy(&stored, data + (i + k) * sizeof stored, sizeof stored);                              \
                out[i + k] = (float)stored;                                                                  \
            }                                                                                                \
        for (; i < count; i++) {                                                                             \
            memcpy(&stored, data + i * sizeof stored, sizeof stored);                                        \
            out[i] = (float)stored;                                                                          \
        }                                                                                                    \
    }

DEFINE_CONVERT(convert_int8, int8_t)
DEFINE_CONVERT(convert_uint8, uint8_t)
DEFINE_CONVERT(convert_int16, int16_t)
DEFINE_CONVERT(convert_int32, int32_t)

/* The stored numbers as they are: fast where tensors are large, by the core's
 * own conversion elsewhere. */
static void convert(exray_dtype dtype, const uint8_t *data, uint64_t first, size_t count, float *out)
{
    const uint8_t *at = data + first * (exray_dtype_bits(dtype) / 8);
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
        memcpy(out, at, count * sizeof *out);
        break;
    case EXRAY_DTYPE_INT8:
        convert_int8(at, count, out);
        break;
    case EXRAY_DTYPE_UINT8:
        convert_uint8(at, count, out);
        break;
    case EXRAY_DTYPE_INT16:
        convert_int16(at, count, out);
        break;
    case EXRAY_DTYPE_INT32:
        convert_int32(at, count, out);
        break;
    default:
        xr_dtype_to_float(dtype, data, first, count, out);
        break;
    }
}

static void affine(float *restrict values, size_t count, float scale, float zero)
{
    size_t i = 0;
    for (; i + LANES <= count; i += LANES)
        for (size_t k = 0; k < LANES; k++)
            values[i + k] = (values[i + k] - zero) * scale;
    for (; i < count; i++)
        values[i] = (values[i] - zero) * scale;
}

/* Applies the parameters of element first, first + 1, ... */
static bool apply(const exray_tensor_info *info, uint64_t first, uint64_t count, float *out)
{
    const exray_quantization *q = &info->quantization;
    if (q->count == 1) {
        affine(out, (size_t)count, q->scale[0], q->zero_point ? (float)q->zero_point[0] : 0);
        return true;
    }
    xr_axis_walk walk;
    if (!xr_axis_walk_of(info, &walk))
        return false;
    uint64_t inner = walk.run; /* elements that share a slice, one after the other */
    uint64_t slice = xr_axis_slice(&walk, first), run = inner - first % inner;
    for (uint64_t done = 0; done < count; run = inner) {
        if (run > count - done)
            run = count - done;
        affine(out + done, (size_t)run, q->scale[slice], q->zero_point ? (float)q->zero_point[slice] : 0);
        done += run;
        slice = slice + 1 < q->count ? slice + 1 : 0;
    }
    return true;
}

exray_status exray_tensor_dequantize_range(const exray_tensor_info *info, const void *data, size_t size,
                                           uint64_t first, uint64_t count, float *out)
{
    unsigned bits = exray_dtype_bits(info->dtype);
    if (bits == 0)
        return EXRAY_E_UNSUPPORTED;
    /* `capacity`: whole elements in `size` bytes, without overflow. */
    uint64_t capacity = bits < 8 ? (uint64_t)size * (8 / bits) : size / (bits / 8);
    if (first > capacity || count > capacity - first)
        return EXRAY_E_FORMAT;
    if (count == 0)
        return EXRAY_OK;
    if (info->quantization.count == 0) {
        convert(info->dtype, data, first, (size_t)count, out);
        return EXRAY_OK;
    }
    /* By blocks that stay in the first-level cache between the two steps. */
    enum { BLOCK = 2048 };
    for (uint64_t done = 0; done < count; done += BLOCK) {
        uint64_t part = count - done < BLOCK ? count - done : BLOCK;
        convert(info->dtype, data, first + done, (size_t)part, out + done);
        if (!apply(info, first + done, part, out + done))
            return EXRAY_E_FORMAT;
    }
    return EXRAY_OK;
}

exray_status exray_tensor_dequantize(const exray_tensor_info *info, const void *data, size_t size,
                                     uint64_t count, float *out)
{
    return exray_tensor_dequantize_range(info, data, size, 0, count, out);
}
