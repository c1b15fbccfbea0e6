/* Triggers: asked for on any thread, carried out on the recorder's, between two frames. */
#include "core/flight/trigger.h"
#include "core/encode/text.h"
#include "core/events/events.h"

/* ---- Any thread ---- */

static void copy_reason(char *to, const char *from)
{
    xr_text_builder text = xr_text_in(to, XR_FLIGHT_REASON);
    xr_text_add(&text, from);
}

static void raise_to(atomic_uint *value, unsigned to)
{
    unsigned now = atomic_load(value);
    while (now < to && !atomic_compare_exchange_weak(value, &now, to))
        ;
}

exray_status exray_recorder_trigger(exray_recorder *recorder, uint32_t before, uint32_t after,
                                    const char *reason)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic != XR_MAGIC || !r->flight)
        return EXRAY_E_STATE;
    xr_flight *flight = r->flight;
    const unsigned frame = atomic_load(&flight->now);
    for (size_t i = 0; i < XR_FLIGHT_REQUESTS; i++) {
        xr_flight_request *request = &flight->requests[i];
        unsigned state = XR_REQUEST_FREE;
        if (!atomic_compare_exchange_strong(&request->state, &state, XR_REQUEST_TAKEN))
            continue;
        request->frame = frame;
        request->before = before;
        request->after = after;
        copy_reason(request->reason, reason ? reason : "");
        atomic_store(&request->state, XR_REQUEST_READY);
        atomic_store(&flight->waiting, 1);
        return EXRAY_OK;
    }
    raise_to(&flight->more.before, before);
    raise_to(&flight->more.after, after);
    atomic_store(&flight->more.frame, frame);
    atomic_fetch_add(&flight->more.count, 1);
    atomic_store(&flight->waiting, 1);
    return EXRAY_E_LIMIT;
}

/* ---- The recorder's thread ---- */

/* The index whose low half was noted, at most the newest. */
static uint64_t whole_index(const xr_flight *flight, uint32_t low)
{
    return flight->frame - (uint32_t)((uint32_t)flight->frame - low);
}

void xr_flight_take_requests(xr_recorder *r)
{
    xr_flight *flight = r->flight;
    if (!atomic_load_explicit(&flight->waiting, memory_order_relaxed))
        return;
    atomic_store(&flight->waiting, 0);
    for (size_t i = 0; i < XR_FLIGHT_REQUESTS; i++) {
        xr_flight_request *request = &flight->requests[i];
        if (atomic_load(&request->state) != XR_REQUEST_READY)
            continue;
        xr_flight_fire(r, whole_index(flight, request->frame), request->before, request->after,
                       request->reason);
        atomic_store(&request->state, XR_REQUEST_FREE);
    }
    const unsigned more = atomic_exchange(&flight->more.count, 0);
    if (more) {
        char reason[64];
        xr_text_builder text = xr_text_in(reason, sizeof reason);
        xr_text_add_number(&text, more);
        xr_text_add(&text, " more triggers at the same time");
        const uint32_t before = atomic_exchange(&flight->more.before, 0);
        const uint32_t after = atomic_exchange(&flight->more.after, 0);
        xr_flight_fire(r, whole_index(flight, atomic_load(&flight->more.frame)), before, after, reason);
    }
}

typedef struct marked {
    uint32_t before, after; /* frames of the ring that the trigger asks for */
    uint64_t first, last;
} marked;

static void mark(xr_flight *flight, xr_box_entry *frame)
{
    if (frame->state != XR_FLIGHT_WAITING)
        return;
    frame->state = XR_FLIGHT_WANTED;
    flight->wanted++;
}

/* Marks the last `before` frames of the ring up to `frame`, and those after it. */
static marked mark_frames(xr_flight *flight, uint64_t frame, uint32_t before, uint32_t after)
{
    marked m = {0};
    uint32_t left = 0; /* frames up to `frame` that the walk has yet to pass */
    xr_flight_walk walk = xr_flight_walk_begin(&flight->ring);
    for (const xr_box_entry *entry; (entry = xr_flight_walk_frame(&walk)) && entry->frame <= frame;)
        left++;
    walk = xr_flight_walk_begin(&flight->ring);
    for (xr_box_entry *entry; (entry = xr_flight_walk_frame(&walk));) {
        const bool is_before = entry->frame <= frame;
        if (is_before ? left-- > before : m.after == after)
            continue;
        if (!m.before && !m.after)
            m.first = entry->frame;
        m.last = entry->frame;
        m.before += is_before;
        m.after += !is_before;
        mark(flight, entry);
    }
    return m;
}

static void tell(xr_recorder *r, uint64_t frame, const marked *m, uint32_t follow, const char *reason)
{
    const xr_flight *flight = r->flight;
    char text[XR_FLIGHT_REASON + 128];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, *reason ? reason : "trigger");
    xr_text_add(&t, " (");
    if (m->before || m->after) {
        xr_text_add(&t, m->first == m->last ? "frame " : "frames ");
        xr_text_add_number(&t, m->first);
        if (m->first != m->last) {
            xr_text_add(&t, " to ");
            xr_text_add_number(&t, m->last);
        }
    } else {
        xr_text_add(&t, "no frame waits");
    }
    if (follow) {
        xr_text_add(&t, " and the next ");
        xr_text_add_number(&t, follow);
    }
    xr_text_add(&t, " at the level ");
    xr_text_add(&t, exray_capture_name(flight->config.capture));
    xr_text_add(&t, ")");
    xr_event_of(r, EXRAY_EVENT_TRIGGER, text, frame, 0);
}

void xr_flight_fire(xr_recorder *r, uint64_t frame, uint32_t before, uint32_t after, const char *reason)
{
    xr_flight *flight = r->flight;
    const marked m = mark_frames(flight, frame, before, after);
    /* Frames that came after `frame` and are not in the ring are gone: they count as well. */
    const uint64_t since = flight->frame - frame;
    const uint32_t follow = since < after ? after - (uint32_t)since : 0;
    if (follow > flight->after_left)
        flight->after_left = follow;
    tell(r, frame, &m, follow, reason);
}
