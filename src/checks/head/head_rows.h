/* What each row of an output is on the edge, beside the reference's: equal, a sigmoid of it, or part of boxes
 * in another format; or the rows are those of another place.  Each is judged in the unit of its own
 * deviation, so that boxes in pixels do not hide scores. */
#ifndef XR_HEAD_ROWS_H
#define XR_HEAD_ROWS_H

#include "checks/head/head_table.h"
#include "checks/output/box_change.h"

typedef enum xr_head_relation {
    XR_HEAD_EQUAL,
    XR_HEAD_SIGMOID_ADDED,   /* edge = sigmoid(reference) */
    XR_HEAD_SIGMOID_MISSING, /* reference = sigmoid(edge) */
    XR_HEAD_SOFTMAX_ADDED,   /* of all such rows together */
    XR_HEAD_SOFTMAX_MISSING,
    XR_HEAD_BOX,   /* of four rows in another format */
    XR_HEAD_SCALE, /* a constant times the reference's */
    XR_HEAD_OTHER, /* none of these */
} xr_head_relation;

typedef struct xr_head_row {
    xr_head_relation relation;
    double error;         /* rms of the difference / the reference's deviation in this row */
    double before, after; /* as `error`, in the unit of what the relation predicts; without it and with it */
    double gain;
} xr_head_row;

typedef struct xr_head {
    xr_head_axes axes;
    size_t rows[2], columns; /* by exray_side */
    size_t frames;           /* that were read */
    double noise;            /* what rows may be off for their types, of their own deviation */
    /* Of tables with as many rows: */
    xr_head_row *row; /* [rows[1]] */
    size_t differing, other;
    xr_box_fit box; /* of the first rows in another format; all boxes have the same change */
    size_t box_row, boxes;
    /* Rows that one side has alone; those behind it are equal. */
    bool shifted;
    int shift;             /* the edge's row j + shift is the reference's row j */
    size_t shift_from;     /* the first of the rows that are the side's own */
    size_t shift_equal;    /* rows behind it that are equal */
    double shift_residual; /* the largest of them, in its own deviation */
} xr_head;

/* Judges output `pair` along the dimensions that explain most.  out->frames is 0 where it is no table.
 * Anything but EXRAY_OK is an error of reading; free in any case. */
exray_status xr_head_make(const exray_comparison *comparison, size_t pair, xr_head *out, exray_error *error);
void xr_head_free(xr_head *head);

#endif
