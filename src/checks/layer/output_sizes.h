/* Outputs whose number of values is the model's own decision: what a suppression keeps. */
#ifndef XR_OUTPUT_SIZES_H
#define XR_OUTPUT_SIZES_H

#include <exray/assertion.h>

typedef struct xr_output_sizes {
    size_t frames, other; /* matched frames in which both sides are known; those of another number */
    double mean[2];       /* values in a frame, of each side */
} xr_output_sizes;

/* Of output `position` of the comparison.  Another shape of as many values (a layout) is no other size. */
xr_output_sizes xr_output_sizes_of(const exray_comparison *comparison, size_t position);

/* Whether the sides differ in most frames, which no rounding of floats brings about. */
bool xr_sizes_differ(const xr_output_sizes *sizes);

#endif
