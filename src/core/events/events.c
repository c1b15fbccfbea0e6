/* What happened: counted here, told by the part of events (tell.c). */
#include "core/events/events.h"

#include "core/recorder_error.h"

exray_status xr_event(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t records_lost)
{
    if (r->capture < EXRAY_CAPTURE_FRAME || !r->parts.events)
        return EXRAY_OK;
    return r->parts.events->write(r,
                                  &(xr_event_message){.kind = kind,
                                                      .text = text,
                                                      .has_frame = r->frame.open || kind == EXRAY_EVENT_RESET,
                                                      .frame = r->next_frame,
                                                      .records_lost = records_lost});
}

exray_status xr_event_of(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t frame,
                         uint64_t records_lost)
{
    if (!r->parts.events)
        return EXRAY_OK;
    return r->parts.events->write(
        r, &(xr_event_message){
               .kind = kind, .text = text, .has_frame = true, .frame = frame, .records_lost = records_lost});
}

exray_status exray_recorder_event(exray_recorder *recorder, exray_event_kind kind, const char *text)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!r->parts.events)
        return EXRAY_E_UNSUPPORTED;
    return r->parts.events->call(r, kind, text);
}

exray_status xr_refuse_call(xr_recorder *r, exray_status status, uint32_t records, const char *a,
                            const char *b, const char *c)
{
    xr_fail_with(r, status, a, b, c);
    if (r->magic != XR_MAGIC || r->ended)
        return status;
    r->dropped += records;
    if (r->parts.events)
        r->parts.events->refused(r, records);
    return status;
}

exray_status xr_bad_call(xr_recorder *r, const char *call, const char *what)
{
    return xr_refuse_call(r, EXRAY_E_ARGUMENT, 1, "exray_recorder_", call, what);
}

exray_status exray_recorder_fail(exray_recorder *recorder, exray_status status, const char *message)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status before = xr_check(r);
    if (before || !status)
        return before;
    if (!message)
        message = r->parts.events ? r->parts.events->status_name(status) : "the tap failed";
    return xr_refuse_call(r, status, 0, message, NULL, NULL);
}

void xr_count_lost(xr_recorder *r)
{
    const uint32_t lost = atomic_load_explicit(&r->mcap.told->lost, memory_order_acquire) - r->gap.seen;
    r->gap.seen += lost;
    r->dropped += lost;
    if (r->parts.events)
        r->parts.events->gap(r, lost);
}
