/* The part of checksums, in little code. */
#include "core/checksums/checksums.h"
#include "core/checksums/crc32.h"

static uint32_t crc_small(const void *context, uint32_t crc, const void *data, size_t size)
{
    const exray_codec *codec = ((const xr_mcap *)context)->codec;
    if (codec && codec->crc32) /* the processor's own, say */
        return codec->crc32(crc, data, size);
    return xr_crc32_small(crc, data, size);
}

static void place_nothing(xr_mcap *mcap, xr_memory_block *block)
{
    (void)mcap;
    (void)block;
}

const exray_checksums_part *exray_checksums_part_small(void)
{
    static const exray_checksums_part part = {place_nothing, crc_small, xr_checksums_check,
                                              xr_checksums_before, xr_checksums_after};
    return &part;
}
