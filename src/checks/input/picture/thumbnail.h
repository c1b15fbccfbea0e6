/* Small copies of any part of a picture: summed-area tables give the average of any rectangle in
 * constant time. */
#ifndef XR_THUMBNAIL_H
#define XR_THUMBNAIL_H

#include "checks/input/picture/raster.h"

/* Summed-area tables of all channels. */
typedef struct xr_area {
    size_t width, height, channels;
    double *sum; /* [height + 1][width + 1][channels], and room for lanes (lanes.h) behind them */
} xr_area;
bool xr_area_make(xr_area *a, const xr_raster *r);
/* Of a picture; a large one is reduced first, so that its tables stay small. */
bool xr_area_of_picture(xr_area *a, const exray_picture *picture, size_t channels);
void xr_area_free(xr_area *a);

/* The part of a source that a picture shows: its left edge is at x0 of the source's width, its right
 * edge at x1, and so on.  Beyond 0..1 nothing is known. */
typedef struct xr_part {
    double x0, x1, y0, y1;
} xr_part;

enum { XR_THUMB_LIMIT = 64 };
typedef struct xr_thumb {
    size_t side, channels;
    float *v;            /* [channels][side][side] */
    unsigned char *seen; /* [side][side]: within the source */
} xr_thumb;
bool xr_thumb_make(xr_thumb *t, size_t side, size_t channels);
void xr_thumb_free(xr_thumb *t);
/* Fills t (made) with the averages of the part's cells. */
void xr_thumb_of(xr_thumb *t, const xr_area *a, const xr_part *part);
void xr_thumb_orient(const xr_thumb *in, xr_orientation o, xr_thumb *out);

#endif
