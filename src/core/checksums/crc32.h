/* CRC-32 (IEEE 802.3), the portable one that a log without a codec uses. */
#ifndef XR_CRC32_H
#define XR_CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Eight tables of 256: eight bytes a step.  They are made at open, in the
 * recorder's memory, so that a device which never needs them has no 8 KiB of
 * constants. */
typedef struct xr_crc32_tables {
    uint32_t entry[8][256];
} xr_crc32_tables;

void xr_crc32_make(xr_crc32_tables *tables);
/* Of two pieces of data, from the CRCs of each; `size` is the second's. */
uint32_t xr_crc32_join(uint32_t first, uint32_t second, size_t size);
uint32_t xr_crc32(const xr_crc32_tables *tables, uint32_t crc, const void *data, size_t size);
/* The same in little code and without tables in memory: four bits a step. */
uint32_t xr_crc32_small(uint32_t crc, const void *data, size_t size);

#endif
