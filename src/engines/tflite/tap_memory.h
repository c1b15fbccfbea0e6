/* Memory blocks that are freed together. */
#ifndef XR_TFLITE_TAP_MEMORY_H
#define XR_TFLITE_TAP_MEMORY_H

#include <stddef.h>

typedef struct xr_tap_block xr_tap_block;

/* Zeroed memory that lives as long as its list; NULL: out of memory. */
void *xr_tap_alloc(xr_tap_block **list, size_t count, size_t size);
void xr_tap_free(xr_tap_block **list);

#endif
