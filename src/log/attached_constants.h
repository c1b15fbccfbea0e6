/* Constants that a log has no data of, lent to it from a model file. */
#ifndef XR_LEND_H
#define XR_LEND_H

#include <exray/log.h>

/* Data as the log's /model describes the tensor: its type, its shape, little-endian. */
typedef struct xr_lent_constant {
    uint32_t tensor; /* in the log's model */
    const void *data;
    size_t size;
} xr_lent_constant;

/* The same file (whatever its path has come to be), opened once more: a log that borrows is not
 * the caller's any more.  Close it while `log` is still open. */
exray_log *xr_log_open_again(const exray_log *log, exray_error *error);

/* The constants' records have data from now on; where there was no record, there is one.
 * `list`, ascending by tensor, and its data are borrowed until close.  Records given
 * before are invalid: call it before anything reads the log.  False: out of memory, the log
 * is as it was. */
bool xr_log_lend_constants(exray_log *log, const xr_lent_constant *list, size_t count);

#endif
