#include "checks/model/graph/step_memory.h"

#include <stdint.h>
#include <stdlib.h>

typedef struct memory_block {
    struct memory_block *next;
    double content[];
} memory_block;

void *xr_step_take(xr_step_memory *memory, size_t count, size_t size)
{
    memory_block *block =
        count > SIZE_MAX / 2 / size ? NULL : calloc(1, sizeof(memory_block) + count * size + 1);
    if (!block) {
        memory->failed = true;
        return NULL;
    }
    block->next = memory->block;
    memory->block = block;
    return block->content;
}

void xr_step_memory_free(xr_step_memory *memory)
{
    while (memory->block) {
        memory_block *next = memory->block->next;
        free(memory->block);
        memory->block = next;
    }
}
