/* The finders of a transform's steps, each in the file of its name, find_*.c, in the order in which
 * they build on each other: a file calls only functions of those before it. */
#ifndef XR_FIND_H
#define XR_FIND_H

#include "checks/input/search/input_pair.h"

/* Whether undoing a wrap of signs makes the edge's pictures smooth. */
void xr_find_sign_wrap(xr_input_pair *pair, xr_transform *transform);

/* Which of the reference's frames the edge's frames show. */
void xr_find_frame_order(xr_input_pair *pair, xr_transform *transform);

/* The unit of the reference's values, in pixels of 0..255, where it is not measured; false: not
 * known. */
bool xr_find_pixel_unit(const xr_input_pair *pair, xr_pixel_unit *unit);

/* Notes the range of the edge's tensor in `pair`; finds which mistake flattened its values, from the
 * distributions of both sides' values alone. */
void xr_find_value_map(xr_input_pair *pair, xr_transform *transform);

/* Whether both sides are padded; then the padding is masked in the frames that are searched. */
void xr_find_padding(xr_input_pair *pair);
/* Compares the colors of the padding, under the fit's order and map. */
void xr_compare_padding(xr_input_pair *pair, xr_transform *transform, const xr_input_fit *fit);

/* Which layout and orientation of the reference's input the edge has. */
void xr_find_orientation(xr_input_pair *pair, xr_transform *transform);

/* An exact reading of a buffer leaves no more than rounding; one before a resize more. */
#define XR_EXACT_READING 0.03
/* Ways to read the buffer of the reference's input. */
bool xr_find_stride(xr_input_pair *pair, xr_transform *transform);
/* The same of the sensor's buffer, where the rendering of the reference is known. */
bool xr_find_sensor_stride(xr_input_pair *pair, xr_transform *transform);

/* Which part of the sensor's picture a side shows, coarsely; false: there is no sensor.  prior (may
 * be NULL): the other side's rendering.  by_orientation: the best residual of each. */
typedef struct xr_place {
    xr_geometry geometry;
    xr_orientation orientation;
    size_t layout;
    double residual;
} xr_place;
bool xr_find_place(xr_input_pair *pair, exray_side side, const xr_rendering *prior, xr_place *found,
                   double by_orientation[XR_ORIENTATIONS]);

/* The residual of a side by a rendering, pixel by pixel. */
double xr_rendering_residual(xr_input_pair *pair, exray_side side, bool layout, xr_orientation orientation,
                             const xr_rendering *how, xr_fit_sums *sums);
/* The rendering that explains a side best; false: there is no sensor.  prior (may be NULL): the other
 * side's rendering, which probably shares most of it. */
typedef struct xr_rendering_fit {
    xr_rendering rendering;
    xr_orientation orientation;
    bool layout;
    double residual;
    xr_rendering runner_up; /* by another kernel */
    double runner_up_residual;
    double by_orientation[XR_ORIENTATIONS]; /* coarse: the best of each, in the best layout */
} xr_rendering_fit;
bool xr_find_kernel(xr_input_pair *pair, exray_side side, const xr_rendering *prior, xr_rendering_fit *found);

/* Levels rms that healthy decoders leave of an exact rendering. */
#define XR_DECODERS_DIFFER 2.0
/* Whether an extra step that leaves `now` levels rms, where the edge leaves `without` if it has none, is the
 * one that made the input: it is exact, and no mere imitation of what is not known. */
bool xr_is_proven(const xr_input_pair *pair, const xr_transform *transform, double now, double without);

/* Whether another way to decode the sensor's bytes explains the edge better than its best rendering,
 * which is found anew then.  The rendering of the reference is known. */
bool xr_find_decoding(xr_input_pair *pair, xr_transform *transform, xr_rendering_fit *edge);

/* Both sides as renderings of the sensor's picture; false: nothing better than without. */
bool xr_find_rendering(xr_input_pair *pair, xr_transform *transform);

/* Without the sensor: which part of the reference's picture the edge shows, frame by frame. */
bool xr_find_crop(xr_input_pair *pair, xr_transform *transform);

/* The same where it is turned by some degrees. */
bool xr_find_rotation(xr_input_pair *pair, xr_transform *transform);

/* Which of the known conversions of colors the edge has, with the transform as it is. */
bool xr_find_color(xr_input_pair *pair, xr_transform *transform);

/* What a gray is made of: a mixture of red, green and blue, or something of their values. */
typedef enum xr_gray_way { XR_GRAY_WEIGHTS, XR_GRAY_LARGEST, XR_GRAY_SMALLEST, XR_GRAY_EXTREMES } xr_gray_way;
typedef struct xr_gray {
    xr_gray_way way;
    double weight[3]; /* of XR_GRAY_WEIGHTS */
} xr_gray;

/* Whether both sides' gray inputs (of one channel, or of three that are equal) are made of the sensor's
 * colors, in other ways; by side.  The rendering of the reference is known. */
bool xr_find_gray_weights(xr_input_pair *pair, const xr_transform *transform, xr_gray gray[2]);

#endif
