/* Writes an MCAP file: records as they are, messages gathered into chunks, indexes and the summary. */
#ifndef XR_MCAP_WRITER_H
#define XR_MCAP_WRITER_H

#include "base/buffer.h"
#include "core/mcap_format.h"
#include "log/wire.h"

#include <exray/types.h>

#include <stdio.h>

/* A message of a chunk, for its index. */
typedef struct xr_index_entry {
    uint64_t log_time, offset; /* of the message record, in the decompressed chunk */
    uint32_t order;            /* in which it came: keeps the sort stable */
    uint16_t channel;
} xr_index_entry;

typedef struct xr_index_entries {
    xr_index_entry *entry;
    size_t count, capacity;
} xr_index_entries;

/* Adds a message by its record's content, which begins with XR_MCAP_MESSAGE_HEADER bytes.  False: out of
 * memory. */
bool xr_index_entries_add(xr_index_entries *entries, const uint8_t *content, uint64_t offset);

/* A schema or a channel. */
typedef struct xr_known {
    xr_text content;   /* of its record */
    uint64_t messages; /* of the channel, written in chunks */
    uint32_t sequence; /* of its next message, where the writer makes them */
} xr_known;

typedef struct xr_mcap_writer {
    FILE *file;
    uint64_t at;                 /* bytes written */
    uint32_t crc;                /* of them */
    bool checks;                 /* xr_mcap_writer_check_all */
    uint64_t checked;            /* the end of the last Check record */
    bool loose;                  /* what stands behind it is in no chunk */
    int failed;                  /* errno of the first failed write */
    bool no_memory;              /* sticky */
    xr_arena arena;              /* copies of schemas and channels */
    xr_id_map schemas, channels; /* xr_known */
    uint32_t made_channels;      /* ids 1 to this one are xr_mcap_writer_add_channel's */
    xr_buffer record;            /* the one that is being made */
    xr_buffer chunk;             /* message records that are gathered, */
    xr_index_entries entries;    /* and their index */
    xr_buffer summary;           /* index records, grouped at the end */
    xr_buffer chunk_indexes, attachment_indexes, metadata_indexes;
    uint64_t messages, first_time, last_time;
    uint32_t attachments, metadata, chunks;
} xr_mcap_writer;

/* `file` is borrowed. */
void xr_mcap_writer_begin(xr_mcap_writer *w, FILE *file);
void xr_mcap_writer_free(xr_mcap_writer *w);
/* True while nothing has failed. */
bool xr_mcap_writer_good(const xr_mcap_writer *w);

/* From here on what stands in no chunk gets Check records (spec/log-format.md).  To be called behind the
 * header. */
void xr_mcap_writer_check_all(xr_mcap_writer *w);

/* ---- Records that are there ------------------------------------------------------- */

/* Magic or other bytes as they are. */
void xr_mcap_writer_raw(xr_mcap_writer *w, const void *data, size_t size);
void xr_mcap_writer_record(xr_mcap_writer *w, uint8_t opcode, const void *content, size_t size);

/* Schema and channel records, for the summary; the first of an id counts.  The caller writes the record
 * itself, in a chunk or outside. */
bool xr_mcap_writer_know_schema(xr_mcap_writer *w, const uint8_t *content, size_t size);
bool xr_mcap_writer_know_channel(xr_mcap_writer *w, const uint8_t *content, size_t size);

/* A message record, its opcode and length included.  Small ones are gathered into an uncompressed chunk, a
 * large one is a chunk of its own. */
void xr_mcap_writer_message(xr_mcap_writer *w, const uint8_t *record, size_t size);

/* A chunk and its message indexes, behind what was gathered so far; the entries get sorted. */
typedef struct xr_mcap_chunk {
    const void *stored; /* the records, compressed or not */
    size_t stored_size;
    uint64_t size; /* decompressed */
    uint32_t crc;
    const char *compression;
    xr_index_entry *entries;
    size_t count;
} xr_mcap_chunk;
void xr_mcap_writer_chunk(xr_mcap_writer *w, const xr_mcap_chunk *chunk);

void xr_mcap_writer_attachment(xr_mcap_writer *w, const uint8_t *content, size_t size);
void xr_mcap_writer_metadata(xr_mcap_writer *w, const uint8_t *content, size_t size);

/* ---- New records -------------------------------------------------------------------- */

/* Magic and header. */
void xr_mcap_writer_add_header(xr_mcap_writer *w, const char *profile);
/* id: 1 and on, each once. */
void xr_mcap_writer_add_schema(xr_mcap_writer *w, uint16_t id, const char *name, const char *encoding,
                               const void *data, size_t size);
/* The channel of that topic and schema, which the first call writes; 0: there are too many, or no memory.
 * `encoding` is its messages'. */
uint16_t xr_mcap_writer_add_channel(xr_mcap_writer *w, const char *topic, uint16_t schema,
                                    const char *encoding);
/* The same with an id of the caller's choice; false also where that id is another channel's. */
bool xr_mcap_writer_add_channel_as(xr_mcap_writer *w, uint16_t id, const char *topic, uint16_t schema,
                                   const char *encoding);
void xr_mcap_writer_add_metadata(xr_mcap_writer *w, const char *name, const exray_key_value *pairs,
                                 size_t count);
/* A message of two parts, which stand one after the other; `channel` was added. */
void xr_mcap_writer_add_message(xr_mcap_writer *w, uint16_t channel, uint64_t time, const xr_buffer *head,
                                const void *data, size_t size);

/* Writes what is gathered, as a chunk, down to the system: a crash loses what comes after it. */
void xr_mcap_writer_flush(xr_mcap_writer *w);

/* ---- The end --------------------------------------------------------------------------- */

/* What is gathered, DataEnd, summary, footer and magic.  False: something has failed. */
bool xr_mcap_writer_end(xr_mcap_writer *w);

#endif
