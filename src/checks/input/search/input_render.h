/* Sensor pictures as a pre-processing would have made them: which part, which
 * kernel, in which order. */
#ifndef XR_INPUT_RENDER_H
#define XR_INPUT_RENDER_H

#include "checks/input/search/input_raster.h"

typedef enum xr_geometry_kind {
    XR_SQUARE,    /* a square of `fx` of the shorter side */
    XR_RECTANGLE, /* fx of the width and fy of the height, stretched */
    XR_LETTERBOX, /* all of it, its shape kept */
} xr_geometry_kind;

typedef struct xr_geometry {
    xr_geometry_kind kind;
    double fx, fy;  /* fy of XR_RECTANGLE alone */
    double ax, ay;  /* where the part, or the picture on its ground, lies: 0 left or top, 0.5 middle, 1 */
    double dx, dy;  /* and then moved by so many pixels: of the picture, or */
    bool in_target; /* of what it is resized to */
    bool floored;   /* the part's size is rounded down, not to the nearest */
} xr_geometry;

/* The whole is resized first, then the part cut out: as torchvision does it (the longer side cut
 * down to whole pixels, the middle rounded to even), or with what others round otherwise. */
typedef enum xr_crop_order {
    XR_CROP_FIRST = 0,
    XR_RESIZE_FIRST = 1,
    XR_RESIZE_ROUNDED = 2, /* and the longer side is rounded */
    XR_RESIZE_FLOORED = 4, /* and the middle is rounded down */
} xr_crop_order;

typedef struct xr_rendering {
    xr_geometry geometry;
    exray_filter filter;
    exray_sampling sampling;
    unsigned char resize_first; /* xr_crop_order, together */
    bool turned_first;          /* turned before the part is cut out, which then is rounded otherwise */
    double pad;                 /* LETTERBOX: the ground, 0..255; NAN: not known, the pixels are NAN */
} xr_rendering;

/* The mapped part, for a source of that size and a target of that shape. */
xr_map xr_geometry_map(const xr_geometry *g, double width, double height, double target_width,
                       double target_height);

/* Renders, turned in the end; r is made, of width x height.  False: not possible (too large, a part of no
 * size, no memory). */
bool xr_render(const exray_picture *picture, const xr_rendering *how, xr_orientation orientation,
               size_t width, size_t height, size_t channels, xr_raster *r);

/* Whether both show the same part of a picture, to half a pixel of the target. */
bool xr_same_geometry(const xr_geometry *a, const xr_geometry *b, double width, double height, double target);

/* Whether both are the same to the number. */
bool xr_geometry_is(const xr_geometry *a, const xr_geometry *b);

/* "center 0.875", "none (the whole picture, stretched)": as in a pipeline file where
 * it has a name there. */
void xr_geometry_text(const xr_rendering *how, double target, char *text, size_t size);

/* What was captured: its bytes, decoded; see exray_picture_decode. */
typedef struct xr_decode_as {
    const char *format; /* NULL: as recorded */
    const char *matrix;
    int full_range;     /* -1: as recorded */
    int64_t row_stride; /* -1: as recorded */
} xr_decode_as;
/* The sensor's picture of a matched frame, upright; NULL where there is none.  media
 * (may be NULL) gets what it was recorded as; its strings live as long as the slot. */
exray_picture *xr_sensor_picture(const exray_comparison *comparison, size_t frame, const xr_decode_as *as,
                                 exray_slot *slot, exray_media *media);

#endif
