/* Fast checksums and compression for the recorder: CRC-32 of libdeflate, lz4
 * and zstd from their libraries.  Link exray_codecs and hand the table over:
 *
 *     exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
 *     config.compression = EXRAY_COMPRESSION_ZSTD;
 *     config.codec = exray_codec_default();
 */
#ifndef EXRAY_CODECS_H
#define EXRAY_CODECS_H

#include <exray/exray.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* A constant table; any thread. */
const exray_codec *exray_codec_default(void);

/* Decompresses one frame of known size.  EXRAY_E_FORMAT if the bytes are not
 * such a frame or do not give exactly out_size bytes. */
exray_status exray_codec_decompress(exray_compression how, void *out, size_t out_size, const void *in,
                                    size_t in_size);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
