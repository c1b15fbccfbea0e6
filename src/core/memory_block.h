/* Laying tables out in the recorder's one block of memory.  The same walk measures (`base` is
 * NULL) and places. */
#ifndef XR_MEMORY_BLOCK_H
#define XR_MEMORY_BLOCK_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { XR_BLOCK_ALIGNMENT = 16 };

typedef struct xr_memory_block {
    uint8_t *base;
    size_t used;
} xr_memory_block;

/* Room for `count` objects of `size` bytes; NULL while measuring. */
static inline void *xr_block_take(xr_memory_block *block, size_t count, size_t size)
{
    void *at = block->base ? block->base + block->used : NULL;
    block->used += (count * size + XR_BLOCK_ALIGNMENT - 1) / XR_BLOCK_ALIGNMENT * XR_BLOCK_ALIGNMENT;
    return at;
}

/* Strings in a piece of it, which only grow in number. */
typedef struct xr_name_pool {
    char *bytes;
    size_t used, capacity;
} xr_name_pool;

/* A copy of the string, or NULL where the pool is full. */
static inline char *xr_pool_add(xr_name_pool *pool, const char *text)
{
    const size_t size = strlen(text) + 1;
    if (size > pool->capacity - pool->used)
        return NULL;
    char *copy = pool->bytes + pool->used;
    memcpy(copy, text, size);
    pool->used += size;
    return copy;
}

#endif
