#include "core/mcap.h"

#include "core/output/out.h"

xr_mcap_sink xr_mcap_sink_of(xr_mcap *mcap)
{
    return (xr_mcap_sink){.sink = {.write = mcap->retry ? mcap->retry->write : xr_out_write}, .mcap = mcap};
}

/* ---- Checksums ------------------------------------------------------------ */

void xr_mcap_check(xr_mcap *mcap)
{
    if (mcap->checksums)
        mcap->checksums->check(mcap);
}

uint64_t xr_mcap_check_cost(const xr_mcap *mcap)
{
    return mcap->checksums && !mcap->part ? XR_CHECK_RECORD : 0;
}

/* ---- Records -------------------------------------------------------------- */

void xr_mcap_put_header(xr_sink *sink, uint8_t opcode, uint64_t size)
{
    xr_put_u8(sink, opcode);
    xr_put_u64(sink, size);
}

void xr_mcap_record(xr_sink *sink, uint8_t opcode, xr_encode_fn content, const void *object)
{
    xr_mcap_put_header(sink, opcode, xr_encoded_size(content, object));
    content(sink, object);
}

static void encode_header(xr_sink *sink, const void *unused)
{
    (void)unused;
    xr_put_string(sink, "exray");
    xr_put_string(sink, "exray " EXRAY_VERSION);
}

static const char encoding[] = "protobuf";

/* A schema, behind its id. */
static void encode_schema_record(xr_sink *sink, const void *object)
{
    const xr_schema_id *schema = object;
    xr_put_u16(sink, (uint16_t)*schema);
    xr_put_string(sink, xr_schema_name(*schema));
    xr_put_string(sink, encoding);
    xr_put_u32(sink, (uint32_t)xr_encoded_size(xr_encode_schema, schema));
    xr_encode_schema(sink, schema);
}

size_t xr_mcap_schema_size(xr_schema_id schema)
{
    return XR_MCAP_RECORD_HEADER + xr_encoded_size(encode_schema_record, &schema);
}

void xr_mcap_put_schema(xr_sink *sink, xr_schema_id schema)
{
    xr_mcap_record(sink, XR_MCAP_SCHEMA, encode_schema_record, &schema);
}

/* A channel's number is its place in mcap->channels. */
typedef struct numbered_channel {
    const xr_mcap *mcap;
    uint32_t id;
} numbered_channel;

/* Its metadata: pairs that the part of layers knows. */
static void encode_names(xr_sink *sink, const void *object)
{
    const numbered_channel *channel = object;
    const xr_mcap *mcap = channel->mcap;
    if (mcap->layers_part)
        mcap->layers_part->put_names(sink, mcap->layers, mcap->channels[channel->id].layer);
}

static void encode_channel(xr_sink *sink, const void *object)
{
    const numbered_channel *channel = object;
    const xr_channel_info *info = &channel->mcap->channels[channel->id];
    xr_put_u16(sink, (uint16_t)channel->id);
    xr_put_u16(sink, info->schema);
    xr_put_string(sink, info->topic);
    xr_put_string(sink, encoding);
    xr_put_u32(sink, (uint32_t)xr_encoded_size(encode_names, channel));
    encode_names(sink, channel);
}

size_t xr_mcap_channel_size(const xr_mcap *mcap, uint32_t id)
{
    return XR_MCAP_RECORD_HEADER + xr_encoded_size(encode_channel, &(numbered_channel){mcap, id});
}

void xr_mcap_put_channel(xr_sink *sink, const xr_mcap *mcap, uint32_t id)
{
    xr_mcap_record(sink, XR_MCAP_CHANNEL, encode_channel, &(numbered_channel){mcap, id});
}

void xr_mcap_put_message_header(xr_sink *sink, const xr_message *message)
{
    xr_mcap_put_header(sink, XR_MCAP_MESSAGE, XR_MCAP_MESSAGE_HEADER + (uint64_t)message->size);
    xr_put_u16(sink, (uint16_t)message->channel);
    xr_put_u32(sink, message->sequence);
    xr_put_u64(sink, message->log_time);
    xr_put_u64(sink, message->log_time); /* published when logged */
}

void xr_mcap_put_content(xr_sink *sink, const xr_message *message)
{
    if (!message->head) {
        message->encode(sink, message->object);
        return;
    }
    xr_put(sink, message->head, message->head_size);
    xr_put(sink, message->tail, message->tail_size);
}

/* ---- The interface --------------------------------------------------------- */

/* How often channels are repeated within the budget. */
static uint64_t repetitions(const xr_mcap *mcap)
{
    uint64_t count = 1;
    if (mcap->checksums)
        for (uint64_t at = XR_REPEAT_AFTER; at < mcap->budget && count < 16; at *= XR_REPEAT_GROWTH)
            count++;
    return count;
}

int xr_mcap_begin(xr_mcap *mcap)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    mcap->repetition = 1;
    mcap->repeat_at = XR_REPEAT_AFTER;
    mcap->crc = 0;
    mcap->checked = mcap->position;
    mcap->crc_of = mcap->part ? mcap->part->crc : mcap->checksums ? mcap->checksums->crc : NULL;
    xr_put(&out.sink, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    xr_mcap_record(&out.sink, XR_MCAP_HEADER, encode_header, NULL);
    xr_mcap_check(mcap); /* at once: a reader then knows that what follows has checksums */
    return mcap->error;
}

void xr_mcap_restart(xr_mcap *mcap)
{
    mcap->before += mcap->position;
    mcap->position = mcap->sent = mcap->record_at = mcap->owed = 0;
    mcap->out_used = mcap->held_size = 0;
    mcap->error = mcap->sync_error = 0;
    mcap->failures = 0;
    atomic_store(&mcap->told->refused, 0);
    memset(mcap->schema_written, 0, sizeof mcap->schema_written);
    memset(mcap->channel_written, 0, mcap->max_channels);
    if (mcap->part)
        mcap->part->restart(mcap);
}

bool xr_mcap_is_head(const xr_mcap *mcap, uint32_t channel)
{
    static const char constant[] = "/constant"; /* /constant/N, /constants */
    const xr_channel_info *info = &mcap->channels[channel];
    return info->schema == XR_SCHEMA_MODEL || strncmp(info->topic, constant, sizeof constant - 1) == 0 ||
           strcmp(info->topic, "/constants") == 0;
}

/* false: it is not in the log. */
static bool write_record(xr_mcap *mcap, uint8_t opcode, xr_encode_fn content, const void *object)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    if (!xr_out_begin(mcap, XR_MCAP_RECORD_HEADER + (uint64_t)xr_encoded_size(content, object)))
        return false;
    xr_mcap_record(&out.sink, opcode, content, object);
    return xr_out_end(mcap);
}

/* The records that come before a channel's first message.  false: one of them is not in the log. */
static bool declare(xr_mcap *mcap, uint32_t id)
{
    const xr_schema_id schema = (xr_schema_id)mcap->channels[id].schema;
    if (!mcap->schema_written[schema]) {
        if (!write_record(mcap, XR_MCAP_SCHEMA, encode_schema_record, &schema))
            return false;
        mcap->schema_written[schema] = true;
    }
    if (mcap->channel_written[id] != mcap->repetition) {
        if (!write_record(mcap, XR_MCAP_CHANNEL, encode_channel, &(numbered_channel){mcap, id}))
            return false;
        mcap->channel_written[id] = mcap->repetition;
    }
    return true;
}

static bool put_message(xr_mcap *mcap, const xr_message *message)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    if (!declare(mcap, message->channel) ||
        !xr_out_begin(mcap, XR_MCAP_RECORD_HEADER + XR_MCAP_MESSAGE_HEADER + (uint64_t)message->size))
        return false;
    xr_mcap_put_message_header(&out.sink, message);
    xr_mcap_put_content(&out.sink, message);
    return xr_out_end(mcap);
}

int xr_mcap_message(xr_mcap *mcap, const xr_message *message)
{
    if (mcap->error)
        return mcap->error;
    if (mcap->checksums)
        mcap->checksums->before(mcap, message->size);
    if (!(mcap->part ? mcap->part->message(mcap, message) : put_message(mcap, message)))
        xr_out_lost(mcap, 1);
    if (mcap->checksums)
        mcap->checksums->after(mcap);
    if (mcap->keep)
        mcap->keep(mcap, XR_HEAD_MESSAGE, message);
    return mcap->error;
}

/* false: there is no room, which is counted. */
static bool begin_record(xr_mcap *mcap, xr_sink *sink, uint8_t opcode, uint64_t size)
{
    const bool begun = xr_out_begin(mcap, XR_MCAP_RECORD_HEADER + size);
    if (begun)
        xr_mcap_put_header(sink, opcode, size);
    else
        xr_out_lost(mcap, 1);
    return begun;
}

void xr_mcap_encode_attachment(xr_sink *sink, const void *object)
{
    const xr_attachment_record *attachment = object;
    xr_put_u64(sink, attachment->log_time);
    xr_put_u64(sink, attachment->create_time);
    xr_put_string(sink, attachment->name);
    xr_put_string(sink, attachment->media_type);
    xr_put_u64(sink, attachment->size);
    xr_put(sink, attachment->data, attachment->size);
}

int xr_mcap_attachment(xr_mcap *mcap, const xr_attachment_record *attachment)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    const uint64_t offset = mcap->position;
    const uint64_t size = (uint64_t)xr_encoded_size(xr_mcap_encode_attachment, attachment) + 4;
    uint32_t crc = 0; /* "no checksum": a stream has Check records */
    if (!mcap->part)
        xr_mcap_check(mcap);
    if (!begin_record(mcap, &out.sink, XR_MCAP_ATTACHMENT, size))
        return mcap->error;
    xr_mcap_encode_attachment(&out.sink, attachment);
    if (mcap->part && !mcap->is_cut && !mcap->owed)
        crc = mcap->part->attachment(mcap, attachment, offset, XR_MCAP_RECORD_HEADER + size);
    xr_put_u32(&out.sink, crc);
    if (!xr_out_end(mcap))
        xr_out_lost(mcap, 1);
    if (!mcap->part)
        xr_mcap_check(mcap);
    if (mcap->keep)
        mcap->keep(mcap, XR_HEAD_ATTACHMENT, attachment);
    return mcap->error;
}

static void put_pair(xr_sink *sink, const exray_key_value *pair)
{
    xr_put_string(sink, pair->key);
    xr_put_string(sink, pair->value);
}

static bool has_key(const xr_metadata_record *metadata, const char *key)
{
    for (size_t i = 0; i < metadata->count; i++)
        if (strcmp(metadata->pairs[i].key, key) == 0)
            return true;
    return false;
}

void xr_mcap_put_pairs(xr_sink *sink, const void *object)
{
    const xr_metadata_record *metadata = object;
    if (metadata->encoded) {
        xr_put(sink, metadata->encoded, metadata->pairs_size);
        return;
    }
    for (size_t i = 0; i < metadata->default_count; i++)
        if (!has_key(metadata, metadata->defaults[i].key))
            put_pair(sink, &metadata->defaults[i]);
    for (size_t i = 0; i < metadata->count; i++)
        put_pair(sink, &metadata->pairs[i]);
}

size_t xr_mcap_pairs_size(const xr_metadata_record *metadata)
{
    return xr_encoded_size(xr_mcap_put_pairs, metadata);
}

int xr_mcap_metadata(xr_mcap *mcap, const xr_metadata_record *metadata)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    xr_mcap_check(mcap); /* no damage to what stands before may cast doubt on it */
    const uint64_t offset = mcap->position;
    const uint64_t size = 4 + strlen(metadata->name) + 4 + metadata->pairs_size;
    if (!begin_record(mcap, &out.sink, XR_MCAP_METADATA, size))
        return mcap->error;
    xr_put_string(&out.sink, metadata->name);
    xr_put_u32(&out.sink, (uint32_t)metadata->pairs_size);
    xr_mcap_put_pairs(&out.sink, metadata);
    if (!xr_out_end(mcap))
        xr_out_lost(mcap, 1);
    else if (mcap->part)
        mcap->part->metadata(mcap, metadata, offset, mcap->position - offset);
    xr_mcap_check(mcap);
    if (mcap->keep)
        mcap->keep(mcap, XR_HEAD_METADATA, metadata);
    return mcap->error;
}

int xr_mcap_flush(xr_mcap *mcap, xr_flush how)
{
    const uint64_t now = mcap->flush ? xr_port_now() : 0;
    if (mcap->flush)
        how = (xr_flush)mcap->flush->by_age(mcap, how, now);
    if (mcap->part && how != XR_FLUSH_BYTES)
        mcap->part->close_chunk(mcap);
    else if (!mcap->part)
        xr_mcap_check(mcap);
    xr_out_flush(mcap);
    if (mcap->error)
        return mcap->error;
    if (mcap->flush)
        mcap->flush->handed_over(mcap, how, now);
    if (mcap->part && mcap->write_ahead && (how != XR_FLUSH_SYNC || !mcap->sync) && !xr_out_refused(mcap))
        mcap->part->write_ahead(mcap);
    return mcap->error;
}

void xr_mcap_put_footer(xr_sink *sink, uint64_t summary_start, uint64_t offsets_start)
{
    xr_mcap_put_header(sink, XR_MCAP_FOOTER, XR_MCAP_FOOTER_SIZE);
    xr_put_u64(sink, summary_start);
    xr_put_u64(sink, offsets_start);
}

int xr_mcap_settle(xr_mcap *mcap, xr_flush how)
{
    return mcap->retry ? mcap->retry->settle(mcap, how) : xr_mcap_flush(mcap, how);
}

int xr_mcap_end(xr_mcap *mcap)
{
    uint32_t crc = 0;
    mcap->ending = true;
    const int error = xr_mcap_settle(mcap, XR_FLUSH_CHUNK);
    if (error) {
        mcap->ending = false;
        return error;
    }
    xr_mcap_check(mcap);
    mcap->crc_of = NULL;
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    xr_mcap_put_header(&out.sink, XR_MCAP_DATA_END, 4);
    xr_put_u32(&out.sink, mcap->crc);
    if (mcap->part)
        crc = mcap->part->summary(mcap);
    else
        xr_mcap_put_footer(&out.sink, 0, 0);
    xr_put_u32(&out.sink, crc);
    xr_put(&out.sink, XR_MCAP_MAGIC, XR_MCAP_MAGIC_SIZE);
    return xr_mcap_settle(mcap, XR_FLUSH_BYTES);
}

uint64_t xr_mcap_message_cost(const xr_mcap *mcap, uint64_t size)
{
    if (mcap->part)
        return mcap->part->message_cost(mcap, size);
    const uint64_t cost = XR_MCAP_RECORD_HEADER + XR_MCAP_MESSAGE_HEADER + size;
    if (!mcap->checksums)
        return cost;
    return cost +
           (size >= XR_CHECK_AFTER ? 2 * XR_CHECK_RECORD : 1 + cost * XR_CHECK_RECORD / XR_CHECK_AFTER);
}

uint64_t xr_mcap_channel_cost(const xr_mcap *mcap, uint32_t channel, bool new_schema)
{
    const uint64_t size = xr_mcap_channel_size(mcap, channel);
    uint64_t cost = size;
    if (new_schema)
        cost += xr_mcap_schema_size((xr_schema_id)mcap->channels[channel].schema);
    if (mcap->part)
        cost = 2 * cost + 10; /* in the data and in the summary; in the statistics */
    return cost + (repetitions(mcap) - 1) * size;
}
