/* Reading an untrusted FlatBuffer.  The root table's position is at 0, the file's identifier at 4.  A
 * table begins with the (signed) distance back to its vtable: u16 sizes of vtable and table, then an u16
 * for each field: its position in the table, or 0.  Vectors, strings and tables are reached over forward
 * distances from the position that holds the distance.  Every access is checked against the file; the
 * first one outside sets `damaged`, and from then on all of them give zero or nothing where they cannot
 * give what the file says.  So a reader checks once, at its end. */
#ifndef XR_FLATBUFFER_H
#define XR_FLATBUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct xr_flat {
    const uint8_t *data;
    uint64_t size;
    bool damaged;
} xr_flat;

/* Positions are from the file's begin; 0 is no position of anything. */
typedef struct xr_flat_table {
    uint64_t at; /* 0: absent */
    uint64_t vtable;
    uint32_t vtable_size, size;
} xr_flat_table;

typedef struct xr_flat_vector {
    uint64_t at; /* of the first element; 0: absent */
    uint32_t count;
} xr_flat_vector;

/* The root table. */
xr_flat_table xr_flat_root(xr_flat *flat);

/* Where a field of `width` bytes lies; 0: it is not there (its default holds). */
uint64_t xr_flat_field(xr_flat *flat, const xr_flat_table *table, unsigned field, unsigned width);

/* Scalars, little-endian. */
uint32_t xr_flat_u8(xr_flat *flat, const xr_flat_table *table, unsigned field);
int32_t xr_flat_i8(xr_flat *flat, const xr_flat_table *table, unsigned field, int32_t otherwise);
int32_t xr_flat_i32(xr_flat *flat, const xr_flat_table *table, unsigned field, int32_t otherwise);
uint32_t xr_flat_u32(xr_flat *flat, const xr_flat_table *table, unsigned field);
int64_t xr_flat_i64(xr_flat *flat, const xr_flat_table *table, unsigned field);
float xr_flat_f32(xr_flat *flat, const xr_flat_table *table, unsigned field);

/* What a field refers to. */
xr_flat_table xr_flat_child(xr_flat *flat, const xr_flat_table *table, unsigned field);
xr_flat_vector xr_flat_children(xr_flat *flat, const xr_flat_table *table, unsigned field,
                                unsigned element_size);
/* A string within the file, zero-terminated there; NULL: absent. */
const char *xr_flat_string(xr_flat *flat, const xr_flat_table *table, unsigned field, uint32_t *length);

/* Element i (< count) of a vector of tables, of 4-byte and of 8-byte numbers. */
xr_flat_table xr_flat_table_at(xr_flat *flat, const xr_flat_vector *vector, uint32_t i);
int32_t xr_flat_i32_at(const xr_flat *flat, const xr_flat_vector *vector, uint32_t i);
int64_t xr_flat_i64_at(const xr_flat *flat, const xr_flat_vector *vector, uint32_t i);
float xr_flat_f32_at(const xr_flat *flat, const xr_flat_vector *vector, uint32_t i);

#endif
