/* The ring in a file that outlives the process. */
#include "core/flight/black_box.h"
#include "core/encode/text.h"
#include "core/recorder_error.h"

enum { LAST_COPY = 8 }; /* FILE.1 ... FILE.8 are those that crashes left */

/* ---- Checksums ---- */

static uint32_t crc_of(const xr_flight *flight, uint32_t crc, const void *data, size_t size)
{
    if (flight->crc_tables)
        return xr_crc32(flight->crc_tables, crc, data, size);
    return flight->codec->crc32(crc, data, size);
}

void xr_flight_box_seal(xr_flight *flight, xr_box_entry *entry)
{
    entry->content_crc = crc_of(flight, 0, entry + 1, (size_t)entry->topic_size + entry->size);
    entry->crc = crc_of(flight, flight->run_crc, &entry->sequence,
                        offsetof(xr_box_entry, state) - offsetof(xr_box_entry, sequence));
}

/* ---- The head ---- */

/* Room for an entry; NULL: there is none left. */
static xr_box_entry *head_room(xr_flight *flight, const xr_box_entry *fields)
{
    const uint64_t size = sizeof *fields + (uint64_t)fields->topic_size + fields->size;
    const uint64_t total = (size + XR_BOX_ALIGNMENT - 1) / XR_BOX_ALIGNMENT * XR_BOX_ALIGNMENT;
    if (total > flight->box->head_size - flight->head_used)
        return NULL;
    xr_box_entry *entry =
        (xr_box_entry *)(void *)((uint8_t *)flight->box + XR_BOX_HEADER + flight->head_used);
    flight->head_used += (size_t)total;
    *entry = *fields;
    entry->magic = XR_BOX_ENTRY;
    entry->total = (uint32_t)total;
    return entry;
}

void xr_flight_box_message(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode,
                           const void *object)
{
    const xr_draft *draft = &r->draft;
    const char *topic = r->channels.table[channel].topic;
    if (draft->sink.size > UINT32_MAX / 2)
        return;
    const xr_box_entry fields = {.log_time = log_time,
                                 .size = (uint32_t)draft->sink.size,
                                 .kind = XR_BOX_MESSAGE,
                                 .schema = r->channels.table[channel].schema,
                                 .topic_size = (uint16_t)strlen(topic),
                                 .channel = (uint16_t)channel};
    xr_box_entry *entry = head_room(r->flight, &fields);
    if (!entry)
        return;
    xr_memory_sink memory = xr_memory_sink_at(xr_flight_content(entry));
    xr_put(&memory.sink, topic, fields.topic_size);
    xr_draft_put(draft, &memory.sink, encode, object);
    xr_flight_box_seal(r->flight, entry);
}

/* Header and metadata: the log's first bytes are still in the writer's buffer. */
static void keep_beginning(xr_recorder *r)
{
    const xr_mcap *mcap = &r->mcap;
    if (mcap->position != mcap->out_used || mcap->out_used > UINT32_MAX / 2)
        return;
    const xr_box_entry fields = {.size = (uint32_t)mcap->out_used, .kind = XR_BOX_LOG};
    xr_box_entry *entry = head_room(r->flight, &fields);
    if (!entry)
        return;
    memcpy(xr_flight_content(entry), mcap->out, mcap->out_used);
    xr_flight_box_seal(r->flight, entry);
}

/* ---- The file ---- */

static exray_status cannot(xr_recorder *r, const char *what, int error)
{
    char buffer[128], text[256];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, r->flight->config.file);
    xr_text_add(&t, what);
    const exray_status status = error && xr_port_is_no_space(error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
    return xr_fail_with(r, status, "the flight recorder's file ", text,
                        error ? xr_port_error_text(error, buffer, sizeof buffer) : NULL);
}

/* A file of that name: one of ours goes, if it was closed; what a crash left gets another name. */
static exray_status make_way(xr_recorder *r)
{
    const char *path = r->flight->config.file;
    xr_box_header header;
    char other[1024 + 8];
    const size_t size = xr_port_read_first(path, &header, sizeof header);
    if (!size)
        return EXRAY_OK;
    static const char zeros[sizeof header.magic];
    const bool begun = size == sizeof header && memcmp(header.magic, zeros, sizeof zeros) != 0;
    if (size != sizeof header || (begun && memcmp(header.magic, XR_BOX_MAGIC, sizeof header.magic) != 0))
        return cannot(r, " is another file, and stays; give config.flight.file another name", 0);
    if (!begun || header.closed) {
        const int error = xr_port_remove(path);
        return error ? cannot(r, " is an old one that cannot be removed: ", error) : EXRAY_OK;
    }
    for (uint32_t i = 1; i <= LAST_COPY; i++) {
        xr_text_builder t = xr_text_in(other, sizeof other);
        xr_text_add(&t, path);
        xr_text_add(&t, ".");
        xr_text_add_number(&t, i);
        if (i == LAST_COPY || !xr_port_read_first(other, &header, 1))
            break;
    }
    const int error = xr_port_rename(path, other);
    return error ? cannot(r, " is of a run that crashed, and cannot be renamed: ", error) : EXRAY_OK;
}

static void write_header(xr_recorder *r, xr_box_header *box, size_t size)
{
    xr_flight *flight = r->flight;
    size_t head = size / XR_BOX_HEAD_SHARE / XR_BOX_ALIGNMENT * XR_BOX_ALIGNMENT;
    if (head < XR_BOX_HEAD_LEAST)
        head = XR_BOX_HEAD_LEAST;
    const uint64_t mixed = xr_port_now() * 0x9E3779B97F4A7C15u ^ xr_port_wall_clock();
    *box = (xr_box_header){.order = XR_BOX_ORDER,
                           .version = XR_BOX_VERSION,
                           .run = (uint32_t)(mixed ^ mixed >> 32),
                           .head_size = head,
                           .ring_size = (size - XR_BOX_HEADER - head) / XR_BOX_ALIGNMENT * XR_BOX_ALIGNMENT};
    box->crc = crc_of(flight, 0, &box->run, offsetof(xr_box_header, closed) - offsetof(xr_box_header, run));
    memcpy(box->magic, XR_BOX_MAGIC, sizeof box->magic);
    flight->run_crc = crc_of(flight, 0, &box->run, sizeof box->run);
    xr_flight_ring_begin(&flight->ring, (uint8_t *)box + XR_BOX_HEADER + head, (size_t)box->ring_size);
}

exray_status xr_flight_box_open(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    const size_t size = flight->config.memory_size;
    if (strlen(flight->config.file) > 1000)
        return cannot(r, " has a name over 1000 bytes", 0);
    const exray_status status = make_way(r);
    if (status)
        return status;
    int error;
    void *map = xr_port_map_new(flight->config.file, size, &error);
    if (!map)
        return cannot(r, " cannot be made: ", error);
    flight->box = map;
    flight->box_size = size;
    write_header(r, flight->box, size);
    keep_beginning(r);
    return EXRAY_OK;
}

void xr_flight_box_close(xr_flight *flight, bool closed)
{
    if (!flight->box)
        return;
    flight->box->closed = closed;
    xr_port_unmap(flight->box, flight->box_size);
    flight->box = NULL;
}
