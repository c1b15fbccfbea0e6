/* The same with NEON, which each arm64 processor has: 3.2 instructions a float against 5.3. */
#include "core/summary/stats_block.h"

#if defined(__aarch64__) && defined(__ARM_NEON) && !defined(__AARCH64EB__)

#include <arm_neon.h>

enum { FLOATS_PER_STEP = 16, BYTES_PER_STEP = 16, STEPS_PER_COUNT = 128 };

/* Sums are taken in double: four accumulators hide the adder's latency. */
static xr_float_block float_steps(const void *block, size_t count, double pivot)
{
    const uint8_t *data = block;
    const float64x2_t p = vdupq_n_f64(pivot);
    float32x4_t min = vreinterpretq_f32_u8(vld1q_u8(data)), max = min;
    float64x2_t sum[4], squares[4];
    uint32x4_t zeros = vdupq_n_u32(0);
    for (int k = 0; k < 4; k++)
        sum[k] = squares[k] = vdupq_n_f64(0);
    for (size_t i = 0; i < count; i += FLOATS_PER_STEP) {
        for (size_t k = 0; k < 4; k++) {
            const float32x4_t x = vreinterpretq_f32_u8(vld1q_u8(data + 4 * i + 16 * k));
            min = vminq_f32(min, x);
            max = vmaxq_f32(max, x);
            zeros = vsubq_u32(zeros, vceqzq_f32(x));
            const float64x2_t low = vsubq_f64(vcvt_f64_f32(vget_low_f32(x)), p);
            const float64x2_t high = vsubq_f64(vcvt_high_f64_f32(x), p);
            const size_t a = 2 * (k % 2), b = a + 1;
            sum[a] = vaddq_f64(sum[a], low);
            sum[b] = vaddq_f64(sum[b], high);
            squares[a] = vfmaq_f64(squares[a], low, low);
            squares[b] = vfmaq_f64(squares[b], high, high);
        }
    }
    return (xr_float_block){
        vminvq_f32(min), vmaxvq_f32(max),
        vaddvq_f64(vaddq_f64(vaddq_f64(sum[0], sum[1]), vaddq_f64(sum[2], sum[3]))),
        vaddvq_f64(vaddq_f64(vaddq_f64(squares[0], squares[1]), vaddq_f64(squares[2], squares[3]))),
        vaddvq_u32(zeros)};
}

static void floats(const void *data, size_t count, double pivot, xr_float_block *out)
{
    xr_floats_by_steps(float_steps, FLOATS_PER_STEP, data, count, pivot, out);
}

static xr_byte_block byte_steps(const uint8_t *data, size_t count, uint8_t flip, uint8_t zero)
{
    const uint8x16_t mask = vdupq_n_u8(flip), zero_point = vdupq_n_u8(zero);
    uint8x16_t min = vdupq_n_u8(255), max = vdupq_n_u8(0);
    uint32x4_t sum = vdupq_n_u32(0), squares = sum, zeros = sum, lows = sum, highs = sum;
    for (size_t i = 0; i < count;) {
        /* Counters of 8 bits and sums of 16, emptied before they overflow. */
        uint8x16_t z = vdupq_n_u8(0), l = z, h = z;
        uint16x8_t s = vdupq_n_u16(0);
        for (int step = 0; step < STEPS_PER_COUNT && i < count; step++, i += BYTES_PER_STEP) {
            const uint8x16_t v = veorq_u8(vld1q_u8(data + i), mask);
            min = vminq_u8(min, v);
            max = vmaxq_u8(max, v);
            z = vsubq_u8(z, vceqq_u8(v, zero_point));
            l = vsubq_u8(l, vceqzq_u8(v));
            h = vsubq_u8(h, vceqq_u8(v, vdupq_n_u8(255)));
            s = vpadalq_u8(s, v);
            squares = vpadalq_u16(squares, vmull_u8(vget_low_u8(v), vget_low_u8(v)));
            squares = vpadalq_u16(squares, vmull_high_u8(v, v));
        }
        sum = vpadalq_u16(sum, s);
        zeros = vpadalq_u16(zeros, vpaddlq_u8(z));
        lows = vpadalq_u16(lows, vpaddlq_u8(l));
        highs = vpadalq_u16(highs, vpaddlq_u8(h));
    }
    return (xr_byte_block){vminvq_u8(min),     vmaxvq_u8(max),    vaddlvq_u32(sum),  vaddlvq_u32(squares),
                           vaddlvq_u32(zeros), vaddlvq_u32(lows), vaddlvq_u32(highs)};
}

static void bytes(const uint8_t *data, size_t count, uint8_t flip, uint8_t zero, xr_byte_block *out)
{
    const size_t whole = count / BYTES_PER_STEP * BYTES_PER_STEP;
    xr_byte_block rest;
    *out = byte_steps(data, whole, flip, zero); /* of nothing: 255, 0 and zeros */
    if (whole == count)
        return;
    xr_stats_bytes_portable(data + whole, count - whole, flip, zero, &rest);
    xr_byte_block_join(out, &rest);
}

const xr_stats_kernels *xr_stats_kernels_neon(void)
{
    static const xr_stats_kernels kernels = {floats, bytes};
    return &kernels;
}

#else

const xr_stats_kernels *xr_stats_kernels_neon(void)
{
    return NULL;
}

#endif
