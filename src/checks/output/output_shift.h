/* Whether the edge's output vector is the reference's, moved by some places or with its
 * elements in another order. */
#ifndef XR_OUTPUT_SHIFT_H
#define XR_OUTPUT_SHIFT_H

#include <exray/assertion.h>

typedef struct xr_shift {
    size_t frames;
    size_t elements[2]; /* by exray_side */
    bool shifted;       /* edge[i + places] = reference[i] */
    int places;
    bool permuted;        /* the same values in another order, which is no shift */
    double before, after; /* rms of the difference / deviation of the reference's values */
    double runner_up;     /* the next best number of places */
    double noise;         /* what `after` may be */
    size_t supporting;    /* frames */
} xr_shift;

/* Looks at output 0, where it is the only one and a vector; all false where it is not,
 * or where the vectors are equal as they are. */
exray_status xr_shift_make(const exray_comparison *comparison, xr_shift *out, exray_error *error);

#endif
