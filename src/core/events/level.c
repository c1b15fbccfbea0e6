/* The capture level, changed while the recorder runs.  A file of its own: a program that does not
 * ask for it does not carry it. */
#include "core/events/level.h"
#include "core/encode/text.h"
#include "core/events/events.h"

void xr_take_over_level(xr_recorder *r)
{
    if (!r->flight) /* it has this called at every frame */
        atomic_store(&r->at_frame, NULL);
    const exray_capture from = r->capture, to = (exray_capture)atomic_load(&r->next_capture);
    if (from == to)
        return;
    char text[64];
    xr_text_builder t = xr_text_in(text, sizeof text);
    xr_text_add(&t, "capture ");
    xr_text_add(&t, exray_capture_name(to));
    xr_text_add(&t, ", before ");
    xr_text_add(&t, exray_capture_name(from));
    r->capture = to;
    if (to >= EXRAY_CAPTURE_FRAME && !r->watching && r->parts.machine) {
        r->watching = true;
        r->parts.machine->watch(r);
    }
    xr_event_of(r, EXRAY_EVENT_LEVEL, text, r->next_frame, 0);
}

exray_status exray_recorder_set_capture(exray_recorder *recorder, exray_capture capture)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic != XR_MAGIC)
        return EXRAY_E_STATE;
    if (capture == EXRAY_CAPTURE_DEFAULT)
        capture = EXRAY_CAPTURE_STATS;
    if ((unsigned)capture > EXRAY_CAPTURE_FULL)
        return EXRAY_E_ARGUMENT;
    if ((capture == EXRAY_CAPTURE_STATS || capture == EXRAY_CAPTURE_SKETCH) && !r->parts.stats)
        return EXRAY_E_UNSUPPORTED;
    if (capture == EXRAY_CAPTURE_SKETCH && !r->parts.sketch)
        return EXRAY_E_UNSUPPORTED;
    atomic_store(&r->next_capture, (unsigned)capture);
    if (!r->flight)
        atomic_store(&r->at_frame, xr_take_over_level);
    return EXRAY_OK;
}

exray_capture exray_recorder_capture(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    return r->magic == XR_MAGIC ? (exray_capture)atomic_load(&r->next_capture) : EXRAY_CAPTURE_OFF;
}
