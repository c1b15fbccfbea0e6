/* The usual ways to bring pixels of 0..255 into a model's range. */
#ifndef XR_CONVENTIONS_H
#define XR_CONVENTIONS_H

#include "checks/input/fit/input_fit.h"

typedef struct xr_convention {
    const char *name;
    double mean[3], std[3]; /* on 0..255, by channel */
} xr_convention;

size_t xr_convention_count(void);
const xr_convention *xr_convention_at(size_t i);

/* Whether the spacing and the offset of a side's values are those of a convention. */
bool xr_follows_exactly(const xr_input_fit *fit, exray_side side, const xr_convention *k);

/* The convention that a side's values follow, or NULL; *exact: their spacing and offset show it, not
 * only their range. */
const xr_convention *xr_convention_of(const xr_input_fit *fit, exray_side side, bool *exact);

/* What the fit's map does to pixels of 0..255 that both sides normalize by the reference's convention, an
 * exchange of channels being before it.  False: the convention is not known. */
bool xr_map_on_pixels(const xr_input_fit *fit, xr_affine *out);
/* The most that it changes a pixel by. */
double xr_map_on_pixels_effect(const xr_input_fit *fit, const xr_affine *map);

#endif
