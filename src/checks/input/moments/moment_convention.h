/* The usual normalizations, by what statistics show of them. */
#ifndef XR_MOMENT_CONVENTION_H
#define XR_MOMENT_CONVENTION_H

#include "checks/input/fit/conventions.h"
#include "checks/input/moments/moment_fit.h"

/* The range of a side over all frames. */
void xr_moment_range(const xr_moment_frames *frames, exray_side side, double *low, double *high);

/* A step of 8 bits in a side's unit: its scale where it is an 8-bit type; of a picture that of the usual
 * normalization whose range holds its values; else a 255th of its range. */
double xr_moment_level(const xr_moment_frames *frames, exray_side side);

/* The usual normalizations of both sides of which the map is that from one to the other, into by_side[2].
 * false: there are none; then by_side has those whose range each side's values have, or NULL. */
bool xr_moment_conventions(const xr_moment_pairs *pairs, const xr_moment_fit *fit,
                           const xr_convention *by_side[2]);

#endif
