/* The pass over a pair of tensors with AVX2 and AVX-512. */
#ifndef XR_METRICS_X86_H
#define XR_METRICS_X86_H

#include "compare/measure/moments.h"

/* A kernel takes as many whole blocks as it can from the
 * front of a and b, stops early at a block it cannot take (one with a value that
 * is not finite, or out of float's range when squared), and returns the number
 * of elements taken. */
enum { XR_BLOCK_STEPS = 16 };
size_t xr_moments_avx2(xr_moments *moments, const float *a, const float *b, size_t n);
size_t xr_moments_avx512(xr_moments *moments, const float *a, const float *b, size_t n);

/* The same, and the checksums of what was taken: crc[s] goes on from the one before.  Only where
 * xr_crc32_avx512_is_there (crc32_avx512.h). */
size_t xr_summed_moments_avx512(xr_moments *moments, uint32_t crc[2], const float *a, const float *b,
                                size_t n);

#endif
