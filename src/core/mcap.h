/* The MCAP writer: turns messages into the bytes of a log.  It runs on one
 * thread: the caller's, or the ring's writer thread. */
#ifndef XR_MCAP_H
#define XR_MCAP_H

#include "core/chunks/crc32.h"
#include "core/encode/messages.h"
#include "core/mcap_format.h"

/* A channel, made by the recorder.  It does not change once it is in use, so the
 * writer thread may read it while the recorder adds others. */
typedef struct xr_channel_info {
    const char *topic;
    const char *name; /* channel metadata of layers; NULL: none */
    const char *op;
    uint32_t hash;
    uint16_t schema; /* xr_schema_id, which is also the MCAP schema id */
} xr_channel_info;

/* The writer's own view of a channel. */
typedef struct xr_channel_state {
    uint64_t messages;
    uint32_t first, last; /* its entries in the open chunk, a list; XR_NO_ENTRY: none */
    bool written;         /* its Channel record is in the log */
} xr_channel_state;

#define XR_NO_ENTRY 0xFFFFFFFFu

/* A message of the open chunk, for its MessageIndex. */
typedef struct xr_chunk_entry {
    uint64_t log_time;
    uint64_t offset; /* within the chunk's records */
    uint32_t next;   /* of the same channel */
} xr_chunk_entry;

/* What the summary says of one chunk. */
typedef struct xr_chunk_info {
    uint64_t first_time, last_time;
    uint64_t offset, length;
    uint64_t index_length;
    uint64_t stored_size, plain_size;
    uint32_t channels_at, channel_count; /* in xr_mcap.chunk_channels */
    bool compressed;
} xr_chunk_info;

/* How many messages of which channel are in a chunk: enough to know where each
 * MessageIndex record lies. */
typedef struct xr_chunk_channel {
    uint16_t channel;
    uint16_t messages;
} xr_chunk_channel;

/* Records of the summary that are written as they come, kept until the end. */
typedef struct xr_index_bytes {
    uint8_t *bytes;
    size_t used, capacity;
    uint32_t count; /* of all, kept or not */
    bool full;      /* some did not fit: none is written */
} xr_index_bytes;

typedef struct xr_mcap {
    /* Where to; set by the opener. */
    exray_recorder_write_fn write;
    void *user;
    /* How; set by the opener. */
    bool stream;
    exray_compression compression;
    const exray_codec *codec;
    size_t chunk_size;
    size_t own_size; /* a message of at least that is a chunk of its own */
    const xr_channel_info *channels;
    uint32_t max_chunks, max_entries, max_chunk_channels;
    /* Memory; set by the opener. */
    xr_channel_state *states;
    uint8_t *out;
    size_t out_capacity;
    uint8_t *chunk; /* chunk_size bytes; these and what follows: not when streaming */
    uint8_t *packed;
    size_t packed_capacity;
    xr_chunk_entry *entries;
    uint16_t *touched; /* the channels of the open chunk, in order of appearance: max_entries */
    xr_chunk_info *chunks;
    xr_chunk_channel *chunk_channels;
    xr_crc32_tables *crc_tables;
    xr_index_bytes attachments, metadata;

    /* State; zero at first. */
    int error; /* the first error number that `write` returned */
    uint64_t position;
    size_t out_used;
    bool summary; /* what goes out is part of the summary's CRC */
    uint32_t summary_crc;
    bool schema_written[XR_SCHEMA_COUNT];
    size_t chunk_used;
    uint32_t entry_count, touched_count;
    uint64_t chunk_first, chunk_last;
    uint32_t chunk_count; /* of all chunks */
    uint32_t chunks_kept, chunk_channels_used;
    bool chunk_index_full;
    uint32_t channel_end; /* states up to here are in use */
    uint64_t messages, first_time, last_time;
} xr_mcap;

/* A message on its way. */
typedef struct xr_message {
    uint32_t channel;
    uint32_t sequence;
    uint64_t log_time;
    xr_encode_fn encode;
    const void *object;
    uint64_t size; /* what encode gives */
} xr_message;

typedef struct xr_attachment_record {
    const char *name, *media_type;
    const void *data;
    size_t size;
    uint64_t log_time;
    uint64_t create_time; /* ns since 1970; 0: unknown */
} xr_attachment_record;

typedef struct xr_metadata_record {
    const char *name;
    const exray_key_value *pairs;
    size_t count;
} xr_metadata_record;

/* Each returns 0 or the sticky error number. */
int xr_mcap_begin(xr_mcap *mcap);
int xr_mcap_message(xr_mcap *mcap, const xr_message *message);
int xr_mcap_attachment(xr_mcap *mcap, const xr_attachment_record *attachment);
int xr_mcap_metadata(xr_mcap *mcap, const xr_metadata_record *metadata);
/* Hands buffered bytes to the sink; with `close_chunk` the open chunk too. */
int xr_mcap_flush(xr_mcap *mcap, bool close_chunk);
/* The end of the data, summary, footer. */
int xr_mcap_end(xr_mcap *mcap);

/* An upper bound of what a message of that size adds to the log, all records
 * that go with it counted; likewise of a new channel. */
uint64_t xr_mcap_message_cost(const xr_mcap *mcap, uint64_t size);
uint64_t xr_mcap_channel_cost(const xr_mcap *mcap, const xr_channel_info *channel, bool new_schema);

/* ---- For chunk_summary.c ---- */

/* A sink to the log itself. */
typedef struct xr_mcap_sink {
    xr_sink sink;
    xr_mcap *mcap;
} xr_mcap_sink;
xr_mcap_sink xr_mcap_sink_of(xr_mcap *mcap);

/* Opcode, length and content of a record. */
void xr_mcap_record(xr_sink *sink, uint8_t opcode, xr_encode_fn content, const void *object);
void xr_mcap_put_magic(xr_sink *sink);
void xr_mcap_encode_schema(xr_sink *sink, const void *schema); /* xr_schema_id */
typedef struct xr_mcap_channel_content {
    uint32_t id;
    const xr_channel_info *channel;
} xr_mcap_channel_content;
void xr_mcap_encode_channel(xr_sink *sink, const void *content); /* xr_mcap_channel_content */
uint32_t xr_mcap_crc(const xr_mcap *mcap, uint32_t crc, const void *data, size_t size);
/* The bytes of a MessageIndex record with that many messages. */
uint64_t xr_mcap_message_index_size(uint64_t messages);
const char *xr_mcap_compression_name(const xr_mcap *mcap, bool compressed);

#endif
