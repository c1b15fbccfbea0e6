/* Findings that a team has accepted: they are shown as known, and do not fail. */
#ifndef XR_KNOWN_H
#define XR_KNOWN_H

#include "checks/findings.h"

/* One entry of the list. */
typedef struct xr_known_finding {
    char *cause;   /* a cause, or PREFIX* */
    char *where;   /* of a tensor, or a stage; NULL: anywhere */
    char *reason;  /* NULL: none was given */
    char *expires; /* YYYY-MM-DD, the last day on which it holds; NULL: never */
    unsigned line; /* in the file, from 1 */
    bool expired;
    size_t used; /* findings that it accepts, or would if it had not expired */
} xr_known_finding;

/* Where a finding is, as an entry names it: its tensor, or its stage; "" where it is nowhere in particular.
 */
const char *xr_known_place(const exray_finding *finding);

/* Notes in each finding which entry accepts it.  Before consequences are sought: an accepted finding hides
 * less. */
void xr_known_mark(xr_known_finding *known, size_t count, exray_findings *findings);

/* Counts what each entry accepts of the findings that are shown, and puts those that are new first, in their
 * order. */
void xr_known_apply(xr_known_finding *known, size_t count, exray_finding **shown, size_t shown_count);

#endif
