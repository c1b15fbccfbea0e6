/* The part of checksums, eight bytes a step: 8 KiB of tables in the recorder's memory, where the
 * application has no CRC-32 of its own. */
#include "core/checksums/checksums.h"
#include "core/checksums/crc32.h"

static void place_tables(xr_mcap *mcap, xr_memory_block *block)
{
    xr_crc32_tables *tables = NULL;
    if (!mcap->codec || !mcap->codec->crc32)
        tables = xr_block_take(block, 1, sizeof *tables);
    mcap->crc_tables = tables;
    if (tables)
        xr_crc32_make(tables);
}

static uint32_t crc_fast(const void *context, uint32_t crc, const void *data, size_t size)
{
    const xr_mcap *mcap = context;
    return mcap->crc_tables ? xr_crc32(mcap->crc_tables, crc, data, size)
                            : mcap->codec->crc32(crc, data, size);
}

const exray_checksums_part *exray_checksums_part_fast(void)
{
    static const exray_checksums_part part = {place_tables, crc_fast, xr_checksums_check, xr_checksums_before,
                                              xr_checksums_after};
    return &part;
}
