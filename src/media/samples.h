/* The picture that the steps of a pipeline work on: moving its samples, and resizing it. */
#ifndef XR_SAMPLES_H
#define XR_SAMPLES_H

#include "media/image.h"

enum { XR_MAX_RESIZED = 1 << 26 }; /* pixels that a resize may make */

typedef enum xr_filter { XR_NEAREST, XR_BILINEAR, XR_BICUBIC, XR_AREA } xr_filter;

/* Which positions and which weights: see docs/pipeline.md. */
typedef enum xr_sampling {
    XR_HALF_PIXEL,
    XR_ANTIALIAS,
    XR_ALIGN_CORNERS,
    XR_ASYMMETRIC, /* BILINEAR, BICUBIC */
    XR_EXACT,      /* NEAREST */
} xr_sampling;

typedef enum xr_flip { XR_FLIP_NONE, XR_FLIP_HORIZONTAL, XR_FLIP_VERTICAL } xr_flip;

/* Interleaved samples, bytes until `normalize`, then floats.  `samples` may be
 * a part of `owned`, or of memory that another one owns. */
typedef struct xr_picture {
    uint32_t width, height, channels;
    size_t stride; /* samples from row to row */
    bool is_float;
    uint8_t *bytes; /* first sample if !is_float */
    float *floats;  /* first sample if is_float */
    void *owned;    /* malloc'd, or NULL */
    char order[4];  /* "rgb", "bgr", ...; "y": one grey channel */
} xr_picture;

/* Makes `to` a new picture of that size, of the same sample type, channels and
 * order as `like`.  E_MEMORY or E_LIMIT (too many pixels). */
exray_status xr_picture_new(xr_picture *to, const xr_picture *like, uint32_t width, uint32_t height,
                            exray_error *error);
/* Frees what it owns. */
void xr_picture_free(xr_picture *picture);
/* Frees `picture`'s own memory and makes it `with`. */
void xr_picture_replace(xr_picture *picture, xr_picture *with);

/* Each turns *picture into its result; on failure it stays valid. */
exray_status xr_picture_turn(xr_picture *picture, unsigned quarter_turns, exray_error *error);
exray_status xr_picture_flip(xr_picture *picture, xr_flip flip, exray_error *error);
exray_status xr_picture_orient(xr_picture *picture, unsigned exif_orientation, exray_error *error);
exray_status xr_picture_reorder(xr_picture *picture, const char *order, exray_error *error);
/* Cuts out a rectangle that lies within the picture; shares its memory. */
void xr_picture_cut(xr_picture *picture, uint32_t left, uint32_t top, uint32_t width, uint32_t height);
/* Puts the picture on a ground of value `pad`, at (left, top). */
exray_status xr_picture_pad(xr_picture *picture, uint32_t width, uint32_t height, uint32_t left, uint32_t top,
                            uint8_t pad, exray_error *error);
/* Samples become floats: (sample - mean) / std, one pair per channel. */
exray_status xr_picture_normalize(xr_picture *picture, const double *mean, const double *std,
                                  exray_error *error);
/* Whether a filter has a sampling: no antialias for NEAREST, and so on. */
bool xr_resize_exists(xr_filter filter, xr_sampling sampling);
exray_status xr_picture_resize(xr_picture *picture, xr_filter filter, xr_sampling sampling, uint32_t width,
                               uint32_t height, exray_error *error);

#endif
