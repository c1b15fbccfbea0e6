#include "log/arena.h"

#include "base/utf8.h"

#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 16, FIRST_BLOCK = 4096, LARGEST_STEP = 1 << 20 };

typedef struct xr_arena_block {
    struct xr_arena_block *next;
    size_t size, used; /* of the bytes behind this header */
} xr_arena_block;

/* The header's size, rounded up, so that what follows is aligned. */
static const size_t header_size = (sizeof(xr_arena_block) + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;

static xr_arena_block *new_block(xr_arena *arena, size_t size)
{
    /* Blocks double, so that many small pieces cost few calls. */
    size_t wanted = arena->head ? arena->head->size * 2 : FIRST_BLOCK;
    if (wanted > LARGEST_STEP)
        wanted = LARGEST_STEP;
    if (wanted < size)
        wanted = size;
    if (wanted > SIZE_MAX - header_size)
        return NULL;
    if (arena->limit && (arena->total > arena->limit || wanted > arena->limit - arena->total))
        return NULL;
    xr_arena_block *b = malloc(header_size + wanted);
    if (!b)
        return NULL;
    b->next = arena->head;
    b->size = wanted;
    b->used = 0;
    arena->head = b;
    arena->total += wanted;
    return b;
}

/* Not zeroed. */
static char *take(xr_arena *arena, size_t size, size_t alignment)
{
    xr_arena_block *b = arena->head;
    size_t at = b ? (b->used + alignment - 1) / alignment * alignment : 0;
    if (!b || at > b->size || size > b->size - at) {
        b = new_block(arena, size);
        at = 0;
    }
    if (!b) {
        arena->failed = true;
        return NULL;
    }
    b->used = at + size;
    return (char *)b + header_size + at;
}

void *xr_arena_take(xr_arena *arena, size_t size)
{
    void *memory = take(arena, size, ALIGNMENT);
    return memory ? memset(memory, 0, size) : NULL;
}

const char *xr_arena_string(xr_arena *arena, const void *bytes, size_t size)
{
    if (size == 0)
        return "";
    /* Strings need no alignment, and a log has many. */
    char *copy = size < SIZE_MAX ? take(arena, size + 1, 1) : NULL;
    if (!copy) {
        arena->failed = true;
        return NULL;
    }
    memcpy(copy, bytes, size);
    copy[size] = '\0';
    xr_utf8_repair(copy, size);
    return copy;
}

void xr_arena_reset(xr_arena *arena)
{
    xr_arena_block *kept = arena->head;
    if (kept) {
        while (kept->next) {
            xr_arena_block *next = kept->next->next;
            free(kept->next);
            kept->next = next;
        }
        kept->used = 0;
        arena->total = kept->size;
    }
    arena->failed = false;
}

void xr_arena_free(xr_arena *arena)
{
    for (xr_arena_block *b = arena->head; b;) {
        xr_arena_block *next = b->next;
        free(b);
        b = next;
    }
    arena->head = NULL;
    arena->total = 0;
}

bool xr_list_reserve(xr_list *list, xr_arena *arena, size_t item_size, size_t more)
{
    if (more <= list->capacity - list->count)
        return true;
    size_t capacity = list->capacity < 4 ? 4 : list->capacity;
    while (capacity - list->count < more) {
        if (capacity > SIZE_MAX / 2 / item_size) {
            arena->failed = true;
            return false;
        }
        capacity *= 2;
    }
    void *items = xr_arena_take(arena, capacity * item_size);
    if (!items)
        return false;
    if (list->count)
        memcpy(items, list->items, list->count * item_size);
    list->items = items;
    list->capacity = capacity;
    return true;
}

void *xr_list_add(xr_list *list, xr_arena *arena, size_t item_size)
{
    if (!xr_list_reserve(list, arena, item_size, 1))
        return NULL;
    return (char *)list->items + item_size * list->count++;
}

bool xr_id_set(xr_id_map *map, xr_arena *arena, uint16_t id, void *value)
{
    void ***page = &map->pages[id >> 8];
    if (!*page)
        *page = xr_arena_take(arena, 256 * sizeof **page);
    if (*page)
        (*page)[id & 0xFF] = value;
    return *page != NULL;
}
