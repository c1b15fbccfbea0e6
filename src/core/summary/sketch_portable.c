/* Loops that a compiler can vectorize for any processor.  Each column is a sum of its
 * own, in the order of rows: vectors of any length give the same bits. */
#include "core/summary/sketch_rows.h"
#include <string.h>

#ifdef XR_SIMD
#define SIMD _Pragma("omp simd")
#else
#define SIMD
#endif

void xr_sketch_rows_portable(const uint8_t *data, size_t rows, uint32_t sign[XR_SKETCH_ROOM],
                             float sum[XR_SKETCH_ROOM])
{
    for (size_t row = 0; row < rows; row++, data += 4 * XR_SKETCH_COLUMNS) {
        SIMD for (size_t j = 0; j < XR_SKETCH_COLUMNS; j++)
        {
            uint32_t bits;
            float value;
            memcpy(&bits, data + 4 * j, sizeof bits);
            bits ^= sign[j] & 0x80000000u;
            memcpy(&value, &bits, sizeof value);
            sum[j] += value;
            sign[j] <<= 1;
        }
    }
}

static inline uint32_t mix(uint32_t h)
{
    h ^= h >> 16;
    h *= 0x7FEB352Du;
    h ^= h >> 15;
    h *= 0x846CA68Bu;
    return h ^ h >> 16;
}

void xr_sketch_signs(uint32_t sign[XR_SKETCH_ROOM], uint64_t group, uint32_t key)
{
    const uint32_t first = (uint32_t)(group * XR_SKETCH_ROOM);
    SIMD for (uint32_t j = 0; j < XR_SKETCH_ROOM; j++) sign[j] = mix(mix(first + j) ^ key);
}

uint32_t xr_sketch_key(uint64_t seed)
{
    return mix((uint32_t)seed ^ mix((uint32_t)(seed >> 32)));
}
