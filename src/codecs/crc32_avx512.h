/* CRC-32 (IEEE 802.3, as in zlib) where the processor multiplies 512 bits at once. */
#ifndef XR_CRC32_AVX512_H
#define XR_CRC32_AVX512_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#if defined(__x86_64__) && defined(__GNUC__)
#define XR_CRC32_AVX512 1
#else
#define XR_CRC32_AVX512 0
#endif

enum { XR_CRC32_BLOCK = 256 }; /* bytes folded in one step */

/* Whether this build and this processor have it. */
bool xr_crc32_avx512_is_there(void);

/* Goes on from `crc`, 0 at first; any size.  Only where it is there. */
uint32_t xr_crc32_avx512(uint32_t crc, const void *data, size_t size);

#endif
