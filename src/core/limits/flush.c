/* The part that bounds how much a crash may cost: chunks are closed, and the sink synced, after so many
 * frames, at such an age, and when the application asks for it. */
#include "core/emit.h"
#include "core/recorder_error.h"

static bool sync_is_due(const xr_mcap *mcap, uint64_t now)
{
    return mcap->sync_ns && mcap->sync && now - mcap->synced_ns >= mcap->sync_ns;
}

static int by_age(xr_mcap *mcap, int how, uint64_t now)
{
    if (sync_is_due(mcap, now))
        return XR_FLUSH_SYNC;
    return how == XR_FLUSH_BYTES && now - mcap->flushed_ns >= mcap->flush_ns ? XR_FLUSH_CHUNK : how;
}

static void handed_over(xr_mcap *mcap, int how, uint64_t now)
{
    if (how != XR_FLUSH_BYTES)
        mcap->flushed_ns = now;
    if (how == XR_FLUSH_SYNC && mcap->sync) {
        mcap->sync_error = mcap->sync(mcap->sink);
        mcap->synced_ns = now;
    }
}

static int written(xr_mcap *mcap, uint64_t now)
{
    return by_age(mcap, XR_FLUSH_BYTES, now) == XR_FLUSH_BYTES ? mcap->error
                                                               : xr_mcap_flush(mcap, XR_FLUSH_CHUNK);
}

static bool is_due(xr_every *every)
{
    if (!every->frames || ++every->since < every->frames)
        return false;
    every->since = 0;
    return true;
}

static int at_frame(xr_recorder *r)
{
    const bool flush = is_due(&r->flush_every), sync = is_due(&r->sync_every);
    return sync ? XR_FLUSH_SYNC : flush ? XR_FLUSH_CHUNK : XR_FLUSH_BYTES;
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

static exray_status flush_call(xr_recorder *r, int how)
{
    int sync_error = 0;
    exray_status status = xr_flush_layer_stats(r);
    if (!status)
        status = xr_emit_call(r, flush_now, &(flush_request){(xr_flush)how, &sync_error});
    if (status || how != XR_FLUSH_SYNC || !sync_error)
        return status;
    return xr_port_is_no_space(sync_error) ? EXRAY_E_NO_SPACE : EXRAY_E_IO;
}

const exray_flush_part *exray_flush_part_default(void)
{
    static const exray_flush_part part = {by_age, written, handed_over, at_frame, flush_call};
    return &part;
}
