/* The usual mistakes with an 8-bit input, as functions of the reference's values: they clip or wrap, so that
 * no line through the moments shows them.  What they make of the reference's histograms is held against the
 * edge's moments. */
#ifndef XR_MOMENT_VALUES_H
#define XR_MOMENT_VALUES_H

#include "checks/input/moments/moment_fit.h"

typedef enum xr_moment_mistake {
    XR_MISTAKE_NONE,
    XR_MISTAKE_WRAPPED,         /* signed bytes taken for unsigned, or the reverse */
    XR_MISTAKE_ZERO_MISSING,    /* the zero point is not added */
    XR_MISTAKE_ZERO_TWICE,      /* it is added twice */
    XR_MISTAKE_QUANTIZED_TWICE, /* stored values are quantized as if they were real ones */
    XR_MISTAKE_NOT_QUANTIZED,   /* real values are cast to integers */
    XR_MISTAKES
} xr_moment_mistake;

/* The mistake that explains all pairs; NONE: none does, or several do.  *residual: what it leaves, levels
 * rms. */
xr_moment_mistake xr_find_moment_mistake(const xr_moment_pairs *pairs, double before, double *residual);

#endif
