#include "models/model_hash.h"

#include "core/encode/sha256.h"

#include <exray/exray.h>
#include <stdbool.h>
#include <string.h>

#if defined(__GNUC__) && defined(__x86_64__)
#define HAS_WAY 1
#include <cpuid.h>
#include <immintrin.h>
#elif defined(__GNUC__) && defined(__aarch64__) && defined(__linux__)
#define HAS_WAY 1
#include <arm_neon.h>
#include <sys/auxv.h>
#else
#define HAS_WAY 0
#endif

#if HAS_WAY

enum { BLOCK = 64, STEPS = 16 }; /* a step is four rounds */

#endif

#if HAS_WAY && defined(__x86_64__)

static bool processor_has_it(void)
{
    unsigned a, b, c, d;
    const unsigned SHA = 1U << 29, SSSE3 = 1U << 9, SSE41 = 1U << 19;
    if (!__get_cpuid(1, &a, &b, &c, &d) || !(c & SSSE3) || !(c & SSE41))
        return false;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b & SHA);
}

__attribute__((target("sha,sse4.1,ssse3"))) static void add_blocks(uint32_t state[8], const uint8_t *data,
                                                                   size_t blocks)
{
    const __m128i big_endian = _mm_set_epi64x(0x0c0d0e0f08090a0bLL, 0x0405060700010203LL);
    __m128i *halves = (__m128i *)(void *)state;
    /* The instructions want the words in two other groups: A B E F and C D G H. */
    __m128i cdab = _mm_shuffle_epi32(_mm_loadu_si128(halves), 0xB1);
    __m128i efgh = _mm_shuffle_epi32(_mm_loadu_si128(halves + 1), 0x1B);
    __m128i abef = _mm_alignr_epi8(cdab, efgh, 8), cdgh = _mm_blend_epi16(efgh, cdab, 0xF0);
    for (; blocks; blocks--, data += BLOCK) {
        const __m128i before[2] = {abef, cdgh};
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] =
                _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(data + 16 * i)), big_endian);
        for (int i = 0; i < STEPS; i++) {
            const __m128i *k = (const __m128i *)(const void *)(xr_sha256_constants + 4 * i);
            const __m128i sum = _mm_add_epi32(w[i & 3], _mm_loadu_si128(k));
            cdgh = _mm_sha256rnds2_epu32(cdgh, abef, sum);
            abef = _mm_sha256rnds2_epu32(abef, cdgh, _mm_shuffle_epi32(sum, 0x0E));
            const __m128i mixed = _mm_add_epi32(_mm_sha256msg1_epu32(w[i & 3], w[(i + 1) & 3]),
                                                _mm_alignr_epi8(w[(i + 3) & 3], w[(i + 2) & 3], 4));
            w[i & 3] = _mm_sha256msg2_epu32(mixed, w[(i + 3) & 3]);
        }
        abef = _mm_add_epi32(abef, before[0]);
        cdgh = _mm_add_epi32(cdgh, before[1]);
    }
    const __m128i feba = _mm_shuffle_epi32(abef, 0x1B), dchg = _mm_shuffle_epi32(cdgh, 0xB1);
    _mm_storeu_si128(halves, _mm_blend_epi16(feba, dchg, 0xF0));
    _mm_storeu_si128(halves + 1, _mm_alignr_epi8(dchg, feba, 8));
}

#elif HAS_WAY

static bool processor_has_it(void)
{
    const unsigned long SHA2 = 1UL << 6; /* HWCAP_SHA2 */
    return getauxval(AT_HWCAP) & SHA2;
}

#if defined(__clang__)
#define WITH_SHA2 __attribute__((target("sha2")))
#else
#define WITH_SHA2 __attribute__((target("+crypto")))
#endif

WITH_SHA2 static void add_blocks(uint32_t state[8], const uint8_t *data, size_t blocks)
{
    uint32x4_t abcd = vld1q_u32(state), efgh = vld1q_u32(state + 4);
    for (; blocks; blocks--, data += BLOCK) {
        const uint32x4_t before[2] = {abcd, efgh};
        uint32x4_t w[4];
        for (int i = 0; i < 4; i++)
            w[i] = vreinterpretq_u32_u8(vrev32q_u8(vld1q_u8(data + 16 * i)));
        for (int i = 0; i < STEPS; i++) {
            const uint32x4_t sum = vaddq_u32(w[i & 3], vld1q_u32(xr_sha256_constants + 4 * i)), last = abcd;
            abcd = vsha256hq_u32(abcd, efgh, sum);
            efgh = vsha256h2q_u32(efgh, last, sum);
            w[i & 3] =
                vsha256su1q_u32(vsha256su0q_u32(w[i & 3], w[(i + 1) & 3]), w[(i + 2) & 3], w[(i + 3) & 3]);
        }
        abcd = vaddq_u32(abcd, before[0]);
        efgh = vaddq_u32(efgh, before[1]);
    }
    vst1q_u32(state, abcd);
    vst1q_u32(state + 4, efgh);
}

#endif

void xr_model_hash(const void *data, size_t size, uint8_t out[32])
{
#if HAS_WAY
    if (processor_has_it()) {
        uint32_t state[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                             0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
        const size_t rest = size % BLOCK, tail_size = rest < BLOCK - 8 ? BLOCK : 2 * BLOCK;
        /* A one bit, zeros, and the length in bits at the end of the last block. */
        uint8_t tail[2 * BLOCK] = {0};
        if (rest)
            memcpy(tail, (const uint8_t *)data + (size - rest), rest);
        tail[rest] = 0x80;
        for (int i = 0; i < 8; i++)
            tail[tail_size - 1 - (size_t)i] = (uint8_t)((uint64_t)size * 8 >> (8 * i));
        add_blocks(state, data, size / BLOCK);
        add_blocks(state, tail, tail_size / BLOCK);
        for (int i = 0; i < 32; i++)
            out[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
        return;
    }
#endif
    exray_sha256(data, size, out);
}
