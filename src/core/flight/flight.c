/* The flight recorder: what is above the log's level waits in a ring, and is written where a trigger asks for
 * it. */
#include "core/flight/black_box.h"
#include "core/flight/conditions.h"
#include "core/flight/trigger.h"

#include "core/emit.h"
#include "core/encode/text.h"
#include "core/events/events.h"
#include "core/events/level.h"
#include "core/sized.h"

enum {
    SMALLEST = 4 << 10,
    SMALLEST_FILE = 64 << 10,
    PAUSE = 64, /* frames that are not tried after one that did not fit */
};

/* ---- Into the ring ---- */

/* A record of a frame that is wanted, and that finds no room, is lost. */
static void count_loss(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    if (flight->frame_wanted) {
        flight->lost_records++;
        r->dropped++;
    }
}

static void tell_too_large(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    char text[200];
    if (!flight->too_large || flight->told_too_large)
        return;
    flight->told_too_large = true;
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, "a frame is larger than the flight recorder's memory, ");
    xr_text_add_number(&t, flight->ring.capacity);
    xr_text_add(&t, " bytes: it keeps the level ");
    xr_text_add(&t, exray_capture_name(r->frame.logged));
    xr_text_add(&t, "; give more memory, or a lower config.flight.capture");
    xr_event_of(r, EXRAY_EVENT_ERROR, text, flight->frame, 0);
}

/* The open frame finds no room: it keeps the log's level. */
static void give_up_frame(xr_recorder *r, bool pinned)
{
    xr_flight *flight = r->flight;
    uint32_t records = 0;
    xr_flight_walk walk = xr_flight_walk_begin(&flight->ring);
    for (const xr_box_entry *entry; (entry = xr_flight_walk_next(&walk));)
        records += entry->kind == XR_BOX_WAITS && entry->frame == flight->frame;
    xr_flight_ring_forget_open(&flight->ring);
    flight->keeping = false;
    if (flight->frame_wanted) {
        flight->wanted--;
        flight->lost_records += records;
        r->dropped += records;
    }
    if (pinned)
        return;
    flight->pause = PAUSE;
    flight->too_large = true; /* told at the frame's end: another record is on its way now */
}

static xr_box_entry *add(xr_recorder *r, const xr_box_entry *fields, size_t size)
{
    bool pinned;
    xr_box_entry *entry = xr_flight_ring_add(&r->flight->ring, fields, size, &pinned);
    if (!entry)
        give_up_frame(r, pinned);
    return entry;
}

/* The draft's message, behind the entry's header. */
static void keep(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode, const void *object,
                 bool waits)
{
    xr_flight *flight = r->flight;
    const xr_draft *draft = &r->draft;
    const xr_channel_info *info = &r->channels.table[channel];
    const size_t topic = flight->box ? strlen(info->topic) : 0;
    if (draft->sink.size > UINT32_MAX / 2) {
        count_loss(r);
        return;
    }
    const xr_box_entry fields = {.frame = flight->frame,
                                 .log_time = log_time,
                                 .size = (uint32_t)draft->sink.size,
                                 .kind = waits ? XR_BOX_WAITS : XR_BOX_COPY,
                                 .schema = info->schema,
                                 .topic_size = (uint16_t)topic,
                                 .channel = (uint16_t)channel};
    xr_box_entry *entry = add(r, &fields, topic + draft->sink.size);
    if (!entry) {
        if (waits)
            count_loss(r);
        return;
    }
    xr_memory_sink memory = xr_memory_sink_at(xr_flight_content(entry));
    xr_put(&memory.sink, info->topic, topic);
    xr_draft_put(draft, &memory.sink, encode, object);
    if (flight->box)
        xr_flight_box_seal(flight, entry);
}

/* Whether the log's level leaves the record out. */
static bool is_above_log(const xr_recorder *r, xr_schema_id schema, bool rich)
{
    if (rich)
        return true;
    if (schema == XR_SCHEMA_TENSOR || schema == XR_SCHEMA_MODEL || schema == XR_SCHEMA_EVENT)
        return false;
    return r->frame.logged < (schema == XR_SCHEMA_LAYER_STATS ? EXRAY_CAPTURE_STATS : EXRAY_CAPTURE_FRAME);
}

static bool take(xr_recorder *r, uint32_t channel, uint64_t log_time, xr_encode_fn encode, const void *object,
                 bool rich)
{
    xr_flight *flight = r->flight;
    const xr_schema_id schema = (xr_schema_id)r->channels.table[channel].schema;
    if (flight->writing)
        return false;
    if (!flight->in_frame) {
        if (flight->box && schema == XR_SCHEMA_MODEL)
            xr_flight_box_message(r, channel, log_time, encode, object);
        return false;
    }
    if (schema == XR_SCHEMA_RESULT && r->channels.table[channel].topic[1] == 'r') /* not the truth */
        xr_flight_note_result(flight, ((const xr_result_message *)object)->result);
    else if (schema == XR_SCHEMA_TENSOR)
        xr_flight_note_output(flight, ((const xr_tensor_message *)object)->tensor);
    const bool waits = is_above_log(r, schema, rich);
    if (flight->keeping && (waits || flight->box))
        keep(r, channel, log_time, encode, object, waits);
    else if (waits)
        count_loss(r);
    return waits;
}

/* ---- Out of the ring ---- */

/* What waited is no measure of how much a frame takes in its file. */
static void leave_out_of_frame(xr_recorder *r)
{
    r->series.frame_start += r->budget.spent - r->flight->spent;
    r->flight->spent = r->budget.spent;
}

static bool is_unwritten(const xr_box_entry *entry, uint64_t frame)
{
    return entry->kind == XR_BOX_WAITS && entry->state != XR_FLIGHT_WRITTEN && entry->frame == frame;
}

/* Where the file of a series has no room for the frame, the next one goes on.  false: it cannot begin now. */
static bool find_file(xr_recorder *r, xr_flight_walk walk, uint64_t frame)
{
    if (!r->budget.bytes || !r->budget.series || !r->after_frame)
        return true;
    uint64_t cost = 0;
    for (const xr_box_entry *entry; (entry = xr_flight_walk_next(&walk)) && entry->kind != XR_BOX_BEGIN;)
        if (is_unwritten(entry, frame))
            cost += r->parts.budget->cost(r, entry->channel, entry->size);
    if (!r->parts.budget->waits(r, XR_SHARE_DATA, cost))
        return true;
    leave_out_of_frame(r);
    r->series.asked = true;
    r->after_frame(r);
    r->flight->spent = r->budget.spent;
    return !r->series.asked;
}

/* Sends the frame's messages; false: no room for all of them now. */
static bool write_frame(xr_recorder *r, xr_flight_walk walk, uint64_t frame, bool wait)
{
    if (!find_file(r, walk, frame) && !wait)
        return false;
    for (xr_box_entry *entry; (entry = xr_flight_walk_next(&walk)) && entry->kind != XR_BOX_BEGIN;) {
        if (!is_unwritten(entry, frame))
            continue;
        if (!xr_send_kept(r, entry->channel, entry->log_time, xr_flight_content(entry) + entry->topic_size,
                          entry->size, wait))
            return false;
        entry->state = XR_FLIGHT_WRITTEN;
    }
    return true;
}

static void write_wanted(xr_recorder *r, bool wait)
{
    xr_flight *flight = r->flight;
    flight->spent = r->budget.spent;
    const bool thinned = r->frame.thinned; /* the frame that ends; the others are not */
    r->frame.thinned = false;
    flight->writing = true;
    xr_flight_walk walk = xr_flight_walk_begin(&flight->ring);
    for (xr_box_entry *frame; flight->wanted && (frame = xr_flight_walk_frame(&walk));) {
        if (frame->state != XR_FLIGHT_WANTED)
            continue;
        if (!write_frame(r, walk, frame->frame, wait))
            break;
        frame->state = XR_FLIGHT_WRITTEN;
        flight->wanted--;
    }
    flight->writing = false;
    r->frame.thinned = thinned;
    leave_out_of_frame(r);
}

/* ---- Frames ---- */

static void frame_begin(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    xr_take_over_level(r);
    xr_flight_take_requests(r);
    write_wanted(r, false);
    flight->frame = r->next_frame;
    atomic_store_explicit(&flight->now, (unsigned)flight->frame, memory_order_relaxed);
    flight->in_frame = true;
    flight->frame_wanted = flight->after_left != 0;
    flight->after_left -= flight->frame_wanted;
    flight->keeping = false;
    xr_flight_conditions_begin(flight);
    if (flight->pause) {
        flight->pause--;
    } else {
        const xr_box_entry begin = {.frame = flight->frame,
                                    .log_time = xr_port_now(),
                                    .kind = XR_BOX_BEGIN,
                                    .state = flight->frame_wanted ? XR_FLIGHT_WANTED : XR_FLIGHT_WAITING};
        bool pinned;
        xr_box_entry *entry = xr_flight_ring_add(&flight->ring, &begin, 0, &pinned);
        flight->keeping = entry != NULL;
        flight->wanted += entry && flight->frame_wanted;
        if (entry && flight->box)
            xr_flight_box_seal(flight, entry);
    }
    /* Without room the tap need not fetch what nobody keeps. */
    r->flight_level = flight->keeping || flight->frame_wanted ? flight->config.capture : EXRAY_CAPTURE_OFF;
}

/* Frames beyond the limits make room. */
static void keep_limits(xr_flight *flight, uint64_t now)
{
    const uint64_t age = (uint64_t)flight->config.milliseconds * 1000000u;
    while (flight->config.frames && flight->ring.frames > flight->config.frames)
        if (!xr_flight_ring_drop_oldest(&flight->ring))
            return;
    while (age) {
        xr_flight_walk walk = xr_flight_walk_begin(&flight->ring);
        const xr_box_entry *oldest = xr_flight_walk_frame(&walk);
        if (!oldest || now - oldest->log_time <= age || !xr_flight_ring_drop_oldest(&flight->ring))
            return;
    }
}

/* What was lost of the frames that triggers asked for, once all of them have ended. */
static void tell_losses(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    if (flight->after_left || !flight->lost_records)
        return;
    char text[160];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add_number(&t, flight->lost_records);
    xr_text_add(&t,
                " records of frames that a trigger asked for found no room in the flight recorder's memory");
    xr_event_of(r, EXRAY_EVENT_GAP, text, flight->frame, flight->lost_records);
    flight->lost_records = 0;
}

static void frame_end(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    if (!flight->in_frame)
        return;
    if (flight->keeping) {
        const xr_box_entry end = {.frame = flight->frame, .log_time = r->last_end_ns, .kind = XR_BOX_END};
        xr_box_entry *entry = add(r, &end, 0);
        if (entry && flight->box)
            xr_flight_box_seal(flight, entry);
    }
    flight->in_frame = false;
    keep_limits(flight, r->last_end_ns);
    xr_flight_conditions_check(r);
    xr_flight_take_requests(r);
    write_wanted(r, false);
    tell_losses(r);
    tell_too_large(r);
}

/* ---- The part ---- */

/* The config as this library knows it; NULL, or what is wrong with the struct. */
static const char *read_config(const exray_recorder_config *config, exray_flight_config *known)
{
    const char *problem = xr_sized_read(known, sizeof *known, config->flight);
    known->capture = known->capture ? known->capture : EXRAY_CAPTURE_FULL;
    known->before = known->before ? known->before : EXRAY_FLIGHT_ALL;
    known->interval_ms = known->interval_ms ? known->interval_ms : 60000;
    return problem;
}

static const char *problem(const exray_recorder_config *config, const exray_recorder_parts *parts)
{
    exray_flight_config flight;
    if (read_config(config, &flight))
        return "config.flight does not begin as EXRAY_FLIGHT_CONFIG_INIT has it, or sets a field of a later "
               "version";
    if (flight.capture < EXRAY_CAPTURE_IO || flight.capture > EXRAY_CAPTURE_FULL)
        return "config.flight: its capture is not one of IO, STATS, SKETCH, FULL";
    if (flight.capture != EXRAY_CAPTURE_IO && flight.capture != EXRAY_CAPTURE_FULL && !parts->stats)
        return "config.flight: its capture asks for statistics, but config.parts does not have `stats`";
    if (flight.capture == EXRAY_CAPTURE_SKETCH && !parts->sketch)
        return "config.flight: its capture asks for sketches, but config.parts does not have `sketch`";
    if (flight.file && flight.memory)
        return "config.flight: it has both memory and file; the file is the memory";
    if (flight.memory_size < (flight.file ? SMALLEST_FILE : SMALLEST))
        return flight.file ? "config.flight: its memory_size is under 64 KiB: the size of the file"
                           : "config.flight: its memory_size is under 4 KiB: how much can wait";
    if (flight.score_below != flight.score_below)
        return "config.flight: its score_below is no number";
    return NULL;
}

static xr_flight *place(const exray_recorder_config *config, xr_memory_block *block, exray_capture *level)
{
    exray_flight_config known;
    read_config(config, &known);
    *level = known.capture;
    xr_flight *flight = xr_block_take(block, 1, sizeof *flight);
    const bool own = !known.memory && !known.file,
               tables = known.file && !(config->codec && config->codec->crc32);
    void *memory = own ? xr_block_take(block, known.memory_size, 1) : known.memory;
    xr_crc32_tables *crc_tables = tables ? xr_block_take(block, 1, sizeof *crc_tables) : NULL;
    if (!flight)
        return NULL;
    memset(flight, 0, sizeof *flight);
    flight->config = known;
    flight->codec = config->codec;
    flight->crc_tables = crc_tables;
    if (crc_tables)
        xr_crc32_make(crc_tables);
    if (memory)
        xr_flight_ring_begin(&flight->ring, memory, known.memory_size);
    return flight;
}

static exray_status start(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    r->flight_level = flight->config.capture;
    atomic_store(&r->at_frame, frame_begin);
    if (flight->config.file)
        return xr_flight_box_open(r);
    /* Touch the memory now: page faults do not belong into an inference. */
    memset(flight->ring.bytes, 0, flight->ring.capacity);
    return EXRAY_OK;
}

static void end(xr_recorder *r)
{
    xr_flight_take_requests(r);
    write_wanted(r, true);
    r->flight->after_left = 0;
    tell_losses(r);
}

static void release(xr_recorder *r, bool closed)
{
    xr_flight_box_close(r->flight, closed);
}

const exray_flight_part *exray_flight_part_default(void)
{
    static const exray_flight_part part = {
        .problem = problem,
        .place = place,
        .start = start,
        .take = take,
        .frame_end = frame_end,
        .end = end,
        .release = release,
    };
    return &part;
}
