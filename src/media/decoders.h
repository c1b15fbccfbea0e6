/* One decoder a format: what xr_picture_decode calls. */
#ifndef XR_DECODERS_H
#define XR_DECODERS_H

#include "media/picture.h"

/* reduce: 1, 2, 4, 8: decodes at that part of the size, as thumbnailers do. */
exray_status xr_decode_jpeg(const uint8_t *data, size_t size, unsigned reduce, exray_picture *out,
                            exray_error *error);
exray_status xr_decode_png(const uint8_t *data, size_t size, exray_picture *out, exray_error *error);
/* media->format is a raw one, or an unknown one, which is an error. */
exray_status xr_decode_raw(const exray_media *media, const uint8_t *data, size_t size, exray_picture *out,
                           exray_error *error);

/* The orientation (1..8) in an EXIF block, with or without the leading "Exif\0\0". */
unsigned xr_exif_orientation(const uint8_t *data, size_t size);

#endif
