#include "core/summary/element.h"

#include "core/dtype.h"
#include <string.h>

static float float_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* A small float of `exponent` and `mantissa` bits as a float.  `finite`: of the highest exponent only the
 * highest mantissa is no number; else IEEE's rules. */
static float small_float(uint32_t bits, unsigned exponent_bits, unsigned mantissa_bits, bool finite)
{
    const uint32_t exponent_mask = (1u << exponent_bits) - 1;
    const uint32_t sign = bits >> (exponent_bits + mantissa_bits) << 31;
    const uint32_t exponent = bits >> mantissa_bits & exponent_mask;
    const uint32_t highest = (1u << mantissa_bits) - 1;
    const uint32_t fraction = bits & highest, mantissa = fraction << (23 - mantissa_bits);
    const uint32_t bias = 127 - (exponent_mask >> 1);
    if (exponent == exponent_mask && (!finite || fraction == highest))
        return float_of_bits(sign | 0x7F800000u | mantissa);
    if (exponent)
        return float_of_bits(sign | (exponent + bias) << 23 | mantissa);
    /* Zero, or subnormal there and normal here: so many of the least number. */
    const float value = (float)fraction * float_of_bits((bias + 1 - mantissa_bits) << 23);
    return sign ? -value : value;
}

float xr_float16_to_float(uint16_t bits)
{
    return small_float(bits, 5, 10, false);
}

float xr_bfloat16_to_float(uint16_t bits)
{
    return float_of_bits((uint32_t)bits << 16);
}

float xr_float8_e4m3_to_float(uint8_t bits)
{
    return small_float(bits, 4, 3, true);
}

float xr_float8_e5m2_to_float(uint8_t bits)
{
    return small_float(bits, 5, 2, false);
}

/* ---- Any type, one element at a time ---- */

uint64_t xr_stored_bits(const uint8_t *bytes, uint64_t element, unsigned bits)
{
    uint64_t value = 0;
    if (bits == 4)
        return bytes[element / 2] >> (element % 2 * 4) & 0xF;
    for (unsigned i = 0; i < bits / 8; i++)
        value |= (uint64_t)bytes[element * (bits / 8) + i] << (8 * i);
    return value;
}

static double number(exray_dtype dtype, uint64_t stored, unsigned bits)
{
    int64_t low;
    uint64_t high;
    double value;
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT32:
        return (double)float_of_bits((uint32_t)stored);
    case EXRAY_DTYPE_FLOAT64:
        memcpy(&value, &stored, sizeof value);
        return value;
    case EXRAY_DTYPE_FLOAT16:
        return (double)xr_float16_to_float((uint16_t)stored);
    case EXRAY_DTYPE_BFLOAT16:
        return (double)xr_bfloat16_to_float((uint16_t)stored);
    case EXRAY_DTYPE_FLOAT8_E4M3:
        return (double)xr_float8_e4m3_to_float((uint8_t)stored);
    case EXRAY_DTYPE_FLOAT8_E5M2:
        return (double)xr_float8_e5m2_to_float((uint8_t)stored);
    case EXRAY_DTYPE_BOOL:
        return stored != 0;
    default:
        xr_dtype_integer_range(dtype, &low, &high);
        /* Of a signed type, the bits above the sign are its copies. */
        return low ? (double)((int64_t)(stored << (64 - bits)) >> (64 - bits)) : (double)stored;
    }
}

void xr_elements_to_double(exray_dtype dtype, const void *data, uint64_t first, size_t count, double *out)
{
    const unsigned bits = exray_dtype_bits(dtype);
    for (size_t i = 0; i < count; i++)
        out[i] = number(dtype, xr_stored_bits(data, first + i, bits), bits);
}

void xr_elements_to_float(exray_dtype dtype, const void *data, uint64_t first, size_t count, float *out)
{
    const unsigned bits = exray_dtype_bits(dtype);
    for (size_t i = 0; i < count; i++)
        out[i] = (float)number(dtype, xr_stored_bits(data, first + i, bits), bits);
}
