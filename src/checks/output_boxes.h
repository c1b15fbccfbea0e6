/* How the edge's boxes follow from the reference's: [..., 4] tensors of a detector. */
#ifndef XR_OUTPUT_BOXES_H
#define XR_OUTPUT_BOXES_H

#include <exray/assertion.h>

typedef struct xr_box_fit {
    bool explains;        /* a change of format leaves noise alone */
    const char *change;   /* "corners to centre and size, x and y exchanged" */
    double gain[2];       /* of coordinates 0 and 2, and of 1 and 3: 1 where the unit is the same */
    double before, after; /* rms of the difference / deviation of the edge's values */
    double runner_up;     /* `after` of the next best change */
    double noise;         /* what `after` may be */
    size_t boxes, frames, supporting, opposing;
} xr_box_fit;

/* Looks at output `pair`; `explains` is false where it holds no boxes, or equal ones. */
exray_status xr_box_fit_make(const exray_comparison *comparison, size_t pair, xr_box_fit *out,
                             exray_error *error);

#endif
