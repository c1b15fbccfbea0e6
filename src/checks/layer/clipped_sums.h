/* Sums of products of 8-bit integers, clipped on the way.  On x86-64 without VNNI the fast instruction
 * (vpmaddubsw) multiplies unsigned activations by signed weights and adds two adjacent products in 16 bits,
 * with saturation: two products of 255 by 127 do not fit. */
#ifndef XR_CLIPPED_SUMS_H
#define XR_CLIPPED_SUMS_H

#include <exray/assertion.h>

/* Of values that were computed again from the recorded integers, both ways. */
typedef struct xr_clipped_sums {
    uint64_t values;  /* all */
    uint64_t telling; /* of them, those that clipping changes by more than rounding can */
    uint64_t clipped; /* of those, as the side recorded them if pairs are clipped */
    uint64_t exact;   /* of those, if they are not */
} xr_clipped_sums;

/* Whether the reference ran another file, and what the edge recorded of the layer are exact sums of the
 * integers that it recorded, in a sample of some frames: then its kernel is right, and rounding to those
 * integers is what it loses. */
bool xr_loses_by_rounding(const exray_comparison *comparison, size_t layer);

/* Whether clipping explains what that side recorded of the layer, and exact sums do not. */
bool xr_sums_are_clipped(const exray_comparison *comparison, size_t layer, exray_side side,
                         xr_clipped_sums *out);

#endif
