/* What both applications told their users, /result, held against each other. */
#ifndef XR_TOLD_H
#define XR_TOLD_H

#include <exray/assertion.h>

/* Of a finding about outputs that differ as a whole: an error; a warning where both applications told
 * something in at least one frame, and the same in all of these (the same classes in the same order, the same
 * boxes, points, vectors and masks, the same text, and scores that are near): then each knows its own model.
 */
exray_severity xr_severity_by_told(const exray_comparison *comparison);
/* Says so, where that is the severity. */
void xr_say_told(exray_finding *finding, exray_severity severity);

/* Texts of as many parts (words, or else characters) as the model has outputs. */
typedef struct xr_told_places {
    bool explains;                /* in every frame where the texts differ, and there is one */
    size_t frames;                /* where they differ */
    char edge[64], reference[64]; /* of the first such frame */
} xr_told_places;

/* Whether part p of the edge's text is always part from[p] of the reference's. */
exray_status xr_told_by_place(const exray_comparison *comparison, const size_t *from, size_t count,
                              xr_told_places *out, exray_error *error);

#endif
