/* How the edge's boxes follow from the reference's: [..., 4] tensors of a detector. */
#ifndef XR_BOXES_H
#define XR_BOXES_H

#include "checks/output/box_change.h"

/* Looks at output `pair`; `explains` is false where it holds no boxes, or equal ones. */
exray_status xr_box_fit_make(const exray_comparison *comparison, size_t pair, xr_box_fit *out,
                             exray_error *error);

/* The frame's result, where it has boxes. */
bool xr_boxes_read(const exray_comparison *comparison, exray_side side, size_t frame, exray_slot *slot,
                   exray_result *result);

/* How an application interprets the boxes of its own output: each box of its results
 * (x_min, y_min, x_max, y_max) is the row of the same number, with that change. */
typedef struct xr_box_interpretation {
    bool known;
    const char *change; /* a constant: equal changes are equal pointers */
    size_t boxes, frames;
    double residual; /* rms / the boxes' deviation; lower is better */
} xr_box_interpretation;

/* Finds one side's interpretation.  Anything but EXRAY_OK is an error of reading. */
exray_status xr_box_interpretation_make(const exray_comparison *comparison, exray_side side,
                                        xr_box_interpretation *out, exray_error *error);

/* The change that is right for the op that makes the boxes; NULL where its boxes are not known. */
const char *xr_box_convention(const exray_comparison *comparison, exray_side side);

#endif
