/* Builds the index: one walk over the file's records, from the first to the
 * last, that touches their headers and the fields around a tensor's data, but
 * not the data.
 *
 * The walk does not need the summary's chunk and message indexes: a chunk of
 * one large tensor costs the same two pages either way, and what is not
 * trusted cannot lie.  A summary whose CRC is right is used for two things: its
 * channels are known to be right before a chunk's CRC was checked, and its
 * chunk index says where to go on behind a damaged record.
 *
 * CRCs.  What is decoded here (channels, frames, the model) comes from chunks
 * that were checked; a chunk with nothing but tensors is checked when the first
 * of them is read, while its bytes are needed anyway.  If the little that was
 * taken from such a chunk looks odd, it is checked at once (index_frames.c). */
#include "base/buffer.h"
#include "log/index/index_frames.h"
#include "log/index/index_layer_stats.h"
#include "log/scan/scan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Channels --------------------------------------------------------------- */

/* "12" -> 12; false if it is not a plain number. */
static bool parse_number(const char *text, const char *end, uint32_t *out)
{
    uint64_t value = 0;
    if (text == end)
        return false;
    for (; text != end; text++) {
        if (*text < '0' || *text > '9')
            return false;
        value = value * 10 + (uint64_t)(*text - '0');
        if (value >= EXRAY_NO_INDEX)
            return false;
    }
    *out = (uint32_t)value;
    return true;
}

/* "/layer/3", "/layer/3/1", "/constant/7"; false for other topics. */
static bool parse_indices(xr_channel *channel)
{
    const char *slash = strchr(channel->name, '/');
    const char *end = channel->name + strlen(channel->name);
    if (!slash)
        return parse_number(channel->name, end, &channel->index);
    return channel->kind == EXRAY_KIND_LAYER && parse_number(channel->name, slash, &channel->index) &&
           parse_number(slash + 1, end, &channel->output);
}

/* What follows "/kind/" in the topic, or NULL. */
static const char *name_after(const char *topic, const char *kind)
{
    size_t length = strlen(kind);
    if (topic[0] != '/' || strncmp(topic + 1, kind, length) != 0 || topic[1 + length] != '/')
        return NULL;
    return topic + length + 2;
}

/* Classifies a topic; returns the schema it must have. */
static const char *classify_topic(xr_channel *channel)
{
    static const struct {
        const char *topic, *schema;
        xr_topic means;
        exray_message message;
    } fixed[] = {
        {"/model", "exray.v1.Model", XR_TOPIC_MODEL, EXRAY_MESSAGE_OTHER},
        {"/event", "exray.v1.Event", XR_TOPIC_EVENT, EXRAY_MESSAGE_OTHER},
        {"/frame", "exray.v1.Frame", XR_TOPIC_MESSAGE, EXRAY_MESSAGE_FRAME},
        {"/latency", "exray.v1.Latency", XR_TOPIC_MESSAGE, EXRAY_MESSAGE_LATENCY},
        {"/system", "exray.v1.System", XR_TOPIC_MESSAGE, EXRAY_MESSAGE_SYSTEM},
        {"/result", "exray.v1.Result", XR_TOPIC_MESSAGE, EXRAY_MESSAGE_RESULT},
        {"/truth", "exray.v1.Result", XR_TOPIC_MESSAGE, EXRAY_MESSAGE_TRUTH},
        {"/layers", "exray.v1.LayerStats", XR_TOPIC_LAYER_STATS, EXRAY_MESSAGE_OTHER},
        {"/constants", "exray.v1.LayerStats", XR_TOPIC_LAYER_STATS, EXRAY_MESSAGE_OTHER},
    };
    channel->kind = EXRAY_KIND_COUNT;
    channel->index = EXRAY_NO_INDEX;
    channel->output = 0;
    channel->name = "";
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        if (strcmp(channel->topic, fixed[i].topic) == 0) {
            channel->means = fixed[i].means;
            channel->message = fixed[i].message;
            if (channel->means == XR_TOPIC_LAYER_STATS)
                channel->kind = channel->topic[1] == 'l' ? EXRAY_KIND_LAYER : EXRAY_KIND_CONSTANT;
            return fixed[i].schema;
        }
    const char *name = name_after(channel->topic, "reading");
    if (name) {
        channel->name = name;
        channel->means = XR_TOPIC_MESSAGE;
        channel->message = EXRAY_MESSAGE_READING;
        return "exray.v1.Reading";
    }
    for (int kind = 0; kind < EXRAY_KIND_COUNT; kind++) {
        name = name_after(channel->topic, exray_kind_name((exray_kind)kind));
        if (!name)
            continue;
        channel->kind = (exray_kind)kind;
        channel->name = name;
        if ((kind == EXRAY_KIND_LAYER || kind == EXRAY_KIND_CONSTANT) && !parse_indices(channel))
            break;
        channel->means = XR_TOPIC_MESSAGE;
        channel->message = EXRAY_MESSAGE_TENSOR;
        return "exray.v1.Tensor";
    }
    channel->means = XR_TOPIC_FOREIGN;
    channel->message = EXRAY_MESSAGE_OTHER;
    return NULL;
}

/* False: the record is damaged, or contradicts an earlier one of that id. */
static bool add_channel(xr_builder *b, const uint8_t *data, size_t size, bool trusted)
{
    xr_cursor c = xr_cursor_begin(data, size);
    uint16_t id = xr_cursor_u16(&c);
    uint16_t schema = xr_cursor_u16(&c);
    xr_text topic = xr_cursor_text(&c);
    xr_text encoding = xr_cursor_text(&c);
    xr_cursor_text(&c); /* its metadata */
    if (c.bad)
        return false;
    xr_channel *known = xr_id_get(&b->channels, id);
    if (known)
        return known->schema == schema && known->content.size == topic.size &&
               memcmp(known->content.data, topic.data, topic.size) == 0;
    xr_arena *arena = &b->log->arena;
    xr_channel *channel = xr_arena_take(arena, sizeof *channel);
    const char *name = xr_arena_string(arena, topic.data, topic.size);
    char *copy = xr_arena_take(arena, topic.size);
    if (!channel || !name || !copy)
        return false;
    if (topic.size)
        memcpy(copy, topic.data, topic.size);
    *channel =
        (xr_channel){.topic = name, .schema = schema, .trusted = trusted, .content = {copy, topic.size}};
    const char *expected = classify_topic(channel);
    const xr_text *has = xr_id_get(&b->schemas, schema);
    if (!xr_text_is(encoding, "protobuf") || (expected && has && !xr_text_is(*has, expected))) {
        channel->means = XR_TOPIC_FOREIGN;
        channel->message = EXRAY_MESSAGE_OTHER;
    }
    return xr_id_set(&b->channels, &b->scratch, id, channel);
}

static bool add_schema(xr_builder *b, const uint8_t *data, size_t size)
{
    xr_cursor c = xr_cursor_begin(data, size);
    uint16_t id = xr_cursor_u16(&c);
    xr_text name = xr_cursor_text(&c);
    if (c.bad)
        return false;
    const xr_text *known = xr_id_get(&b->schemas, id);
    if (known)
        return known->size == name.size && memcmp(known->data, name.data, name.size) == 0;
    xr_text *schema = xr_arena_take(&b->scratch, sizeof *schema);
    char *copy = xr_arena_take(&b->scratch, name.size);
    if (!schema || !copy)
        return false;
    if (name.size)
        memcpy(copy, name.data, name.size);
    *schema = (xr_text){copy, name.size};
    return xr_id_set(&b->schemas, &b->scratch, id, schema);
}

/* ---- Messages --------------------------------------------------------------- */

/* Checks the CRC of the chunk that is being walked, before something of it is
 * decoded. */
static bool trust_chunk(xr_builder *b)
{
    return !b->chunk || xr_chunk_check(b->log, b->chunk, b->chunk_bytes);
}

static bool add_frame(xr_builder *b, const uint8_t *data, size_t size)
{
    xr_frame_entry entry = {0};
    xr_frame_extra extra;
    if (!xr_decode_frame(data, size, &b->log->arena, &entry.frame, &extra)) {
        xr_index_damage(b);
        return !b->log->arena.failed;
    }
    if (extra.value_count || extra.span_count) {
        xr_frame_extra *kept = xr_arena_take(&b->log->arena, sizeof *kept);
        if (!kept)
            return false;
        *kept = extra;
        entry.extra = kept;
    }
    return xr_index_add_frame(b, &entry);
}

static bool add_model(xr_builder *b, const uint8_t *data, size_t size)
{
    if (b->log->has_model)
        return true; /* "once": the first one counts */
    b->log->has_model = xr_decode_model(data, size, &b->log->arena, &b->log->model);
    if (!b->log->has_model)
        xr_index_damage(b);
    return !b->log->arena.failed;
}

static bool add_event(xr_builder *b, uint64_t log_time, const uint8_t *data, size_t size)
{
    exray_event event;
    if (!xr_decode_event(data, size, &b->log->arena, &event)) {
        xr_index_damage(b);
        return !b->log->arena.failed;
    }
    event.log_time = log_time;
    exray_event *kept = xr_list_add(&b->log->events, &b->log->arena, sizeof event);
    if (kept)
        *kept = event;
    return kept != NULL;
}

/* The record of a message at `position`; false: out of memory. */
static bool add_record(xr_builder *b, xr_channel *channel, uint64_t log_time, const uint8_t *data,
                       size_t size, uint64_t position)
{
    xr_peek peek;
    bool tensor = channel->message == EXRAY_MESSAGE_TENSOR;
    if (!(tensor ? xr_peek_tensor : xr_peek_frame_number)(data, size, &peek)) {
        xr_index_damage(b);
        return true;
    }
    const exray_record record = {
        .message = channel->message,
        .kind = channel->kind,
        .index = channel->index,
        .output = channel->output,
        .occurrence = peek.occurrence,
        .has_data = peek.has_data,
        .has_sketch = peek.has_sketch,
        .log_time = log_time,
        .frame = peek.frame,
        .topic = channel->topic,
        .name =
            channel->kind == EXRAY_KIND_LAYER || channel->kind == EXRAY_KIND_CONSTANT ? "" : channel->name,
        .position = position,
        .size = size,
        .chunk = b->chunk_number,
    };
    return xr_entries_add(&b->log->entries, &record, &channel->form);
}

static void note_topic(xr_builder *b, xr_channel *channel)
{
    const xr_text *schema = xr_id_get(&b->schemas, channel->schema);
    if (!channel->noted)
        xr_unknown_topic(&b->unknown, channel->topic, schema ? *schema : (xr_text){"", 0});
    channel->noted = true;
}

/* Notes fields that are not in our schema.  Tensors are many, and the records of a topic are similar: only
 * the first few are checked.  Chunks of tensors may be unchecked so far: one with unknown fields is
 * checked now, so that a flipped bit is not taken for a later version.  False: it is damaged. */
static bool note_fields(xr_builder *b, xr_channel *channel, const uint8_t *data, size_t size)
{
    static const xr_schema schemas[] = {
        [EXRAY_MESSAGE_TENSOR] = XR_SCHEMA_TENSOR,   [EXRAY_MESSAGE_FRAME] = XR_SCHEMA_FRAME,
        [EXRAY_MESSAGE_LATENCY] = XR_SCHEMA_LATENCY, [EXRAY_MESSAGE_SYSTEM] = XR_SCHEMA_SYSTEM,
        [EXRAY_MESSAGE_READING] = XR_SCHEMA_READING, [EXRAY_MESSAGE_RESULT] = XR_SCHEMA_RESULT,
        [EXRAY_MESSAGE_TRUTH] = XR_SCHEMA_RESULT,
    };
    enum { FEW = 4 };
    const xr_schema schema = channel->means == XR_TOPIC_MODEL         ? XR_SCHEMA_MODEL
                             : channel->means == XR_TOPIC_EVENT       ? XR_SCHEMA_EVENT
                             : channel->means == XR_TOPIC_LAYER_STATS ? XR_SCHEMA_LAYER_STATS
                                                                      : schemas[channel->message];
    if (channel->message == EXRAY_MESSAGE_TENSOR && channel->scanned >= FEW)
        return true;
    channel->scanned++;
    uint32_t before = b->unknown.field_count;
    xr_unknown_fields(&b->unknown, schema, data, size);
    if (b->unknown.field_count == before || trust_chunk(b))
        return true;
    b->unknown.field_count = before;
    return false;
}

/* Adds one message record; returns whether to go on. */
static xr_walk add_message(xr_builder *b, const uint8_t *content, size_t size, uint64_t position)
{
    if (size < XR_MCAP_MESSAGE_HEADER) {
        xr_index_damage(b);
        return XR_WALK_ON;
    }
    xr_channel *channel = xr_id_get(&b->channels, xr_load16(content));
    uint64_t log_time = xr_load64(content + 6);
    const uint8_t *data = content + XR_MCAP_MESSAGE_HEADER;
    size_t data_size = size - XR_MCAP_MESSAGE_HEADER;
    bool tensor = channel && channel->means == XR_TOPIC_MESSAGE && channel->message == EXRAY_MESSAGE_TENSOR;
    if (!tensor && !trust_chunk(b))
        return XR_WALK_DAMAGED;
    if (!channel) {
        xr_index_damage(b);
        return XR_WALK_ON;
    }
    if (channel->means == XR_TOPIC_FOREIGN) {
        note_topic(b, channel);
        return XR_WALK_ON;
    }
    if (!note_fields(b, channel, data, data_size))
        return XR_WALK_DAMAGED;
    if (channel->means == XR_TOPIC_MODEL)
        return add_model(b, data, data_size) ? XR_WALK_ON : XR_WALK_NO_MEMORY;
    if (channel->means == XR_TOPIC_EVENT)
        return add_event(b, log_time, data, data_size) ? XR_WALK_ON : XR_WALK_NO_MEMORY;
    if (channel->means == XR_TOPIC_LAYER_STATS)
        return xr_index_layer_stats(b, channel->kind, log_time, data, data_size,
                                    position + XR_MCAP_MESSAGE_HEADER)
                   ? XR_WALK_ON
                   : XR_WALK_NO_MEMORY;
    if (channel->message == EXRAY_MESSAGE_FRAME && !add_frame(b, data, data_size))
        return XR_WALK_NO_MEMORY;
    return add_record(b, channel, log_time, data, data_size, position + XR_MCAP_MESSAGE_HEADER)
               ? XR_WALK_ON
               : XR_WALK_NO_MEMORY;
}

/* ---- Chunks ----------------------------------------------------------------- */

/* After a record that could be used or not: it is damaged, or memory ran out. */
static xr_walk record_outcome(xr_builder *b, bool good)
{
    if (good)
        return XR_WALK_ON;
    if (b->log->arena.failed || b->scratch.failed)
        return XR_WALK_NO_MEMORY;
    xr_index_damage(b);
    return XR_WALK_ON;
}

static xr_walk walk_chunk_record(xr_builder *b, const xr_mcap_record *record, uint64_t position)
{
    bool good = true;
    switch (record->opcode) {
    case XR_MCAP_MESSAGE:
        return add_message(b, record->data, record->size, position);
    case XR_MCAP_SCHEMA:
        if (!trust_chunk(b))
            return XR_WALK_DAMAGED;
        good = add_schema(b, record->data, record->size);
        break;
    case XR_MCAP_CHANNEL: {
        /* A channel that a sound summary repeats needs no check of this chunk. */
        const xr_channel *known = record->size >= 2 ? xr_id_get(&b->channels, xr_load16(record->data)) : NULL;
        if (!(known && known->trusted) && !trust_chunk(b))
            return XR_WALK_DAMAGED;
        good = add_channel(b, record->data, record->size, false);
        if (!good && !trust_chunk(b))
            return XR_WALK_DAMAGED;
        break;
    }
    default: /* unknown opcodes are passed over */
        break;
    }
    return record_outcome(b, good);
}

/* Removes what came from a chunk that turned out to be damaged. */
static xr_walk forget_chunk(xr_builder *b, xr_entries_mark entries, size_t frames)
{
    xr_entries_back(&b->log->entries, entries);
    b->frame_count = frames;
    return XR_WALK_ON;
}

static xr_walk walk_chunk_bytes(xr_builder *b, const uint8_t *bytes, size_t size, uint64_t position)
{
    enum { AROUND = 128 << 10 }; /* what the kernel maps around the ends of a record */
    const xr_entries_mark entries = xr_entries_at(&b->log->entries);
    const size_t frames = b->frame_count;
    xr_cursor cursor = xr_cursor_begin(bytes, size);
    b->chunk_bytes = bytes;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);) {
        if (position)
            xr_file_map_used(&b->log->map, record.size < AROUND ? record.size : AROUND);
        xr_walk walk = walk_chunk_record(b, &record, position + (uint64_t)(record.data - bytes));
        if (walk == XR_WALK_DAMAGED)
            return forget_chunk(b, entries, frames);
        if (walk != XR_WALK_ON)
            return walk;
    }
    bool cut = size < b->chunk->size;
    if (cursor.bad && !cut) {
        /* Its CRC may say why; if not, what is whole of it stays. */
        if (!trust_chunk(b))
            return forget_chunk(b, entries, frames);
        xr_index_damage(b);
    }
    return XR_WALK_ON;
}

/* A compressed chunk has to be decompressed to be indexed. */
static xr_walk walk_compressed(xr_builder *b)
{
    xr_chunk *chunk = b->chunk;
    b->decompressed += chunk->size;
    if (xr_chunk_too_much(b->decompressed, b->log->map.size)) {
        xr_chunk_settle(b->log, chunk, false);
        return XR_WALK_ON;
    }
    if (chunk->size > b->buffer_size) {
        free(b->buffer);
        b->buffer_size = 0;
        b->buffer = malloc((size_t)chunk->size);
        if (!b->buffer)
            return XR_WALK_NO_MEMORY;
        b->buffer_size = (size_t)chunk->size;
    }
    const exray_status status = xr_chunk_decompress(b->log, chunk, b->buffer);
    xr_file_map_used(&b->log->map, chunk->stored);
    if (status == EXRAY_E_MEMORY)
        return XR_WALK_NO_MEMORY;
    if (status) {
        xr_chunk_settle(b->log, chunk, false);
        return XR_WALK_ON;
    }
    /* The bytes are in the cache: check them now. */
    if (!xr_chunk_check(b->log, chunk, b->buffer))
        return XR_WALK_ON;
    return walk_chunk_bytes(b, b->buffer, (size_t)chunk->size, 0);
}

/* A chunk record's content, of which `available` bytes are there; `cut`: the file ends before it does;
 * `doubtful`: it may be none. */
static xr_walk walk_chunk(xr_builder *b, const uint8_t *content, uint64_t available, bool cut, bool doubtful)
{
    xr_chunk parsed;
    if (!xr_chunk_parse(content, available, cut, &parsed)) {
        if (!cut)
            xr_index_damage(b);
        return XR_WALK_ON;
    }
    exray_log *log = b->log;
    xr_chunk *chunks = xr_array_grow(log->chunks, log->chunk_count, &b->chunk_capacity, sizeof *chunks);
    if (!chunks)
        return XR_WALK_NO_MEMORY;
    log->chunks = chunks;
    b->chunk_number = (uint32_t)log->chunk_count;
    b->chunk = &log->chunks[log->chunk_count++];
    *b->chunk = parsed;
    b->chunk->records = (uint64_t)(content - log->map.base) + parsed.records;
    const uint8_t *records = log->map.base + b->chunk->records;
    xr_walk walk = XR_WALK_ON;
    if (b->chunk->compression)
        walk = walk_compressed(b);
    else if (!doubtful || xr_chunk_check(log, b->chunk, records))
        walk = walk_chunk_bytes(b, records, (size_t)b->chunk->stored, b->chunk->records);
    b->chunk = NULL;
    b->chunk_number = EXRAY_NO_INDEX;
    return walk;
}

/* ---- Metadata and attachments ------------------------------------------------ */

static bool add_metadata(xr_builder *b, const uint8_t *data, size_t size)
{
    xr_arena *arena = &b->log->arena;
    xr_cursor c = xr_cursor_begin(data, size);
    xr_text name = xr_cursor_text(&c), map = xr_cursor_text(&c);
    xr_list pairs = {0};
    xr_cursor m = xr_cursor_begin(map.data, map.size);
    while (!m.bad && m.at != m.end) {
        xr_text key = xr_cursor_text(&m), value = xr_cursor_text(&m);
        if (m.bad)
            break;
        exray_key_value *pair = xr_list_add(&pairs, arena, sizeof *pair);
        if (!pair)
            return false;
        pair->key = xr_arena_string(arena, key.data, key.size);
        pair->value = xr_arena_string(arena, value.data, value.size);
    }
    if (c.bad || m.bad)
        return false;
    xr_metadata *entry = xr_list_add(&b->log->metadata, arena, sizeof *entry);
    if (!entry)
        return false;
    entry->name = xr_arena_string(arena, name.data, name.size);
    entry->pairs = pairs.items;
    entry->count = pairs.count;
    return !arena->failed;
}

static bool add_attachment(xr_builder *b, const uint8_t *data, size_t size)
{
    xr_arena *arena = &b->log->arena;
    xr_cursor c = xr_cursor_begin(data, size);
    xr_cursor_u64(&c); /* log_time */
    xr_cursor_u64(&c); /* create_time */
    xr_text name = xr_cursor_text(&c), media_type = xr_cursor_text(&c);
    uint64_t length = xr_cursor_u64(&c);
    const uint8_t *bytes = xr_cursor_bytes(&c, length);
    uint32_t crc = xr_cursor_u32(&c);
    if (c.bad)
        return false;
    xr_attachment_entry *entry = xr_list_add(&b->log->attachments, arena, sizeof *entry);
    if (!entry)
        return false;
    entry->info.name = xr_arena_string(arena, name.data, name.size);
    entry->info.media_type = xr_arena_string(arena, media_type.data, media_type.size);
    entry->info.size = length;
    entry->info.position = (uint64_t)(bytes - b->log->map.base);
    entry->content = (uint64_t)(data - b->log->map.base);
    entry->crc = crc;
    return !arena->failed;
}

/* ---- The file --------------------------------------------------------------- */

static xr_walk walk_record(xr_builder *b, const xr_mcap_record *record, bool cut, bool doubtful)
{
    uint64_t position = (uint64_t)(record->data - b->log->map.base);
    bool good = true;
    switch (record->opcode) {
    case XR_MCAP_CHUNK:
        return walk_chunk(b, record->data, record->size, cut, doubtful);
    case XR_MCAP_MESSAGE:
        return add_message(b, record->data, record->size, position);
    case XR_MCAP_SCHEMA:
        good = add_schema(b, record->data, record->size);
        break;
    case XR_MCAP_CHANNEL:
        good = add_channel(b, record->data, record->size, false);
        break;
    case XR_MCAP_METADATA:
        good = add_metadata(b, record->data, record->size);
        break;
    case XR_MCAP_ATTACHMENT:
        good = add_attachment(b, record->data, record->size);
        break;
    default:
        break;
    }
    return record_outcome(b, good);
}

/* A sound summary's schemas and channels are right before any chunk was checked. */
static void trust_summary(xr_builder *b, const xr_scan *scan)
{
    xr_cursor cursor = scan->ends.summary;
    if (!scan->ends.has_summary)
        return;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);) {
        if (record.opcode == XR_MCAP_SCHEMA)
            add_schema(b, record.data, record.size);
        else if (record.opcode == XR_MCAP_CHANNEL)
            add_channel(b, record.data, record.size, true);
    }
}

static xr_walk walk_file(xr_builder *b, const xr_log_ends *ends)
{
    exray_log *log = b->log;
    xr_scan scan;
    xr_scan_begin(&scan, &log->map, ends);
    trust_summary(b, &scan);
    bool cut;
    for (xr_mcap_record record; xr_scan_next(&scan, &record, &cut);) {
        size_t chunks = log->chunk_count;
        xr_walk walk = walk_record(b, &record, cut, xr_scan_is_doubtful(&scan));
        if (walk != XR_WALK_ON)
            return walk;
        if (xr_scan_is_doubtful(&scan) && log->chunk_count > chunks &&
            log->chunks[chunks].state == XR_CHUNK_DAMAGED)
            xr_scan_reject(&scan, &record);
    }
    log->checked = scan.checked;
    log->lost = scan.lost;
    log->has_summary = scan.ends.has_summary;
    atomic_fetch_add(&log->damaged, scan.damage);
    if (scan.problem) {
        char text[96];
        snprintf(text, sizeof text, "%s at byte %llu", scan.problem, (unsigned long long)scan.problem_at);
        log->truncated = xr_arena_string(&log->arena, text, strlen(text));
    }
    return log->arena.failed || b->scratch.failed ? XR_WALK_NO_MEMORY : XR_WALK_ON;
}

static bool build(xr_builder *b, const xr_log_ends *ends, exray_error *error)
{
    if (walk_file(b, ends) == XR_WALK_ON && xr_index_frames(b))
        return true;
    xr_error_set(error, EXRAY_E_MEMORY,
                 "the index of %s does not fit into memory, or is larger than such a file can need",
                 b->log->path);
    return false;
}

bool xr_log_index(exray_log *log, exray_error *error)
{
    xr_log_ends ends;
    if (!xr_scan_ends(&log->map, log->path, &ends, error))
        return false;
    if (ends.bad_header) {
        xr_error_set(error, EXRAY_E_FORMAT,
                     "%s is damaged: its header has a wrong length, so that what follows cannot be "
                     "told; `exray recover` mends it",
                     log->path);
        return false;
    }
    log->library = xr_arena_string(&log->arena, ends.library.data, ends.library.size);
    uint64_t limit = XR_INDEX_BASE + log->map.size * XR_INDEX_FACTOR;
    /* Half of it for records and frames, half for all else. */
    log->arena.limit = (size_t)(limit / 2);
    xr_builder *b = calloc(1, sizeof *b);
    if (!b) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while opening %s", log->path);
        return false;
    }
    b->log = log;
    b->scratch.limit = b->message.limit = (size_t)limit;
    log->entries.most = (size_t)(limit / 4 / sizeof(exray_record));
    b->max_frames = (size_t)(limit / 4 / sizeof(xr_frame_entry));
    b->chunk_number = EXRAY_NO_INDEX;
    bool good = build(b, &ends, error);
    log->unknown = xr_unknown_text(&b->unknown, &log->arena);
    xr_arena_free(&b->scratch);
    xr_arena_free(&b->message);
    free(b->buffer);
    free(b->frames);
    free(b);
    return good;
}
