/* What a side's model remembered, found by running it again on the side's own inputs: never reset, reset
 * before every frame, reset at some, not run on some, run late, run twice, or begun with another state.  The
 * history under which the outputs are those that were recorded. */
#ifndef XR_HISTORY_H
#define XR_HISTORY_H

#include "checks/model/state/loops.h"
#include "checks/reruns.h"

/* Where the memory is not that of the frames before. */
typedef enum xr_deviation_kind {
    XR_DEVIATION_RESET,    /* it is reset before a frame */
    XR_DEVIATION_MISSED,   /* `count` frames of the log were not run */
    XR_DEVIATION_LATE,     /* from there on, the model gets the inputs of one frame before */
    XR_DEVIATION_EMPTY,    /* likewise from the first frame on, which gets zeros */
    XR_DEVIATION_TWICE,    /* the frame before was run `count` more times */
    XR_DEVIATION_UNLOGGED, /* `count` frames were run that its own log lacks and the other has */
    XR_DEVIATION_WARM,     /* the first `count` frames had been run before the recording */
    XR_DEVIATION_BEGIN,    /* it begins with a state of which nothing is known, forgotten before the frame */
} xr_deviation_kind;

typedef struct xr_deviation {
    xr_deviation_kind kind;
    size_t at, first; /* positions in the side's log: it is one of those from first to at; UNLOGGED: `first`
                         is in the other's; EMPTY: which zeros (xr_reruns.run) */
    size_t count;
} xr_deviation;

enum { XR_MOST_DEVIATIONS = 256 };

typedef struct xr_history {
    bool known; /* it explains all outputs */
    bool exact; /* bit for bit; else within noise */
    bool every; /* reset before every frame; deviations, where there are some, would explain the outputs, too
                 */
    xr_deviation deviation[XR_MOST_DEVIATIONS];
    size_t count;
    size_t frames; /* whose outputs were compared */
    size_t runs;   /* of the model, in all */
    char engine[24];
    char why[200]; /* why it is not known */
} xr_history;

typedef struct xr_histories {
    xr_history side[2];
} xr_histories;

/* Both sides', told once and kept with the findings; inputs of `loops` get back what the model returns.
 * NULL: nobody can run models again here, or there is no memory. */
const xr_histories *xr_histories_get(const exray_comparison *comparison, const xr_loops *loops,
                                     exray_findings *findings);

/* Whether both are known, and are not the same. */
bool xr_histories_differ(const exray_comparison *comparison, const xr_histories *histories);

/* "is reset before frame 40 and does not run in frames 5 to 7" of "a model that ...". */
void xr_history_words(const exray_comparison *comparison, exray_side side, const xr_history *history,
                      char *text, size_t size);

/* The index of the frame at a position of a side's log; beyond its end, of the last. */
uint64_t xr_history_frame(const exray_comparison *comparison, exray_side side, size_t position);

#endif
