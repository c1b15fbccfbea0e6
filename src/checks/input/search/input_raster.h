/* Pictures as the search for a chain of transformations sees them: planar floats,
 * sums over any rectangle in constant time, and thumbnails of mapped parts. */
#ifndef XR_INPUT_RASTER_H
#define XR_INPUT_RASTER_H

#include "checks/input/search/input_fit.h"

#include <exray/picture.h>

/* ---- Rasters ------------------------------------------------------------------- */

/* Planar: v[(c * height + y) * width + x]. */
typedef struct xr_raster {
    size_t width, height, channels;
    float *v; /* malloc'd, or NULL */
} xr_raster;

/* False: out of memory. */
bool xr_raster_make(xr_raster *r, size_t width, size_t height, size_t channels);
void xr_raster_free(xr_raster *r);
/* From a tensor's values; `other_layout` reads the same memory as planes where it is
 * interleaved, and the other way round.  False: no picture, or no memory. */
bool xr_raster_load(xr_raster *r, const exray_tensor_info *info, uint64_t count, const float *values,
                    bool other_layout);
/* From a picture, grey as three equal channels where `channels` is 3. */
bool xr_raster_of_picture(xr_raster *r, const exray_picture *picture, size_t channels);

/* One of the eight ways to lay a square: bit 0 mirrors left and right, bit 1 top and
 * bottom, bit 2 transposes first.  out(x, y) = in(sx, sy), with (sx, sy) = (y, x)
 * where transposed, each then mirrored. */
typedef unsigned xr_orientation;
enum { XR_ORIENTATIONS = 8 };
xr_orientation xr_orientation_inverse(xr_orientation o);
/* In its simplest form: quarter turns counter-clockwise, then a flip. */
void xr_orientation_parts(xr_orientation o, unsigned *quarter_turns, bool *flip_horizontal,
                          bool *flip_vertical);
bool xr_raster_orient(const xr_raster *in, xr_orientation o, xr_raster *out);

/* ---- Sums and thumbnails ---------------------------------------------------------- */

/* Summed-area tables of every channel. */
typedef struct xr_area {
    size_t width, height, channels;
    double *sum; /* [channels][height + 1][width + 1] */
} xr_area;
bool xr_area_make(xr_area *a, const xr_raster *r);
void xr_area_free(xr_area *a);

/* Which part of a source a picture shows: its left edge is at x0 of the source's
 * width, its right edge at x1, and so on.  Beyond 0..1 there is nothing to see. */
typedef struct xr_map {
    double x0, x1, y0, y1;
} xr_map;

enum { XR_THUMB_MOST = 64 };
typedef struct xr_thumb {
    size_t side, channels;
    float *v;            /* [channels][side][side] */
    unsigned char *seen; /* [side][side] */
} xr_thumb;
bool xr_thumb_make(xr_thumb *t, size_t side, size_t channels);
void xr_thumb_free(xr_thumb *t);
/* Fills t (made) with the box averages of the mapped part. */
void xr_thumb_of(xr_thumb *t, const xr_area *a, const xr_map *map);
void xr_thumb_orient(const xr_thumb *in, xr_orientation o, xr_thumb *out);

/* ---- How well one picture follows from another -------------------------------------- */

/* Adds pixels of edge and scene; `seen` may be NULL, `step` skips pixels. */
void xr_sums_add(xr_fit_sums *s, size_t channels, const float *edge, const float *scene,
                 const unsigned char *seen, size_t pixels, size_t step);
void xr_sums_join(xr_fit_sums *into, const xr_fit_sums *s);
/* The share of the edge's variance that no order of channels with positive gains
 * explains: 0 equal, 1 nothing explained.  `from` gets the order. */
double xr_unexplained_by_order(const xr_fit_sums *s, size_t channels, unsigned char from[XR_FIT_CHANNELS]);
/* The same for an order of channels alone, with no gain and no offset. */
double xr_unexplained_plainly(const xr_fit_sums *s, size_t channels);
/* The same for any linear mixture of the channels: what is left is not colour. */
double xr_unexplained_by_colour(const xr_fit_sums *s, size_t channels);
/* The share up to which another explanation is as good as one that leaves `left`; spread: the edge's
 * standard deviation in levels. */
double xr_no_worse(double left, double spread);
/* Standard deviation of the edge's values, over all channels. */
double xr_sums_spread(const xr_fit_sums *s, size_t channels);

#endif
