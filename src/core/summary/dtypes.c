#include "core/summary/dtypes.h"

#include <string.h>

static uint64_t load(const uint8_t *at, unsigned bytes)
{
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)at[i] << (8 * i);
    return value;
}

static float load_float(const uint8_t *at)
{
    float value;
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    memcpy(&value, at, sizeof value); /* compilers see no load in the bytes, and convert one by one */
#else
    const uint32_t bits = (uint32_t)load(at, 4);
    memcpy(&value, &bits, sizeof value);
#endif
    return value;
}

static double load_double(const uint8_t *at)
{
    const uint64_t bits = load(at, 8);
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static int nibble(const uint8_t *bytes, uint64_t element)
{
    return bytes[element / 2] >> (element % 2 * 4) & 0xF;
}

/* One loop a type: X(type, expression of the element `e` of `bytes`). */
#define ELEMENTS(X)                                                                                          \
    X(FLOAT32, load_float(bytes + 4 * e))                                                                    \
    X(FLOAT16, xr_float16_to_float((uint16_t)load(bytes + 2 * e, 2)))                                        \
    X(BFLOAT16, xr_bfloat16_to_float((uint16_t)load(bytes + 2 * e, 2)))                                      \
    X(FLOAT64, load_double(bytes + 8 * e))                                                                   \
    X(INT8, (int8_t)bytes[e])                                                                                \
    X(UINT8, bytes[e])                                                                                       \
    X(INT16, (int16_t)load(bytes + 2 * e, 2))                                                                \
    X(UINT16, (uint16_t)load(bytes + 2 * e, 2))                                                              \
    X(INT32, (int32_t)load(bytes + 4 * e, 4))                                                                \
    X(UINT32, (uint32_t)load(bytes + 4 * e, 4))                                                              \
    X(INT64, (int64_t)load(bytes + 8 * e, 8))                                                                \
    X(UINT64, load(bytes + 8 * e, 8))                                                                        \
    X(BOOL, bytes[e] != 0)                                                                                   \
    X(INT4, (nibble(bytes, e) ^ 8) - 8)                                                                      \
    X(UINT4, nibble(bytes, e))                                                                               \
    X(FLOAT8_E4M3, xr_float8_e4m3_to_float(bytes[e]))                                                        \
    X(FLOAT8_E5M2, xr_float8_e5m2_to_float(bytes[e]))

#define CONVERT(name, element)                                                                               \
    case EXRAY_DTYPE_##name:                                                                                 \
        for (size_t i = 0; i < count; i++) {                                                                 \
            const uint64_t e = first + i;                                                                    \
            out[i] = (NUMBER)(element);                                                                      \
        }                                                                                                    \
        break;

void xr_dtype_to_double(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out)
{
    const uint8_t *bytes = data;
    switch (dtype) {
#define NUMBER double
        ELEMENTS(CONVERT)
#undef NUMBER
    case EXRAY_DTYPE_UNSPECIFIED:
    case EXRAY_DTYPE_STRING:
        break;
    }
}

void xr_dtype_to_float(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out)
{
    const uint8_t *bytes = data;
    switch (dtype) {
#define NUMBER float
        ELEMENTS(CONVERT)
#undef NUMBER
    case EXRAY_DTYPE_UNSPECIFIED:
    case EXRAY_DTYPE_STRING:
        break;
    }
}
