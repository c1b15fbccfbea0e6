/* Memory that is freed all at once. */
#ifndef XR_STEP_MEMORY_H
#define XR_STEP_MEMORY_H

#include <stdbool.h>
#include <stddef.h>

typedef struct xr_step_memory {
    struct memory_block *block;
    bool failed; /* a request was refused */
} xr_step_memory;

/* Zeroed; NULL: out of memory. */
void *xr_step_take(xr_step_memory *memory, size_t count, size_t size);
void xr_step_memory_free(xr_step_memory *memory);

#endif
