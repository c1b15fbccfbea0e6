/* The state of building a log's index: index.c fills it, index_frames.c sorts it. */
#ifndef XR_INDEX_STATE_H
#define XR_INDEX_STATE_H

#include "log/log_file.h"
#include "log/unknown.h"
#include <exray/codecs.h>

typedef struct xr_frame_entry {
    exray_frame frame;
    xr_frame_extra extra;
    size_t order; /* in which it came */
} xr_frame_entry;

typedef struct xr_builder {
    exray_log *log;
    xr_arena scratch;      /* gone after opening */
    xr_id_map channels;    /* xr_channel */
    xr_id_map schemas;     /* xr_text: their names */
    exray_record *records; /* in the log's order */
    size_t record_count, record_capacity, max_records;
    xr_list frames; /* xr_frame_entry */
    size_t chunk_capacity;
    xr_chunk *chunk; /* the one that is being walked, or NULL */
    uint32_t chunk_number;
    const uint8_t *chunk_bytes; /* decompressed */
    uint8_t *buffer;            /* for them */
    size_t buffer_size;
    uint64_t decompressed; /* bytes so far */
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
    atomic_fetch_add_explicit(&b->log->damaged, 1, memory_order_relaxed);
}

#endif
