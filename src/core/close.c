#include "core/close.h"

#include "core/emit.h"
#include "core/events/events.h"
#include "core/frame.h"
#include "core/recorder_error.h"

/* Gives back what open took. */
void xr_release(xr_recorder *r, bool closed)
{
    if (r->watching)
        r->parts.machine->end(r);
    r->watching = false;
    if (r->file) {
        const int error = r->close_file(r->file);
        if (error)
            xr_fail_write(r, error);
        r->file = NULL;
    }
    if (r->flight)
        r->parts.flight->release(r, closed);
    r->dropped = exray_recorder_dropped((const exray_recorder *)(const void *)r);
    r->mcap.told = NULL;
    if (r->memory)
        xr_port_free(r->memory);
    r->memory = NULL;
    r->magic = XR_CLOSED;
}

uint64_t exray_recorder_bytes_written(const exray_recorder *recorder)
{
    const xr_recorder *r = xr_of_const(recorder);
    if (r->magic != XR_MAGIC && r->magic != XR_CLOSED)
        return 0;
    if (r->buffer.bytes && !r->writer_error)
        return r->buffer.used; /* without what is on its way: so much of the buffer is a log */
    if (r->writer_error)
        return r->parts.async->bytes_written(r->ring);
    return r->mcap.before + r->mcap.position;
}

exray_status exray_recorder_on_close(exray_recorder *recorder, void (*function)(void *user), void *user)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!function || r->closer_count == XR_CLOSERS)
        return xr_refuse_call(r, function ? EXRAY_E_LIMIT : EXRAY_E_ARGUMENT, 0, "exray_recorder_",
                              "on_close",
                              function ? ": four are registered already" : ": the function is NULL");
    r->closers[r->closer_count].function = function;
    r->closers[r->closer_count].user = user;
    r->closer_count++;
    return EXRAY_OK;
}

/* Last registered, first called: taps may build on each other. */
static void call_closers(xr_recorder *r)
{
    while (r->closer_count) {
        r->closer_count--;
        r->closers[r->closer_count].function(r->closers[r->closer_count].user);
    }
}

/* From here on the writer is this thread's again. */
static void stop_writer(xr_recorder *r, bool discard)
{
    if (!r->writer_error)
        return;
    r->parts.async->stop(r->ring, discard);
    xr_look_for_writer_error(r);
    r->writer_error = NULL;
}

exray_status exray_recorder_close(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic == XR_CLOSED)
        return r->error.status;
    if (r->magic != XR_MAGIC || xr_is_of_another_process(r))
        return xr_check(r);
    call_closers(r);
    xr_look_for_writer_error(r);
    if (!r->ended) {
        if (r->frame.open)
            xr_frame_end(r);
        xr_flush_layer_stats(r);
        if (r->flight)
            r->parts.flight->end(r);
        if (r->parts.events)
            r->parts.events->end(r);
        xr_count_lost(r);
        xr_write_last_system(r);
    }
    stop_writer(r, false);
    const int error = r->mcap.error ? r->mcap.error : xr_mcap_end(&r->mcap);
    if (error)
        xr_fail_write(r, error);
    xr_release(r, !error);
    return r->error.status;
}

void exray_recorder_abandon(exray_recorder *recorder)
{
    xr_recorder *r = xr_of(recorder);
    if (r->magic != XR_MAGIC || xr_is_of_another_process(r))
        return;
    call_closers(r);
    stop_writer(r, true);
    xr_release(r, false);
}
