#include "base/memory.h"
#include "log/log_file.h"

#include <exray/codecs.h>
#include <string.h>

/* The largest factor by which a codec can expand: a larger claim is damage, and a small file cannot make
 * us allocate a gigabyte for it. */
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
    if (size == 0 && left > stored)
        return false;
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

bool xr_chunk_settle(const exray_log *log, xr_chunk *chunk, bool good)
{
    int unknown = XR_CHUNK_UNKNOWN;
    /* Two threads may have checked it at once: it counts once. */
    if (atomic_compare_exchange_strong(&chunk->state, &unknown, good ? XR_CHUNK_GOOD : XR_CHUNK_DAMAGED) &&
        !good)
        atomic_fetch_add(&((exray_log *)(uintptr_t)log)->damaged, 1);
    return good;
}

bool xr_chunk_is_unchecked(const xr_chunk *chunk)
{
    return atomic_load_explicit(&chunk->state, memory_order_acquire) == XR_CHUNK_UNKNOWN;
}

bool xr_chunk_check(const exray_log *log, xr_chunk *chunk, const uint8_t *bytes)
{
    if (!xr_chunk_is_unchecked(chunk))
        return atomic_load_explicit(&chunk->state, memory_order_acquire) == XR_CHUNK_GOOD;
    bool good = chunk->crc == 0 || exray_codec_default()->crc32(0, bytes, (size_t)chunk->size) == chunk->crc;
    return xr_chunk_settle(log, chunk, good);
}

bool xr_chunk_copy(const exray_log *log, xr_chunk *chunk, void *out, const uint8_t *from, size_t size)
{
    enum { BLOCK = 32 << 10 }; /* stays in the first-level cache between the two */
    if (chunk->crc == 0) {     /* nothing to check by; of a chunk cut short, not all is there */
        memcpy(out, from, size);
        return xr_chunk_settle(log, chunk, true);
    }
    const uint8_t *bytes = log->map.base + chunk->records;
    size_t before = (size_t)(from - bytes);
    uint32_t (*crc32)(uint32_t, const void *, size_t) = exray_codec_default()->crc32;
    uint32_t crc = crc32(0, bytes, before);
    for (size_t done = 0; done < size; done += BLOCK) {
        size_t part = size - done < BLOCK ? size - done : BLOCK;
        crc = crc32(crc, from + done, part);
        memcpy((uint8_t *)out + done, from + done, part);
    }
    crc = crc32(crc, from + size, (size_t)chunk->size - before - size);
    return xr_chunk_settle(log, chunk, crc == chunk->crc);
}

exray_status xr_chunk_decompress(const exray_log *log, const xr_chunk *chunk, uint8_t *out)
{
    const exray_status status = exray_codec_decompress(chunk->compression, out, (size_t)chunk->size,
                                                       log->map.base + chunk->records, (size_t)chunk->stored);
    if (status == EXRAY_E_MEMORY)
        xr_memory_lacked();
    return status;
}
