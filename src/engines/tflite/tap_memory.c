#include "engines/tflite/tap_memory.h"

#include <stdint.h>
#include <stdlib.h>

struct xr_tap_block {
    xr_tap_block *next;
    max_align_t data[];
};

void *xr_tap_alloc(xr_tap_block **list, size_t count, size_t size)
{
    if (size && count > (SIZE_MAX / 2 - sizeof(xr_tap_block)) / size)
        return NULL;
    xr_tap_block *block = calloc(1, sizeof *block + count * size);
    if (!block)
        return NULL;
    block->next = *list;
    *list = block;
    return block->data;
}

void xr_tap_free(xr_tap_block **list)
{
    while (*list) {
        xr_tap_block *block = *list;
        *list = block->next;
        free(block);
    }
}
