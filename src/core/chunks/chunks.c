/* Gathers messages into chunks: checksums, compression, message indexes. */
#include "core/chunks/chunks.h"

#include "core/output/out.h"

enum { RECORD_HEADER = XR_MCAP_RECORD_HEADER, MESSAGE_HEADER = RECORD_HEADER + XR_MCAP_MESSAGE_HEADER };

/* ---- Checksums -------------------------------------------------------------- */

uint32_t xr_chunks_crc(const void *context, uint32_t crc, const void *data, size_t size)
{
    const xr_chunks *chunks = ((const xr_mcap *)context)->chunks;
    if (!size) /* a codec may take NULL for a beginning */
        return crc;
    if (chunks->codec && chunks->codec->crc32)
        return chunks->codec->crc32(crc, data, size);
    return xr_crc32(chunks->crc_tables, crc, data, size);
}

typedef struct crc_sink {
    xr_sink sink;
    const xr_mcap *mcap;
    uint32_t crc;
} crc_sink;

static void crc_write(xr_sink *sink, const void *data, size_t size)
{
    crc_sink *s = (crc_sink *)sink;
    s->crc = xr_chunks_crc(s->mcap, s->crc, data, size);
}

/* ---- Message indexes ---------------------------------------------------------- */

const char *xr_compression_name(const xr_chunks *chunks, bool compressed)
{
    if (!compressed)
        return "";
    return chunks->compression == EXRAY_COMPRESSION_ZSTD ? "zstd" : "lz4";
}

uint64_t xr_message_index_size(uint64_t messages)
{
    return RECORD_HEADER + 2 + 4 + 16 * messages;
}

typedef struct message_index {
    const xr_chunks *chunks;
    uint16_t channel;
} message_index;

static void encode_message_index(xr_sink *sink, const void *object)
{
    const message_index *index = object;
    const uint32_t first = index->chunks->states[index->channel].first;
    uint32_t count = 0;
    for (uint32_t i = first; i != XR_NO_ENTRY; i = index->chunks->entries[i].next)
        count++;
    xr_put_u16(sink, index->channel);
    xr_put_u32(sink, 16 * count);
    for (uint32_t i = first; i != XR_NO_ENTRY; i = index->chunks->entries[i].next) {
        xr_put_u64(sink, index->chunks->entries[i].log_time);
        xr_put_u64(sink, index->chunks->entries[i].offset);
    }
}

static void add_entry(xr_chunks *chunks, const xr_message *message, uint64_t offset)
{
    xr_chunk_channel_state *state = &chunks->states[message->channel];
    const uint32_t at = chunks->entry_count++;
    chunks->entries[at] = (xr_chunk_entry){message->log_time, offset, XR_NO_ENTRY};
    if (state->first == XR_NO_ENTRY) {
        state->first = at;
        chunks->touched[chunks->touched_count++] = (uint16_t)message->channel;
    } else {
        chunks->entries[state->last].next = at;
    }
    state->last = at;
    if (at == 0 || message->log_time < chunks->chunk_first)
        chunks->chunk_first = message->log_time;
    if (at == 0 || message->log_time > chunks->chunk_last)
        chunks->chunk_last = message->log_time;
}

/* Notes the chunk for the summary, with the indexes of so many channels (all, or none: some would hide
 * messages); where the tables are full, there will be no
 * chunk index at all: half of one would hide messages from its readers. */
static void keep_chunk_info(xr_chunks *chunks, xr_chunk_info info, uint32_t channels)
{
    if (chunks->chunks_kept == chunks->max_chunks ||
        channels > chunks->max_chunk_channels - chunks->chunk_channels_used) {
        chunks->chunk_index_full = true;
        return;
    }
    info.channels_at = chunks->chunk_channels_used;
    info.channel_count = channels;
    for (uint32_t i = 0; i < channels; i++) {
        const uint16_t channel = chunks->touched[i];
        uint16_t count = 0;
        for (uint32_t e = chunks->states[channel].first; e != XR_NO_ENTRY; e = chunks->entries[e].next)
            count++;
        chunks->chunk_channels[chunks->chunk_channels_used++] = (xr_chunk_channel){channel, count};
    }
    chunks->chunks[chunks->chunks_kept++] = info;
}

static void forget_entries(xr_chunks *chunks)
{
    for (uint32_t i = 0; i < chunks->touched_count; i++)
        chunks->states[chunks->touched[i]].first = XR_NO_ENTRY;
    chunks->touched_count = chunks->entry_count = 0;
    chunks->chunk_used = chunks->ahead = chunks->ahead_crc = 0;
}

/* The MessageIndex records that follow a chunk; false: the sink has no room for all of them. */
static bool put_message_indexes(xr_mcap *mcap)
{
    const xr_chunks *chunks = mcap->chunks;
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    for (uint32_t i = 0; i < chunks->touched_count; i++) {
        const message_index index = {chunks, chunks->touched[i]};
        if (!xr_out_begin(mcap, RECORD_HEADER + xr_encoded_size(encode_message_index, &index)))
            return false;
        xr_mcap_record(&out.sink, XR_MCAP_MESSAGE_INDEX, encode_message_index, &index);
        if (!xr_out_end(mcap))
            return false;
    }
    return true;
}

/* What follows a chunk; the chunk is then done with. */
static void finish_chunk(xr_mcap *mcap, xr_chunk_info info)
{
    xr_chunks *chunks = mcap->chunks;
    info.length = mcap->position - info.offset;
    chunks->is_short =
        mcap->ending && info.compressed && !chunks->chunk_count && info.plain_size <= XR_SHORT_LOG;
    const bool indexed = chunks->is_short || put_message_indexes(mcap);
    info.index_length = mcap->position - info.offset - info.length;
    info.first_time = chunks->chunk_first;
    info.last_time = chunks->chunk_last;
    keep_chunk_info(chunks, info, indexed ? chunks->touched_count : 0);
    chunks->chunk_count++;
    forget_entries(chunks);
}

/* ---- Chunks -------------------------------------------------------------------- */

static void put_chunk_header(xr_sink *sink, const xr_chunks *chunks, const xr_chunk_info *info, uint32_t crc)
{
    const char *compression = xr_compression_name(chunks, info->compressed);
    xr_mcap_put_header(sink, XR_MCAP_CHUNK, 8 + 8 + 8 + 4 + 4 + strlen(compression) + 8 + info->stored_size);
    xr_put_u64(sink, chunks->chunk_first);
    xr_put_u64(sink, chunks->chunk_last);
    xr_put_u64(sink, info->plain_size);
    xr_put_u32(sink, crc);
    xr_put_string(sink, compression);
    xr_put_u64(sink, info->stored_size);
}

/* A chunk's bytes are not summed again for the CRC of the data section: theirs is known. */
static void begin_summed(xr_mcap *mcap)
{
    mcap->crc_of = NULL;
}

static void end_summed(xr_mcap *mcap, uint32_t crc, uint64_t size)
{
    mcap->crc_of = mcap->part->crc;
    if (!mcap->is_cut) /* else it is not there */
        mcap->crc = xr_crc32_join(mcap->crc, crc, (size_t)size);
}

/* The memory of the open chunk is free for what the sink does not take of the chunk that is written. */
static void lend_memory(xr_mcap *mcap)
{
    mcap->spare = mcap->chunks->chunk;
    mcap->spare_size = mcap->chunks->chunk_size;
}

void xr_chunks_close(xr_mcap *mcap)
{
    xr_chunks *chunks = mcap->chunks;
    if (!chunks->chunk_used || !xr_out_begin(mcap, UINT64_MAX))
        return;
    lend_memory(mcap);
    const uint32_t crc = xr_chunks_crc(mcap, chunks->ahead_crc, chunks->chunk + chunks->ahead,
                                       chunks->chunk_used - chunks->ahead);
    xr_chunk_info info = {
        .offset = mcap->position, .plain_size = chunks->chunk_used, .stored_size = chunks->chunk_used};
    const uint8_t *stored = chunks->chunk;
    if (chunks->compression) {
        const size_t packed = chunks->codec->compress(
            chunks->compression, chunks->packed, chunks->packed_capacity, chunks->chunk, chunks->chunk_used);
        /* What does not shrink is stored as it is. */
        if (packed && packed < chunks->chunk_used) {
            info.compressed = true;
            info.stored_size = packed;
            stored = chunks->packed;
        }
    }
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    put_chunk_header(&out.sink, chunks, &info, crc);
    if (info.compressed) {
        xr_put(&out.sink, stored, (size_t)info.stored_size);
    } else {
        begin_summed(mcap);
        xr_put(&out.sink, stored, (size_t)info.stored_size);
        end_summed(mcap, crc, info.stored_size);
    }
    xr_out_end(mcap); /* what the sink did not take found room in the chunk's own memory */
    mcap->spare = NULL;
    finish_chunk(mcap, info);
}

void xr_chunks_write_ahead(xr_mcap *mcap)
{
    xr_chunks *chunks = mcap->chunks;
    const size_t used = chunks->chunk_used, before = chunks->ahead;
    int error = before ? 0 : mcap->write_ahead(mcap->sink, 0, NULL, 0);
    if (used == before)
        return;
    const xr_chunk_info info = {.plain_size = used, .stored_size = used};
    uint8_t header[64];
    xr_memory_sink memory = xr_memory_sink_at(header);
    chunks->ahead_crc = xr_chunks_crc(mcap, chunks->ahead_crc, chunks->chunk + before, used - before);
    chunks->ahead = used;
    put_chunk_header(&memory.sink, chunks, &info, chunks->ahead_crc);
    /* The header last: until then the chunk ends where it did. */
    const size_t header_size = memory.sink.size;
    if (!error)
        error = mcap->write_ahead(mcap->sink, header_size + before, chunks->chunk + before, used - before);
    if (!error)
        error = mcap->write_ahead(mcap->sink, 0, header, header_size);
    if (error)
        mcap->write_ahead = NULL; /* a pipe, or a full disk: what waits is lost with the process */
}

/* The records that come before the message's content, into the open chunk. */
static void begin_message(xr_mcap *mcap, xr_memory_sink *memory, const xr_message *message, bool schema,
                          bool channel)
{
    const xr_channel_info *info = &mcap->channels[message->channel];
    if (schema)
        xr_mcap_put_schema(&memory->sink, (xr_schema_id)info->schema);
    if (channel)
        xr_mcap_put_channel(&memory->sink, mcap, message->channel);
    add_entry(mcap->chunks, message, mcap->chunks->chunk_used + memory->sink.size);
    xr_mcap_put_message_header(&memory->sink, message);
}

/* A large message is a chunk of its own, whose content goes from the caller's memory to the
 * log: it is never copied.  Only what stands before it is in the chunk's buffer. */
static bool write_own_chunk(xr_mcap *mcap, const xr_message *message, bool schema, bool channel)
{
    xr_chunks *chunks = mcap->chunks;
    if (!xr_out_begin(mcap, UINT64_MAX))
        return false;
    lend_memory(mcap);
    xr_memory_sink memory = xr_memory_sink_at(chunks->chunk);
    begin_message(mcap, &memory, message, schema, channel);
    const size_t before = memory.sink.size;
    uint32_t crc = xr_chunks_crc(mcap, 0, chunks->chunk, before);
    if (message->head)
        crc = xr_chunks_crc(mcap, xr_chunks_crc(mcap, crc, message->head, message->head_size), message->tail,
                            message->tail_size);
    else
        crc = xr_crc32_join(crc, message->crc, message->size);
    const uint64_t size = before + (uint64_t)message->size;
    const xr_chunk_info info = {.offset = mcap->position, .plain_size = size, .stored_size = size};
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    put_chunk_header(&out.sink, chunks, &info, crc);
    begin_summed(mcap);
    xr_put(&out.sink, chunks->chunk, before);
    xr_mcap_put_content(&out.sink, message);
    end_summed(mcap, crc, size);
    mcap->spare = NULL;
    const bool whole = xr_out_end(mcap);
    if (whole)
        finish_chunk(mcap, info);
    else
        forget_entries(chunks); /* it is not there, or has a wrong checksum */
    return whole;
}

static void add_to_chunk(xr_mcap *mcap, const xr_message *message, bool schema, bool channel)
{
    xr_chunks *chunks = mcap->chunks;
    xr_memory_sink memory = xr_memory_sink_at(chunks->chunk + chunks->chunk_used);
    begin_message(mcap, &memory, message, schema, channel);
    xr_mcap_put_content(&memory.sink, message);
    chunks->chunk_used += memory.sink.size;
}

static void know_channel(xr_chunks *chunks, uint32_t channel)
{
    while (chunks->channel_end <= channel) /* only what is used is ever touched */
        chunks->states[chunks->channel_end++] = (xr_chunk_channel_state){.first = XR_NO_ENTRY};
}

static void note_message(xr_chunks *chunks, const xr_message *message)
{
    chunks->states[message->channel].messages++;
    if (!chunks->messages || message->log_time < chunks->first_time)
        chunks->first_time = message->log_time;
    if (!chunks->messages || message->log_time > chunks->last_time)
        chunks->last_time = message->log_time;
    chunks->messages++;
}

/* Makes room for the message in the open chunk.  false: the sink has none. */
static bool make_room(xr_mcap *mcap, bool needed)
{
    if (mcap->held_size || mcap->owed)
        xr_out_flush(mcap);
    if (needed && !mcap->held_size && !mcap->owed)
        xr_chunks_close(mcap);
    return !mcap->error && !mcap->held_size && !mcap->owed && (!needed || !mcap->chunks->chunk_used);
}

static bool take_message(xr_mcap *mcap, const xr_message *message, bool schema, bool channel)
{
    xr_chunks *chunks = mcap->chunks;
    const xr_channel_info *info = &mcap->channels[message->channel];
    const uint64_t size = (schema ? xr_mcap_schema_size((xr_schema_id)info->schema) : 0) +
                          (channel ? xr_mcap_channel_size(mcap, message->channel) : 0) + MESSAGE_HEADER +
                          (uint64_t)message->size;
    const bool own = message->size >= chunks->own_size || size > chunks->chunk_size;
    if (!make_room(mcap, own || size > chunks->chunk_size - chunks->chunk_used ||
                             chunks->entry_count == chunks->max_entries))
        return false;
    know_channel(chunks, message->channel);
    /* One piece of memory is what can be compressed; and what is encoded only as it is written
     * is copied, where there is room, so that its checksum needs no run of its own. */
    if (own && (size > chunks->chunk_size || (message->head && !chunks->compression))) {
        if (!write_own_chunk(mcap, message, schema, channel))
            return false;
    } else {
        add_to_chunk(mcap, message, schema, channel);
        if (own)
            xr_chunks_close(mcap);
    }
    note_message(chunks, message);
    return true;
}

bool xr_chunks_message(xr_mcap *mcap, const xr_message *message)
{
    bool *schema = &mcap->schema_written[mcap->channels[message->channel].schema];
    uint8_t *channel = &mcap->channel_written[message->channel];
    if (!take_message(mcap, message, !*schema, *channel != mcap->repetition))
        return false;
    *schema = true;
    *channel = mcap->repetition;
    return true;
}

/* ---- For the summary ------------------------------------------------------------ */

/* Keeps one record. */
static void keep_index(xr_index_bytes *index, uint8_t opcode, xr_encode_fn content, const void *object)
{
    const size_t size = xr_encoded_size(content, object);
    index->count++;
    if (RECORD_HEADER + size > index->capacity - index->used) {
        index->full = true;
        return;
    }
    xr_memory_sink memory = xr_memory_sink_at(index->bytes + index->used);
    xr_mcap_put_header(&memory.sink, opcode, size);
    content(&memory.sink, object);
    index->used += RECORD_HEADER + size;
}

typedef struct attachment_index {
    const xr_attachment_record *attachment;
    uint64_t offset, length;
} attachment_index;

static void encode_attachment_index(xr_sink *sink, const void *object)
{
    const attachment_index *index = object;
    xr_put_u64(sink, index->offset);
    xr_put_u64(sink, index->length);
    xr_put_u64(sink, index->attachment->log_time);
    xr_put_u64(sink, index->attachment->create_time);
    xr_put_u64(sink, index->attachment->size);
    xr_put_string(sink, index->attachment->name);
    xr_put_string(sink, index->attachment->media_type);
}

uint32_t xr_chunks_attachment(xr_mcap *mcap, const xr_attachment_record *attachment, uint64_t offset,
                              uint64_t length)
{
    crc_sink sink = {{crc_write, 0}, mcap, 0};
    xr_mcap_encode_attachment(&sink.sink, attachment);
    keep_index(&mcap->chunks->attachments, XR_MCAP_ATTACHMENT_INDEX, encode_attachment_index,
               &(attachment_index){attachment, offset, length});
    return sink.crc;
}

typedef struct metadata_index {
    uint64_t offset, length;
    const char *name;
} metadata_index;

static void encode_metadata_index(xr_sink *sink, const void *object)
{
    const metadata_index *index = object;
    xr_put_u64(sink, index->offset);
    xr_put_u64(sink, index->length);
    xr_put_string(sink, index->name);
}

void xr_chunks_metadata(xr_mcap *mcap, const xr_metadata_record *metadata, uint64_t offset, uint64_t length)
{
    keep_index(&mcap->chunks->metadata, XR_MCAP_METADATA_INDEX, encode_metadata_index,
               &(metadata_index){offset, length, metadata->name});
}
