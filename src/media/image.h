/* Decoding: a sensor record's bytes to pixels. */
#ifndef XR_IMAGE_H
#define XR_IMAGE_H

#include <exray/types.h>

enum {
    XR_MAX_PIXELS = 1 << 28, /* of one picture, decoded or made by a step of a pipeline */
    XR_MAX_SIDE = 1 << 20,   /* of a decoded or raw picture */
};

/* A picture of interleaved bytes, as decoded. */
typedef struct xr_image {
    uint32_t width, height;
    uint32_t channels;         /* 1: grey; 3: RGB */
    uint8_t *pixels;           /* [height][width][channels], packed; malloc'd */
    unsigned exif_orientation; /* 1..8; 1 where the file says nothing */
} xr_image;

/* Decodes a sensor record's bytes (jpeg, png, or a raw format) to RGB (or grey
 * where it is grey: 1 channel).  media NULL, media->format NULL or "": told from
 * the bytes, as "jpeg" and "png" are too.  On success free with xr_image_free;
 * on failure nothing is left behind.  E_FORMAT: damaged or no picture;
 * E_UNSUPPORTED: a format that is not read; E_LIMIT: too large; E_MEMORY. */
exray_status xr_image_decode(const exray_media *media, const void *data, size_t size, xr_image *out,
                             exray_error *error);
void xr_image_free(xr_image *image);

/* ---- One decoder a format: what xr_image_decode calls ------------------------------- */

/* Allocates image->pixels for its width, height, channels, after checking them. */
exray_status xr_image_allocate(xr_image *image, const char *what, exray_error *error);

/* The orientation (1..8) in an EXIF block, with or without the leading "Exif\0\0". */
unsigned xr_exif_orientation(const uint8_t *data, size_t size);

/* reduce: 1, 2, 4, 8: decodes at that part of the size, as thumbnailers do. */
exray_status xr_decode_jpeg(const uint8_t *data, size_t size, unsigned reduce, xr_image *out,
                            exray_error *error);
exray_status xr_decode_png(const uint8_t *data, size_t size, xr_image *out, exray_error *error);
/* media->format is a raw one, or an unknown one, which is an error. */
exray_status xr_decode_raw(const exray_media *media, const uint8_t *data, size_t size, xr_image *out,
                           exray_error *error);

#endif
