/* Frames: begin, end, and what is collected in between. */
#include "core/frame.h"

#include "core/channels.h"
#include "core/emit.h"
#include "core/events/events.h"
#include "core/recorder_error.h"

/* What the log gets of a frame, where the recorder's level is `capture`. */
static exray_capture logged_of_frame(const xr_recorder *r, exray_capture capture, uint64_t index)
{
    const bool observed =
        (r->every_nth <= 1 || index % r->every_nth == 0) && (!r->first_frames || index < r->first_frames);
    return observed || capture < EXRAY_CAPTURE_FRAME ? capture : EXRAY_CAPTURE_FRAME;
}

/* What is asked for: what the log gets, or the flight recorder. */
static exray_capture asked_of_frame(const xr_recorder *r, exray_capture logged)
{
    return r->flight && r->flight_level > logged ? r->flight_level : logged;
}

/* Copies at most XR_MAX_SOURCE bytes, and no part of a UTF-8 character. */
static void copy_source(char *to, const char *from)
{
    size_t size = from ? strlen(from) : 0;
    if (size > XR_MAX_SOURCE) {
        size = XR_MAX_SOURCE;
        while (size > XR_MAX_SOURCE - 3 && ((uint8_t)from[size] & 0xC0) == 0x80)
            size--;
    }
    if (size)
        memcpy(to, from, size);
    to[size] = 0;
}

exray_status xr_frame_begin(xr_recorder *r, const char *source)
{
    if (r->frame.open) {
        const exray_status status = xr_frame_end(r);
        if (status)
            return status;
    }
    const exray_status flushed = xr_flush_layer_stats(r); /* constants come before the frame */
    if (flushed)
        return flushed;
    if (r->series.due)
        r->after_frame(r);
    void (*at_frame)(xr_recorder *) = atomic_load_explicit(&r->at_frame, memory_order_relaxed);
    if (at_frame)
        at_frame(r);
    xr_open_frame *frame = &r->frame;
    frame->open = true;
    frame->logged = logged_of_frame(r, r->capture, r->next_frame);
    frame->capture = asked_of_frame(r, frame->logged);
    frame->thinned = r->budget.bytes && !r->parts.budget->keeps_frame(r, r->next_frame);
    copy_source(frame->source, source);
    frame->message = (xr_frame_message){
        .source = frame->source, .begin_ns = xr_port_now(), .entries = {frame->entries, 0}};
    return EXRAY_OK;
}

exray_capture xr_capture_now(const xr_recorder *r)
{
    if (r->frame.open)
        return r->frame.capture;
    const exray_capture next = (exray_capture)atomic_load_explicit(&r->next_capture, memory_order_relaxed);
    return asked_of_frame(r, logged_of_frame(r, next, r->next_frame));
}

exray_status xr_need_frame(xr_recorder *r)
{
    return r->frame.open ? EXRAY_OK : xr_frame_begin(r, NULL);
}

exray_status xr_check_in_frame(xr_recorder *r)
{
    const exray_status status = xr_check(r);
    return status ? status : xr_need_frame(r);
}

bool xr_frame_keeps(xr_recorder *r, exray_status *status)
{
    *status = xr_check_in_frame(r);
    return !*status && r->frame.capture >= EXRAY_CAPTURE_FRAME;
}

static exray_status write_system(xr_recorder *r, uint64_t frame, uint64_t log_time, xr_urgency urgency)
{
    xr_system_message system = {.frame = frame,
                                .has_arena = r->has_arena_bytes,
                                .arena_bytes = r->arena_bytes,
                                .dropped_records = r->dropped};
    if (r->watching) {
        system.machine = r->parts.machine;
        system.machine->read(r, log_time, &system.usage);
    }
    const uint64_t dropped = r->dropped;
    const exray_status status =
        xr_emit_topic(r, "/system", XR_SCHEMA_SYSTEM, xr_encode_system, &system, log_time, urgency);
    if (r->dropped == dropped)
        r->dropped_told = dropped;
    return status;
}

/* What waits goes to the sink. */
static exray_status hand_over(xr_recorder *r)
{
    const int how = r->parts.flush ? r->parts.flush->at_frame(r) : XR_FLUSH_BYTES;
    if (r->writer_error) {
        r->parts.async->flush(r->ring, how);
        return EXRAY_OK;
    }
    const int error = xr_mcap_flush(&r->mcap, (xr_flush)how);
    return error ? xr_fail_write(r, error) : EXRAY_OK;
}

static exray_status end_frame(xr_recorder *r)
{
    xr_open_frame *frame = &r->frame;
    exray_status status = xr_flush_layer_stats(r);
    if (status)
        return status;
    frame->open = false;
    const uint64_t index = r->next_frame++;
    r->last_end_ns = xr_port_now();
    if (frame->capture < EXRAY_CAPTURE_FRAME)
        return EXRAY_OK;
    if (r->budget.bytes)
        r->parts.budget->tell(r, false);
    xr_count_lost(r);
    status = write_system(r, index, r->last_end_ns, XR_MAY_DROP);
    if (status)
        return status;
    frame->message.index = index;
    frame->message.end_ns = r->last_end_ns;
    status = xr_emit_topic(r, "/frame", XR_SCHEMA_FRAME, xr_encode_frame, &frame->message, r->last_end_ns,
                           XR_MAY_DROP);
    if (!status && r->flight)
        r->parts.flight->frame_end(r);
    if (status)
        return status;
    return hand_over(r);
}

exray_status xr_frame_end(xr_recorder *r)
{
    const exray_status status = end_frame(r);
    r->frame.thinned = false;
    if (r->after_frame && !status)
        r->after_frame(r);
    return status;
}

void xr_write_last_system(xr_recorder *r)
{
    if (r->capture < EXRAY_CAPTURE_FRAME || r->dropped == r->dropped_told)
        return;
    if (r->budget.bytes) {
        r->budget.bytes = 0; /* room for these was set aside */
        r->parts.budget->tell(r, true);
    }
    write_system(r, r->next_frame ? r->next_frame - 1 : 0, r->last_end_ns ? r->last_end_ns : xr_port_now(),
                 XR_WAIT);
}

/* ---- The interface ---- */

exray_status exray_recorder_frame_begin(exray_recorder *recorder, const char *source)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    return status ? status : xr_frame_begin(r, source);
}

exray_status exray_recorder_frame_begin_at(exray_recorder *recorder, uint64_t index, const char *source)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status = xr_check(r);
    if (!status && r->frame.open)
        status = xr_frame_end(r);
    if (status)
        return status;
    if (index < r->next_frame)
        return xr_bad_call(r, "frame_begin_at", ": the index is not larger than those before");
    r->next_frame = index;
    return xr_frame_begin(r, source);
}

uint64_t exray_recorder_frame_index(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC ? r->next_frame : 0;
}

exray_status exray_recorder_frame_label(exray_recorder *recorder, int64_t label)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check_in_frame(r);
    if (!status) {
        r->frame.message.has_label = true;
        r->frame.message.label = label;
    }
    return status;
}

exray_status exray_recorder_frame_inference(exray_recorder *recorder, uint64_t nanoseconds)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check_in_frame(r);
    if (!status)
        r->frame.message.inference_ns = nanoseconds;
    return status;
}

exray_status exray_recorder_frame_end(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    return status || !r->frame.open ? status : xr_frame_end(r);
}

uint64_t exray_recorder_now(const exray_recorder *recorder)
{
    (void)recorder; /* all recorders of a process share the clock */
    return xr_port_now();
}

uint64_t exray_recorder_frame_elapsed(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    if (xr_check_in_frame(r))
        return 0;
    return xr_port_now() - r->frame.message.begin_ns;
}

void exray_recorder_set_arena_bytes(exray_recorder *recorder, uint64_t bytes)
{
    xr_recorder *r = xr_of(recorder);
    if (xr_check(r))
        return;
    r->has_arena_bytes = true;
    r->arena_bytes = bytes;
}

static exray_status add_entry(exray_recorder *recorder, const xr_frame_value *entry)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status = xr_check(r);
    if (!status && !xr_is_name(entry->name))
        status = xr_bad_call(r, entry->is_span ? "log_span" : "log_scalar",
                             ": the name is missing, empty or over 1000 bytes");
    if (!status)
        status = xr_need_frame(r);
    if (status || r->frame.capture < EXRAY_CAPTURE_FRAME)
        return status;
    const size_t size = xr_encoded_size(xr_encode_frame_entry, entry);
    size_t *used = &r->frame.message.entries.size;
    if (size > XR_FRAME_ENTRIES - *used) {
        r->dropped++;
        return EXRAY_OK;
    }
    xr_memory_sink memory = xr_memory_sink_at(r->frame.entries + *used);
    xr_encode_frame_entry(&memory.sink, entry);
    *used += size;
    return EXRAY_OK;
}

exray_status exray_recorder_log_scalar(exray_recorder *recorder, const char *name, double value)
{
    return add_entry(recorder, &(xr_frame_value){.name = name, .value = value});
}

exray_status exray_recorder_log_span(exray_recorder *recorder, const char *name, uint64_t nanoseconds)
{
    return add_entry(recorder, &(xr_frame_value){.name = name, .is_span = true, .nanoseconds = nanoseconds});
}

static exray_status flush(exray_recorder *recorder, xr_flush how)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    return r->parts.flush ? r->parts.flush->call(r, how) : EXRAY_E_UNSUPPORTED;
}

exray_status exray_recorder_flush(exray_recorder *recorder)
{
    return flush(recorder, XR_FLUSH_CHUNK);
}

exray_status exray_recorder_sync(exray_recorder *recorder)
{
    return flush(recorder, XR_FLUSH_SYNC);
}
