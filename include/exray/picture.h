/* Pictures, by the conventions of the pipeline file (docs/pipeline.md): what an
 * assertion needs to see a sensor record as a pre-processing would have made it.
 *
 * A picture is immutable: every function returns a new one (free it with
 * exray_picture_free), or NULL with `error` filled: EXRAY_E_FORMAT (damaged, or no
 * picture), EXRAY_E_UNSUPPORTED (a format that is not read), EXRAY_E_LIMIT (too
 * large), EXRAY_E_ARGUMENT, EXRAY_E_MEMORY.  Any number of threads may use one. */
#ifndef EXRAY_PICTURE_H
#define EXRAY_PICTURE_H

#include <exray/types.h>

#ifdef __cplusplus
extern "C" {
#endif
#if defined(__GNUC__)
#pragma GCC visibility push(default)
#endif

typedef struct exray_picture exray_picture;

/* Decodes a sensor record (jpeg, png or a raw format).  `media` may be NULL: told
 * from the bytes.  Change its fields to see what another reading of the same bytes
 * gives (nv21 for nv12, another matrix or row stride; "jpeg/2", "jpeg/4", "jpeg/8": a
 * JPEG decoded at that part of its size, as thumbnailers do). */
exray_picture *exray_picture_decode(const exray_media *media, const void *data, size_t size,
                                    exray_error *error);
/* Copies interleaved bytes, [height][width][channels]; channels 1 or 3. */
exray_picture *exray_picture_new(uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels,
                                 exray_error *error);
/* NULL is allowed. */
void exray_picture_free(exray_picture *picture);

uint32_t exray_picture_width(const exray_picture *picture);
uint32_t exray_picture_height(const exray_picture *picture);
/* 1: grey; 3: RGB. */
uint32_t exray_picture_channels(const exray_picture *picture);
/* EXIF's 1..8, as decoded, not applied; 1: upright. */
unsigned exray_picture_orientation(const exray_picture *picture);
/* [height][width][channels], packed; lives as long as the picture. */
const uint8_t *exray_picture_pixels(const exray_picture *picture);

typedef enum exray_filter {
    EXRAY_FILTER_NEAREST,
    EXRAY_FILTER_BILINEAR,
    EXRAY_FILTER_BICUBIC, /* a = -0.75; with antialias -0.5 */
    EXRAY_FILTER_AREA,
} exray_filter;

typedef enum exray_sampling {
    EXRAY_SAMPLING_HALF_PIXEL,    /* OpenCV */
    EXRAY_SAMPLING_ANTIALIAS,     /* Pillow: the filter's support grows with the scale; not with NEAREST */
    EXRAY_SAMPLING_ALIGN_CORNERS, /* TensorFlow 1; not with AREA */
    EXRAY_SAMPLING_ASYMMETRIC,    /* TensorFlow 1 without half_pixel_centers; BILINEAR and BICUBIC */
    EXRAY_SAMPLING_EXACT,         /* Pillow's NEAREST, which takes the middle; NEAREST alone */
} exray_sampling;

/* "bilinear antialias": as it stands in a pipeline file.  A constant. */
const char *exray_picture_resize_name(exray_filter filter, exray_sampling sampling);

typedef struct exray_rectangle {
    uint32_t left, top, width, height; /* pixels */
} exray_rectangle;

/* The part of a picture (NULL: all of it), resized to width x height. */
exray_picture *exray_picture_resize(const exray_picture *picture, const exray_rectangle *part,
                                    exray_filter filter, exray_sampling sampling, uint32_t width,
                                    uint32_t height, exray_error *error);
exray_picture *exray_picture_crop(const exray_picture *picture, const exray_rectangle *part,
                                  exray_error *error);
/* Puts the picture on a ground of value `pad`, at (left, top). */
exray_picture *exray_picture_pad(const exray_picture *picture, uint32_t width, uint32_t height, uint32_t left,
                                 uint32_t top, uint8_t pad, exray_error *error);
/* Turns it as EXIF's orientation 1..8 says: 3 is a turn by 180 degrees, 2 and 4 are
 * flips, 6 and 8 are quarter turns, 5 and 7 are transposes. */
exray_picture *exray_picture_orient(const exray_picture *picture, unsigned orientation, exray_error *error);

#if defined(__GNUC__)
#pragma GCC visibility pop
#endif
#ifdef __cplusplus
}
#endif
#endif
