/* The same with AVX2, where the processor has it: 25 GB/s against 10. */
#include "core/summary/stats_block.h"

#if defined(__GNUC__) && defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2,fma")))

enum { FLOATS_PER_STEP = 16, BYTES_PER_STEP = 32, STEPS_PER_COUNT = 255 };

/* A layer's output often lies in the last cache level: asked for 2 KiB ahead, it
 * comes a third faster.  The address may lie beyond the data: nothing is read. */
AVX2 static inline void prefetch(const void *at)
{
    _mm_prefetch((const char *)((uintptr_t)at + 2048), _MM_HINT_T0);
}

AVX2 static __m256i load_bytes(const uint8_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static double sum_of(__m256d v)
{
    double lanes[4];
    _mm256_storeu_pd(lanes, v);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

AVX2 static uint64_t sum_of_u64(__m256i v)
{
    uint64_t lanes[4];
    _mm256_storeu_si256((__m256i *)(void *)lanes, v);
    return lanes[0] + lanes[1] + lanes[2] + lanes[3];
}

AVX2 static uint64_t sum_of_u32(__m256i v)
{
    uint32_t lanes[8];
    uint64_t sum = 0;
    _mm256_storeu_si256((__m256i *)(void *)lanes, v);
    for (int i = 0; i < 8; i++)
        sum += lanes[i];
    return sum;
}

AVX2 static xr_float_block reduce_floats(__m256 min, __m256 max, __m256d sum, __m256d squares, __m256i zeros)
{
    float low[8], high[8];
    _mm256_storeu_ps(low, min);
    _mm256_storeu_ps(high, max);
    xr_float_block block = {low[0], high[0], sum_of(sum), sum_of(squares), sum_of_u32(zeros)};
    for (int i = 1; i < 8; i++) {
        block.min = low[i] < block.min ? low[i] : block.min;
        block.max = high[i] > block.max ? high[i] : block.max;
    }
    return block;
}

/* Sums are taken in double: four accumulators hide the adder's latency. */
AVX2 static xr_float_block float_steps(const void *block, size_t count, double pivot)
{
    const float *x = block;
    const __m256d p = _mm256_set1_pd(pivot);
    const __m256 zero = _mm256_setzero_ps();
    __m256 min = _mm256_loadu_ps(x), max = min;
    __m256d s[4], q[4];
    __m256i zeros = _mm256_setzero_si256();
    for (int k = 0; k < 4; k++)
        s[k] = q[k] = _mm256_setzero_pd();
    for (size_t i = 0; i < count; i += FLOATS_PER_STEP) {
        prefetch(x + i);
        const __m256 a = _mm256_loadu_ps(x + i), b = _mm256_loadu_ps(x + i + 8);
        min = _mm256_min_ps(b, _mm256_min_ps(a, min));
        max = _mm256_max_ps(b, _mm256_max_ps(a, max));
        zeros = _mm256_sub_epi32(zeros, _mm256_castps_si256(_mm256_cmp_ps(a, zero, _CMP_EQ_OQ)));
        zeros = _mm256_sub_epi32(zeros, _mm256_castps_si256(_mm256_cmp_ps(b, zero, _CMP_EQ_OQ)));
        for (size_t k = 0; k < 4; k++) {
            const __m256d d = _mm256_sub_pd(_mm256_cvtps_pd(_mm_loadu_ps(x + i + 4 * k)), p);
            s[k] = _mm256_add_pd(s[k], d);
            q[k] = _mm256_fmadd_pd(d, d, q[k]);
        }
    }
    return reduce_floats(min, max, _mm256_add_pd(_mm256_add_pd(s[0], s[1]), _mm256_add_pd(s[2], s[3])),
                         _mm256_add_pd(_mm256_add_pd(q[0], q[1]), _mm256_add_pd(q[2], q[3])), zeros);
}

static void floats(const void *data, size_t count, double pivot, xr_float_block *out)
{
    xr_floats_by_steps(float_steps, FLOATS_PER_STEP, data, count, pivot, out);
}

AVX2 static xr_byte_block byte_steps(const uint8_t *x, size_t count, uint8_t flip, uint8_t zero)
{
    const __m256i none = _mm256_setzero_si256(), all = _mm256_set1_epi8(-1);
    const __m256i mask = _mm256_set1_epi8((char)flip), zero_point = _mm256_set1_epi8((char)zero);
    __m256i min = all, max = none, sum = none, squares = none;
    __m256i zeros = none, lows = none, highs = none;
    for (size_t i = 0; i < count;) {
        /* Counters of 8 bits, emptied before they overflow. */
        __m256i z = none, l = none, h = none;
        for (int step = 0; step < STEPS_PER_COUNT && i < count; step++, i += BYTES_PER_STEP) {
            prefetch(x + i);
            const __m256i v = _mm256_xor_si256(load_bytes(x + i), mask);
            const __m256i a = _mm256_unpacklo_epi8(v, none), b = _mm256_unpackhi_epi8(v, none);
            min = _mm256_min_epu8(min, v);
            max = _mm256_max_epu8(max, v);
            z = _mm256_sub_epi8(z, _mm256_cmpeq_epi8(v, zero_point));
            l = _mm256_sub_epi8(l, _mm256_cmpeq_epi8(v, none));
            h = _mm256_sub_epi8(h, _mm256_cmpeq_epi8(v, all));
            sum = _mm256_add_epi64(sum, _mm256_sad_epu8(v, none));
            squares =
                _mm256_add_epi32(squares, _mm256_add_epi32(_mm256_madd_epi16(a, a), _mm256_madd_epi16(b, b)));
        }
        zeros = _mm256_add_epi64(zeros, _mm256_sad_epu8(z, none));
        lows = _mm256_add_epi64(lows, _mm256_sad_epu8(l, none));
        highs = _mm256_add_epi64(highs, _mm256_sad_epu8(h, none));
    }
    uint8_t low[32], high[32];
    _mm256_storeu_si256((__m256i *)(void *)low, min);
    _mm256_storeu_si256((__m256i *)(void *)high, max);
    xr_byte_block block = {
        255, 0, sum_of_u64(sum), sum_of_u32(squares), sum_of_u64(zeros), sum_of_u64(lows), sum_of_u64(highs)};
    for (int i = 0; i < 32; i++) {
        block.min = low[i] < block.min ? low[i] : block.min;
        block.max = high[i] > block.max ? high[i] : block.max;
    }
    return block;
}

static void bytes(const uint8_t *data, size_t count, uint8_t flip, uint8_t zero, xr_byte_block *out)
{
    const size_t whole = count / BYTES_PER_STEP * BYTES_PER_STEP;
    xr_byte_block rest;
    *out = byte_steps(data, whole, flip, zero); /* of nothing: 255, 0 and zeros */
    if (whole == count)
        return;
    xr_stats_kernels_portable()->bytes(data + whole, count - whole, flip, zero, &rest);
    xr_byte_block_join(out, &rest);
}

const xr_stats_kernels *xr_stats_kernels_x86(void)
{
    static const xr_stats_kernels kernels = {floats, bytes};
    return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") ? &kernels : NULL;
}

#else

const xr_stats_kernels *xr_stats_kernels_x86(void)
{
    return NULL;
}

#endif
