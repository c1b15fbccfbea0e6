/* The state of building a log's index: index.c fills it, index/index_frames.c sorts it. */
#ifndef XR_INDEX_STATE_H
#define XR_INDEX_STATE_H

#include "log/log_file.h"
#include "log/unknown.h"
#include <exray/codecs.h>
#include <stdlib.h>

/* A layer (or constant) whose statistics come in LayerStats. */
typedef uint64_t xr_gathered_mark;
typedef struct xr_gathered {
    const char *topic;     /* "/layer/7" */
    xr_gathered_mark last; /* the message that it was in last, counted from 1 */
    uint32_t form;         /* index_entries.h */
} xr_gathered;

typedef struct xr_builder {
    exray_log *log;
    xr_arena scratch;       /* gone after opening */
    xr_id_map channels;     /* xr_channel */
    xr_id_map schemas;      /* xr_text: their names */
    xr_frame_entry *frames; /* in the log's order; the log adopts them */
    size_t frame_count, frame_capacity, max_frames;
    size_t chunk_capacity;
    xr_chunk *chunk; /* the one that is being walked, or NULL */
    uint32_t chunk_number;
    const uint8_t *chunk_bytes; /* decompressed */
    uint8_t *buffer;            /* for them */
    size_t buffer_size;
    uint64_t decompressed; /* bytes so far */
    xr_list gathered[2];   /* xr_gathered by index: layers, constants */
    xr_gathered_mark gathered_messages;
    uint32_t last_gathering[2]; /* their numbers */
    xr_arena message;           /* while one is decoded */
    xr_unknown unknown;
} xr_builder;

typedef enum xr_walk {
    XR_WALK_ON,
    XR_WALK_DAMAGED, /* the chunk is damaged: forget it */
    XR_WALK_NO_MEMORY,
} xr_walk;

/* Counts a damaged chunk or message. */
static inline void xr_index_damage(xr_builder *b)
{
    xr_log_damage(b->log);
}

/* Room for an item behind the `count` that `items` has, a quarter more than that, `most` in all: returns it,
 * moved if need be, and sets *capacity.  NULL: out of memory, and the array is as it was. */
static inline void *xr_index_grow(void *items, size_t count, size_t *capacity, size_t most, size_t item_size)
{
    enum { FIRST = 256 };
    if (count < *capacity)
        return items;
    size_t more = count / 4 + FIRST;
    if (count >= most)
        return NULL;
    if (more > most - count)
        more = most - count;
    void *grown = realloc(items, (count + more) * item_size);
    if (grown)
        *capacity = count + more;
    return grown;
}

/* A copy of the frame, at the end of the table; false: out of memory. */
static inline bool xr_index_add_frame(xr_builder *b, const xr_frame_entry *entry)
{
    xr_frame_entry *frames =
        xr_index_grow(b->frames, b->frame_count, &b->frame_capacity, b->max_frames, sizeof *frames);
    if (!frames)
        return false;
    b->frames = frames;
    b->frames[b->frame_count++] = *entry;
    return true;
}

#endif
