/* What a side's model remembered, found by running it again on the side's own inputs: never reset, reset
 * before every frame, reset at some, not run on some, run late, run twice, or begun with another state.  The
 * story under which the outputs are those that were recorded. */
#ifndef XR_STORY_H
#define XR_STORY_H

#include "checks/model/state/loops.h"
#include "checks/reruns.h"

/* Where the memory is not that of the frames before. */
typedef enum xr_turn_kind {
    XR_TURN_RESET,    /* it is reset before a frame */
    XR_TURN_MISSED,   /* `count` frames of the log were not run */
    XR_TURN_LATE,     /* from there on, the model gets the inputs of one frame before */
    XR_TURN_EMPTY,    /* likewise from the first frame on, which gets zeros */
    XR_TURN_TWICE,    /* the frame before was run `count` more times */
    XR_TURN_UNLOGGED, /* `count` frames were run that its own log lacks and the other has */
    XR_TURN_WARM,     /* the first `count` frames had been run before the recording */
    XR_TURN_BEGIN,    /* it begins with a state of which nothing is known, forgotten before the frame */
} xr_turn_kind;

typedef struct xr_turn {
    xr_turn_kind kind;
    size_t at, first; /* positions in the side's log: it is one of those from first to at; UNLOGGED: `first`
                         is in the other's; EMPTY: which zeros (xr_reruns.run) */
    size_t count;
} xr_turn;

enum { XR_MOST_TURNS = 256 };

typedef struct xr_story {
    bool known; /* it explains all outputs */
    bool exact; /* bit for bit; else within noise */
    bool
        every; /* reset before every frame; the turns, where there are some, would explain the outputs, too */
    xr_turn turn[XR_MOST_TURNS];
    size_t count;
    size_t frames; /* whose outputs were compared */
    size_t runs;   /* of the model, in all */
    char engine[24];
    char why[200]; /* why it is not known */
} xr_story;

typedef struct xr_stories {
    xr_story side[2];
} xr_stories;

/* Both sides', told once and kept with the findings; inputs of `loops` get back what the model returns.
 * NULL: nobody can run models again here, or there is no memory. */
const xr_stories *xr_stories_get(const exray_comparison *comparison, const xr_loops *loops,
                                 exray_findings *findings);

/* Whether both are known, and are not the same. */
bool xr_stories_differ(const exray_comparison *comparison, const xr_stories *stories);

/* "is reset before frame 40 and does not run in frames 5 to 7" of "a model that ...". */
void xr_story_words(const exray_comparison *comparison, exray_side side, const xr_story *story, char *text,
                    size_t size);

#endif
