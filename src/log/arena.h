/* Memory that is allocated piece by piece and freed at once: what a log keeps while it is open, and what a
 * slot keeps until its next use.  A limit bounds what a hostile file can make us allocate. */
#ifndef XR_LOG_ARENA_H
#define XR_LOG_ARENA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct xr_arena {
    struct xr_arena_block *head;
    size_t total; /* bytes taken from the system */
    size_t limit; /* 0: none */
    bool failed;  /* sticky: an allocation did not succeed */
} xr_arena;

/* Zeroed memory, aligned for any type; NULL when out of memory or over the
 * limit (and `failed` is set).  size 0 gives a valid pointer. */
void *xr_arena_take(xr_arena *arena, size_t size);

/* A NUL-terminated copy.  Bytes that are not UTF-8 become '?', so that every string of a log is valid in
 * JSON.  NULL as above. */
const char *xr_arena_string(xr_arena *arena, const void *bytes, size_t size);

/* Forgets everything but keeps one block for the next use. */
void xr_arena_reset(xr_arena *arena);
void xr_arena_free(xr_arena *arena);

/* A growing array in an arena; zero it before use. */
typedef struct xr_list {
    void *items;
    size_t count, capacity;
} xr_list;

/* Room for `more` further items; false when the arena failed. */
bool xr_list_reserve(xr_list *list, xr_arena *arena, size_t item_size, size_t more);
/* A new zeroed item at the end, or NULL. */
void *xr_list_add(xr_list *list, xr_arena *arena, size_t item_size);
/* What MCAP ids (16 bits, most of them unused) stand for; zero it before use. */
typedef struct xr_id_map {
    void **pages[256];
} xr_id_map;

/* NULL: nothing. */
static inline void *xr_id_get(const xr_id_map *map, uint16_t id)
{
    void **page = map->pages[id >> 8];
    return page ? page[id & 0xFF] : NULL;
}
/* False when the arena failed. */
bool xr_id_set(xr_id_map *map, xr_arena *arena, uint16_t id, void *value);

#endif
