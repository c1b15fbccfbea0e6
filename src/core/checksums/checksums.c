#include "core/checksums/checksums.h"

void xr_checksums_check(xr_mcap *mcap)
{
    xr_mcap_sink out = xr_mcap_sink_of(mcap);
    xr_mcap_put_header(&out.sink, XR_MCAP_CHECK, XR_MCAP_CHECK_SIZE);
    xr_put_u64(&out.sink, mcap->checked);
    xr_put_u32(&out.sink, mcap->crc); /* of the record's own beginning, too */
}
