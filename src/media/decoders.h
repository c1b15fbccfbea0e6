/* One decoder a format: what xr_picture_decode calls. */
#ifndef XR_DECODERS_H
#define XR_DECODERS_H

#include "media/picture.h"

/* Ways to decode that are not the usual one, named behind a slash in a format (exray_picture_decode). */
typedef enum xr_decode_way {
    XR_DECODE_USUAL,
    XR_DECODE_ON_BLACK, /* alpha is blended, not dropped: colors multiplied by it */
    XR_DECODE_ON_WHITE,
    XR_DECODE_NO_U, /* YUV: that plane, or both, read as 0 */
    XR_DECODE_NO_V,
    XR_DECODE_NO_CHROMA,
    XR_DECODE_STEP_1, /* nv12, nv21: U and V read one after another, as if each had a plane of its own */
    XR_DECODE_STEP_1_PACKED, /* the same, and the rows of these planes without padding */
    XR_DECODE_CMY,           /* JPEG of four colors: without the fourth, black */
    XR_DECODE_CMYK_PLAIN,    /* JPEG of four colors: taken as they are, not as inverted */
    XR_DECODE_IDS, /* PNG: the numbers that are stored, without a palette's colors; of at most 8 bits */
} xr_decode_way;

/* A color blended by its alpha with the ground of a way; as it is for other ways. */
static inline uint8_t xr_blend(xr_decode_way way, uint8_t color, uint8_t alpha)
{
    if (way != XR_DECODE_ON_BLACK && way != XR_DECODE_ON_WHITE)
        return color;
    unsigned ground = way == XR_DECODE_ON_WHITE ? 255u * (255u - alpha) : 0;
    return (uint8_t)((2 * (color * (unsigned)alpha + ground) + 255) / 510);
}

/* reduce: 1, 2, 4, 8: decodes at that part of the size, as thumbnailers do.  EXRAY_E_UNSUPPORTED: the way is
 * one of four colors, and the file has not so many. */
exray_status xr_decode_jpeg(const uint8_t *data, size_t size, unsigned reduce, xr_decode_way way,
                            exray_picture *out, exray_error *error);
exray_status xr_decode_png(const uint8_t *data, size_t size, xr_decode_way way, exray_picture *out,
                           exray_error *error);
/* media->format is a raw one, or an unknown one, which is an error. */
exray_status xr_decode_raw(const exray_media *media, const uint8_t *data, size_t size, xr_decode_way way,
                           exray_picture *out, exray_error *error);

/* Whether a raw format is a mosaic of color filters, and its decoder. */
bool xr_is_bayer(const char *format);
exray_status xr_decode_bayer(const exray_media *media, const uint8_t *data, size_t size, exray_picture *out,
                             exray_error *error);

/* Gives a picture the size of a raw one and three channels, after checking it. */
exray_status xr_take_size(const exray_media *media, exray_picture *out, exray_error *error);

/* Whether `size` bytes hold the rows of a picture, of which each takes `row` bytes. */
exray_status xr_check_rows(const exray_media *media, uint64_t row, uint64_t stride, size_t size,
                           exray_error *error);

/* The orientation (1..8) in an EXIF block, with or without the leading "Exif\0\0". */
unsigned xr_exif_orientation(const uint8_t *data, size_t size);

#endif
