/* Which of a model's inputs gets what: the picture, a number, a mask, its state, or what was recorded. */
#ifndef XR_FILL_H
#define XR_FILL_H

#include "pipeline/steps.h"
#include "replay/feed.h"

typedef enum xr_fill_kind {
    XR_FILL_IMAGE,
    XR_FILL_CONSTANT,
    XR_FILL_MASK,
    XR_FILL_STATE,
    XR_FILL_RECORD,
} xr_fill_kind;

/* Of one input. */
typedef struct xr_fill {
    xr_fill_kind kind;
    double value; /* CONSTANT */
    uint32_t of;  /* MASK: the input; STATE: the output */
    bool began;   /* STATE: a run has left one in the feed */
} xr_fill;

typedef struct xr_fills {
    xr_fill of[XR_FEED_MOST];
    uint32_t count;
} xr_fills;

/* Plans the inputs of a session by the pipeline's keys `inputs` and `state` (NULL: there is none); states
 * begin anew.  EXRAY_E_FORMAT: a key names what the model has not, or an input gets nothing. */
exray_status xr_fill_plan(xr_fills *fills, const xr_pipeline *pipeline, bool from_input,
                          const xr_engine *engine, xr_session *session, const xr_feeds *feeds,
                          exray_error *error);

/* Fills all inputs from an item. */
exray_status xr_fill_run(xr_fills *fills, const xr_pipeline *pipeline, const xr_item *item, xr_feeds *feeds,
                         exray_error *error);

/* After a run: keeps the outputs that are states. */
exray_status xr_fill_keep_states(xr_fills *fills, const xr_engine *engine, xr_session *session,
                                 xr_feeds *feeds, exray_error *error);

#endif
