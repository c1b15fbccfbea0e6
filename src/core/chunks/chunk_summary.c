/* The summary and its offsets. */
#include "core/chunks/chunk_summary.h"

#include "core/output/out.h"

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

static void write_schemas(xr_sink *sink, const xr_mcap *mcap)
{
    for (int i = 1; i < XR_SCHEMA_COUNT; i++)
        if (mcap->schema_written[i] && !mcap->chunks->is_short)
            xr_mcap_put_schema(sink, (xr_schema_id)i);
}

static void write_channels(xr_sink *sink, const xr_mcap *mcap)
{
    for (uint32_t i = 0; i < mcap->chunks->channel_end && !mcap->chunks->is_short; i++)
        if (mcap->channel_written[i])
            xr_mcap_put_channel(sink, mcap, i);
}

static void encode_statistics(xr_sink *sink, const void *object)
{
    const xr_mcap *mcap = object;
    const xr_chunks *chunks = mcap->chunks;
    uint32_t channels = 0, schemas = 0;
    for (uint32_t i = 0; i < chunks->channel_end; i++)
        channels += mcap->channel_written[i] != 0;
    for (int i = 1; i < XR_SCHEMA_COUNT; i++)
        schemas += mcap->schema_written[i];
    xr_put_u64(sink, chunks->messages);
    xr_put_u16(sink, (uint16_t)schemas);
    xr_put_u32(sink, channels);
    xr_put_u32(sink, chunks->attachments.count);
    xr_put_u32(sink, chunks->metadata.count);
    xr_put_u32(sink, chunks->chunk_count);
    xr_put_u64(sink, chunks->first_time);
    xr_put_u64(sink, chunks->last_time);
    xr_put_u32(sink, channels * 10);
    for (uint32_t i = 0; i < chunks->channel_end; i++) {
        if (mcap->channel_written[i]) {
            xr_put_u16(sink, (uint16_t)i);
            xr_put_u64(sink, chunks->states[i].messages);
        }
    }
}

static void write_statistics(xr_sink *sink, const xr_mcap *mcap)
{
    xr_mcap_record(sink, XR_MCAP_STATISTICS, encode_statistics, mcap);
}

typedef struct chunk_index {
    const xr_chunks *chunks;
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
        const xr_chunk_channel *channel = &index->chunks->chunk_channels[info->channels_at + i];
        xr_put_u16(sink, channel->channel);
        xr_put_u64(sink, at);
        at += xr_message_index_size(channel->messages);
    }
    xr_put_u64(sink, info->index_length);
    xr_put_string(sink, xr_compression_name(index->chunks, info->compressed));
    xr_put_u64(sink, info->stored_size);
    xr_put_u64(sink, info->plain_size);
}

static void write_chunk_indexes(xr_sink *sink, const xr_mcap *mcap)
{
    const xr_chunks *chunks = mcap->chunks;
    for (uint32_t i = 0; i < chunks->chunks_kept && !chunks->chunk_index_full && !chunks->is_short; i++)
        xr_mcap_record(sink, XR_MCAP_CHUNK_INDEX, encode_chunk_index,
                       &(chunk_index){chunks, &chunks->chunks[i]});
}

static void put_index(xr_sink *sink, const xr_index_bytes *index)
{
    if (!index->full)
        xr_put(sink, index->bytes, index->used);
}

static void write_attachment_indexes(xr_sink *sink, const xr_mcap *mcap)
{
    put_index(sink, &mcap->chunks->attachments);
}

static void write_metadata_indexes(xr_sink *sink, const xr_mcap *mcap)
{
    put_index(sink, &mcap->chunks->metadata);
}

/* Returns the start of the summary offsets. */
static uint64_t write_summary(xr_sink *sink, const xr_mcap *mcap)
{
    static const struct {
        uint8_t opcode;
        void (*write)(xr_sink *sink, const xr_mcap *mcap);
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

/* Between the writer and its sink, in large pieces: the summary's CRC. */
typedef struct crc_target {
    const xr_mcap *mcap;
    exray_recorder_write_fn write;
    void *user;
    uint32_t crc;
} crc_target;

static int write_with_crc(void *user, const void *data, size_t size)
{
    crc_target *target = user;
    const int result = target->write(target->user, data, size);
    target->crc = xr_chunks_crc(target->mcap, target->crc, data, xr_out_taken(result, size));
    return result;
}

uint32_t xr_chunks_summary(xr_mcap *mcap)
{
    crc_target target = {mcap, mcap->write, mcap->user, 0};
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    xr_mcap_flush(mcap, XR_FLUSH_BYTES); /* the CRC begins here */
    mcap->write = write_with_crc;
    mcap->user = &target;
    const uint64_t start = mcap->position;
    const uint64_t offsets_start = write_summary(&out.sink, mcap);
    xr_mcap_put_footer(&out.sink, start, offsets_start);
    xr_mcap_flush(mcap, XR_FLUSH_BYTES); /* and covers all up to here */
    mcap->write = target.write;
    mcap->user = target.user;
    return target.crc;
}
