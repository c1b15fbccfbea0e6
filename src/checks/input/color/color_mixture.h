/* Colors of which each is a mixture of the reference's three: another saturation, a color matrix. */
#ifndef XR_COLOR_MIXTURE_H
#define XR_COLOR_MIXTURE_H

#include "checks/input/color/color_transform.h"

/* The mixture that fits best, by least squares; false: the pixels determine none. */
bool xr_fit_mixture(const xr_fit_sums *sums, const xr_pixel_unit *unit, xr_color_transform *out);

/* Whether a mixture that leaves a share `after` of the edge's variance, of `before` that any order of
 * channels leaves, is what makes the difference: an eighth is left, or a third that decoders explain. spread:
 * the edge's standard deviation in levels. */
bool xr_mixture_suffices(double after, double before, double spread);

/* Whether it scales each color by itself. */
bool xr_is_scaling(const xr_color_transform *color);
/* Whether it is what a mosaic of filters becomes that is read a row or a column off. */
bool xr_is_filter_shift(const xr_color_transform *color);
/* Whether it changes the saturation alone: by that factor, 1 the reference's, 0 gray. */
bool xr_is_saturation(const xr_color_transform *mixture, double *factor);

/* What the mixture is, in words. */
void xr_mixture_text(const xr_color_transform *mixture, char *text, size_t size);

#endif
