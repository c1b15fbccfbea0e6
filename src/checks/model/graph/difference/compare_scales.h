/* Factors of products that the two sides apply at other places (product_scales.h): compared together. */
#ifndef XR_COMPARE_SCALES_H
#define XR_COMPARE_SCALES_H

#include "checks/model/graph/between/step_gap.h"
#include "checks/model/graph/difference/finder.h"

/* Adds what differs, in all, of a product that step `edge` is. */
void xr_compare_scales(xr_finder *f, uint32_t edge);

/* Whether all that lies in a gap, and whether both steps, belong to such a product. */
bool xr_gap_is_of_scales(const xr_finder *f, const xr_step_gap gap[2]);
bool xr_steps_are_of_scales(const xr_finder *f, uint32_t edge, uint32_t reference);

#endif
