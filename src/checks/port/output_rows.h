/* The rows of an output: slices along one of its dimensions, read of both sides frame by frame. */
#ifndef XR_OUTPUT_ROWS_H
#define XR_OUTPUT_ROWS_H

#include <exray/assertion.h>

/* The difference of a row from its counterpart, in units of the output's noise. */
#define XR_ROW_DRAW 3.0

/* A tensor as outer x rows x inner. */
typedef struct xr_row_slices {
    size_t outer, rows, inner;
} xr_row_slices;

/* False: no such dimension, or shape and values do not agree. */
bool xr_rows_along(const exray_tensor_view *view, uint32_t axis, xr_row_slices *out);

/* Dimensions whose slices are rows: a single value is none, and the last one with few entries has the columns
 * of a table. */
bool xr_is_row_axis(const exray_tensor_view *view, uint32_t axis, const xr_row_slices *rows);

float xr_rows_value(const float *values, const xr_row_slices *rows, size_t outer, size_t row, size_t inner);

/* The sum of squares of the difference of one side's row from a row of the other. */
double xr_rows_square(const float *a, size_t row, const float *b, size_t other, const xr_row_slices *rows);

/* An output of both sides, a frame at a time. */
typedef struct xr_rows_reading {
    const exray_comparison *comparison;
    size_t pair; /* among the outputs */
    exray_slot *slot[2];
    exray_tensor_view view[2];
    const float *values[2];
} xr_rows_reading;

/* False: out of memory; end in any case. */
bool xr_rows_reading_begin(const exray_comparison *comparison, size_t pair, xr_rows_reading *out);
void xr_rows_reading_end(xr_rows_reading *reading);

/* False: the frame has no data on both sides, or of other shapes; *status says whether it is an error. */
bool xr_rows_read(xr_rows_reading *reading, size_t frame, exray_status *status, exray_error *error);

/* The sum of squares of the difference of all values as they stand in the frame that was read. */
double xr_rows_difference(const xr_rows_reading *reading);

/* What a value may be off, in the output's unit. */
double xr_rows_tolerance(const exray_io_pair *io);

/* Whether an output differs beyond noise, in values that are all numbers. */
bool xr_rows_may_be_moved(const exray_io_pair *io);

#endif
