/* Values that are no number, place by place: as many on both sides may stand at other places. */
#ifndef XR_NOT_FINITE_H
#define XR_NOT_FINITE_H

#include <exray/assertion.h>

typedef struct xr_not_finite {
    uint64_t edge;          /* NaN or infinite on the edge, a number in the reference */
    uint64_t reference_nan; /* the reverse, of NaN alone: what a type cannot hold instead of an infinity is no
                               fault */
    uint64_t other;         /* no number on both sides, and not the same */
    size_t frames, first;   /* matched frames with any of these, and the first of them */
} xr_not_finite;

/* Counts them in an input or an output; all 0 where neither side has any, or the values are not in both logs.
 */
void xr_not_finite_find(const exray_comparison *comparison, exray_kind kind, size_t pair, xr_not_finite *out);

/* Adds to a finding in which frames the edge's values of a pair of inputs, outputs or layers are no numbers
 * where the reference's are, if it is so in some of them only and the values are in both logs. */
void xr_not_finite_frames(const exray_comparison *comparison, exray_kind kind, size_t pair,
                          exray_finding *finding);

/* Whether any were found. */
bool xr_is_not_finite(const xr_not_finite *counts);

/* "3 NaN or infinite values on the edge where the reference's are numbers", in words for a finding. */
void xr_not_finite_words(const xr_not_finite *counts, char *text, size_t size);

/* The counts, as a finding's evidence. */
void xr_not_finite_evidence(const xr_not_finite *counts, exray_finding *finding);

#endif
