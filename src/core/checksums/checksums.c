#include "core/checksums/checksums.h"

#include "core/output/out.h"

void xr_checksums_check(xr_mcap *mcap)
{
    /* Behind the end of the data, nothing is summed. */
    if (!mcap->crc_of || mcap->position == mcap->checked || !xr_out_begin(mcap, XR_CHECK_RECORD))
        return;
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    xr_mcap_put_header(&out.sink, XR_MCAP_CHECK, XR_MCAP_CHECK_SIZE);
    xr_put_u64(&out.sink, mcap->checked);
    xr_put_u32(&out.sink, mcap->crc); /* of the record's own beginning, too */
    if (xr_out_end(mcap))
        mcap->checked = mcap->position;
}

void xr_checksums_before(xr_mcap *mcap, size_t size)
{
    if (mcap->position >= mcap->repeat_at) {
        mcap->repetition++;
        mcap->repeat_at *= XR_REPEAT_GROWTH;
    }
    if (!mcap->part && size >= XR_CHECK_AFTER)
        xr_checksums_check(mcap);
}

void xr_checksums_after(xr_mcap *mcap)
{
    if (!mcap->part && mcap->position - mcap->checked >= XR_CHECK_AFTER)
        xr_checksums_check(mcap);
}
