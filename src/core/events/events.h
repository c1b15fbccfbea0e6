/* /event: what happened to the recording or to the application.  Without the part of events nothing is told:
 * what is lost is only counted. */
#ifndef XR_EVENTS_H
#define XR_EVENTS_H

#include "core/state.h"

/* Writes an event, of the open frame where there is one.  `text` becomes one line of at most 400 bytes.
 * records_lost 0: it says nothing of that.  Lost where the log has no room for it, and where its level is
 * off. */
exray_status xr_event(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t records_lost);
/* The same of a frame; whatever the level. */
exray_status xr_event_of(xr_recorder *r, exray_event_kind kind, const char *text, uint64_t frame,
                         uint64_t records_lost);

/* A call that cannot be done: counts `records` that are not recorded for it, tells so in the log, and
 * returns `status`.  The texts are joined; NULL ends them early. */
exray_status xr_refuse_call(xr_recorder *r, exray_status status, uint32_t records, const char *a,
                            const char *b,
                            const char *c); /* The same of "exray_recorder_CALL" with an argument that cannot
                                               be; `what` begins with ": ". */
exray_status xr_bad_call(xr_recorder *r, const char *call, const char *what);

/* Counts what the writer lost, and has it told where the sink takes bytes again; not while a record is being
 * made. */
void xr_count_lost(xr_recorder *r);

#endif
