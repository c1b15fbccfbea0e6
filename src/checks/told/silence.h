/* What a frame without a result means: nothing was told, or nothing was recorded. */
#ifndef XR_SILENCE_H
#define XR_SILENCE_H

#include <exray/assertion.h>

typedef enum xr_told_what { XR_TOLD_CLASSES, XR_TOLD_BOXES, XR_TOLD_TEXT, XR_TOLD_KINDS } xr_told_what;

/* By exray_side. */
typedef struct xr_silence {
    size_t told[2];              /* matched frames with a result */
    bool what[2][XR_TOLD_KINDS]; /* whether some frame tells it */
    bool says[2];                /* whether some frame's result holds anything at all */
    bool lossy[2];               /* the log says that it lacks records */
} xr_silence;

xr_silence xr_silence_of(const exray_comparison *comparison);

/* Whether a result holds anything: one that is empty is told, too, and shows nothing of what the model gave.
 */
bool xr_result_says(const exray_result *result);

/* Whether both sides' results of a frame can be compared, given which of them have a record: both; or one,
 * and the other side tells in other frames and lost nothing. */
bool xr_may_compare_results(const xr_silence *silence, const bool has[2]);

/* Whether a side tells that in no frame, but something else: another application, which need not tell it. */
bool xr_tells_otherwise(const xr_silence *silence, xr_told_what what);

/* Whether one side has results, and the other none at all: its application may tell without recording it. */
bool xr_one_side_records(const xr_silence *silence);

#endif
