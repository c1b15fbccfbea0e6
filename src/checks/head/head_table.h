/* An output as a table: rows (the channels of a raw detector head: box, score, classes) along one dimension,
 * and columns (its anchors) along all others. */
#ifndef XR_HEAD_TABLE_H
#define XR_HEAD_TABLE_H

#include <exray/assertion.h>

typedef struct xr_head_table {
    const float *values;
    size_t rows, outer,
        inner; /* value of row r in column o * inner + i: values[(o * rows + r) * inner + i] */
} xr_head_table;

static inline float xr_head_value(const xr_head_table *t, size_t row, size_t column)
{
    return t->values[((column / t->inner) * t->rows + row) * t->inner + column % t->inner];
}

/* Along which dimension the rows lie, by exray_side. */
typedef struct xr_head_axes {
    uint32_t axis[2];
} xr_head_axes;

/* Both sides of a matched frame, read; the shapes stay those of the last one that both have. */
typedef struct xr_head_frame {
    exray_slot *slot[2];
    const float *values[2];
    uint64_t count[2];
    uint32_t rank[2];
    int64_t shape[2][EXRAY_MAX_RANK];
} xr_head_frame;

bool xr_head_frame_begin(xr_head_frame *frame);
void xr_head_frame_end(xr_head_frame *frame);

/* *there: both sides have output `pair` with data in that matched frame. */
exray_status xr_head_frame_read(xr_head_frame *frame, const exray_comparison *comparison, size_t matched,
                                size_t pair, bool *there, exray_error *error);

/* The tables of both sides; false: they have not as many columns, or too few (four), or rows (two). */
bool xr_head_tables(const xr_head_frame *frame, const xr_head_axes *axes, xr_head_table table[2]);

/* Of every how many columns one is looked at. */
size_t xr_head_stride(const xr_head_table *table);

#endif
