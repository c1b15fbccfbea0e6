/* What the ways of opening share. */
#ifndef XR_OPEN_H
#define XR_OPEN_H

#include "core/state.h"

/* What the caller was compiled with, and what it asks for. */
typedef struct xr_opening {
    size_t recorder_size;
    const char *header_version;
    const exray_recorder_config *config; /* may be NULL */
} xr_opening;

/* A fresh state with its tables, and the config as this library knows it; `parts` are those of a
 * config that names none.  `target`: what the recorder writes to, for messages.  After a failure
 * nothing is left to close, and the error stays: exray_recorder_error_status has it. */
bool xr_open_begin(exray_recorder *recorder, const xr_opening *opening, const exray_recorder_parts *parts,
                   const char *target, size_t sink_size, exray_recorder_config *config);
/* Begins the log. */
exray_status xr_open_log(xr_recorder *r, const exray_recorder_config *config, exray_recorder_write_fn write,
                         void *user);
/* An open that failed after xr_open_begin: gives back what that took. */
exray_status xr_open_failed(xr_recorder *r);
#define XR_CALLBACK_TARGET "the application's write callback"

#endif
