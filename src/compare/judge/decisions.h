/* Decisions: the classes that each side ranks first. */
#ifndef XR_DECISIONS_H
#define XR_DECISIONS_H

#include <exray/assertion.h>

/* Fills accuracy. */
exray_status xr_judge_decisions(exray_comparison *comparison, exray_error *error);

/* The first class of both sides in one matched frame. */
typedef struct xr_decision {
    int64_t top[2]; /* classes, by exray_side */
    float score[2];
    bool has_label;
    int64_t label;
} xr_decision;
/* Reads it; slot is the caller's scratch space.  False: a side has no decision for this frame. */
bool xr_comparison_decision(const exray_comparison *comparison, size_t frame, exray_slot *slot,
                            xr_decision *out);

#endif
