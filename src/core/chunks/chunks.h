/* Chunks, their message indexes, and what the summary needs of them. */
#ifndef XR_CHUNKS_H
#define XR_CHUNKS_H

#include "core/checksums/crc32.h"
#include "core/mcap.h"

/* A channel, as far as chunks go. */
typedef struct xr_chunk_channel_state {
    uint64_t messages;
    uint32_t first, last; /* its entries in the open chunk, a list; XR_NO_ENTRY: none */
} xr_chunk_channel_state;

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
    uint32_t channels_at, channel_count; /* in xr_chunks.chunk_channels */
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

/* Of a compressed log of that many bytes, an index and the schemas once more would be half. */
#define XR_SHORT_LOG ((uint64_t)64 << 10)

typedef struct xr_chunks {
    /* How; set at open. */
    exray_compression compression;
    const exray_codec *codec;
    size_t chunk_size;
    size_t own_size; /* a message of at least that is a chunk of its own */
    uint32_t max_chunks, max_entries, max_chunk_channels;
    /* Memory; set at open. */
    xr_chunk_channel_state *states;
    uint8_t *chunk; /* chunk_size bytes */
    uint8_t *packed;
    size_t packed_capacity;
    xr_chunk_entry *entries;
    uint16_t *touched; /* the channels of the open chunk, in order of appearance: max_entries */
    xr_chunk_info *chunks;
    xr_chunk_channel *chunk_channels;
    xr_crc32_tables *crc_tables; /* NULL: the codec has a CRC-32 of its own */
    xr_index_bytes attachments, metadata;

    /* State; zero at first. */
    size_t chunk_used;
    size_t ahead;       /* bytes of the open chunk that were written ahead of its end */
    uint32_t ahead_crc; /* and their CRC */
    uint32_t entry_count, touched_count;
    uint64_t chunk_first, chunk_last;
    uint32_t chunk_count; /* of all chunks */
    uint32_t chunks_kept, chunk_channels_used;
    bool chunk_index_full;
    bool is_short;        /* all of the log is one small chunk: read whole sooner than by an index */
    uint32_t channel_end; /* states up to here are in use */
    uint64_t messages, first_time, last_time;
} xr_chunks;

/* What parts.h says of them. */
bool xr_chunks_message(xr_mcap *mcap, const xr_message *message);
uint32_t xr_chunks_attachment(xr_mcap *mcap, const xr_attachment_record *attachment, uint64_t offset,
                              uint64_t length);
void xr_chunks_metadata(xr_mcap *mcap, const xr_metadata_record *metadata, uint64_t offset, uint64_t length);
/* Writes the open chunk, if there is anything in it; where the sink has no room for it, it stays open. */
void xr_chunks_close(xr_mcap *mcap);
/* Gives the sink the open chunk as far as it is, as a whole chunk at the log's end, where it will be written
 * again: a process that is killed leaves a log without a gap. */
void xr_chunks_write_ahead(xr_mcap *mcap);
/* `context`: the xr_mcap.  Any thread. */
uint32_t xr_chunks_crc(const void *context, uint32_t crc, const void *data, size_t size);
/* The bytes of a MessageIndex record with that many messages. */
uint64_t xr_message_index_size(uint64_t messages);
const char *xr_compression_name(const xr_chunks *chunks, bool compressed);

#endif
