/* The same with AVX2, where the processor has it. */
#include "core/summary/sketch_rows.h"

#if defined(__GNUC__) && defined(__x86_64__)

#include <immintrin.h>

#define AVX2 __attribute__((target("avx2")))

enum { LANES = 8, LAST = XR_SKETCH_COLUMNS / LANES * LANES, LEFT = XR_SKETCH_COLUMNS % LANES };

AVX2 static inline __m256 signed_by(__m256 x, __m256i word)
{
    const __m256i top = _mm256_set1_epi32(INT32_MIN);
    return _mm256_xor_ps(x, _mm256_castsi256_ps(_mm256_and_si256(word, top)));
}

AVX2 static inline __m256i load_words(const uint32_t *at)
{
    return _mm256_loadu_si256((const __m256i *)(const void *)at);
}

AVX2 static inline void store_words(uint32_t *at, __m256i words)
{
    _mm256_storeu_si256((__m256i *)(void *)at, words);
}

/* Two vectors of columns down all rows: their sums stay in registers, and neither waits
 * for the other. */
AVX2 static void two_columns(const float *x, size_t rows, uint32_t *sign, float *sum)
{
    __m256i w0 = load_words(sign), w1 = load_words(sign + LANES);
    __m256 s0 = _mm256_loadu_ps(sum), s1 = _mm256_loadu_ps(sum + LANES);
    for (size_t row = 0; row < rows; row++, x += XR_SKETCH_COLUMNS) {
        s0 = _mm256_add_ps(s0, signed_by(_mm256_loadu_ps(x), w0));
        s1 = _mm256_add_ps(s1, signed_by(_mm256_loadu_ps(x + LANES), w1));
        w0 = _mm256_add_epi32(w0, w0);
        w1 = _mm256_add_epi32(w1, w1);
    }
    _mm256_storeu_ps(sum, s0);
    _mm256_storeu_ps(sum + LANES, s1);
    store_words(sign, w0);
    store_words(sign + LANES, w1);
}

/* A whole vector and the one that the row ends in. */
AVX2 static void end_columns(const float *x, size_t rows, uint32_t *sign, float *sum)
{
    const __m256i there = _mm256_setr_epi32(-(LEFT > 0), -(LEFT > 1), -(LEFT > 2), -(LEFT > 3), -(LEFT > 4),
                                            -(LEFT > 5), -(LEFT > 6), 0);
    __m256i w0 = load_words(sign), w1 = load_words(sign + LANES);
    __m256 s0 = _mm256_loadu_ps(sum), s1 = _mm256_loadu_ps(sum + LANES);
    for (size_t row = 0; row < rows; row++, x += XR_SKETCH_COLUMNS) {
        s0 = _mm256_add_ps(s0, signed_by(_mm256_loadu_ps(x), w0));
        s1 = _mm256_add_ps(s1, signed_by(_mm256_maskload_ps(x + LANES, there), w1));
        w0 = _mm256_add_epi32(w0, w0);
        w1 = _mm256_add_epi32(w1, w1);
    }
    _mm256_storeu_ps(sum, s0);
    _mm256_storeu_ps(sum + LANES, s1);
    store_words(sign, w0);
    store_words(sign + LANES, w1);
}

_Static_assert(LAST % (2 * LANES) == LANES, "the last vector has a whole one before it");

static void rows_avx2(const uint8_t *data, size_t rows, uint32_t sign[XR_SKETCH_ROOM],
                      float sum[XR_SKETCH_ROOM])
{
    const float *x = (const float *)(const void *)data; /* read by unaligned loads alone */
    for (size_t column = 0; column < LAST - LANES; column += 2 * LANES)
        two_columns(x + column, rows, sign + column, sum + column);
    end_columns(x + LAST - LANES, rows, sign + LAST - LANES, sum + LAST - LANES);
}

xr_sketch_rows_fn *xr_sketch_rows_x86(void)
{
    return __builtin_cpu_supports("avx2") ? rows_avx2 : NULL;
}

#else

xr_sketch_rows_fn *xr_sketch_rows_x86(void)
{
    return NULL;
}

#endif
