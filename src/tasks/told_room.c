/* The memory that a result lives in. */
#include <exray/task.h>

#include <stdlib.h>

typedef struct room_block {
    struct room_block *next;
} room_block;

struct exray_told {
    room_block *blocks;
};

exray_told *exray_told_new(void)
{
    return calloc(1, sizeof(exray_told));
}

void exray_told_clear(exray_told *told)
{
    while (told->blocks) {
        room_block *next = told->blocks->next;
        free(told->blocks);
        told->blocks = next;
    }
}

void exray_told_free(exray_told *told)
{
    if (told)
        exray_told_clear(told);
    free(told);
}

void *exray_told_room(exray_told *told, size_t count, size_t size)
{
    enum { HEAD = 16 }; /* keeps what follows aligned */
    if (size && count > (SIZE_MAX - HEAD) / size)
        return NULL;
    room_block *block = calloc(1, HEAD + count * size);
    if (!block)
        return NULL;
    block->next = told->blocks;
    told->blocks = block;
    return (char *)block + HEAD;
}
