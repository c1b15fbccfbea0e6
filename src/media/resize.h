/* Resizing, by the filters and samplings of <exray/picture.h>. */
#ifndef XR_RESIZE_H
#define XR_RESIZE_H

#include "media/pixels.h"

enum { XR_MAX_RESIZED = 1 << 26 }; /* pixels that a resize may make */

/* Whether a filter has a sampling: no antialias for NEAREST, and so on. */
bool xr_resize_exists(exray_filter filter, exray_sampling sampling);
exray_status xr_pixels_resize(xr_pixels *picture, exray_filter filter, exray_sampling sampling,
                              uint32_t width, uint32_t height, exray_error *error);
/* Some rows of what xr_pixels_resize makes: `count` of them, ascending and below `height`. */
exray_status xr_pixels_resize_rows(xr_pixels *picture, exray_filter filter, exray_sampling sampling,
                                   uint32_t width, uint32_t height, const uint32_t *rows_wanted,
                                   uint32_t count, exray_error *error);

#endif
