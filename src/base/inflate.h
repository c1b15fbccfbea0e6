/* Unpacking deflate, as in zip archives. */
#ifndef XR_INFLATE_H
#define XR_INFLATE_H

#include <stdbool.h>
#include <stddef.h>

/* Unpacks raw deflate data to exactly `size` bytes.  False: they are damaged or of another size, or out of
 * memory. */
bool xr_inflate(const void *packed, size_t packed_size, void *out, size_t size);

#endif
