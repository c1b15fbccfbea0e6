/* The table that the recorder takes, and decompression for readers. */
#include "codecs/crc32_avx512.h"

#include <exray/codecs.h>

#include <libdeflate.h>
#include <lz4frame.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

/* Data that lies in the last cache level, or beyond, comes almost twice as fast
 * when the next kilobyte is asked for before this one is summed. */
enum { PIECE = 1024, LINE = 64, LARGE = 64 << 10 };

static void prefetch_piece(const uint8_t *at)
{
#if defined(__GNUC__)
    for (size_t i = 0; i < PIECE; i += LINE) /* maybe beyond the data: nothing is read */
        __builtin_prefetch((const void *)((uintptr_t)at + i));
#else
    (void)at;
#endif
}

static uint32_t crc32(uint32_t crc, const void *data, size_t size)
{
    const uint8_t *at = data;
    if (!size) /* of NULL, libdeflate says 0 */
        return crc;
    for (; size >= LARGE; at += PIECE, size -= PIECE) {
        prefetch_piece(at + PIECE);
        crc = libdeflate_crc32(crc, at, PIECE);
    }
    return libdeflate_crc32(crc, at, size);
}

/* The frame says how large its content is, so that a reader can check before it
 * allocates. */
static LZ4F_preferences_t lz4_preferences(size_t size)
{
    LZ4F_preferences_t preferences;
    memset(&preferences, 0, sizeof preferences);
    preferences.frameInfo.contentSize = size;
    preferences.frameInfo.blockSizeID = LZ4F_max4MB;
    preferences.autoFlush = 1;
    return preferences;
}

static size_t compress_bound(exray_compression how, size_t size)
{
    const LZ4F_preferences_t preferences = lz4_preferences(size);
    switch (how) {
    case EXRAY_COMPRESSION_LZ4:
        return LZ4F_compressFrameBound(size, &preferences);
    case EXRAY_COMPRESSION_ZSTD:
        return ZSTD_compressBound(size);
    case EXRAY_COMPRESSION_NONE:
        break;
    }
    return size;
}

/* Of a small chunk, a log's only one perhaps, each byte counts: a quarter of a millisecond for 7 %. */
enum { ZSTD_SMALL = 64 << 10 };

static size_t compress(exray_compression how, void *out, size_t out_size, const void *in, size_t in_size)
{
    size_t size;
    const LZ4F_preferences_t preferences = lz4_preferences(in_size);
    switch (how) {
    case EXRAY_COMPRESSION_LZ4:
        size = LZ4F_compressFrame(out, out_size, in, in_size, &preferences);
        return LZ4F_isError(size) ? 0 : size;
    case EXRAY_COMPRESSION_ZSTD:
        size = ZSTD_compress(out, out_size, in, in_size, in_size <= ZSTD_SMALL ? 6 : 1);
        return ZSTD_isError(size) ? 0 : size;
    case EXRAY_COMPRESSION_NONE:
        break;
    }
    return 0;
}

const exray_codec *exray_codec_default(void)
{
    static const exray_codec usual = {crc32, compress_bound, compress};
    static const exray_codec wide = {xr_crc32_avx512, compress_bound, compress};
    return xr_crc32_avx512_is_there() ? &wide : &usual;
}

static exray_status decompress_lz4(void *out, size_t out_size, const void *in, size_t in_size)
{
    LZ4F_dctx *context;
    if (LZ4F_isError(LZ4F_createDecompressionContext(&context, LZ4F_VERSION)))
        return EXRAY_E_MEMORY;
    const uint8_t *from = in;
    uint8_t *to = out;
    size_t hint = 1;
    bool moved = true;
    while (hint && moved) { /* a hint of 0: the frame is complete */
        size_t taken = in_size, given = out_size;
        hint = LZ4F_decompress(context, to, &given, from, &taken, NULL);
        if (LZ4F_isError(hint))
            break;
        from += taken;
        in_size -= taken;
        if (given) /* where nothing is expected, there may be no place for it */
            to += given;
        out_size -= given;
        moved = taken || given;
    }
    LZ4F_freeDecompressionContext(context);
    if (LZ4F_isError(hint) && strcmp(LZ4F_getErrorName(hint), "ERROR_allocation_failed") == 0)
        return EXRAY_E_MEMORY;
    return hint == 0 && out_size == 0 && in_size == 0 ? EXRAY_OK : EXRAY_E_FORMAT;
}

static exray_status decompress_zstd(void *out, size_t out_size, const void *in, size_t in_size)
{
    const size_t size = ZSTD_decompress(out, out_size, in, in_size);
    if (ZSTD_isError(size) && ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation)
        return EXRAY_E_MEMORY;
    return size == out_size ? EXRAY_OK : EXRAY_E_FORMAT;
}

exray_status exray_codec_decompress(exray_compression how, void *out, size_t out_size, const void *in,
                                    size_t in_size)
{
    if (how == EXRAY_COMPRESSION_LZ4)
        return decompress_lz4(out, out_size, in, in_size);
    if (how == EXRAY_COMPRESSION_ZSTD)
        return decompress_zstd(out, out_size, in, in_size);
    if (how != EXRAY_COMPRESSION_NONE || out_size != in_size)
        return EXRAY_E_FORMAT;
    if (in_size)
        memcpy(out, in, in_size);
    return EXRAY_OK;
}
