/* Constants that are attached to a log which has no data of them. */
#ifndef XR_ATTACHED_CONSTANTS_H
#define XR_ATTACHED_CONSTANTS_H

#include <exray/log.h>

/* Data as the log's /model describes the tensor: its type, its shape, little-endian. */
typedef struct xr_attached_constant {
    uint32_t tensor; /* in the log's model */
    const void *data;
    size_t size;
} xr_attached_constant;

/* The same file (even if its path names another one by now), opened once more: constants are attached to a
 * copy, not to the caller's log.  Close it while `log` is still open. */
exray_log *xr_log_open_again(const exray_log *log, exray_error *error);

/* From now on the constants' records have data; where there was no record, there is one.  `list`, ascending
 * by tensor, and its data are borrowed until close.  Records given before are invalid: call it before
 * anything reads the log.  False: out of memory, the log is as it was. */
bool xr_log_attach_constants(exray_log *log, const xr_attached_constant *list, size_t count);

#endif
