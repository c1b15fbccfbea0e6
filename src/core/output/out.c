/* The plain way out: a sink that does not take all ends the log. */
#include "core/output/out.h"

static void hand_over(xr_mcap *mcap, const void *data, size_t size)
{
    if (!mcap->error && size)
        mcap->error = mcap->write(mcap->user, data, size);
}

bool xr_out_flush(xr_mcap *mcap)
{
    if (mcap->retry)
        return mcap->retry->flush(mcap);
    hand_over(mcap, mcap->out, mcap->out_used);
    mcap->out_used = 0;
    return true;
}

void xr_out_write(xr_sink *sink, const void *data, size_t size)
{
    xr_mcap *mcap = ((xr_mcap_sink *)sink)->mcap;
    if (mcap->error)
        return;
    mcap->position += size;
    if (mcap->crc_of)
        mcap->crc = mcap->crc_of(mcap, mcap->crc, data, size);
    if (size > mcap->out_capacity - mcap->out_used)
        xr_out_flush(mcap);
    if (size > mcap->out_capacity) {
        hand_over(mcap, data, size);
        return;
    }
    memcpy(mcap->out + mcap->out_used, data, size);
    mcap->out_used += size;
}

bool xr_out_begin(xr_mcap *mcap, uint64_t size)
{
    return mcap->retry ? mcap->retry->begin(mcap, size) : !mcap->error;
}

bool xr_out_end(xr_mcap *mcap)
{
    return mcap->retry ? mcap->retry->end(mcap) : !mcap->error;
}

int xr_out_refused(const xr_mcap *mcap)
{
    return atomic_load_explicit(&mcap->told->refused, memory_order_acquire);
}

void xr_out_lost(xr_mcap *mcap, uint32_t count)
{
    atomic_fetch_add_explicit(&mcap->told->lost, count, memory_order_release);
}
