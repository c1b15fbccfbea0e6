/* From a flight recorder's file to a log. */
#ifndef XR_BOX_LOG_H
#define XR_BOX_LOG_H

#include "log/recover.h"

typedef struct xr_box_saved {
    uint64_t frames;     /* whole ones */
    bool open;           /* and the beginning of one more */
    uint64_t messages;   /* written */
    uint64_t incomplete; /* entries of frames that were not whole */
    bool closed;         /* the recorder was closed in order */
    bool no_model;       /* it has no /model: none was logged, or it did not fit */
} xr_box_saved;

/* Writes a log of the frames that wait in the file `box`, the one that was open included.  Returns false
 * with `error` filled; what was written is then of no use. */
bool xr_box_recover(const char *box, FILE *to, xr_box_saved *saved, exray_error *error);

/* The same of a file in memory. */
bool xr_box_recover_bytes(const void *data, size_t size, FILE *to, xr_box_saved *saved, exray_error *error);

/* xr_recover of the log `from`, with those records of the file `box` that the log does not have. */
bool xr_box_recover_with(const char *from, const char *box, FILE *to, xr_recovery *result,
                         xr_box_saved *saved, exray_error *error);

#endif
