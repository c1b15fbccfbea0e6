/* Several messages of a frame read as one. */
#ifndef XR_READ_JOINED_H
#define XR_READ_JOINED_H

#include <exray/log.h>

/* Those of `records` that are such messages; `total`: their sizes' sum. */
exray_status xr_read_joined(const exray_log *log, const exray_record *records, size_t count,
                            exray_message which, size_t total, exray_slot *slot, exray_result *out,
                            exray_error *error);

#endif
