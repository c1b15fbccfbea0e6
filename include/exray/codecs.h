/* Fast checksums and compression for the recorder: CRC-32 by libdeflate, lz4 and zstd by their libraries.
 * Link exray_codecs (or libexray, which has it) and hand the table over:
 *
 *     exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
 *     config.compression = EXRAY_COMPRESSION_ZSTD;
 *     config.codec = exray_codec_default(); */
#ifndef EXRAY_CODECS_H
#define EXRAY_CODECS_H

#include <exray/recorder.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* The table: a constant, never NULL; any thread.  Its functions may be called by any number of threads.
 * Since 0.2.0. */
const exray_codec *exray_codec_default(void);

/* Decompresses one frame of lz4 or zstd whose decompressed size is known: `in_size` bytes at `in` to
 * `out_size` bytes at `out` (EXRAY_COMPRESSION_NONE: copies them).  EXRAY_E_FORMAT: the bytes are not such a
 * frame, or do not give exactly out_size bytes.  EXRAY_E_MEMORY.  Any thread.  Since 0.2.0. */
exray_status exray_codec_decompress(exray_compression how, void *out, size_t out_size, const void *in,
                                    size_t in_size);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
