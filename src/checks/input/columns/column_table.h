/* An input's values by its columns: what a row of a table holds side by side (the axes of a motion sensor,
 * the coordinates of points, the readings of a record), the bands of a picture of many. */
#ifndef XR_COLUMN_TABLE_H
#define XR_COLUMN_TABLE_H

#include <exray/assertion.h>

enum { XR_COLUMNS_MOST = 512 };

/* Values of both sides at the same places, some of each frame.  Those that are not finite on both sides are
 * left out. */
typedef struct xr_column_table {
    uint32_t axis; /* the dimension that the columns are */
    size_t columns, room;
    float *value[2]; /* [columns][room] by exray_side */
    size_t samples;
    size_t *begin; /* [frames + 1]: where the samples of each frame begin */
    size_t frames;
} xr_column_table;

/* Reads an input along one of its dimensions; false: not of the same shape on both sides, too many columns,
 * or out of memory. */
bool xr_column_table_read(const exray_comparison *comparison, size_t pair, uint32_t axis,
                          xr_column_table *out);
void xr_column_table_free(xr_column_table *table);

static inline const float *xr_column(const xr_column_table *t, exray_side side, size_t column)
{
    return t->value[side] + column * t->room;
}

#endif
