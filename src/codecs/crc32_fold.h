/* The step of a CRC-32 with 512-bit carry-less multiplication, for loops that do more with the bytes than sum
 * them (crc32_avx512.h).
 *
 * The method is folding (Gopal et al., "Fast CRC Computation for Generic Polynomials
 * Using PCLMULQDQ", Intel 2009): a 128-bit lane A B moved on by D bits is
 * A x^(D+32) + B x^(D-32), modulo the CRC's polynomial, in its reflected form.
 *
 * Four registers, together XR_CRC32_BLOCK bytes, are folded into the four that follow.  What is left in the
 * end is congruent to all that was summed: the CRC of these bytes, from a state of zero (a CRC so far of
 * XR_CRC32_ZERO), is that of all. */
#ifndef XR_CRC32_FOLD_H
#define XR_CRC32_FOLD_H

#if defined(__x86_64__) && defined(__GNUC__)
#include <immintrin.h>
#include <stdint.h>

#define XR_CRC32_TARGET __attribute__((target("avx512f,avx512vl,vpclmulqdq,pclmul,sse4.1")))
#define XR_CRC32_ZERO   UINT32_C(0xFFFFFFFF)

/* x^(D+32) and x^(D-32) modulo 0x104C11DB7, 32 bits reflected, shifted left by one. */
#define XR_CRC32_BY_2048 0x11542778a, 0x1322d1430

XR_CRC32_TARGET static inline __m512i xr_crc32_lanes(long long low, long long high)
{
    return _mm512_set_epi64(high, low, high, low, high, low, high, low);
}

/* What is added to the first 64 bytes: the state so far. */
XR_CRC32_TARGET static inline __m512i xr_crc32_state(uint32_t crc)
{
    return _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~crc));
}

/* x moved on, plus what lies there. */
XR_CRC32_TARGET static inline __m512i xr_crc32_fold(__m512i x, __m512i by, __m512i next)
{
    const __m512i a = _mm512_clmulepi64_epi128(x, by, 0x00), b = _mm512_clmulepi64_epi128(x, by, 0x11);
    return _mm512_ternarylogic_epi64(a, b, next, 0x96); /* a ^ b ^ next */
}
#endif

#endif
