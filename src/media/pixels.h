/* Pixels that the steps of a pipeline work on, and the steps that move samples. */
#ifndef XR_PIXELS_H
#define XR_PIXELS_H

#include "media/picture.h"

typedef enum xr_flip { XR_FLIP_NONE, XR_FLIP_HORIZONTAL, XR_FLIP_VERTICAL } xr_flip;

/* Interleaved samples, bytes until `normalize`, then floats.  They may be a part of
 * `owned`, or of memory that another one owns. */
typedef struct xr_pixels {
    uint32_t width, height, channels;
    size_t stride; /* samples from row to row */
    bool is_float;
    uint8_t *bytes; /* first sample if !is_float */
    float *floats;  /* first sample if is_float */
    void *owned;    /* malloc'd, or NULL */
    char order[4];  /* "rgb", "bgr", ...; "y": one gray channel */
} xr_pixels;

/* A view of a whole picture, which owns nothing. */
xr_pixels xr_pixels_of(const exray_picture *picture);
/* Makes `to` a new picture of that size, of the sample type, channels and order
 * of `model`.  E_MEMORY or E_LIMIT (too many pixels). */
exray_status xr_pixels_new(xr_pixels *to, const xr_pixels *model, uint32_t width, uint32_t height,
                           exray_error *error);
/* Frees what it owns. */
void xr_pixels_free(xr_pixels *picture);
/* Frees `picture`'s own memory and replaces it by `with`. */
void xr_pixels_replace(xr_pixels *picture, xr_pixels *with);

/* Each turns *picture into its result; on failure it stays valid. */
exray_status xr_pixels_turn(xr_pixels *picture, unsigned quarter_turns, exray_error *error);
exray_status xr_pixels_flip(xr_pixels *picture, xr_flip flip, exray_error *error);
exray_status xr_pixels_orient(xr_pixels *picture, unsigned exif_orientation, exray_error *error);
exray_status xr_pixels_reorder(xr_pixels *picture, const char *order, exray_error *error);
/* Cuts out a rectangle that lies within the picture; shares its memory. */
void xr_pixels_cut(xr_pixels *picture, uint32_t left, uint32_t top, uint32_t width, uint32_t height);
/* Puts the picture on a background of value `pad`, at (left, top). */
exray_status xr_pixels_pad(xr_pixels *picture, uint32_t width, uint32_t height, uint32_t left, uint32_t top,
                           double pad, exray_error *error);
/* Cuts out a rectangle {x, y of its middle, width, height, clockwise radians}, turned upright and resampled
 * to width x height: bilinear, or nearest.  What lies beyond the picture is 0. */
exray_status xr_pixels_region(xr_pixels *picture, const double region[5], bool nearest, uint32_t width,
                              uint32_t height, exray_error *error);
/* Samples become floats: (sample - mean) / std, one pair per channel. */
exray_status xr_pixels_normalize(xr_pixels *picture, const double *mean, const double *std,
                                 exray_error *error);

#endif
