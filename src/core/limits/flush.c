#include "core/limits/flush.h"

#include "core/emit.h"
#include "core/recorder_error.h"

static bool is_due(xr_every *every)
{
    if (!every->frames || ++every->since < every->frames)
        return false;
    every->since = 0;
    return true;
}

exray_status xr_flush_frame(xr_recorder *r)
{
    const bool flush = is_due(&r->flush_every), sync = is_due(&r->sync_every);
    const xr_flush how = sync ? XR_FLUSH_SYNC : flush ? XR_FLUSH_CHUNK : XR_FLUSH_BYTES;
    if (r->writer_error) {
        r->parts.async->flush(r->ring, how);
        return EXRAY_OK;
    }
    const int error = xr_mcap_flush(&r->mcap, how);
    return error ? xr_fail_write(r, error) : EXRAY_OK;
}

typedef struct flush_request {
    xr_flush how;
    int *sync_error;
} flush_request;

static int flush_now(xr_mcap *mcap, const void *object)
{
    const flush_request *request = object;
    const int error = xr_mcap_flush(mcap, request->how);
    *request->sync_error = mcap->sync_error;
    return error;
}

static exray_status flush(exray_recorder *recorder, xr_flush how, int *sync_error)
{
    xr_recorder *r = xr_of(recorder);
    exray_status status = xr_check(r);
    if (!status)
        status = xr_flush_layer_stats(r);
    return status ? status : xr_emit_call(r, flush_now, &(flush_request){how, sync_error});
}

exray_status exray_recorder_flush(exray_recorder *recorder)
{
    int ignored;
    return flush(recorder, XR_FLUSH_CHUNK, &ignored);
}

exray_status exray_recorder_sync(exray_recorder *recorder)
{
    int error = 0;
    const exray_status status = flush(recorder, XR_FLUSH_SYNC, &error);
    return status || !error ? status : xr_port_is_no_space(error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
}
