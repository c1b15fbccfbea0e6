/* Records, chunks and their message indexes. */
#include "core/mcap.h"

/* ---- The way out ---------------------------------------------------------- */

static void hand_over(xr_mcap *mcap, const void *data, size_t size)
{
    /* Here, in large pieces, and not field by field. */
    if (mcap->summary)
        mcap->summary_crc = xr_mcap_crc(mcap, mcap->summary_crc, data, size);
    if (!mcap->error && size)
        mcap->error = mcap->write(mcap->user, data, size);
}

static void flush_out(xr_mcap *mcap)
{
    hand_over(mcap, mcap->out, mcap->out_used);
    mcap->out_used = 0;
}

static void out_write(xr_sink *sink, const void *data, size_t size)
{
    xr_mcap *mcap = ((xr_mcap_sink *)sink)->mcap;
    if (mcap->error)
        return;
    mcap->position += size;
    if (size > mcap->out_capacity - mcap->out_used) {
        flush_out(mcap);
        if (size >= mcap->out_capacity) {
            hand_over(mcap, data, size);
            return;
        }
    }
    memcpy(mcap->out + mcap->out_used, data, size);
    mcap->out_used += size;
}

xr_mcap_sink xr_mcap_sink_of(xr_mcap *mcap)
{
    return (xr_mcap_sink){.sink = {.write = out_write}, .mcap = mcap};
}

uint32_t xr_mcap_crc(const xr_mcap *mcap, uint32_t crc, const void *data, size_t size)
{
    if (mcap->codec && mcap->codec->crc32)
        return mcap->codec->crc32(crc, data, size);
    return xr_crc32(mcap->crc_tables, crc, data, size);
}

typedef struct crc_sink {
    xr_sink sink;
    const xr_mcap *mcap;
    uint32_t crc;
} crc_sink;

static void crc_write(xr_sink *sink, const void *data, size_t size)
{
    crc_sink *s = (crc_sink *)sink;
    s->crc = xr_mcap_crc(s->mcap, s->crc, data, size);
}

static uint32_t crc_of(const xr_mcap *mcap, xr_encode_fn encode, const void *object)
{
    crc_sink sink = {{crc_write, 0}, mcap, 0};
    encode(&sink.sink, object);
    return sink.crc;
}

/* ---- Records -------------------------------------------------------------- */

void xr_mcap_put_magic(xr_sink *sink)
{
    xr_put(sink, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
}

void xr_mcap_record(xr_sink *sink, uint8_t opcode, xr_encode_fn content, const void *object)
{
    xr_put_u8(sink, opcode);
    xr_put_u64(sink, xr_encoded_size(content, object));
    content(sink, object);
}

static void encode_header(xr_sink *sink, const void *unused)
{
    (void)unused;
    xr_put_string(sink, "exray");
    xr_put_string(sink, "exray " EXRAY_VERSION);
}

void xr_mcap_encode_schema(xr_sink *sink, const void *schema)
{
    const xr_schema_id id = *(const xr_schema_id *)schema;
    const xr_byte_range descriptor = xr_schema_descriptor();
    xr_put_u16(sink, (uint16_t)id);
    xr_put_string(sink, xr_schema_name(id));
    xr_put_string(sink, "protobuf");
    xr_put_u32(sink, (uint32_t)descriptor.size);
    xr_put(sink, descriptor.data, descriptor.size);
}

/* A map<string, string>, its size in bytes before it. */
static void encode_pairs(xr_sink *sink, const exray_key_value *pairs, size_t count)
{
    uint64_t size = 0;
    for (size_t i = 0; i < count; i++)
        size += 8 + strlen(pairs[i].key) + (pairs[i].value ? strlen(pairs[i].value) : 0);
    xr_put_u32(sink, (uint32_t)size);
    for (size_t i = 0; i < count; i++) {
        xr_put_string(sink, pairs[i].key);
        xr_put_string(sink, pairs[i].value);
    }
}

void xr_mcap_encode_channel(xr_sink *sink, const void *content)
{
    const xr_mcap_channel_content *c = content;
    const xr_channel_info *channel = c->channel;
    exray_key_value pairs[2];
    size_t count = 0;
    if (channel->name)
        pairs[count++] = (exray_key_value){"name", channel->name};
    if (channel->op)
        pairs[count++] = (exray_key_value){"op", channel->op};
    xr_put_u16(sink, (uint16_t)c->id);
    xr_put_u16(sink, channel->schema);
    xr_put_string(sink, channel->topic);
    xr_put_string(sink, "protobuf");
    encode_pairs(sink, pairs, count);
}

static void encode_message(xr_sink *sink, const void *object)
{
    const xr_message *message = object;
    xr_put_u16(sink, (uint16_t)message->channel);
    xr_put_u32(sink, message->sequence);
    xr_put_u64(sink, message->log_time);
    xr_put_u64(sink, message->log_time); /* published when logged */
    message->encode(sink, message->object);
}

enum { RECORD_HEADER = XR_MCAP_RECORD_HEADER, MESSAGE_HEADER = RECORD_HEADER + XR_MCAP_MESSAGE_HEADER };

/* A message, and before it the records that must come before it. */
typedef struct message_records {
    const xr_mcap *mcap;
    const xr_message *message;
    bool schema, channel;
} message_records;

static void encode_leading_records(xr_sink *sink, const message_records *records)
{
    const uint32_t id = records->message->channel;
    const xr_channel_info *channel = &records->mcap->channels[id];
    const xr_schema_id schema = (xr_schema_id)channel->schema;
    if (records->schema)
        xr_mcap_record(sink, XR_MCAP_SCHEMA, xr_mcap_encode_schema, &schema);
    if (records->channel)
        xr_mcap_record(sink, XR_MCAP_CHANNEL, xr_mcap_encode_channel,
                       &(xr_mcap_channel_content){id, channel});
}

static void encode_message_records(xr_sink *sink, const void *object)
{
    const message_records *records = object;
    encode_leading_records(sink, records);
    xr_put_u8(sink, XR_MCAP_MESSAGE);
    xr_put_u64(sink, MESSAGE_HEADER - RECORD_HEADER + records->message->size);
    encode_message(sink, records->message);
}

/* ---- Chunks --------------------------------------------------------------- */

const char *xr_mcap_compression_name(const xr_mcap *mcap, bool compressed)
{
    if (!compressed)
        return "";
    return mcap->compression == EXRAY_COMPRESSION_ZSTD ? "zstd" : "lz4";
}

uint64_t xr_mcap_message_index_size(uint64_t messages)
{
    return RECORD_HEADER + 2 + 4 + 16 * messages;
}

typedef struct message_index {
    const xr_mcap *mcap;
    uint16_t channel;
} message_index;

static void encode_message_index(xr_sink *sink, const void *object)
{
    const message_index *index = object;
    const uint32_t first = index->mcap->states[index->channel].first;
    uint32_t count = 0;
    for (uint32_t i = first; i != XR_NO_ENTRY; i = index->mcap->entries[i].next)
        count++;
    xr_put_u16(sink, index->channel);
    xr_put_u32(sink, 16 * count);
    for (uint32_t i = first; i != XR_NO_ENTRY; i = index->mcap->entries[i].next) {
        xr_put_u64(sink, index->mcap->entries[i].log_time);
        xr_put_u64(sink, index->mcap->entries[i].offset);
    }
}

static void chunk_add_entry(xr_mcap *mcap, const xr_message *message, uint64_t offset)
{
    xr_channel_state *state = &mcap->states[message->channel];
    const uint32_t at = mcap->entry_count++;
    mcap->entries[at] = (xr_chunk_entry){message->log_time, offset, XR_NO_ENTRY};
    if (state->first == XR_NO_ENTRY) {
        state->first = at;
        mcap->touched[mcap->touched_count++] = (uint16_t)message->channel;
    } else {
        mcap->entries[state->last].next = at;
    }
    state->last = at;
    if (at == 0 || message->log_time < mcap->chunk_first)
        mcap->chunk_first = message->log_time;
    if (at == 0 || message->log_time > mcap->chunk_last)
        mcap->chunk_last = message->log_time;
}

/* Notes the chunk for the summary; where the tables are full, there will be no
 * chunk index at all: half of one would hide messages from its readers. */
static void keep_chunk_info(xr_mcap *mcap, xr_chunk_info info)
{
    if (mcap->chunks_kept == mcap->max_chunks ||
        mcap->touched_count > mcap->max_chunk_channels - mcap->chunk_channels_used) {
        mcap->chunk_index_full = true;
        return;
    }
    info.channels_at = mcap->chunk_channels_used;
    info.channel_count = mcap->touched_count;
    for (uint32_t i = 0; i < mcap->touched_count; i++) {
        const uint16_t channel = mcap->touched[i];
        uint16_t count = 0;
        for (uint32_t e = mcap->states[channel].first; e != XR_NO_ENTRY; e = mcap->entries[e].next)
            count++;
        mcap->chunk_channels[mcap->chunk_channels_used++] = (xr_chunk_channel){channel, count};
    }
    mcap->chunks[mcap->chunks_kept++] = info;
}

/* The MessageIndex records that follow a chunk; the chunk is then done with. */
static void finish_chunk(xr_mcap *mcap, xr_chunk_info info)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    info.length = mcap->position - info.offset;
    for (uint32_t i = 0; i < mcap->touched_count; i++)
        xr_mcap_record(&out.sink, XR_MCAP_MESSAGE_INDEX, encode_message_index,
                       &(message_index){mcap, mcap->touched[i]});
    info.index_length = mcap->position - info.offset - info.length;
    info.first_time = mcap->chunk_first;
    info.last_time = mcap->chunk_last;
    keep_chunk_info(mcap, info);
    mcap->chunk_count++;
    for (uint32_t i = 0; i < mcap->touched_count; i++)
        mcap->states[mcap->touched[i]].first = XR_NO_ENTRY;
    mcap->touched_count = mcap->entry_count = 0;
    mcap->chunk_used = 0;
}

static void put_chunk_header(xr_sink *sink, const xr_mcap *mcap, const xr_chunk_info *info, uint32_t crc)
{
    const char *compression = xr_mcap_compression_name(mcap, info->compressed);
    xr_put_u8(sink, XR_MCAP_CHUNK);
    xr_put_u64(sink, 8 + 8 + 8 + 4 + 4 + strlen(compression) + 8 + info->stored_size);
    xr_put_u64(sink, mcap->chunk_first);
    xr_put_u64(sink, mcap->chunk_last);
    xr_put_u64(sink, info->plain_size);
    xr_put_u32(sink, crc);
    xr_put_string(sink, compression);
    xr_put_u64(sink, info->stored_size);
}

/* Writes the open chunk, if there is anything in it. */
static void close_chunk(xr_mcap *mcap)
{
    if (!mcap->chunk_used)
        return;
    const uint32_t crc = xr_mcap_crc(mcap, 0, mcap->chunk, mcap->chunk_used);
    xr_chunk_info info = {
        .offset = mcap->position, .plain_size = mcap->chunk_used, .stored_size = mcap->chunk_used};
    const uint8_t *stored = mcap->chunk;
    if (mcap->compression) {
        const size_t packed = mcap->codec->compress(mcap->compression, mcap->packed, mcap->packed_capacity,
                                                    mcap->chunk, mcap->chunk_used);
        /* What does not shrink is stored as it is. */
        if (packed && packed < mcap->chunk_used) {
            info.compressed = true;
            info.stored_size = packed;
            stored = mcap->packed;
        }
    }
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    put_chunk_header(&out.sink, mcap, &info, crc);
    xr_put(&out.sink, stored, (size_t)info.stored_size);
    finish_chunk(mcap, info);
}

/* A large message is a chunk of its own, written from the caller's memory:
 * encoded once for the CRC, once for the sink, and never copied. */
static void write_own_chunk(xr_mcap *mcap, const message_records *records, uint64_t size)
{
    const uint64_t offset = size - MESSAGE_HEADER - records->message->size;
    const xr_chunk_info info = {.offset = mcap->position, .plain_size = size, .stored_size = size};
    chunk_add_entry(mcap, records->message, offset);
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    put_chunk_header(&out.sink, mcap, &info, crc_of(mcap, encode_message_records, records));
    encode_message_records(&out.sink, records);
    finish_chunk(mcap, info);
}

static void add_to_chunk(xr_mcap *mcap, const message_records *records, uint64_t size)
{
    xr_memory_sink memory = xr_memory_sink_at(mcap->chunk + mcap->chunk_used);
    chunk_add_entry(mcap, records->message,
                    mcap->chunk_used + size - MESSAGE_HEADER - records->message->size);
    encode_message_records(&memory.sink, records);
    mcap->chunk_used += (size_t)size;
}

static void write_chunked(xr_mcap *mcap, const message_records *records)
{
    xr_sink counter = {NULL, 0};
    encode_leading_records(&counter, records);
    const uint64_t size = counter.size + MESSAGE_HEADER + records->message->size;
    const bool own = records->message->size >= mcap->own_size || size > mcap->chunk_size;
    if (own || size > mcap->chunk_size - mcap->chunk_used || mcap->entry_count == mcap->max_entries)
        close_chunk(mcap);
    if (own && (!mcap->compression || size > mcap->chunk_size)) {
        write_own_chunk(mcap, records, size);
        return;
    }
    add_to_chunk(mcap, records, size);
    if (own) /* one piece of memory is what can be compressed */
        close_chunk(mcap);
}

/* ---- The interface --------------------------------------------------------- */

int xr_mcap_begin(xr_mcap *mcap)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    if (mcap->crc_tables)
        xr_crc32_make(mcap->crc_tables);
    xr_mcap_put_magic(&out.sink);
    xr_mcap_record(&out.sink, XR_MCAP_HEADER, encode_header, NULL);
    return mcap->error;
}

int xr_mcap_message(xr_mcap *mcap, const xr_message *message)
{
    if (mcap->error)
        return mcap->error;
    while (mcap->channel_end <= message->channel) /* only what is used is ever touched */
        mcap->states[mcap->channel_end++] = (xr_channel_state){.first = XR_NO_ENTRY};
    xr_channel_state *state = &mcap->states[message->channel];
    bool *schema_written = &mcap->schema_written[mcap->channels[message->channel].schema];
    const message_records records = {mcap, message, !*schema_written, !state->written};
    if (mcap->stream) {
        xr_mcap_sink out = xr_mcap_sink_of(mcap);
        encode_message_records(&out.sink, &records);
    } else {
        write_chunked(mcap, &records);
    }
    *schema_written = state->written = true;
    state->messages++;
    if (!mcap->messages || message->log_time < mcap->first_time)
        mcap->first_time = message->log_time;
    if (!mcap->messages || message->log_time > mcap->last_time)
        mcap->last_time = message->log_time;
    mcap->messages++;
    return mcap->error;
}

/* Keeps one record for the summary. */
static void keep_index(xr_index_bytes *index, uint8_t opcode, xr_encode_fn content, const void *object)
{
    const uint64_t size = RECORD_HEADER + xr_encoded_size(content, object);
    index->count++;
    if (size > index->capacity - index->used) {
        index->full = true;
        return;
    }
    xr_memory_sink memory = xr_memory_sink_at(index->bytes + index->used);
    xr_mcap_record(&memory.sink, opcode, content, object);
    index->used += (size_t)size;
}

static void encode_attachment_body(xr_sink *sink, const void *object)
{
    const xr_attachment_record *attachment = object;
    xr_put_u64(sink, attachment->log_time);
    xr_put_u64(sink, attachment->create_time);
    xr_put_string(sink, attachment->name);
    xr_put_string(sink, attachment->media_type);
    xr_put_u64(sink, attachment->size);
    xr_put(sink, attachment->data, attachment->size);
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

int xr_mcap_attachment(xr_mcap *mcap, const xr_attachment_record *attachment)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    const uint64_t offset = mcap->position;
    xr_put_u8(&out.sink, XR_MCAP_ATTACHMENT);
    xr_put_u64(&out.sink, xr_encoded_size(encode_attachment_body, attachment) + 4);
    encode_attachment_body(&out.sink, attachment);
    /* 0 says "no checksum": a stream has none. */
    xr_put_u32(&out.sink, mcap->stream ? 0 : crc_of(mcap, encode_attachment_body, attachment));
    keep_index(&mcap->attachments, XR_MCAP_ATTACHMENT_INDEX, encode_attachment_index,
               &(attachment_index){attachment, offset, mcap->position - offset});
    return mcap->error;
}

static void encode_metadata(xr_sink *sink, const void *object)
{
    const xr_metadata_record *metadata = object;
    xr_put_string(sink, metadata->name);
    encode_pairs(sink, metadata->pairs, metadata->count);
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

int xr_mcap_metadata(xr_mcap *mcap, const xr_metadata_record *metadata)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    const uint64_t offset = mcap->position;
    xr_mcap_record(&out.sink, XR_MCAP_METADATA, encode_metadata, metadata);
    keep_index(&mcap->metadata, XR_MCAP_METADATA_INDEX, encode_metadata_index,
               &(metadata_index){offset, mcap->position - offset, metadata->name});
    return mcap->error;
}

int xr_mcap_flush(xr_mcap *mcap, bool end_chunk)
{
    if (end_chunk && !mcap->stream)
        close_chunk(mcap);
    flush_out(mcap);
    return mcap->error;
}
