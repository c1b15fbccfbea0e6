/* An output as a table of boxes: a row each. */
#ifndef XR_ROWS_H
#define XR_ROWS_H

#include <exray/task.h>

typedef struct xr_rows {
    const float *values;
    uint64_t rows, columns;
    uint64_t row_step, column_step; /* in values */
} xr_rows;

/* Whether the output is a table [1, rows, columns] (or [rows, columns]), or [1, columns, rows]: where `wide`,
 * a dimension of just `least` is the columns, else whichever has fewer.  Rows of fewer than `least` columns
 * are none.  The values are the caller's to set. */
bool xr_rows_of(const exray_tensor_info *info, bool wide, uint64_t least, xr_rows *out);

float xr_rows_at(const xr_rows *rows, uint64_t row, uint64_t column);
/* 1 / (1 + exp(-x)) */
float xr_logistic(float x);

/* "[1, 84, 8400]" for messages. */
const char *xr_shape_text(const exray_tensor_info *info, char *text, size_t size);

#endif
