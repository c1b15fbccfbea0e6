/* How each of the edge's columns follows from one of the reference's. */
#ifndef XR_COLUMN_RELATION_H
#define XR_COLUMN_RELATION_H

#include "checks/input/columns/column_table.h"

/* edge column = gain * the reference's column `from` + offset. */
typedef struct xr_column_map {
    size_t from;
    double gain, offset; /* 1 and 0, to rounding, where it is not mapped */
    bool mapped;
    bool own;   /* gain and offset are of each frame: here those of the first */
    bool blank; /* the edge's is one value, the reference's is not: `offset` is that value */
} xr_column_map;

typedef struct xr_column_relation {
    xr_column_map *column; /* [columns] */
    size_t columns;
    size_t moved, mapped, repeated; /* columns: of another place, mapped, of a place that is used twice */
    size_t blank;                   /* columns; the others are as they should be */
    bool after_order;               /* what is mapped is by the constants of the place that it was put in */
    bool own;                       /* each frame has gains and offsets of its own */
    double before, after;           /* share of the edge's variance that differs: as it is, so explained */
} xr_column_relation;

/* False: some column follows from none, or all are as they should be.  What is found leaves next to nothing
 * of any column in any frame. */
bool xr_relate_columns(const xr_column_table *table, xr_column_relation *out);
void xr_column_relation_free(xr_column_relation *relation);

#endif
