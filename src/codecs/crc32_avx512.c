/* CRC-32 with 512-bit carry-less multiplication.
 *
 * libdeflate before 1.19, which distributions still carry, stops at 128 bits; a
 * checksum is the dearest part of reading a log, so this one is worth its lines. */
#include "codecs/crc32_avx512.h"

#include "codecs/crc32_fold.h"

#if XR_CRC32_AVX512
#include <libdeflate.h>

#define TARGET XR_CRC32_TARGET

/* So far ahead, across the ends of pages, where the processor's own prefetching stops, that memory stays
 * busy while the bytes at hand are summed. */
enum { AHEAD = 16 << 10 };

/* As XR_CRC32_BY_2048. */
#define BY_512 0x154442bd4, 0x1c6e41596
#define BY_128 0x1751997d0, 0x0ccaa009e

TARGET static __m128i fold_lane(__m128i x, __m128i by, __m128i next)
{
    const __m128i a = _mm_clmulepi64_si128(x, by, 0x00), b = _mm_clmulepi64_si128(x, by, 0x11);
    return _mm_xor_si128(_mm_xor_si128(a, b), next);
}

TARGET static uint32_t sum(uint32_t crc, const uint8_t *at, size_t blocks)
{
    const __m512i by_2048 = xr_crc32_lanes(XR_CRC32_BY_2048), by_512 = xr_crc32_lanes(BY_512);
    __m512i x[4];
    for (int i = 0; i < 4; i++)
        x[i] = _mm512_loadu_si512(at + 64 * i);
    x[0] = _mm512_xor_si512(x[0], xr_crc32_state(crc));
    while (--blocks) {
        at += XR_CRC32_BLOCK;
        for (int i = 0; i < 4; i++) {
            /* Beyond the end nothing is read: a prefetch never faults. */
            _mm_prefetch((const char *)((uintptr_t)at + AHEAD + 64 * (size_t)i), _MM_HINT_T1);
            x[i] = xr_crc32_fold(x[i], by_2048, _mm512_loadu_si512(at + 64 * i));
        }
    }
    __m512i y = x[0];
    for (int i = 1; i < 4; i++)
        y = xr_crc32_fold(y, by_512, x[i]);
    const __m128i by_128 = _mm512_castsi512_si128(xr_crc32_lanes(BY_128));
    __m128i lane = _mm512_extracti32x4_epi32(y, 0);
    lane = fold_lane(lane, by_128, _mm512_extracti32x4_epi32(y, 1));
    lane = fold_lane(lane, by_128, _mm512_extracti32x4_epi32(y, 2));
    lane = fold_lane(lane, by_128, _mm512_extracti32x4_epi32(y, 3));
    /* The lane is congruent to all that was summed: its CRC, from a state of zero, is
     * theirs. */
    uint8_t rest[16];
    _mm_storeu_si128((__m128i *)(void *)rest, lane);
    return libdeflate_crc32(XR_CRC32_ZERO, rest, sizeof rest);
}

bool xr_crc32_avx512_is_there(void)
{
    return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
           __builtin_cpu_supports("vpclmulqdq") && __builtin_cpu_supports("pclmul");
}

uint32_t xr_crc32_avx512(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    const size_t blocks = size / XR_CRC32_BLOCK;
    if (blocks)
        crc = sum(crc, at, blocks);
    return libdeflate_crc32(crc, at + blocks * XR_CRC32_BLOCK, size % XR_CRC32_BLOCK);
}

#else
bool xr_crc32_avx512_is_there(void)
{
    return false;
}

uint32_t xr_crc32_avx512(uint32_t crc, const void *data, size_t size)
{
    (void)data, (void)size;
    return crc;
}
#endif
