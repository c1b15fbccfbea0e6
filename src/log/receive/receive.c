#include "log/receive/receive.h"

#include "base/error.h"
#include "core/encode/messages.h"
#include "log/mcap_writer.h"
#include "log/receive/link_records.h"
#include "log/sound_records.h"

#include <exray/codecs.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum {
    OWN_ID =
        UINT16_MAX, /* of our schema and channel for what happened on the way; no recorder gets that far */
    MOST_HELD = 16 << 20, /* bytes of messages that wait for their channel */
};

struct xr_receiver {
    xr_receiver_files files;
    xr_link_packets packets;
    bool failed;        /* a file could not be opened, closed or written */
    exray_error *error; /* of the call that is running */
    xr_received count;

    /* The open log. */
    FILE *file; /* NULL: none is open */
    uint16_t stream;
    xr_link_records records;
    xr_mcap_writer writer;
    xr_buffer held; /* records that wait for a schema or a channel */
    uint64_t held_messages;
    xr_buffer made; /* a record */
    uint64_t last_time;
    uint64_t packets_before, bad_before; /* of the logs before */
};

/* ---- Records into the log ---------------------------------------------------------- */

/* What happened on the way, as a message of the log: /event, kind gap. */
static void write_gap(xr_receiver *r, uint64_t lost)
{
    xr_mcap_writer *w = &r->writer;
    char text[64];
    snprintf(text, sizeof text, "the link lost %" PRIu64 " record%s", lost, lost == 1 ? "" : "s");
    const xr_event_message event = {.kind = EXRAY_EVENT_GAP, .text = text, .records_lost = lost};
    const xr_schema_id schema = XR_SCHEMA_EVENT;
    uint8_t descriptor[2048], content[256];
    const size_t described = xr_encoded_size(xr_encode_schema, &schema);
    const size_t size = xr_encoded_size(xr_encode_event, &event);
    if (described > sizeof descriptor || size > sizeof content)
        return;
    xr_memory_sink sink = xr_memory_sink_at(descriptor);
    xr_encode_schema(&sink.sink, &schema);
    if (!xr_id_get(&w->schemas, OWN_ID))
        xr_mcap_writer_add_schema(w, OWN_ID, xr_schema_name(schema), "protobuf", descriptor, described);
    sink = xr_memory_sink_at(content);
    xr_encode_event(&sink.sink, &event);
    if (xr_mcap_writer_add_channel_as(w, OWN_ID, "/event", OWN_ID, "protobuf"))
        xr_mcap_writer_add_message(w, OWN_ID, r->last_time, &(xr_buffer){0}, content, size);
}

/* What becomes of a record. */
typedef enum placed { PLACED, WAITS, IS_NONE } placed;

static placed place_schema(xr_receiver *r, const xr_mcap_record *record)
{
    uint16_t id;
    if (!xr_schema_is_sound(record, &id))
        return IS_NONE;
    if (!xr_id_get(&r->writer.schemas, id) &&
        xr_mcap_writer_know_schema(&r->writer, record->data, record->size))
        xr_mcap_writer_record(&r->writer, record->opcode, record->data, record->size);
    return PLACED;
}

static placed place_channel(xr_receiver *r, const xr_mcap_record *record)
{
    uint16_t id, schema;
    xr_text topic;
    if (!xr_channel_is_sound(record, &id, &schema, &topic))
        return IS_NONE;
    if (schema && !xr_id_get(&r->writer.schemas, schema))
        return WAITS;
    if (!xr_id_get(&r->writer.channels, id) &&
        xr_mcap_writer_know_channel(&r->writer, record->data, record->size))
        xr_mcap_writer_record(&r->writer, record->opcode, record->data, record->size);
    return PLACED;
}

static placed place_message(xr_receiver *r, const xr_mcap_record *record)
{
    if (record->size < XR_MCAP_MESSAGE_HEADER)
        return IS_NONE;
    if (!xr_id_get(&r->writer.channels, xr_load16(record->data)))
        return WAITS;
    r->last_time = xr_load64(record->data + 6);
    xr_mcap_writer_message(&r->writer, record->data - XR_MCAP_RECORD_HEADER,
                           record->size + XR_MCAP_RECORD_HEADER);
    r->count.messages++;
    return PLACED;
}

/* A stream gives attachments no checksum: the link had one, and the file gets one. */
static placed place_attachment(xr_receiver *r, const xr_mcap_record *record)
{
    xr_text name;
    if (!xr_attachment_is_sound(record, &name))
        return IS_NONE;
    xr_buffer *made = &r->made;
    made->size = 0;
    xr_buffer_add(made, record->data, record->size);
    if (made->failed)
        return PLACED; /* the writer's state says so */
    xr_store_u32(made->data + made->size - 4, exray_codec_default()->crc32(0, made->data, made->size - 4));
    xr_mcap_writer_attachment(&r->writer, made->data, made->size);
    return PLACED;
}

static placed place(xr_receiver *r, const xr_mcap_record *record)
{
    switch (record->opcode) {
    case XR_MCAP_SCHEMA:
        return place_schema(r, record);
    case XR_MCAP_CHANNEL:
        return place_channel(r, record);
    case XR_MCAP_MESSAGE:
        return place_message(r, record);
    case XR_MCAP_ATTACHMENT:
        return place_attachment(r, record);
    case XR_MCAP_METADATA:
        if (!xr_metadata_is_sound(record))
            return IS_NONE;
        xr_mcap_writer_metadata(&r->writer, record->data, record->size);
        return PLACED;
    default:
        return PLACED; /* header, checksums and end are made anew */
    }
}

/* ---- Records that wait -------------------------------------------------------------- */

static void hold(xr_receiver *r, const xr_mcap_record *record)
{
    const size_t size = record->size + XR_MCAP_RECORD_HEADER;
    if (size > MOST_HELD - r->held.size) {
        r->count.unplaced += record->opcode == XR_MCAP_MESSAGE;
        return;
    }
    xr_buffer_add(&r->held, record->data - XR_MCAP_RECORD_HEADER, size);
    r->held_messages += record->opcode == XR_MCAP_MESSAGE;
}

/* Places what has waited for a schema or a channel that is there now. */
static void place_held(xr_receiver *r)
{
    xr_cursor cursor = xr_cursor_begin(r->held.data, r->held.size);
    size_t kept = 0;
    for (xr_mcap_record record; xr_mcap_next(&cursor, &record);) {
        const bool message = record.opcode == XR_MCAP_MESSAGE;
        const size_t size = record.size + XR_MCAP_RECORD_HEADER;
        if (place(r, &record) == WAITS) {
            memmove(r->held.data + kept, record.data - XR_MCAP_RECORD_HEADER, size);
            kept += size;
        } else {
            r->held_messages -= message;
        }
    }
    r->held.size = kept;
}

static void take_record(void *context, const xr_mcap_record *record)
{
    xr_receiver *r = context;
    const placed how = place(r, record);
    if (how == WAITS)
        hold(r, record);
    else if (r->held.size && (record->opcode == XR_MCAP_SCHEMA || record->opcode == XR_MCAP_CHANNEL))
        place_held(r);
}

static void take_lost(void *context, uint64_t records)
{
    write_gap(context, records);
}

/* ---- Logs ---------------------------------------------------------------------------- */

static bool open_log(xr_receiver *r, uint16_t stream)
{
    r->file = r->files.open(r->files.context, r->count.logs);
    r->failed = !r->file;
    if (!r->file)
        return false;
    r->count.logs++;
    r->stream = stream;
    xr_mcap_writer_begin(&r->writer, r->file);
    xr_mcap_writer_add_header(&r->writer, "exray");
    xr_mcap_writer_check_all(&r->writer);
    return true;
}

/* How the log came here. */
static void write_metadata(xr_receiver *r)
{
    static const char *const keys[] = {"packets", "bad_packets", "lost_records", "records_before"};
    enum { KEYS = sizeof keys / sizeof *keys, DIGITS = 24 };
    const uint64_t numbers[KEYS] = {r->packets.good - r->packets_before, r->packets.bad - r->bad_before,
                                    r->records.lost, r->records.first};
    char text[KEYS][DIGITS];
    exray_key_value pairs[KEYS];
    for (size_t i = 0; i < KEYS; i++) {
        snprintf(text[i], DIGITS, "%" PRIu64, numbers[i]);
        pairs[i] = (exray_key_value){keys[i], text[i]};
    }
    xr_mcap_writer_add_metadata(&r->writer, "exray.link", pairs, KEYS);
}

/* Whether the log can be written; fills `error` where not. */
static bool is_good(xr_receiver *r, exray_error *error)
{
    if (r->failed) /* printed */
        return false;
    if (r->writer.failed) {
        xr_error_set(error, EXRAY_E_IO, "cannot write what was received: %s", strerror(r->writer.failed));
        return false;
    }
    const bool memory = xr_mcap_writer_good(&r->writer) && !r->records.no_memory && !r->held.failed &&
                        !r->packets.bytes.failed && !r->made.failed;
    if (!memory)
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory while receiving");
    return memory;
}

static bool close_log(xr_receiver *r, exray_error *error)
{
    const xr_link_record_user user = {r, take_record, take_lost};
    xr_link_records_end(&r->records, &user);
    write_metadata(r);
    xr_mcap_writer_end(&r->writer);
    bool good = is_good(r, error);
    r->count.unplaced += r->held_messages;
    r->count.lost_records += r->records.lost;
    r->failed = !r->files.close(r->files.context, r->file, good);
    good = good && !r->failed;
    r->file = NULL;
    xr_mcap_writer_free(&r->writer);
    xr_link_records_free(&r->records);
    r->records = (xr_link_records){0};
    r->held.size = 0;
    r->held_messages = 0;
    r->packets_before = r->packets.good;
    r->bad_before = r->packets.bad;
    return good;
}

static void take_packet(void *user, const xr_link_packet *packet)
{
    xr_receiver *r = user;
    const xr_link_record_user records = {r, take_record, take_lost};
    if (r->failed)
        return;
    if (r->file && packet->stream != r->stream && !close_log(r, r->error)) {
        r->failed = true;
        return;
    }
    if (!r->file && !open_log(r, packet->stream))
        return;
    xr_link_records_take(&r->records, packet, &records);
}

/* ---- The interface -------------------------------------------------------------------- */

xr_receiver *xr_receiver_new(const xr_receiver_files *files)
{
    xr_receiver *r = calloc(1, sizeof *r);
    if (r)
        r->files = *files;
    return r;
}

void xr_receiver_free(xr_receiver *r)
{
    if (!r)
        return;
    if (r->file) {
        r->files.close(r->files.context, r->file, false);
        xr_mcap_writer_free(&r->writer);
    }
    xr_link_records_free(&r->records);
    xr_buffer_free(&r->held);
    xr_buffer_free(&r->made);
    xr_buffer_free(&r->packets.bytes);
    free(r);
}

bool xr_receiver_take(xr_receiver *r, const void *data, size_t size, exray_error *error)
{
    r->error = error;
    xr_link_packets_take(&r->packets, data, size, take_packet, r);
    r->error = NULL;
    return r->file ? is_good(r, error) : !r->failed;
}

bool xr_receiver_flush(xr_receiver *r, exray_error *error)
{
    if (!r->file)
        return true;
    xr_mcap_writer_flush(&r->writer);
    return is_good(r, error);
}

bool xr_receiver_end(xr_receiver *r, exray_error *error)
{
    return r->file ? close_log(r, error) : !r->failed;
}

xr_received xr_receiver_count(const xr_receiver *r)
{
    xr_received count = r->count;
    count.packets = r->packets.good;
    count.bad_packets = r->packets.bad;
    count.lost_records += r->records.lost;
    return count;
}
