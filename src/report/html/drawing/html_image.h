/* Small pictures for the page: values mapped to 8 bits, scaled down, encoded. */
#ifndef XR_REPORT_IMAGE_H
#define XR_REPORT_IMAGE_H

#include "checks/input/picture/raster.h"

#include <stdio.h>

/* Pixels of the longer side, and JPEG's quality. */
enum {
    XR_IMAGE_MOST = 256,
    XR_IMAGE_QUALITY = 85,
    XR_SMALL_IMAGE_MOST = 160,
    XR_SMALL_IMAGE_QUALITY = 81,
    XR_THUMBNAIL_MOST = 96
};

/* How values become gray or color: `low` is black, `high` is white, beyond is clipped. */
typedef struct xr_shades {
    double low, high;
} xr_shades;

/* A raster's first three channels as red, green and blue (of fewer than three: the first as gray); NAN is
 * mid-gray.  NULL: no memory, or no picture that can be shown. */
exray_picture *xr_image_of_raster(const xr_raster *raster, const xr_shades *shades);

/* |a - b|, the mean of the channels, from black (equal) over violet and orange to a pale yellow; `gain` times
 * the difference is a share of the shades' range.  The rasters have the same shape. */
exray_picture *xr_image_of_difference(const xr_raster *a, const xr_raster *b, const xr_shades *shades,
                                      double gain);

/* Scaled down to `most` pixels if it is larger.  NULL: no memory. */
exray_picture *xr_image_shrunk(const exray_picture *picture, uint32_t most);

/* Writes <img>: a JPEG of that quality if it is large, else (where each pixel counts) a PNG.  `alt` is
 * escaped.  False: it could not be encoded; nothing was written. */
bool xr_put_image(FILE *out, const exray_picture *picture, int quality, const char *alt);

/* Likewise, a PNG at any size. */
bool xr_put_exact_image(FILE *out, const exray_picture *picture, const char *alt);

#endif
