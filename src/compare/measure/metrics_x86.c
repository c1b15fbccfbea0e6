/* The vectorized pass over a pair of tensors.  Seven sums and extrema of two
 * arrays cost about as much as reading them, so one pass does it all.
 *
 * A block is XR_BLOCK_STEPS vectors.  Within it lanes add up in float; 16 terms
 * lose at most 16 units in the last place, far less on average.  Blocks add up in
 * double.  Whether all values were finite is seen from the block's sum of
 * squares, which any NaN or infinity spoils: no test per element. */
#include "compare/measure/metrics_x86.h"

#if defined(__x86_64__) && defined(__GNUC__)

#include "codecs/crc32_avx512.h"
#include "codecs/crc32_fold.h"

#include <immintrin.h>
#include <math.h>
#include <stdint.h>

/* Squares of values beyond these leave float's range, or its precision. */
#define LARGEST  1e18f
#define SMALLEST 1e-12f

/* Memory is fetched while what is at hand, in the cache already, is summed (measure.c).  Beyond the arrays'
 * ends nothing is read: a prefetch never faults. */
static inline void prefetch_after(const char *at)
{
    enum { AHEAD = 32 << 10 };
    _mm_prefetch((const char *)((uintptr_t)at + AHEAD), _MM_HINT_T1);
}

/* Adds a call's extrema to the whole. */
static void note_extrema(xr_moments *m, float min_a, float max_a, float min_b, float max_b, float max_abs)
{
    m->min[0] = fmin(m->min[0], min_a);
    m->max[0] = fmax(m->max[0], max_a);
    m->min[1] = fmin(m->min[1], min_b);
    m->max[1] = fmax(m->max[1], max_b);
    m->max_abs = fmax(m->max_abs, max_abs);
}

/* ---- AVX2 with FMA: 8 lanes ------------------------------------------------ */

#define AVX2 __attribute__((target("avx2,fma")))

AVX2 static __m256d widen_add(__m256d sum, __m256 x)
{
    sum = _mm256_add_pd(sum, _mm256_cvtps_pd(_mm256_castps256_ps128(x)));
    return _mm256_add_pd(sum, _mm256_cvtps_pd(_mm256_extractf128_ps(x, 1)));
}

AVX2 static double total(__m256d x)
{
    __m128d half = _mm_add_pd(_mm256_castpd256_pd128(x), _mm256_extractf128_pd(x, 1));
    return _mm_cvtsd_f64(_mm_add_sd(half, _mm_unpackhi_pd(half, half)));
}

AVX2 static float largest8(__m256 x)
{
    __m128 h = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    h = _mm_max_ps(h, _mm_movehl_ps(h, h));
    return _mm_cvtss_f32(_mm_max_ss(h, _mm_shuffle_ps(h, h, 1)));
}

AVX2 static float smallest8(__m256 x)
{
    return -largest8(_mm256_sub_ps(_mm256_setzero_ps(), x));
}

/* Whether a block's squares keep within float, seen from its extrema. */
AVX2 static bool in_range8(__m256 low_a, __m256 high_a, __m256 low_b, __m256 high_b)
{
    const __m256 sign = _mm256_set1_ps(-0.0f);
    __m256 a = _mm256_max_ps(_mm256_xor_ps(low_a, sign), high_a);
    __m256 b = _mm256_max_ps(_mm256_xor_ps(low_b, sign), high_b);
    __m256 largest = _mm256_max_ps(a, b);
    int over = _mm256_movemask_ps(_mm256_cmp_ps(largest, _mm256_set1_ps(LARGEST), _CMP_GT_OQ));
    int enough = _mm256_movemask_ps(_mm256_cmp_ps(largest, _mm256_set1_ps(SMALLEST), _CMP_GE_OQ));
    int any = _mm256_movemask_ps(_mm256_cmp_ps(largest, _mm256_setzero_ps(), _CMP_GT_OQ));
    return over == 0 && (enough != 0 || any == 0);
}

AVX2 size_t xr_moments_avx2(xr_moments *m, const float *a, const float *b, size_t n)
{
    enum { BLOCK = XR_BLOCK_STEPS * 8 };
    const char *pa = (const char *)a, *pb = (const char *)b;
    const __m256 sign = _mm256_set1_ps(-0.0f), zero = _mm256_setzero_ps();
    __m256d sum_a = _mm256_setzero_pd(), sum_b = sum_a, sum_aa = sum_a, sum_bb = sum_a, sum_ab = sum_a,
            sum_dd = sum_a;
    __m256 min_a = _mm256_set1_ps(INFINITY), max_a = _mm256_set1_ps(-INFINITY), min_b = min_a, max_b = max_a,
           max_abs = zero;
    size_t done = 0;
    for (; n - done >= BLOCK; done += BLOCK) {
        __m256 sa = zero, sb = zero, aa = zero, bb = zero, ab = zero, dd = zero, most = zero;
        __m256 low_a = _mm256_loadu_ps((const float *)(const void *)pa), high_a = low_a;
        __m256 low_b = _mm256_loadu_ps((const float *)(const void *)pb), high_b = low_b;
        for (int i = 0; i < XR_BLOCK_STEPS; i++) {
            if (i % 2 == 0) { /* a line holds two vectors */
                prefetch_after(pa + 32 * i);
                prefetch_after(pb + 32 * i);
            }
            __m256 x = _mm256_loadu_ps((const float *)(const void *)(pa + 32 * i));
            __m256 y = _mm256_loadu_ps((const float *)(const void *)(pb + 32 * i));
            __m256 d = _mm256_sub_ps(x, y);
            sa = _mm256_add_ps(sa, x);
            sb = _mm256_add_ps(sb, y);
            aa = _mm256_fmadd_ps(x, x, aa);
            bb = _mm256_fmadd_ps(y, y, bb);
            ab = _mm256_fmadd_ps(x, y, ab);
            dd = _mm256_fmadd_ps(d, d, dd);
            most = _mm256_max_ps(most, _mm256_andnot_ps(sign, d));
            low_a = _mm256_min_ps(low_a, x);
            high_a = _mm256_max_ps(high_a, x);
            low_b = _mm256_min_ps(low_b, y);
            high_b = _mm256_max_ps(high_b, y);
        }
        __m256 probe = _mm256_add_ps(aa, bb);
        __m256 finite = _mm256_cmp_ps(_mm256_sub_ps(probe, probe), zero, _CMP_EQ_OQ);
        if (_mm256_movemask_ps(finite) != 0xFF)
            break;
        if (!in_range8(low_a, high_a, low_b, high_b))
            break;
        min_a = _mm256_min_ps(min_a, low_a);
        max_a = _mm256_max_ps(max_a, high_a);
        min_b = _mm256_min_ps(min_b, low_b);
        max_b = _mm256_max_ps(max_b, high_b);
        max_abs = _mm256_max_ps(max_abs, most);
        sum_a = widen_add(sum_a, sa);
        sum_b = widen_add(sum_b, sb);
        sum_aa = widen_add(sum_aa, aa);
        sum_bb = widen_add(sum_bb, bb);
        sum_ab = widen_add(sum_ab, ab);
        sum_dd = widen_add(sum_dd, dd);
        pa += 4 * BLOCK;
        pb += 4 * BLOCK;
    }
    m->count += done;
    m->total += done;
    m->sum[0] += total(sum_a);
    m->sum[1] += total(sum_b);
    m->square[0] += total(sum_aa);
    m->square[1] += total(sum_bb);
    m->product += total(sum_ab);
    m->difference_square += total(sum_dd);
    if (done)
        note_extrema(m, smallest8(min_a), largest8(max_a), smallest8(min_b), largest8(max_b),
                     largest8(max_abs));
    return done;
}

/* ---- AVX-512: 16 lanes ----------------------------------------------------- */

#define AVX512        __attribute__((target("avx512f")))
#define AVX512_INLINE __attribute__((target("avx512f"), always_inline)) static inline

AVX512_INLINE __m512d widen_add16(__m512d sum, __m512 x)
{
    __m256 low = _mm512_castps512_ps256(x);
    __m256 high = _mm256_castpd_ps(_mm512_extractf64x4_pd(_mm512_castps_pd(x), 1));
    sum = _mm512_add_pd(sum, _mm512_cvtps_pd(low));
    return _mm512_add_pd(sum, _mm512_cvtps_pd(high));
}

AVX512_INLINE bool in_range16(__m512 low_a, __m512 high_a, __m512 low_b, __m512 high_b)
{
    const __m512 zero = _mm512_setzero_ps();
    __m512 a = _mm512_max_ps(_mm512_sub_ps(zero, low_a), high_a);
    __m512 b = _mm512_max_ps(_mm512_sub_ps(zero, low_b), high_b);
    __m512 largest = _mm512_max_ps(a, b);
    __mmask16 over = _mm512_cmp_ps_mask(largest, _mm512_set1_ps(LARGEST), _CMP_GT_OQ);
    __mmask16 enough = _mm512_cmp_ps_mask(largest, _mm512_set1_ps(SMALLEST), _CMP_GE_OQ);
    __mmask16 any = _mm512_cmp_ps_mask(largest, zero, _CMP_GT_OQ);
    return over == 0 && (enough != 0 || any == 0);
}

/* Sums of whole blocks. */
typedef struct sums16 {
    __m512d a, b, aa, bb, ab, dd;
    __m512 min_a, max_a, min_b, max_b, max_abs;
} sums16;

/* The same of the block at hand. */
typedef struct block16 {
    __m512 a, b, aa, bb, ab, dd, most, low_a, high_a, low_b, high_b;
} block16;

AVX512_INLINE sums16 no_sums16(void)
{
    const __m512d none = _mm512_setzero_pd();
    const __m512 least = _mm512_set1_ps(INFINITY), most = _mm512_set1_ps(-INFINITY);
    return (sums16){none, none, none, none, none, none, least, most, least, most, _mm512_setzero_ps()};
}

AVX512_INLINE block16 begin_block16(const char *pa, const char *pb)
{
    const __m512 zero = _mm512_setzero_ps(), a = _mm512_loadu_ps(pa), b = _mm512_loadu_ps(pb);
    return (block16){zero, zero, zero, zero, zero, zero, zero, a, a, b, b};
}

AVX512_INLINE void add_step16(block16 *k, __m512 x, __m512 y)
{
    const __m512 d = _mm512_sub_ps(x, y);
    k->a = _mm512_add_ps(k->a, x);
    k->b = _mm512_add_ps(k->b, y);
    k->aa = _mm512_fmadd_ps(x, x, k->aa);
    k->bb = _mm512_fmadd_ps(y, y, k->bb);
    k->ab = _mm512_fmadd_ps(x, y, k->ab);
    k->dd = _mm512_fmadd_ps(d, d, k->dd);
    k->most = _mm512_max_ps(k->most, _mm512_abs_ps(d));
    k->low_a = _mm512_min_ps(k->low_a, x);
    k->high_a = _mm512_max_ps(k->high_a, x);
    k->low_b = _mm512_min_ps(k->low_b, y);
    k->high_b = _mm512_max_ps(k->high_b, y);
}

/* False: it holds a value that is not finite, or out of range. */
AVX512_INLINE bool add_block16(sums16 *s, const block16 *k)
{
    const __m512 probe = _mm512_add_ps(k->aa, k->bb);
    if (_mm512_cmp_ps_mask(_mm512_sub_ps(probe, probe), _mm512_setzero_ps(), _CMP_EQ_OQ) != 0xFFFF)
        return false;
    if (!in_range16(k->low_a, k->high_a, k->low_b, k->high_b))
        return false;
    s->min_a = _mm512_min_ps(s->min_a, k->low_a);
    s->max_a = _mm512_max_ps(s->max_a, k->high_a);
    s->min_b = _mm512_min_ps(s->min_b, k->low_b);
    s->max_b = _mm512_max_ps(s->max_b, k->high_b);
    s->max_abs = _mm512_max_ps(s->max_abs, k->most);
    s->a = widen_add16(s->a, k->a);
    s->b = widen_add16(s->b, k->b);
    s->aa = widen_add16(s->aa, k->aa);
    s->bb = widen_add16(s->bb, k->bb);
    s->ab = widen_add16(s->ab, k->ab);
    s->dd = widen_add16(s->dd, k->dd);
    return true;
}

AVX512_INLINE void give_sums16(xr_moments *m, const sums16 *s, size_t done)
{
    m->count += done;
    m->total += done;
    m->sum[0] += _mm512_reduce_add_pd(s->a);
    m->sum[1] += _mm512_reduce_add_pd(s->b);
    m->square[0] += _mm512_reduce_add_pd(s->aa);
    m->square[1] += _mm512_reduce_add_pd(s->bb);
    m->product += _mm512_reduce_add_pd(s->ab);
    m->difference_square += _mm512_reduce_add_pd(s->dd);
    if (done)
        note_extrema(m, _mm512_reduce_min_ps(s->min_a), _mm512_reduce_max_ps(s->max_a),
                     _mm512_reduce_min_ps(s->min_b), _mm512_reduce_max_ps(s->max_b),
                     _mm512_reduce_max_ps(s->max_abs));
}

enum { BLOCK16 = XR_BLOCK_STEPS * 16 };

AVX512 size_t xr_moments_avx512(xr_moments *m, const float *a, const float *b, size_t n)
{
    const char *pa = (const char *)a, *pb = (const char *)b;
    sums16 sums = no_sums16();
    size_t done = 0;
    for (; n - done >= BLOCK16; done += BLOCK16) {
        block16 block = begin_block16(pa, pb);
        for (int i = 0; i < XR_BLOCK_STEPS; i++) {
            prefetch_after(pa + 64 * i);
            prefetch_after(pb + 64 * i);
            add_step16(&block, _mm512_loadu_ps(pa + 64 * i), _mm512_loadu_ps(pb + 64 * i));
        }
        if (!add_block16(&sums, &block))
            break;
        pa += 4 * BLOCK16;
        pb += 4 * BLOCK16;
    }
    give_sums16(m, &sums, done);
    return done;
}

/* ---- AVX-512, and checksums of the same bytes ------------------------------- */

/* Data comes from memory here, which no other loop has read before: it is fetched into the second-level cache
 * far ahead, which keeps memory busy across the ends of pages, and from there into the first in time. */
AVX512_INLINE void prefetch_twice(const char *at)
{
    enum { FAR_AHEAD = 16 << 10, SOON = 2 << 10 };
    _mm_prefetch((const char *)((uintptr_t)at + FAR_AHEAD), _MM_HINT_T1);
    _mm_prefetch((const char *)((uintptr_t)at + SOON), _MM_HINT_T0);
}

/* The four registers that a checksum is folded in; what was summed before is added to the first bytes. */
typedef struct fold4 {
    __m512i x[4], first;
} fold4;

XR_CRC32_TARGET static uint32_t end_fold(const fold4 *f)
{
    uint8_t left[XR_CRC32_BLOCK];
    for (int i = 0; i < 4; i++)
        _mm512_storeu_si512(left + 64 * i, f->x[i]);
    return xr_crc32_avx512(XR_CRC32_ZERO, left, sizeof left);
}

XR_CRC32_TARGET size_t xr_summed_moments_avx512(xr_moments *m, uint32_t crc[2], const float *a,
                                                const float *b, size_t n)
{
    const char *pa = (const char *)a, *pb = (const char *)b;
    const __m512i by = xr_crc32_lanes(XR_CRC32_BY_2048), zero = _mm512_setzero_si512();
    fold4 fa = {{zero, zero, zero, zero}, xr_crc32_state(crc[0])};
    fold4 fb = {{zero, zero, zero, zero}, xr_crc32_state(crc[1])};
    sums16 sums = no_sums16();
    size_t done = 0;
    for (; n - done >= BLOCK16; done += BLOCK16) {
        block16 block = begin_block16(pa, pb);
        const fold4 before_a = fa, before_b = fb;
        for (int i = 0; i < XR_BLOCK_STEPS; i++) {
            prefetch_twice(pa + 64 * i);
            prefetch_twice(pb + 64 * i);
            const __m512 x = _mm512_loadu_ps(pa + 64 * i), y = _mm512_loadu_ps(pb + 64 * i);
            const __m512i bits_x = _mm512_castps_si512(x), bits_y = _mm512_castps_si512(y);
            fa.x[i % 4] = xr_crc32_fold(fa.x[i % 4], by, i ? bits_x : _mm512_xor_si512(bits_x, fa.first));
            fb.x[i % 4] = xr_crc32_fold(fb.x[i % 4], by, i ? bits_y : _mm512_xor_si512(bits_y, fb.first));
            add_step16(&block, x, y);
        }
        if (!add_block16(&sums, &block)) {
            fa = before_a;
            fb = before_b;
            break;
        }
        fa.first = fb.first = zero;
        pa += 4 * BLOCK16;
        pb += 4 * BLOCK16;
    }
    give_sums16(m, &sums, done);
    if (done) {
        crc[0] = end_fold(&fa);
        crc[1] = end_fold(&fb);
    }
    return done;
}

#else
typedef int xr_no_x86; /* an empty file is no C */
#endif
