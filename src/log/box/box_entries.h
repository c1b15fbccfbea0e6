/* What a process that died has left in its flight recorder's file (core/flight/box_format.h). */
#ifndef XR_BOX_ENTRIES_H
#define XR_BOX_ENTRIES_H

#include "core/flight/box_format.h"
#include "log/log_file.h"

/* An entry that is whole: a copy of its header, and what follows it in the file. */
typedef struct xr_box_record {
    xr_box_entry entry;
    const uint8_t *content; /* entry.topic_size bytes of topic, entry.size of the message */
} xr_box_record;

typedef struct xr_box {
    xr_file_map map;
    xr_box_header header;
    /* Of the head, then of frames: in order of their sequence, those of one frame together. */
    xr_box_record *records;
    size_t head_count, count, capacity;
    uint64_t frames;     /* whole ones */
    bool has_open;       /* and the beginning of one more, the last */
    uint64_t first_time; /* of the first frame that is there */
    uint64_t incomplete; /* entries that are left out: of frames that are not whole */
} xr_box;

/* Whether the file begins as a flight recorder's. */
bool xr_box_is(const char *path);
/* False, with `error` filled: it cannot be read, is none, or out of memory. */
bool xr_box_open(xr_box *box, const char *path, exray_error *error);
/* The same of a file in memory, which is borrowed. */
bool xr_box_open_bytes(xr_box *box, const void *data, size_t size, exray_error *error);
void xr_box_close(xr_box *box);

#endif
