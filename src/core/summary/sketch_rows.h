/* The inner loops of TensorSketch (spec/sketch.md): what a layer's output costs on
 * its way, after its statistics. */
#ifndef XR_SKETCH_ROWS_H
#define XR_SKETCH_ROWS_H

#include <stddef.h>
#include <stdint.h>

enum {
    XR_SKETCH_COLUMNS = 251, /* buckets */
    XR_SKETCH_ROWS = 32,     /* rows of a group: as many as a word of signs has bits */
    XR_SKETCH_ROOM = 256,    /* columns, and what fills the last vector */
};

/* Adds rows of XR_SKETCH_COLUMNS floats, one after the other at `data` (not aligned,
 * finite), to the columns of `sum`.  The sign of a column's next element is the highest
 * bit of its word, which is shifted out.  Nothing beyond the rows is read. */
typedef void xr_sketch_rows_fn(const uint8_t *data, size_t rows, uint32_t sign[XR_SKETCH_ROOM],
                               float sum[XR_SKETCH_ROOM]);

xr_sketch_rows_fn xr_sketch_rows_portable;
/* The fastest that this processor has; NULL: none better than the portable one. */
xr_sketch_rows_fn *xr_sketch_rows_x86(void);

/* The words of a group of rows. */
void xr_sketch_signs(uint32_t sign[XR_SKETCH_ROOM], uint64_t group, uint32_t key);
/* The key that a seed gives. */
uint32_t xr_sketch_key(uint64_t seed);

#endif
