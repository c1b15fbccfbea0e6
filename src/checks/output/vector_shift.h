/* Whether the edge's output vector is the reference's shifted by some places, or with its
 * elements in another order. */
#ifndef XR_VECTOR_SHIFT_H
#define XR_VECTOR_SHIFT_H

#include <exray/assertion.h>

typedef struct xr_shift {
    size_t frames;
    size_t elements[2]; /* by exray_side */
    bool shifted;       /* edge[i + places] = reference[i] */
    int places;
    bool permuted;        /* the same values in another order, other than by a shift */
    double before, after; /* rms of the difference / deviation of the reference's values */
    double runner_up;     /* `after` of the next best number of places */
    double noise;         /* how large `after` may be */
    size_t supporting;    /* frames */
} xr_shift;

/* Judges output 0, where it is the only one and a vector; else, and where the vectors are equal as
 * they are, all is false. */
exray_status xr_shift_make(const exray_comparison *comparison, xr_shift *out, exray_error *error);

#endif
