#include "internal.h"

#include <exray/codecs.h>
#include <string.h>

/* The most that a codec can make of a byte: what claims more is no chunk, and
 * a small file cannot make us take a gigabyte for it. */
enum { LZ4_MOST = 256, ZSTD_MOST = 1 << 16 };

static uint64_t plausible_size(exray_compression compression, uint64_t stored)
{
    uint64_t factor = compression == EXRAY_COMPRESSION_LZ4 ? LZ4_MOST : ZSTD_MOST;
    return stored > XR_MAX_CHUNK / factor ? XR_MAX_CHUNK : stored * factor;
}

bool xr_chunk_parse(const uint8_t *content, uint64_t available, bool cut, xr_chunk *out)
{
    xr_cursor c = xr_cursor_begin(content, (size_t)available);
    xr_cursor_u64(&c); /* first log_time */
    xr_cursor_u64(&c); /* last */
    uint64_t size = xr_cursor_u64(&c);
    uint32_t crc = xr_cursor_u32(&c);
    xr_text compression = xr_cursor_text(&c);
    uint64_t stored = xr_cursor_u64(&c);
    if (c.bad || size > XR_MAX_CHUNK)
        return false;
    *out = (xr_chunk){.size = size, .stored = stored, .crc = crc, .records = (uint64_t)(c.at - content)};
    uint64_t left = (uint64_t)(c.end - c.at);
    if (xr_text_is(compression, "")) {
        if (stored != size)
            return false;
        if (left >= stored)
            return true;
        /* The CRC covers what is not there: there is nothing to check it by. */
        out->stored = left;
        out->crc = 0;
        return cut;
    }
    if (xr_text_is(compression, "lz4"))
        out->compression = EXRAY_COMPRESSION_LZ4;
    else if (xr_text_is(compression, "zstd"))
        out->compression = EXRAY_COMPRESSION_ZSTD;
    else
        return false;
    return left >= stored && size <= plausible_size(out->compression, stored);
}

bool xr_chunk_check(const exray_log *log, xr_chunk *chunk, const uint8_t *bytes)
{
    int state = atomic_load_explicit(&chunk->state, memory_order_acquire);
    if (state == XR_CHUNK_UNKNOWN) {
        bool good = chunk->crc == 0 || exray_codecs()->crc32(0, bytes, (size_t)chunk->size) == chunk->crc;
        state = good ? XR_CHUNK_GOOD : XR_CHUNK_DAMAGED;
        int unknown = XR_CHUNK_UNKNOWN;
        /* Two threads may have checked it at once: it counts once. */
        if (atomic_compare_exchange_strong(&chunk->state, &unknown, state) && !good)
            atomic_fetch_add(&((exray_log *)(uintptr_t)log)->damaged, 1);
    }
    return state == XR_CHUNK_GOOD;
}

bool xr_chunk_decompress(const exray_log *log, const xr_chunk *chunk, uint8_t *out)
{
    return exray_decompress(chunk->compression, out, (size_t)chunk->size, log->map.base + chunk->records,
                            (size_t)chunk->stored) == EXRAY_OK;
}
