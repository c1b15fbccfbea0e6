/* How well an input may follow from the sensor's picture under some change of its pixels, by a sample of the
 * input: changing and rendering a whole picture takes thousands of times longer. */
#ifndef XR_SAMPLED_RENDERING_H
#define XR_SAMPLED_RENDERING_H

#include "checks/input/fit/fit_sums.h"
#include "checks/input/picture/rendering.h"

/* One pixel of the changed picture. */
typedef void xr_changed_pixel(const void *change, const exray_picture *picture, size_t x, size_t y,
                              double pixel[XR_FIT_CHANNELS]);

/* The residual of the input, with any mixture of colors, by means over the parts of the picture that its
 * pixels show.  Those are not what a kernel makes: a right change may leave as much as no change does where
 * there is none.  0: the input cannot be compared so. */
double xr_sampled_residual(const xr_raster *input, const exray_picture *picture, const xr_geometry *geometry,
                           xr_orientation orientation, xr_changed_pixel *changed, const void *change);

#endif
