/* A copy of a log without what may not leave the building: data that become statistics, records that go. */
#ifndef XR_SCRUB_H
#define XR_SCRUB_H

#include "log/recover.h"
#include "log/scrub/scrub_rules.h"

typedef struct xr_scrubbed {
    xr_recovery copy;           /* what was read and written */
    uint64_t dropped, to_stats; /* messages that went, and that became statistics */
    uint64_t dropped_attachments;
} xr_scrubbed;

/* Copies the log `from` to `to` as the rules say, and adds the metadata record "exray.scrub": the patterns of
 * `drop` and `stats`, and the numbers.  What is damaged is left out, as xr_recover does.  The rules count
 * what they meet.
 *
 * False, with `error` filled: a file that cannot be read (EXRAY_E_IO, EXRAY_E_FORMAT); EXRAY_E_ARGUMENT where
 * a pattern meets nothing, would drop what makes it a log (/frame, /model, its role), or wants statistics of
 * what is no tensor.  What was written is then of no use, and may hold what was to go: remove it. */
bool xr_scrub(const char *from, FILE *to, xr_scrub_rules *rules, xr_scrubbed *result, exray_error *error);

#endif
