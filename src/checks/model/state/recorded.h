/* States that both logs have recorded (/state/NAME). */
#ifndef XR_RECORDED_H
#define XR_RECORDED_H

#include <exray/assertion.h>

/* One side's state is zeros where the other's is not: it was reset there. */
typedef struct xr_state_resets {
    bool *in[2]; /* by exray_side: [matched frames] in which that side's alone is zeros */
    size_t count[2];
    size_t compared;  /* matched frames with a state of both sides */
    const char *name; /* of the first such state; the log's */
} xr_state_resets;

/* Compares all states of all matched frames.  False: out of memory. */
bool xr_find_state_resets(const exray_comparison *comparison, xr_state_resets *out);
void xr_state_resets_free(xr_state_resets *resets);

#endif
