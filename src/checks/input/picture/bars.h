/* Bars of one color at the borders of a picture: most likely the padding of a letterbox. */
#ifndef XR_BARS_H
#define XR_BARS_H

#include "checks/input/fit/fit_sums.h"
#include "checks/input/picture/raster.h"

typedef struct xr_bars {
    size_t top, bottom, left, right; /* lines */
    float color[XR_FIT_CHANNELS];
} xr_bars;

/* Whether a picture has bars; level: a step of its values. */
bool xr_find_bars(const xr_raster *r, double level, xr_bars *out);
/* Whether a pixel of `r` lies within the bars, by more than `margin` lines. */
bool xr_is_in_bars(const xr_bars *b, const xr_raster *r, size_t x, size_t y, size_t margin);
/* Fills the bars with NAN, and the line beside each, where a resize mixes both. */
void xr_mask_bars(const xr_bars *b, xr_raster *r);

#endif
