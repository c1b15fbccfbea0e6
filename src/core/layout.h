/* The memory block: how large each table and buffer is, and where it lies. */
#ifndef XR_LAYOUT_H
#define XR_LAYOUT_H

#include "core/state.h"

/* Where each table and buffer lies in the memory block. */
typedef struct xr_memory_plan {
    size_t total; /* bytes of the block */
    size_t chunk_size, packed_capacity, out_capacity, ring_size, layers_size;
    uint32_t max_channels, max_chunks, max_entries, max_chunk_channels, hash_size, max_layers;
    size_t topics_size, names_size, index_size;
    bool crc_tables;
} xr_memory_plan;

/* `sink_size`: bytes of a memory sink, 0 for others.  Returns false, with the
 * reason, where the config cannot be. */
bool xr_plan_of(const exray_recorder_config *config, size_t sink_size, xr_memory_plan *plan,
                const char **problem);
/* Points the recorder's tables into `memory`, plan->total bytes, 16-aligned. */
void xr_place(xr_recorder *r, const xr_memory_plan *plan, const exray_recorder_config *config, void *memory);

#endif
