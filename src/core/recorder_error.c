#include "core/recorder_error.h"

#include "core/encode/text.h"
#include "core/port/port.h"

exray_status xr_fail_with(xr_recorder *r, exray_status status, const char *a, const char *b, const char *c)
{
    if (r->ended)
        return r->ended;
    xr_text_builder text = xr_text_in(r->error.message, sizeof r->error.message);
    r->error.status = status;
    xr_text_add(&text, a);
    xr_text_add(&text, b);
    xr_text_add(&text, b ? c : NULL);
    return status;
}

void xr_say_refused(const xr_recorder *r, int error, char *out, size_t size)
{
    char buffer[128];
    const bool full = xr_port_is_no_space(error);
    xr_text_builder text = xr_text_in(out, size);
    xr_text_add(&text, "cannot write to ");
    xr_text_add(&text, r->target);
    xr_text_add(&text, ": ");
    xr_text_add(&text,
                error < 0 ? "it did not take all of it" : xr_port_error_text(error, buffer, sizeof buffer));
    xr_text_add(&text, full ? "; free some space or lower config.capture" : "; check the device");
}

exray_status xr_fail_write(xr_recorder *r, int error)
{
    if (r->ended)
        return r->ended;
    xr_say_refused(r, error, r->error.message, sizeof r->error.message);
    return r->ended = r->error.status = xr_port_is_no_space(error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
}

void xr_look_for_writer_error(xr_recorder *r)
{
    if (!r->writer_error || r->ended)
        return;
    const int error = atomic_load_explicit(r->writer_error, memory_order_acquire);
    if (error)
        xr_fail_write(r, error);
}

exray_status xr_check(xr_recorder *r)
{
    if (r->magic == XR_REFUSED)
        return EXRAY_E_UNSUPPORTED;
    if (r->magic != XR_MAGIC)
        return r->magic == XR_CLOSED && r->ended ? r->ended : EXRAY_E_STATE;
    if (xr_is_of_another_process(r))
        return xr_fail_with(r, EXRAY_E_STATE, "the recorder of ", r->target, r->forked);
    xr_look_for_writer_error(r);
    return r->ended;
}

exray_status exray_recorder_error_status(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic == XR_REFUSED)
        return EXRAY_E_UNSUPPORTED;
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return EXRAY_E_STATE;
    return r->error.status;
}

const char *exray_recorder_error_message(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic == XR_REFUSED)
        return "compiled with the headers of another version of exray than the library's, " EXRAY_VERSION;
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return "the recorder was never opened";
    return r->error.message;
}

uint64_t exray_recorder_dropped(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return 0;
    if (!r->mcap.told) /* closed */
        return r->dropped;
    return r->dropped + (atomic_load_explicit(&r->mcap.told->lost, memory_order_acquire) - r->gap.seen);
}
