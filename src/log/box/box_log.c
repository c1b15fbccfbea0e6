#include "log/box/box_log.h"

#include "base/sort.h"
#include "core/encode/messages.h"
#include "log/box/box_entries.h"

#include <errno.h>
#include <exray/codecs.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CHANNELS = 16384 }; /* a recorder has 4096, unless it was told otherwise */

/* A channel of the new log. */
typedef struct box_channel {
    xr_text topic; /* in the file */
    uint16_t schema, id;
} box_channel;

typedef struct box_writer {
    xr_box box;
    xr_mcap_writer *w;
    xr_box_saved *saved;
    box_channel *channels; /* [MOST_CHANNELS]; the place in it: the entry's own number, where it is free */
    uint32_t channel_count;
    xr_buffer bytes; /* of a record */
    /* What the log has already: a hash of each message. */
    uint64_t *known;
    size_t known_count, known_capacity;
    bool no_memory;
} box_writer;

/* ---- Schemas and channels ---- */

typedef struct box_sink {
    xr_sink sink;
    xr_buffer *buffer;
} box_sink;

static void buffer_write(xr_sink *sink, const void *data, size_t size)
{
    xr_buffer_add(((box_sink *)sink)->buffer, data, size);
}

/* The id of the schema in the log; 0: there is no room for one more. */
static uint16_t find_schema(box_writer *b, xr_schema_id schema)
{
    const char *name = xr_schema_name(schema);
    uint16_t unused = 0;
    for (uint16_t id = UINT16_MAX; id; id--) {
        const xr_known *known = xr_id_get(&b->w->schemas, id);
        if (!known) {
            unused = id;
            continue;
        }
        xr_cursor c = xr_cursor_begin(known->content.data, known->content.size);
        xr_cursor_u16(&c);
        if (xr_text_is(xr_cursor_text(&c), name))
            return id;
    }
    if (unused) {
        b->bytes.size = 0;
        box_sink sink = {{buffer_write, 0}, &b->bytes};
        xr_encode_schema(&sink.sink, &schema);
        b->no_memory = b->no_memory || b->bytes.failed;
        xr_mcap_writer_add_schema(b->w, unused, name, "protobuf", b->bytes.data, b->bytes.size);
    }
    return unused;
}

static uint16_t make_channel(box_writer *b, xr_text topic, uint16_t schema)
{
    uint16_t unused = 0;
    for (uint16_t id = UINT16_MAX; id; id--) {
        const xr_known *known = xr_id_get(&b->w->channels, id);
        if (!known) {
            unused = id;
            continue;
        }
        xr_cursor c = xr_cursor_begin(known->content.data, known->content.size);
        xr_cursor_u16(&c);
        const bool same_schema = xr_cursor_u16(&c) == schema;
        const xr_text other = xr_cursor_text(&c);
        if (same_schema && other.size == topic.size && memcmp(other.data, topic.data, topic.size) == 0)
            return id;
    }
    if (!unused)
        return 0;
    xr_buffer *record = &b->bytes;
    record->size = 0;
    xr_buffer_add_number(record, unused, 2);
    xr_buffer_add_number(record, schema, 2);
    xr_buffer_add_number(record, topic.size, 4);
    xr_buffer_add(record, topic.data, topic.size);
    xr_buffer_add_number(record, strlen("protobuf"), 4);
    xr_buffer_add(record, "protobuf", strlen("protobuf"));
    xr_buffer_add_number(record, 0, 4); /* no metadata */
    b->no_memory = b->no_memory || record->failed;
    if (record->failed || !xr_mcap_writer_know_channel(b->w, record->data, record->size))
        return 0;
    xr_mcap_writer_record(b->w, XR_MCAP_CHANNEL, record->data, record->size);
    return unused;
}

/* The channel of the entry, or 0. */
static uint16_t find_channel(box_writer *b, const xr_box_record *record)
{
    const xr_text topic = {(const char *)record->content, record->entry.topic_size};
    box_channel *c = &b->channels[record->entry.channel % MOST_CHANNELS];
    if (c->id && c->schema == record->entry.schema && c->topic.size == topic.size &&
        memcmp(c->topic.data, topic.data, topic.size) == 0)
        return c->id;
    if (b->channel_count == MOST_CHANNELS)
        return 0;
    b->channel_count++;
    const uint16_t schema = find_schema(b, (xr_schema_id)record->entry.schema);
    *c = (box_channel){topic, record->entry.schema, schema ? make_channel(b, topic, schema) : 0};
    return c->id;
}

/* ---- Messages ---- */

static uint64_t hash_of(const void *topic, size_t topic_size, const void *message, size_t size)
{
    const exray_codec *codec = exray_codec_default();
    uint32_t key = codec->crc32(0, topic, topic_size);
    key = codec->crc32(key, &size, sizeof size);
    return (uint64_t)codec->crc32(0, message, size) << 32 | key;
}

static bool is_known(const box_writer *b, uint64_t hash)
{
    return b->known_count && bsearch(&hash, b->known, b->known_count, sizeof hash, xr_by_u64);
}

static void write_message(box_writer *b, const xr_box_record *record)
{
    const xr_box_entry *entry = &record->entry;
    const uint8_t *message = record->content + entry->topic_size;
    if (!entry->topic_size || entry->schema == XR_SCHEMA_NONE || entry->schema >= XR_SCHEMA_COUNT)
        return;
    if (b->known_count && is_known(b, hash_of(record->content, entry->topic_size, message, entry->size)))
        return;
    const uint16_t channel = find_channel(b, record);
    const xr_buffer none = {0};
    if (!channel)
        return;
    xr_mcap_writer_add_message(b->w, channel, entry->log_time, &none, message, entry->size);
    b->saved->messages++;
    xr_file_map_used(&b->box.map, entry->size);
}

/* What happened, for whoever reads the log: the frames before are not missing by accident. */
static void write_event(box_writer *b)
{
    static const xr_schema_id schema = XR_SCHEMA_EVENT;
    const xr_event_message event = {.kind = EXRAY_EVENT_GAP,
                                    .text =
                                        "recovered from the file of a flight recorder, which has the last "
                                        "frames alone"};
    xr_buffer bytes = {0};
    box_sink sink = {{buffer_write, 0}, &bytes};
    xr_encode_event(&sink.sink, &event);
    const uint16_t id = find_schema(b, schema);
    const uint16_t channel = id ? make_channel(b, (xr_text){"/event", strlen("/event")}, id) : 0;
    const xr_buffer none = {0};
    if (channel && !bytes.failed)
        xr_mcap_writer_add_message(b->w, channel, b->box.first_time, &none, bytes.data, bytes.size);
    b->no_memory = b->no_memory || bytes.failed;
    xr_buffer_free(&bytes);
}

static void write_messages(box_writer *b)
{
    bool model = false;
    for (size_t i = 0; i < b->box.count && !b->no_memory && xr_mcap_writer_good(b->w); i++) {
        const xr_box_record *record = &b->box.records[i];
        const uint16_t kind = record->entry.kind;
        model = model || (kind == XR_BOX_MESSAGE && record->entry.schema == XR_SCHEMA_MODEL);
        if (kind == XR_BOX_MESSAGE || kind == XR_BOX_WAITS || kind == XR_BOX_COPY)
            write_message(b, record);
    }
    b->saved->no_model = !model;
}

/* ---- A log of its own ---- */

/* The metadata that the log began with. */
static void write_beginning(box_writer *b)
{
    xr_mcap_writer_add_header(b->w, "exray");
    xr_mcap_writer_check_all(b->w);
    for (size_t i = 0; i < b->box.head_count; i++) {
        const xr_box_record *record = &b->box.records[i];
        if (record->entry.kind != XR_BOX_LOG || record->entry.size < XR_MCAP_MAGIC_SIZE)
            continue;
        xr_cursor cursor = xr_cursor_begin(record->content + record->entry.topic_size + XR_MCAP_MAGIC_SIZE,
                                           record->entry.size - XR_MCAP_MAGIC_SIZE);
        for (xr_mcap_record r; xr_mcap_next(&cursor, &r);)
            if (r.opcode == XR_MCAP_METADATA)
                xr_mcap_writer_metadata(b->w, r.data, r.size);
    }
}

/* Once b->box is open; b->w is set by the caller. */
static bool begin(box_writer *b, const char *path, xr_box_saved *saved, exray_error *error)
{
    b->saved = saved;
    *saved = (xr_box_saved){0};
    b->channels = calloc(MOST_CHANNELS, sizeof *b->channels);
    if (!b->channels) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while recovering %s", path);
        xr_box_close(&b->box);
        return false;
    }
    saved->frames = b->box.frames;
    saved->open = b->box.has_open;
    saved->incomplete = b->box.incomplete;
    saved->closed = b->box.header.closed;
    return true;
}

static void end(box_writer *b)
{
    free(b->channels);
    free(b->known);
    xr_buffer_free(&b->bytes);
    xr_box_close(&b->box);
}

static bool recover(box_writer *b, const char *path, FILE *to, xr_box_saved *saved, exray_error *error)
{
    if (!begin(b, path, saved, error))
        return false;
    xr_mcap_writer *w = calloc(1, sizeof *w);
    bool good = w != NULL;
    if (w) {
        b->w = w;
        xr_mcap_writer_begin(w, to);
        write_beginning(b);
        write_event(b);
        write_messages(b);
        good = xr_mcap_writer_end(w) && !b->no_memory;
    }
    if (!good && w && w->failed)
        xr_error_set(error, EXRAY_E_IO, "cannot write what was recovered from %s: %s", path,
                     strerror(w->failed));
    else if (!good)
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while recovering %s", path);
    if (w)
        xr_mcap_writer_free(w);
    free(w);
    end(b);
    return good;
}

bool xr_box_recover(const char *path, FILE *to, xr_box_saved *saved, exray_error *error)
{
    box_writer b = {0};
    return xr_box_open(&b.box, path, error) && recover(&b, path, to, saved, error);
}

bool xr_box_recover_bytes(const void *data, size_t size, FILE *to, xr_box_saved *saved, exray_error *error)
{
    box_writer b = {0};
    return xr_box_open_bytes(&b.box, data, size, error) && recover(&b, "the file", to, saved, error);
}

/* ---- Into the log that was recorded with it ---- */

static bool any_topic(void *context, const char *topic)
{
    (void)context;
    (void)topic;
    return true;
}

static void none_dropped(void *context, uint64_t messages)
{
    (void)context;
    (void)messages;
}

static xr_fate note_message(void *context, const char *topic, const uint8_t *content, size_t size,
                            xr_buffer *out)
{
    box_writer *b = context;
    (void)out;
    uint64_t *known = xr_array_grow(b->known, b->known_count, &b->known_capacity, sizeof *known);
    b->no_memory = b->no_memory || !known;
    if (known) {
        b->known = known;
        known[b->known_count++] = hash_of(topic, strlen(topic), content, size);
    }
    return XR_FATE_KEEP;
}

static bool any_attachment(void *context, const char *name)
{
    (void)context;
    (void)name;
    return true;
}

static xr_fate keep_metadata(void *context, const uint8_t *content, size_t size, xr_buffer *out)
{
    (void)context;
    (void)content;
    (void)size;
    (void)out;
    return XR_FATE_KEEP;
}

static void add_box(void *context, xr_mcap_writer *w)
{
    box_writer *b = context;
    if (b->known_count)
        qsort(b->known, b->known_count, sizeof *b->known, xr_by_u64);
    b->w = w;
    write_messages(b);
    w->no_memory = w->no_memory || b->no_memory;
}

bool xr_box_recover_with(const char *from, const char *path, FILE *to, xr_recovery *result,
                         xr_box_saved *saved, exray_error *error)
{
    box_writer b = {0};
    if (!xr_box_open(&b.box, path, error) || !begin(&b, path, saved, error))
        return false;
    const xr_rewrite rewrite = {&b,     any_topic, none_dropped, note_message, any_attachment, keep_metadata,
                                add_box};
    const bool good = xr_recover_rewritten(from, to, &rewrite, result, error);
    end(&b);
    return good;
}
