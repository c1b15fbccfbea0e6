/* The formats that boxes of four numbers are written in: sums over boxes of both sides, and the change of
 * format that explains them with the least residual. */
#ifndef XR_BOX_CHANGE_H
#define XR_BOX_CHANGE_H

#include <exray/assertion.h>

enum { XR_BOX_CHANGES = 20 };

typedef struct xr_box_fit {
    bool explains;      /* by a change of format, up to noise */
    const char *change; /* "corners to centre and size, x and y exchanged" */
    double gain[2];     /* of coordinates 0 and 2, and of 1 and 3 (see below); 1 where the unit is the same */
    double before, after; /* rms of the difference / deviation of the edge's values */
    double runner_up;     /* `after` of the next best change */
    double noise;         /* how large `after` may be */
    size_t boxes, frames, supporting, opposing;
} xr_box_fit;

/* Sums of a change: coordinates 0 and 2, and 1 and 3, have a gain of their own; of the last changes 0 and 1,
 * and 2 and 3. */
typedef struct xr_box_change_sums {
    double tt[2], ts[2], ss[2]; /* target, source */
} xr_box_change_sums;

typedef struct xr_box_sums {
    xr_box_change_sums all[XR_BOX_CHANGES];
    double sum, square, count, difference; /* of the edge's coordinates; from the reference's */
} xr_box_sums;

/* Adds `count` numbers, four a box; boxes with a number that is not finite are left out. */
void xr_box_sums_add(xr_box_sums *sums, const float *edge, const float *reference, uint64_t count);

/* The best change, with its gains, `before`, `after` and `runner_up` in *fit; -1: all coordinates are equal.
 * sums->count must not be 0. */
int xr_box_sums_judge(const xr_box_sums *sums, xr_box_fit *fit);

/* The squares that a change with those gains leaves. */
double xr_box_sums_residual(const xr_box_sums *sums, int change, const double gain[2]);

/* A constant: equal changes are equal pointers. */
const char *xr_box_change_name(int change);

#endif
