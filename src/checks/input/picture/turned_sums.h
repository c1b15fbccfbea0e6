/* Sums over the pixels of a picture and of another that is turned, without a turned copy of it. */
#ifndef XR_TURNED_SUMS_H
#define XR_TURNED_SUMS_H

#include "checks/input/fit/fit_sums.h"
#include "checks/input/picture/raster.h"

/* xr_sums_add of the edge and the oriented reference, every `step`th pixel; nothing where the reference has
 * another shape then. */
void xr_sums_add_turned(xr_fit_sums *s, const xr_raster *edge, const xr_raster *reference, xr_orientation o,
                        size_t step);

#endif
