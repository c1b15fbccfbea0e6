/* Whether an output has the reference's rows in another order.  A row is a slice of at least two values
 * along any dimension: a box with its scores, an anchor's column of a transposed head. */
#ifndef XR_ROW_ORDER_H
#define XR_ROW_ORDER_H

#include "checks/port/output_rows.h"

typedef struct xr_row_order {
    bool explains;        /* in every frame that differs */
    size_t rows;          /* along the dimension */
    uint32_t axis;        /* the dimension, in the reference's shape */
    size_t frames;        /* that differ, of those that were read */
    bool fixed;           /* the same order in all of them */
    double before, after; /* rms of the difference / the reference's deviation, as it is and in order */
    size_t *from;         /* [frame_count * rows]: the reference's row; rows of a frame that does not differ
                             are their own */
    size_t frame_count;   /* matched frames that were read, the first ones */
} xr_row_order;

/* Judges output `pair`.  Anything but EXRAY_OK is an error of reading; free in any case. */
exray_status xr_row_order_make(const exray_comparison *comparison, size_t pair, xr_row_order *out,
                               exray_error *error);
void xr_row_order_free(xr_row_order *order);

/* Whether one array has the other's rows in another order, each value within `tolerance`: then *order is a
 * number of that order, else 0. */
exray_status xr_rows_find_order(const float *const values[2], const xr_row_slices *rows, double tolerance,
                                uint64_t *order);

/* Whether another output (the classes that belong to the boxes) has its rows in the same order. */
exray_status xr_row_order_holds(const exray_comparison *comparison, size_t pair, const xr_row_order *order,
                                bool *holds, exray_error *error);

/* "from the last to the first", "rows 1 and 4 exchanged", ... */
void xr_row_order_words(const xr_row_order *order, char *text, size_t size);

/* Keeps for later assertions that an output's difference is one of order; whether it is, be it of its rows
 * or because it has another output's values. */
void xr_mark_reordered(exray_findings *findings, size_t pair);
bool xr_is_reordered(const exray_findings *findings, size_t pair);

#endif
