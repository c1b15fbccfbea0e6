/* Whether an output has the reference's rows some places later or earlier along a dimension: the scores of a
 * decoder that are one step late.  At one end rows are missing, at the other are rows that the reference has
 * not. */
#ifndef XR_ROW_SHIFT_H
#define XR_ROW_SHIFT_H

#include <exray/assertion.h>

typedef struct xr_row_shift {
    bool explains;        /* in every frame that differs */
    int by;               /* row k of the edge is the reference's row k - by */
    size_t rows;          /* along the dimension */
    uint32_t axis;        /* the dimension, in the reference's shape */
    size_t frames;        /* that differ, of those that were read */
    double before, after; /* rms of the difference / the reference's deviation, where both have rows: as it
                             is, and shifted */
    bool empty;           /* the rows that the reference has not are zeros */
} xr_row_shift;

/* Judges output `pair`.  Anything but EXRAY_OK is an error of reading. */
exray_status xr_row_shift_make(const exray_comparison *comparison, size_t pair, xr_row_shift *out,
                               exray_error *error);

#endif
