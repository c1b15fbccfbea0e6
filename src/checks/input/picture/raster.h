/* Pictures as planar floats, and the eight ways to turn and mirror them. */
#ifndef XR_RASTER_H
#define XR_RASTER_H

#include <exray/assertion.h>
#include <exray/picture.h>

/* Planar: v[(c * height + y) * width + x]. */
typedef struct xr_raster {
    size_t width, height, channels;
    float *v; /* malloc'd, or NULL */
} xr_raster;

/* False: out of memory. */
bool xr_raster_make(xr_raster *r, size_t width, size_t height, size_t channels);
bool xr_raster_copy(const xr_raster *from, xr_raster *out);
void xr_raster_free(xr_raster *r);
/* From a tensor's values; `other_layout` reads interleaved memory as planes, and planes as
 * interleaved.  Of a clip one picture, or all, one below the other.  False: not a picture, or no memory. */
#define XR_ALL_PICTURES SIZE_MAX
bool xr_raster_load(xr_raster *r, const exray_tensor_info *info, uint64_t count, const float *values,
                    bool other_layout, size_t picture);
/* Puts a picture at its place among `count` that lie one below the other; the first one makes room.  And
 * takes one out. */
bool xr_raster_stack(xr_raster *stack, const xr_raster *one, size_t at, size_t count);
bool xr_raster_unstack(const xr_raster *stack, size_t at, size_t count, xr_raster *one);
/* From a picture; a gray one as three equal channels where `channels` is 3. */
bool xr_raster_of_picture(xr_raster *r, const exray_picture *picture, size_t channels);

/* One of the eight orientations of a picture: bit 0 mirrors left and right, bit 1 top and bottom,
 * bit 2 transposes first.  out(x, y) = in(sx, sy), with (sx, sy) = (y, x) where transposed, each then
 * mirrored. */
typedef unsigned xr_orientation;
enum { XR_ORIENTATIONS = 8 };
xr_orientation xr_orientation_inverse(xr_orientation o);
/* `outer` after `inner`. */
xr_orientation xr_orientation_compose(xr_orientation outer, xr_orientation inner);
/* In its simplest form: quarter turns counterclockwise, then a flip. */
void xr_orientation_parts(xr_orientation o, unsigned *quarter_turns, bool *flip_horizontal,
                          bool *flip_vertical);
/* Where pixel (x, y) of the oriented picture comes from: an index into the picture of that size. */
size_t xr_orientation_source(size_t x, size_t y, size_t in_width, size_t in_height, xr_orientation o);
bool xr_raster_orient(const xr_raster *in, xr_orientation o, xr_raster *out);

#endif
