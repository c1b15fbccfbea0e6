/* Loops that a compiler can vectorize for any processor: XR_SIMD is set with
 * -fopenmp-simd, which permits sums in another order without -ffast-math. */
#include "core/summary/stats_block.h"
#include <string.h>

#ifdef XR_SIMD
#define SIMD(clauses) _Pragma(#clauses)
#else
#define SIMD(clauses)
#endif

static inline float float_at(const uint8_t *bytes, size_t i)
{
    float value;
    memcpy(&value, bytes + 4 * i, sizeof value);
    return value;
}

/* Two streams: a sum must not wait for the one before it. */
static void floats(const void *data, size_t count, double pivot, xr_float_block *out)
{
    const uint8_t *first = data;
    const size_t half = count / 2;
    const uint8_t *second = first + 4 * half;
    float min = float_at(first, count - 1), max = min, min2 = min, max2 = min;
    const double last = count % 2 ? (double)min - pivot : 0;
    double sum = last, squares = last * last, sum2 = 0, squares2 = 0;
    uint32_t zeros = count % 2 ? min == 0 : 0;
    SIMD(omp simd reduction(min : min, min2) reduction(max : max, max2)
             reduction(+ : sum, sum2, squares, squares2, zeros))
    for (size_t i = 0; i < half; i++) {
        const float x = float_at(first, i), y = float_at(second, i);
        const double dx = (double)x - pivot, dy = (double)y - pivot;
        min = x < min ? x : min;
        max = x > max ? x : max;
        min2 = y < min2 ? y : min2;
        max2 = y > max2 ? y : max2;
        sum += dx;
        sum2 += dy;
        squares += dx * dx;
        squares2 += dy * dy;
        zeros += (uint32_t)(x == 0) + (uint32_t)(y == 0);
    }
    *out = (xr_float_block){min < min2 ? min : min2, max > max2 ? max : max2, sum + sum2, squares + squares2,
                            zeros};
}

void xr_stats_bytes_portable(const uint8_t *data, size_t count, uint8_t flip, uint8_t zero,
                             xr_byte_block *out)
{
    uint8_t min = 255, max = 0;
    uint16_t zeros = 0, lows = 0, highs = 0;
    int32_t sum = 0, squares = 0;
    SIMD(omp simd reduction(min : min) reduction(max : max) reduction(+ : zeros, lows, highs))
    for (size_t i = 0; i < count; i++) {
        const uint8_t x = data[i] ^ flip;
        min = x < min ? x : min;
        max = x > max ? x : max;
        zeros = (uint16_t)(zeros + (x == zero));
        lows = (uint16_t)(lows + (x == 0));
        highs = (uint16_t)(highs + (x == 255));
    }
    SIMD(omp simd reduction(+ : sum, squares))
    for (size_t i = 0; i < count; i++) {
        const int16_t x = (uint8_t)(data[i] ^ flip);
        sum += x;
        squares += (int32_t)x * x;
    }
    *out = (xr_byte_block){min, max, (uint64_t)sum, (uint64_t)squares, zeros, lows, highs};
}

const xr_stats_kernels *xr_stats_kernels_portable(void)
{
    static const xr_stats_kernels kernels = {floats, xr_stats_bytes_portable};
    return &kernels;
}
