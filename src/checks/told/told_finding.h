/* What findings about what was told have in common. */
#ifndef XR_TOLD_FINDING_H
#define XR_TOLD_FINDING_H

#include "checks/findings.h"
#include "checks/told/comparable_frames.h"

/* Whose result is not what its own model returned, as far as the logs tell. */
typedef enum xr_told_side {
    XR_TOLD_UNKNOWN,
    XR_TOLD_EDGE_WRONG,
    XR_TOLD_REFERENCE_WRONG,
    XR_TOLD_BOTH_RIGHT,    /* each tells what its own model returned */
    XR_TOLD_EDGE_AS_GIVEN, /* the edge tells them as the model gives them, the reference otherwise */
} xr_told_side;

/* A finding output.postprocess of that kind ("mirrored", ...) about `stage` ("result", "stage") and its name
 * (or NULL). */
exray_finding *xr_told_finding(exray_findings *findings, const char *kind, const char *stage,
                               const char *name, double confidence);

/* Says in how many of the compared frames, that outputs (or inputs) are equal there, and whose side it is;
 * where `some` frames tell otherwise, also which.  differs: [matched frames]. */
void xr_say_told_frames(exray_finding *finding, const exray_comparison *comparison,
                        const xr_equal_frames *equal, const bool *differs, bool some, xr_told_side side);

/* Differences that noise may explain, and nothing proves to be noise: without outputs they make no PASS. */
void xr_note_excused(exray_findings *findings);
bool xr_was_excused(const exray_findings *findings);

/* Whether one of the output. causes in the list (NULL-terminated) is found already, about results. */
bool xr_result_is_explained(const exray_findings *findings, const char *const *causes);

#endif
