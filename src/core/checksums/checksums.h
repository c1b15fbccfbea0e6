/* The part of checksums: Check records, each with a CRC-32 over all bytes of the log before it. */
#ifndef XR_CHECKSUMS_H
#define XR_CHECKSUMS_H

#include "core/mcap.h"

/* What the part's table has. */
void xr_checksums_check(xr_mcap *mcap);
void xr_checksums_before(xr_mcap *mcap, size_t size);
void xr_checksums_after(xr_mcap *mcap);

#endif
