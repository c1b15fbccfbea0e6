/* A transform takes the reference's model input to the edge's: which frame, which layout, which
 * orientation, which part of the scene, by which kernel, in which colors.  The types of its steps,
 * and the steps as functions of pictures; nothing here reads a log.
 *
 * Each step is a struct of its own, filled in by the finder that is named with it.  Residuals are
 * shares of the edge's variance, 0..1, measured on the few frames that are searched. */
#ifndef XR_TRANSFORM_H
#define XR_TRANSFORM_H

#include "checks/input/color/color_transform.h"
#include "checks/input/fit/fit_sums.h"
#include "checks/input/memory/reading.h"
#include "checks/input/picture/rendering.h"

/* ---- Steps ------------------------------------------------------------------------------ */

/* Which of the reference's frames each frame of the edge shows (find_frame_order.c). */
typedef struct xr_frame_order {
    size_t *source_frame; /* [frames], SIZE_MAX: none of the reference's; NULL: each its own */
    size_t misplaced;     /* frames that show another one */
} xr_frame_order;

/* Values that wrapped around because of a wrong signedness: int8 read as uint8, or the reverse
 * (find_sign_wrap.c).  Undone: value + (value < middle ? up : -down). */
typedef struct xr_sign_wrap {
    bool set;
    float middle[XR_FIT_CHANNELS], up, down[XR_FIT_CHANNELS];
    bool stored; /* the tensor's own 8 bits wrapped; else the pixels, before they were normalized */
} xr_sign_wrap;

enum { XR_RUNNERS_UP = 4 };

/* edge = oriented reference (find_orientation.c, find_rendering.c). */
typedef struct xr_turn {
    xr_orientation orientation;
    double runner_up_residual;               /* of the best other orientation */
    xr_orientation runner_up[XR_RUNNERS_UP]; /* others that explain the edge equally well */
    size_t runner_up_count;
} xr_turn;

/* Both sides' inputs as renderings of the sensor's picture (find_rendering.c, find_stride.c). */
typedef struct xr_resampling {
    bool set;                     /* the edge is rendered from the sensor's picture */
    bool rounded;                 /* both show the same part, in pixels of pictures of different sizes */
    xr_rendering reference, edge; /* where there is a sensor's picture */
    xr_orientation orientation;   /* edge = oriented rendering */
    double reference_residual;
    xr_rendering runner_up; /* the edge by the best other kernel */
    double runner_up_residual;
} xr_resampling;

/* The edge shows another part of the reference's picture (find_crop.c). */
typedef struct xr_crop {
    bool set;
    xr_part *part; /* [frames], x1 <= x0: not known */
    double *turn;  /* [frames] radians by which the part is turned about its middle, clockwise; NULL: it is
                      not (find_rotation.c) */
} xr_crop;

/* The sensor's bytes decoded in another way, or colors converted before all else (find_decoding.c). */
typedef enum xr_decode_kind {
    XR_DECODE_AS_RECORDED,
    XR_DECODE_FORMAT,  /* as another format */
    XR_DECODE_REDUCED, /* a JPEG at a part of its size */
    XR_DECODE_ALPHA,   /* blended with a ground instead of dropped */
    XR_DECODE_COLOR,   /* each pixel converted, before all else */
} xr_decode_kind;
typedef struct xr_decode_variant {
    xr_decode_kind kind;
    char format[24];          /* of exray_media; "": as recorded */
    xr_color_transform color; /* of XR_DECODE_COLOR */
} xr_decode_variant;

/* Wrong values of an 8-bit tensor, most of which are clipped (find_value_map.c). */
typedef enum xr_value_map_kind {
    XR_VALUES_RIGHT,
    XR_VALUES_OTHER_CONVENTION, /* normalized by another convention, out of the tensor's range */
    XR_VALUES_NORMALIZED_TWICE,
    XR_VALUES_QUANTIZED_TWICE,
    XR_VALUES_ROUNDED,   /* real values rounded to integers instead of quantized */
    XR_VALUES_TRUNCATED, /* the same, truncated */
} xr_value_map_kind;
typedef struct xr_value_map {
    xr_value_map_kind kind;
    double scale, zero, least; /* of the edge's tensor; its smallest stored value */
    double mean[3], std[3];
    const char *name;       /* of the convention */
    xr_value_map_kind tied; /* another mistake with the same effect; or XR_VALUES_RIGHT */
    bool suffices;          /* no other step is needed */
} xr_value_map;

/* Letterboxes that are padded with different colors, in the edge's unit (find_padding.c). */
typedef struct xr_padding {
    bool differs;
    double edge[XR_FIT_CHANNELS], reference[XR_FIT_CHANNELS];
    size_t frames; /* that have padding */
} xr_padding;

/* ---- The transform ------------------------------------------------------------------------ */

typedef struct xr_transform {
    size_t frames; /* of the comparison */
    size_t every;  /* every how many of them are used */
    xr_frame_order order;
    bool layout; /* the edge wrote planes where pixels belong, or the reverse */
    xr_sign_wrap sign_wrap;
    xr_turn turn;
    xr_resampling resampling;
    xr_pixel_unit unit;
    xr_crop crop;
    xr_color_transform color;
    xr_decode_variant decode;
    xr_reading reading; /* of the buffer (find_stride.c, find_sensor_stride.c) */
    xr_value_map value_map;
    xr_padding padding;
    double residual; /* of the edge by the transform */
} xr_transform;

/* The transform that changes nothing. */
xr_transform xr_transform_none(size_t frames);
void xr_transform_free(xr_transform *transform);

/* The frame of the reference that an edge's frame shows; SIZE_MAX: none. */
size_t xr_source_frame(const xr_transform *transform, size_t frame);

/* ---- Steps, applied to pictures -------------------------------------------------------------- */

/* A value of channel c with the wrap undone.  Inline, as it runs for every pixel. */
static inline float xr_unwrapped(const xr_sign_wrap *wrap, size_t c, float value)
{
    return value + (value < wrap->middle[c] ? wrap->up : -wrap->down[c]);
}
/* Undoes a wrap of signs in the edge's values. */
void xr_undo_sign_wrap(const xr_sign_wrap *wrap, xr_raster *edge);

/* The mapped part of a picture, turned clockwise by radians about its middle, sampled bilinearly; NAN beyond
 * the picture. */
bool xr_crop_raster(const xr_raster *in, const xr_part *part, double turn, size_t width, size_t height,
                    xr_raster *out);

/* The edge's value for the reference's `value` of channel c. */
double xr_mapped_value(const xr_value_map *map, const xr_pixel_unit *unit, double value, size_t c);
void xr_apply_value_map(const xr_value_map *map, const xr_pixel_unit *unit, xr_raster *reference);
/* The same of a raster in the edge's place: of the values that the map has within `slack` of the
 * reference's, the one nearest to the edge's. */
void xr_apply_value_map_near(const xr_value_map *map, const xr_pixel_unit *unit, double slack,
                             xr_raster *reference, const xr_raster *edge);

#endif
