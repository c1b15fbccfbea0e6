/* The memory block: how large each table and buffer is, and where it lies. */
#ifndef XR_LAYOUT_H
#define XR_LAYOUT_H

#include "core/state.h"

/* The caller's config (NULL: all defaults) and its parts, or those given where it names none, as this
 * library knows them.  Returns NULL, or what is wrong: `which` and that are one line. */
const char *xr_read_config(const exray_recorder_config *from, const exray_recorder_parts *parts,
                           exray_recorder_config *to, exray_recorder_parts *to_parts, const char **which);
/* How many bytes the recorder (r->parts is set) takes; points its tables into `memory` where that
 * is not NULL: so many bytes, aligned to XR_BLOCK_ALIGNMENT.  `sink_size`: bytes of a memory sink,
 * 0 for others. */
size_t xr_layout(xr_recorder *r, const exray_recorder_config *config, size_t sink_size, void *memory);
/* exray_recorder_memory_needed, with what stands for config->parts where that is NULL. */
size_t xr_memory_needed(const exray_recorder_config *config, const exray_recorder_parts *parts);

#endif
