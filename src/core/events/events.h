/* /event: what happened to the recording or to the application. */
#ifndef XR_EVENTS_H
#define XR_EVENTS_H

#include "core/state.h"

/* Writes an event.  `text` becomes one line of at most 400 bytes.  records_lost 0: it says nothing of that.
 * Lost where the log has no room for it, and where its level is off. */
exray_status xr_event(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t records_lost);
/* The same of a frame; whatever the level. */
exray_status xr_event_of(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t frame,
                         uint64_t records_lost);

#endif
