/* A model that is run again, frame by frame as the caller says, on the inputs that a log recorded; nothing is
 * written. */
#ifndef XR_RERUN_H
#define XR_RERUN_H

#include "engines/engine.h"

#include <exray/log.h>

typedef struct xr_rerun xr_rerun;

/* Opens a session as the config says (its model's bytes and texts outlive it).  NULL: it cannot be. */
xr_rerun *xr_rerun_open(const xr_engine *engine, const xr_session_config *config, exray_error *error);
void xr_rerun_close(xr_rerun *rerun);

/* That input gets that output of the run before, and zeros first.  EXRAY_E_FORMAT: the model has no such one.
 */
exray_status xr_rerun_loop(xr_rerun *rerun, const char *input, const char *output, exray_error *error);

/* What the model remembers is as before its first run. */
exray_status xr_rerun_reset(xr_rerun *rerun, exray_error *error);

/* Runs once on what the log recorded of the inputs, except those that get outputs back, in the frame at that
 * position; zeros: on zeros in their place, as bytes (1) or as numbers (2), but for inputs of one element. */
exray_status xr_rerun_run(xr_rerun *rerun, const exray_log *log, size_t frame, int zeros, exray_error *error);

/* An output of the last run, by its name (or the only one): borrowed until the next; NULL: there is none. */
const void *xr_rerun_output(xr_rerun *rerun, const char *name, exray_tensor_info *info, size_t *size);

#endif
