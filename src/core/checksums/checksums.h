/* The part of checksums: Check records, each with a CRC-32 over all bytes of the log before it. */
#ifndef XR_CHECKSUMS_H
#define XR_CHECKSUMS_H

#include "core/mcap.h"

/* Writes a Check record. */
void xr_checksums_check(xr_mcap *mcap);

#endif
