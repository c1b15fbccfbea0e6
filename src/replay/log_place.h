/* Where a run's log is written: beside its place, until it is whole, so that a run that fails destroys no
 * older log, and leaves no half one. */
#ifndef XR_LOG_PLACE_H
#define XR_LOG_PLACE_H

#include "core/host/log_names.h"

#include <exray/types.h>

typedef struct xr_log_place {
    char path[XR_LOG_PATH];    /* where it belongs; "": the recorder's own names are used */
    char written[XR_LOG_PATH]; /* where it is until then */
} xr_log_place;

/* Chooses the place of a log that is to be written to `wanted`: beside it, "WANTED.part", where what a run
 * that was killed has left is replaced; `wanted` itself for a device, a pipe, and for `numbered` logs, which
 * are never written over one another.  Where `wanted` is a link, what it leads to is meant.  A log that was
 * not closed is not replaced: as the recorder does, the next free name is taken.  Nothing is created. */
exray_status xr_log_place_choose(xr_log_place *place, const char *wanted, bool numbered, exray_error *error);

/* Called before the recorder opens `written`: what a killed run has left there does not make it take another
 * name.  Fails where another run writes there now. */
exray_status xr_log_place_clear(const xr_log_place *place, exray_error *error);

/* Called once the recorder has opened `opened`: fails where that is another name, since another run began to
 * write `written` in between.  That file is removed. */
exray_status xr_log_place_taken(const xr_log_place *place, const char *opened, exray_error *error);

/* The log goes to its place (`whole`), or away. */
exray_status xr_log_place_settle(const xr_log_place *place, bool whole, exray_error *error);

#endif
