/* Pictures, by the conventions of the pipeline file (docs/pipeline.md): for assertions that look at a sensor
 * record as a pre-processing would have made it.
 *
 * A picture does not change after it was made: every function that returns an exray_picture * returns a new
 * one, which the caller frees with exray_picture_free, or NULL with `error` filled: EXRAY_E_FORMAT (damaged,
 * or not a picture), EXRAY_E_UNSUPPORTED (a format that is not supported), EXRAY_E_LIMIT (too large),
 * EXRAY_E_ARGUMENT, EXRAY_E_MEMORY.
 *
 * Threads: any number may use one picture. */
#ifndef EXRAY_PICTURE_H
#define EXRAY_PICTURE_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

/* A picture of 8 bits a channel, gray or RGB.  Since 0.1.0. */
typedef struct exray_picture exray_picture;

/* Decodes a sensor record: jpeg, png, or a raw format.  `media` may be NULL: the format is then told from
 * the bytes.  Change its fields to see another interpretation of the same bytes (nv21 for nv12, another
 * matrix or row stride; "jpeg/2", "jpeg/4", "jpeg/8": a JPEG decoded at that fraction of its size, as
 * programs that make thumbnails do; behind any format with alpha "/black" or "/white": blended with that
 * ground instead of dropped; behind a YUV format "/u0", "/v0" or "/uv0": that chroma read as 0; behind nv12
 * and nv21 "/step1", "/step1p": U and V read as if they had planes of their own, "p" without padding;
 * "jpeg/cmy", "jpeg/plain": four colors without black, or taken as not inverted; "png/ids": a palette's
 * indices).  The bytes are borrowed during the call.  Since 0.1.0. */
exray_picture *exray_picture_decode(const exray_media *media, const void *data, size_t size,
                                    exray_error *error);

/* Copies pixels, [height][width][channels]; channels is 1 or 3.  Since 0.1.0. */
exray_picture *exray_picture_new(uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels,
                                 exray_error *error);

/* Frees it.  NULL is allowed.  Since 0.1.0. */
void exray_picture_free(exray_picture *picture);

/* Pixels.  Since 0.1.0. */
uint32_t exray_picture_width(const exray_picture *picture);
uint32_t exray_picture_height(const exray_picture *picture);

/* 1: gray; 3: RGB.  Since 0.1.0. */
uint32_t exray_picture_channels(const exray_picture *picture);

/* EXIF's orientation 1..8, as it was decoded and not applied; 1: upright.  Since 0.1.0. */
unsigned exray_picture_orientation(const exray_picture *picture);

/* [height][width][channels], without padding; valid until the picture is freed.  Since 0.1.0. */
const uint8_t *exray_picture_pixels(const exray_picture *picture);

/* Interpolation filters.  Since 0.1.0 (enumerators by these names: 0.2.0). */
typedef enum exray_filter {
    EXRAY_FILTER_NEAREST = 0,
    EXRAY_FILTER_BILINEAR = 1,
    EXRAY_FILTER_BICUBIC = 2, /* a = -0.75; with antialias -0.5 */
    EXRAY_FILTER_AREA = 3,
    EXRAY_FILTER_LANCZOS = 4, /* of 3 lobes; with antialias only.  Since 0.2.0 */
    EXRAY_FILTER_HAMMING = 5, /* likewise */
} exray_filter;

/* Where samples are taken, by the library or version that does it so.  Since 0.1.0 (enumerators by these
 * names: 0.2.0). */
typedef enum exray_sampling {
    EXRAY_SAMPLING_HALF_PIXEL = 0, /* OpenCV */
    EXRAY_SAMPLING_ANTIALIAS = 1,  /* Pillow: the filter's support grows with the scale; not with NEAREST */
    EXRAY_SAMPLING_ALIGN_CORNERS = 2, /* TensorFlow 1; not with AREA */
    EXRAY_SAMPLING_ASYMMETRIC = 3,    /* TensorFlow 1 without half_pixel_centers; not with AREA */
    EXRAY_SAMPLING_EXACT =
        4, /* the sample in which the middle lies: OpenCV's NEAREST_EXACT; only with NEAREST */
    EXRAY_SAMPLING_SUMMED =
        5, /* the same with places that are added up, whose rounding decides where a middle lies
              between two: Pillow's NEAREST; only with NEAREST.  Since 0.2.0 */
} exray_sampling;

/* "bilinear antialias": as a pipeline file has it.  A constant; any thread.  Since 0.2.0. */
const char *exray_picture_resize_name(exray_filter filter, exray_sampling sampling);

/* A part of a picture, in pixels from its upper left corner.  Since 0.1.0. */
typedef struct exray_rectangle {
    uint32_t left, top, width, height;
} exray_rectangle;

/* Resizes a part of a picture (NULL: all of it) to width x height.  EXRAY_E_ARGUMENT: the part is empty or
 * not within the picture, or there is no such combination of filter and sampling.  Since 0.1.0. */
exray_picture *exray_picture_resize(const exray_picture *picture, const exray_rectangle *part,
                                    exray_filter filter, exray_sampling sampling, uint32_t width,
                                    uint32_t height, exray_error *error);

/* Some rows of what exray_picture_resize makes, as a picture of width x count: a sample of a resize, at as
 * much less cost.  rows[count]: ascending, each below `height`, else EXRAY_E_ARGUMENT.  Since 0.2.0. */
exray_picture *exray_picture_resize_rows(const exray_picture *picture, const exray_rectangle *part,
                                         exray_filter filter, exray_sampling sampling, uint32_t width,
                                         uint32_t height, const uint32_t *rows, uint32_t count,
                                         exray_error *error);

/* Copies a part of a picture (NULL: all of it).  EXRAY_E_ARGUMENT: it is empty or not within the picture.
 * Since 0.1.0. */
exray_picture *exray_picture_crop(const exray_picture *picture, const exray_rectangle *part,
                                  exray_error *error);

/* Puts the picture at (left, top) of a picture of width x height whose other pixels have the value `pad`.
 * EXRAY_E_ARGUMENT: it does not fit.  Since 0.1.0. */
exray_picture *exray_picture_pad(const exray_picture *picture, uint32_t width, uint32_t height, uint32_t left,
                                 uint32_t top, uint8_t pad, exray_error *error);

/* Makes upright what has EXIF's orientation 1..8: 3 is a rotation by 180 degrees, 2 and 4 are flips, 6 and 8
 * are rotations by 90 degrees, 5 and 7 are transpositions.  Since 0.1.0. */
exray_picture *exray_picture_orient(const exray_picture *picture, unsigned orientation, exray_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
