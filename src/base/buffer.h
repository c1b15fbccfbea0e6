/* Memory that grows: bytes, and arrays of anything. */
#ifndef XR_BUFFER_H
#define XR_BUFFER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that grow at their end; zero it before use.  After `failed` (out of memory) nothing is added any
 * more, so that a caller checks once. */
typedef struct xr_buffer {
    uint8_t *data;
    size_t size, capacity;
    bool failed;
} xr_buffer;

void xr_buffer_add(xr_buffer *buffer, const void *data, size_t size);
/* The low `size` bytes of a number, little-endian. */
void xr_buffer_add_number(xr_buffer *buffer, uint64_t value, size_t size);
/* Frees the bytes; the buffer can be used again. */
void xr_buffer_free(xr_buffer *buffer);

/* Makes room for an item behind the `count` that `array` has: returns it, moved if need be, and sets
 * *capacity.  NULL: out of memory, and the array is as it was. */
void *xr_array_grow(void *array, size_t count, size_t *capacity, size_t item_size);

#endif
