/* The end of a log: summary, summary offsets, footer. */
#include "core/mcap.h"

/* One group of the summary: records of one opcode. */
typedef struct group {
    uint8_t opcode;
    uint64_t start, length;
} group;

static void encode_summary_offset(xr_sink *sink, const void *object)
{
    const group *g = object;
    xr_put_u8(sink, g->opcode);
    xr_put_u64(sink, g->start);
    xr_put_u64(sink, g->length);
}

static void encode_data_end(xr_sink *sink, const void *unused)
{
    (void)unused;
    xr_put_u32(sink, 0); /* no CRC over all the data: chunks have theirs */
}

static void write_schemas(xr_sink *sink, xr_mcap *mcap)
{
    for (int i = 1; i < XR_SCHEMA_COUNT; i++) {
        const xr_schema_id schema = (xr_schema_id)i;
        if (mcap->schema_written[i])
            xr_mcap_record(sink, XR_MCAP_SCHEMA, xr_mcap_encode_schema, &schema);
    }
}

static void write_channels(xr_sink *sink, xr_mcap *mcap)
{
    for (uint32_t i = 0; i < mcap->channel_end; i++)
        if (mcap->states[i].written)
            xr_mcap_record(sink, XR_MCAP_CHANNEL, xr_mcap_encode_channel,
                           &(xr_mcap_channel_content){i, &mcap->channels[i]});
}

static void encode_statistics(xr_sink *sink, const void *object)
{
    const xr_mcap *mcap = object;
    uint32_t channels = 0, schemas = 0;
    for (uint32_t i = 0; i < mcap->channel_end; i++)
        channels += mcap->states[i].written;
    for (int i = 1; i < XR_SCHEMA_COUNT; i++)
        schemas += mcap->schema_written[i];
    xr_put_u64(sink, mcap->messages);
    xr_put_u16(sink, (uint16_t)schemas);
    xr_put_u32(sink, channels);
    xr_put_u32(sink, mcap->attachments.count);
    xr_put_u32(sink, mcap->metadata.count);
    xr_put_u32(sink, mcap->chunk_count);
    xr_put_u64(sink, mcap->first_time);
    xr_put_u64(sink, mcap->last_time);
    xr_put_u32(sink, channels * 10);
    for (uint32_t i = 0; i < mcap->channel_end; i++) {
        if (mcap->states[i].written) {
            xr_put_u16(sink, (uint16_t)i);
            xr_put_u64(sink, mcap->states[i].messages);
        }
    }
}

static void write_statistics(xr_sink *sink, xr_mcap *mcap)
{
    xr_mcap_record(sink, XR_MCAP_STATISTICS, encode_statistics, mcap);
}

typedef struct chunk_index {
    const xr_mcap *mcap;
    const xr_chunk_info *info;
} chunk_index;

static void encode_chunk_index(xr_sink *sink, const void *object)
{
    const chunk_index *index = object;
    const xr_chunk_info *info = index->info;
    xr_put_u64(sink, info->first_time);
    xr_put_u64(sink, info->last_time);
    xr_put_u64(sink, info->offset);
    xr_put_u64(sink, info->length);
    xr_put_u32(sink, 10 * info->channel_count);
    uint64_t at = info->offset + info->length;
    for (uint32_t i = 0; i < info->channel_count; i++) {
        const xr_chunk_channel *channel = &index->mcap->chunk_channels[info->channels_at + i];
        xr_put_u16(sink, channel->channel);
        xr_put_u64(sink, at);
        at += xr_mcap_message_index_size(channel->messages);
    }
    xr_put_u64(sink, info->index_length);
    xr_put_string(sink, xr_mcap_compression_name(index->mcap, info->compressed));
    xr_put_u64(sink, info->stored_size);
    xr_put_u64(sink, info->plain_size);
}

static void write_chunk_indexes(xr_sink *sink, xr_mcap *mcap)
{
    for (uint32_t i = 0; i < mcap->chunks_kept && !mcap->chunk_index_full; i++)
        xr_mcap_record(sink, XR_MCAP_CHUNK_INDEX, encode_chunk_index, &(chunk_index){mcap, &mcap->chunks[i]});
}

static void write_attachment_indexes(xr_sink *sink, xr_mcap *mcap)
{
    if (!mcap->attachments.full)
        xr_put(sink, mcap->attachments.bytes, mcap->attachments.used);
}

static void write_metadata_indexes(xr_sink *sink, xr_mcap *mcap)
{
    if (!mcap->metadata.full)
        xr_put(sink, mcap->metadata.bytes, mcap->metadata.used);
}

/* Returns the start of the summary offsets. */
static uint64_t write_summary(xr_sink *sink, xr_mcap *mcap)
{
    static const struct {
        uint8_t opcode;
        void (*write)(xr_sink *sink, xr_mcap *mcap);
    } parts[] = {
        {XR_MCAP_SCHEMA, write_schemas},
        {XR_MCAP_CHANNEL, write_channels},
        {XR_MCAP_STATISTICS, write_statistics},
        {XR_MCAP_CHUNK_INDEX, write_chunk_indexes},
        {XR_MCAP_ATTACHMENT_INDEX, write_attachment_indexes},
        {XR_MCAP_METADATA_INDEX, write_metadata_indexes},
    };
    enum { PARTS = sizeof parts / sizeof *parts };
    group groups[PARTS];
    for (int i = 0; i < PARTS; i++) {
        groups[i] = (group){parts[i].opcode, mcap->position, 0};
        parts[i].write(sink, mcap);
        groups[i].length = mcap->position - groups[i].start;
    }
    const uint64_t offsets_start = mcap->position;
    for (int i = 0; i < PARTS; i++)
        if (groups[i].length)
            xr_mcap_record(sink, XR_MCAP_SUMMARY_OFFSET, encode_summary_offset, &groups[i]);
    return offsets_start;
}

int xr_mcap_end(xr_mcap *mcap)
{
    uint64_t summary_start = 0, offsets_start = 0;
    xr_mcap_flush(mcap, true);
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    xr_mcap_record(&out.sink, XR_MCAP_DATA_END, encode_data_end, NULL);
    if (!mcap->stream) {
        xr_mcap_flush(mcap, false); /* the CRC begins here */
        summary_start = mcap->position;
        mcap->summary = true;
        offsets_start = write_summary(&out.sink, mcap);
    }
    xr_put_u8(&out.sink, XR_MCAP_FOOTER);
    xr_put_u64(&out.sink, XR_MCAP_FOOTER_SIZE);
    xr_put_u64(&out.sink, summary_start);
    xr_put_u64(&out.sink, offsets_start);
    xr_mcap_flush(mcap, false); /* and covers all up to here */
    mcap->summary = false;
    xr_put_u32(&out.sink, mcap->summary_crc);
    xr_mcap_put_magic(&out.sink);
    return xr_mcap_flush(mcap, false);
}

/* Sizes of records, as the specification has them, rounded up. */
enum {
    MESSAGE_RECORD = XR_MCAP_RECORD_HEADER + XR_MCAP_MESSAGE_HEADER,
    INDEX_ENTRY = 16,
    MESSAGE_INDEX_AND_OFFSET = 9 + 6 + 10, /* a message may be the only one of its channel in a chunk */
    CHUNK_AND_INDEX = (9 + 44) + (9 + 72),
};

uint64_t xr_mcap_message_cost(const xr_mcap *mcap, uint64_t size)
{
    uint64_t cost = MESSAGE_RECORD + size;
    if (mcap->stream)
        return cost;
    cost += INDEX_ENTRY + MESSAGE_INDEX_AND_OFFSET;
    /* A chunk may be closed because this message, up to a quarter of a chunk,
     * did not fit: the others fill at least three quarters.  One that is a chunk
     * of its own may have closed another before it. */
    if (size >= mcap->own_size)
        return cost + 2 * CHUNK_AND_INDEX;
    return cost + 2 + cost * CHUNK_AND_INDEX * 2 / mcap->chunk_size;
}

uint64_t xr_mcap_channel_cost(const xr_mcap *mcap, const xr_channel_info *channel, bool new_schema)
{
    const xr_schema_id schema = (xr_schema_id)channel->schema;
    uint64_t cost = 9 + xr_encoded_size(xr_mcap_encode_channel, &(xr_mcap_channel_content){0, channel});
    if (new_schema)
        cost += 9 + xr_encoded_size(xr_mcap_encode_schema, &schema);
    return mcap->stream ? cost : 2 * cost + 10; /* in the data and in the summary; in the statistics */
}
