#include "core/host/taps.h"

#include "core/encode/text.h"
#include "core/events/events.h"
#include "core/frame.h"
#include "core/recorder_error.h"
#include "core/sized.h"

void *xr_closer_user(const exray_recorder *recorder, void (*function)(void *user))
{
    const xr_recorder *r = xr_of_const(recorder);
    for (uint32_t i = 0; r->magic == XR_MAGIC && i < r->closer_count; i++)
        if (r->closers[i].function == function)
            return r->closers[i].user;
    return NULL;
}

bool xr_is_recording(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC && !r->ended && (r->capture >= EXRAY_CAPTURE_FRAME || r->flight);
}

bool xr_capture_keeps_order(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->capture > EXRAY_CAPTURE_STATS || r->flight_capture > EXRAY_CAPTURE_STATS;
}

bool xr_frame_keeps_order(const exray_recorder *recorder)
{
    return xr_capture_now(xr_of_const(recorder)) > EXRAY_CAPTURE_STATS;
}

bool xr_frame_is_filtered(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return xr_capture_now(r) < r->capture;
}

void xr_say_event(exray_recorder *recorder, exray_event_kind kind, const char *text)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic == XR_MAGIC && !r->ended)
        xr_event(r, kind, text, 0);
}

exray_status xr_tap_config(exray_recorder *recorder, void *to, size_t known, const void *from,
                           const char *what)
{
    const char *problem = xr_sized_read(to, known, from);
    if (!problem)
        return EXRAY_OK;
    const exray_status before = xr_check(xr_of(recorder));
    return before ? before : xr_refuse_call(xr_of(recorder), EXRAY_E_ARGUMENT, 0, what, problem, NULL);
}

void xr_record_unobserved(exray_recorder *recorder, const xr_unobserved *losses, size_t count)
{
    char text[XR_UNOBSERVED_MOST][24];
    exray_key_value pairs[XR_UNOBSERVED_MOST];
    size_t used = 0;
    for (size_t i = 0; i < count && i < XR_UNOBSERVED_MOST; i++) {
        if (!losses[i].count)
            continue;
        xr_text_builder number = xr_text_in(text[used], sizeof text[used]);
        xr_text_add_number(&number, losses[i].count);
        pairs[used] = (exray_key_value){losses[i].what, text[used]};
        used++;
    }
    if (used)
        exray_recorder_log_metadata(recorder, "exray.unobserved", pairs, used);
}
