/* Writes an MCAP file's records and keeps what its summary must say of them. */
#ifndef XR_LOG_SUMMARY_H
#define XR_LOG_SUMMARY_H

#include "log/wire.h"
#include <stdio.h>

/* Bytes that grow. */
typedef struct xr_bytes {
    uint8_t *data;
    size_t size, capacity;
} xr_bytes;

typedef struct xr_index_entry {
    uint64_t log_time, offset; /* of a message, in its decompressed chunk */
    uint32_t order;            /* in which it came: keeps the sort stable */
    uint16_t channel;
} xr_index_entry;

/* A schema or a channel. */
typedef struct xr_known {
    xr_text content;   /* of its record */
    uint64_t messages; /* of the channel */
} xr_known;

typedef struct xr_writer {
    FILE *file;
    uint64_t at;                 /* bytes written */
    int failed;                  /* errno of the first failed write */
    bool no_memory;              /* sticky */
    xr_arena arena;              /* copies of schemas and channels */
    xr_id_map schemas, channels; /* xr_known */
    xr_bytes summary;            /* index records, grouped at the end */
    xr_bytes chunk_indexes, attachment_indexes, metadata_indexes;
    uint64_t messages, first_time, last_time;
    uint32_t attachments, metadata, chunks;
} xr_writer;

void xr_writer_begin(xr_writer *w, FILE *file);
void xr_writer_free(xr_writer *w);
/* True while nothing has failed. */
bool xr_writer_good(const xr_writer *w);

/* Magic or other bytes as they are. */
void xr_writer_raw(xr_writer *w, const void *data, size_t size);
void xr_writer_record(xr_writer *w, uint8_t opcode, const void *content, size_t size);

/* Schema and channel records, for the summary; the first of an id counts.  The
 * caller writes the record itself, in a chunk or outside. */
bool xr_writer_know_schema(xr_writer *w, const uint8_t *content, size_t size);
bool xr_writer_know_channel(xr_writer *w, const uint8_t *content, size_t size);

/* A chunk of `entries` (they get sorted) and its message indexes. */
typedef struct xr_chunk_out {
    const void *stored; /* the records, compressed or not */
    size_t stored_size;
    uint64_t size; /* decompressed */
    uint32_t crc;
    const char *compression;
    xr_index_entry *entries;
    size_t count;
} xr_chunk_out;
void xr_writer_chunk(xr_writer *w, const xr_chunk_out *chunk);

void xr_writer_attachment(xr_writer *w, const uint8_t *content, size_t size);
void xr_writer_metadata(xr_writer *w, const uint8_t *content, size_t size);

/* DataEnd, summary, footer and magic. */
void xr_writer_end(xr_writer *w);

#endif
