/* The part of events: messages on /event. */
#include "core/emit.h"
#include "core/events/events.h"
#include "core/recorder_error.h"

enum { MOST_TEXT = 400 };

/* One line, which ends with a whole character. */
static void copy_line(char *to, const char *from)
{
    size_t size = 0;
    while (from && from[size] && size < MOST_TEXT) {
        to[size] = (uint8_t)from[size] < ' ' || from[size] == 0x7F ? ' ' : from[size];
        size++;
    }
    if (size == MOST_TEXT)
        for (int i = 0; i < 3 && ((uint8_t)from[size] & 0xC0) == 0x80; i++)
            size--;
    to[size] = 0;
}

static exray_status write_event(xr_recorder *r, xr_event_message *event)
{
    char line[MOST_TEXT + 1];
    copy_line(line, event->text);
    event->text = line;
    return xr_emit_topic(r, "/event", XR_SCHEMA_EVENT, xr_encode_event, event, xr_port_now(), XR_MAY_DROP);
}

/* ---- Calls that were refused ---- */

static uint32_t hash_of(const char *text)
{
    uint32_t hash = 2166136261u; /* FNV-1a */
    for (; *text; text++)
        hash = (hash ^ (uint8_t)*text) * 16777619u;
    return hash;
}

/* Whether it is the first of its kind. */
static bool note_refusal(xr_recorder *r, uint32_t records)
{
    xr_refusals *all = &r->refusals;
    const uint32_t kind = hash_of(r->error.message);
    uint32_t i = 0;
    while (i < all->kinds && all->of[i].kind != kind)
        i++;
    if (i < all->kinds) {
        all->of[i].untold += records;
    } else if (i == XR_REFUSAL_KINDS) {
        all->others += records;
    } else {
        all->of[all->kinds].kind = kind;
        all->of[all->kinds++].frame = r->next_frame;
        return true;
    }
    return false;
}

static void tell_refusal(xr_recorder *r, uint32_t records)
{
    if (note_refusal(r, records))
        xr_event(r, EXRAY_EVENT_ERROR, r->error.message, records);
}

static int settle(xr_mcap *mcap, const void *unused)
{
    (void)unused;
    xr_mcap_settle(mcap, XR_FLUSH_BYTES);
    return mcap->error;
}

static void tell_end(xr_recorder *r)
{
    xr_refusals *all = &r->refusals;
    for (uint32_t i = 0; i < all->kinds && r->capture >= EXRAY_CAPTURE_FRAME; i++) {
        if (all->of[i].untold)
            xr_event_of(r, EXRAY_EVENT_ERROR, "calls refused for the reason told at this frame",
                        all->of[i].frame, all->of[i].untold);
        all->of[i].untold = 0;
    }
    if (all->others)
        xr_event(r, EXRAY_EVENT_ERROR, "calls refused for further reasons", all->others);
    all->others = 0;
    if (atomic_load(&r->mcap.told->refused))
        xr_emit_call(r, settle, NULL);
}

/* ---- Gaps ---- */

static void tell_gap(xr_recorder *r, uint32_t lost)
{
    char text[MOST_TEXT];
    xr_gap *gap = &r->gap;
    const int refused = atomic_load_explicit(&r->mcap.told->refused, memory_order_acquire);
    if (refused)
        gap->error = refused;
    if (lost && !gap->untold)
        gap->frame = r->next_frame;
    gap->untold += lost;
    if (!gap->untold || refused || r->ended)
        return;
    xr_say_refused(r, gap->error, text, sizeof text);
    const uint32_t records = gap->untold;
    gap->untold = 0; /* the event may be lost itself */
    xr_event_of(r, EXRAY_EVENT_GAP, text, gap->frame, records);
}

static exray_status event_of_call(xr_recorder *r, exray_event_kind kind, const char *text)
{
    if (kind != EXRAY_EVENT_USER && kind != EXRAY_EVENT_RESET)
        return xr_refuse_call(r, EXRAY_E_ARGUMENT, 1, "exray_recorder_event: the kind is neither ",
                              "EXRAY_EVENT_USER nor EXRAY_EVENT_RESET", NULL);
    return xr_event(r, kind, text, 0);
}

const exray_events_part *exray_events_part_default(void)
{
    static const exray_events_part part = {write_event, event_of_call, tell_refusal,
                                           tell_end,    tell_gap,      exray_status_name};
    return &part;
}
