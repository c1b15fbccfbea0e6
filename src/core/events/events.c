#include "core/events/events.h"

#include "core/emit.h"
#include "core/encode/text.h"
#include "core/sticky_error.h"

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

exray_status xr_event(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t records_lost)
{
    if (r->capture < EXRAY_CAPTURE_FRAME)
        return EXRAY_OK;
    return write_event(r, &(xr_event_message){.kind = kind,
                                              .text = text,
                                              .has_frame = r->frame.open || kind == EXRAY_EVENT_RESET,
                                              .frame = r->next_frame,
                                              .records_lost = records_lost});
}

exray_status xr_event_of(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t frame,
                         uint64_t records_lost)
{
    return write_event(
        r, &(xr_event_message){
               .kind = kind, .text = text, .has_frame = true, .frame = frame, .records_lost = records_lost});
}

exray_status exray_recorder_event(exray_recorder *recorder, exray_event_kind kind, const char *text)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (kind != EXRAY_EVENT_USER && kind != EXRAY_EVENT_RESET)
        return xr_fail_with(
            r, EXRAY_E_ARGUMENT,
            "exray_recorder_event: the kind is neither EXRAY_EVENT_USER nor EXRAY_EVENT_RESET", NULL, NULL);
    return xr_event(r, kind, text, 0);
}
