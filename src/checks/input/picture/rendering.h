/* Model inputs made from the sensor's picture, as a pre-processing makes them: which part, by which
 * kernel, in which order. */
#ifndef XR_RENDERING_H
#define XR_RENDERING_H

#include "checks/input/picture/thumbnail.h"

typedef enum xr_geometry_kind {
    XR_SQUARE,    /* a square of `fx` of the shorter side */
    XR_RECTANGLE, /* fx of the width and fy of the height, stretched */
    XR_LETTERBOX, /* the whole picture with its aspect ratio, padded */
} xr_geometry_kind;

typedef struct xr_geometry {
    xr_geometry_kind kind;
    double fx, fy;  /* fy: of XR_RECTANGLE only */
    double ax, ay;  /* position within the room that is left: 0 left or top, 0.5 middle, 1 right or bottom */
    double dx, dy;  /* and a shift in pixels: of the picture, or */
    bool in_target; /* of the resized picture */
    bool floored;   /* the part's size is rounded down, not to the nearest */
} xr_geometry;

/* XR_RESIZE_FIRST: the whole picture is resized, then the part is cut out; as in torchvision, where the
 * longer side is rounded down and the middle to even.  The other bits are other roundings. */
typedef enum xr_crop_order {
    XR_CROP_FIRST = 0,
    XR_RESIZE_FIRST = 1,
    XR_RESIZE_ROUNDED = 2, /* the longer side is rounded to the nearest */
    XR_RESIZE_FLOORED = 4, /* the middle is rounded down */
} xr_crop_order;

typedef struct xr_rendering {
    xr_geometry geometry;
    exray_filter filter;
    exray_sampling sampling;
    unsigned char resize_first; /* bits of xr_crop_order */
    bool turned_first;          /* turned before the part is cut out, which changes its rounding */
    double pad;                 /* LETTERBOX: the padding, 0..255; NAN: not known, the pixels are NAN */
} xr_rendering;

/* The part that is shown, for a source of that size and a target of that shape. */
xr_part xr_geometry_part(const xr_geometry *g, double width, double height, double target_width,
                         double target_height);

/* Renders, and turns at the end; r is made, of width x height.  False: not possible (too large, an
 * empty part, no memory). */
bool xr_render(const exray_picture *picture, const xr_rendering *how, xr_orientation orientation,
               size_t width, size_t height, size_t channels, xr_raster *r);

/* The same, not turned, of some rows alone: `count` of them, ascending; r is made, of width x count. */
bool xr_render_rows(const exray_picture *picture, const xr_rendering *how, size_t width, size_t height,
                    size_t channels, const uint32_t *row, size_t count, xr_raster *r);

/* Whether both show the same part of a picture, to within 0.75 pixels of the target. */
bool xr_same_geometry(const xr_geometry *a, const xr_geometry *b, double width, double height, double target);
/* Whether both have the same numbers. */
bool xr_geometry_equal(const xr_geometry *a, const xr_geometry *b);
bool xr_same_kernel(const xr_rendering *a, const xr_rendering *b);

/* Whether it is a letterbox whose picture is at the top left, as `letterbox corner` places it. */
bool xr_is_in_corner(const xr_geometry *geometry);

/* "center 0.875", "none (the whole picture, stretched)": as in a pipeline file, where it has a name
 * there. */
void xr_geometry_text(const xr_rendering *how, double target, char *text, size_t size);

#endif
