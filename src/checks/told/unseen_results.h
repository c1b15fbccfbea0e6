/* What was told in frames of which a log holds nothing that the model was given or returned: no finding can
 * say why it differs, and where it does, the two logs do not agree. */
#ifndef XR_UNSEEN_RESULTS_H
#define XR_UNSEEN_RESULTS_H

#include "checks/told/comparable_frames.h"

typedef struct xr_unseen_results {
    size_t frames, differ; /* such frames with a result on both sides; of them, in which it is another */
    uint64_t first;        /* the index of the first that differs */
} xr_unseen_results;

/* Notes them for the verdict, where they differ by more than noise explains: in any frame where no noise is
 * between the two sides, else in half of them or more.  False: out of memory. */
bool xr_note_unseen_results(const exray_comparison *comparison, const xr_equal_frames *equal,
                            exray_findings *findings);

/* What was noted, or NULL. */
const xr_unseen_results *xr_unseen_results_of(const exray_findings *findings);

#endif
