/* Factors that one side applies to what a product of two tensors reads, and the other to what it makes:
 * attention's scores are divided by a root, or queries and keys by a root of that, before or behind a
 * transpose, or within the product (alpha). */
#ifndef XR_PRODUCT_SCALES_H
#define XR_PRODUCT_SCALES_H

#include "checks/model/graph/step_match.h"

typedef struct xr_product_scale {
    uint32_t step[2];           /* the product of each side */
    uint32_t source[2];         /* of the edge: what both its inputs were, without factors and moves */
    uint32_t end[2];            /* of each side: the last tensor that is a function of the product */
    double value[2][XR_POINTS]; /* at xr_points: what is made, in all, of the product of the sources */
    bool equal;                 /* the two sides make the same of it */
} xr_product_scale;

typedef struct xr_product_scales {
    xr_product_scale *list; /* of products of which the sides apply factors at other places */
    size_t count;
    uint32_t *of[2]; /* [steps of the side]: position in `list` of a product, of all that scales it, and of
                        what moves values between, or EXRAY_NO_INDEX */
} xr_product_scales;

/* False: out of memory. */
bool xr_product_scales_find(const xr_step_match *match, xr_product_scales *out);
void xr_product_scales_free(xr_product_scales *scales);

#endif
