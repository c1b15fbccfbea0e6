/* Which of a model's inputs gets what: the picture, sound or text, a number, a mask, its state, or what was
 * recorded. */
#ifndef XR_FILL_H
#define XR_FILL_H

#include "pipeline/steps.h"
#include "replay/feed.h"

typedef enum xr_fill_kind {
    XR_FILL_IMAGE,
    XR_FILL_AUDIO,
    XR_FILL_TEXT,
    XR_FILL_CONSTANT,
    XR_FILL_MASK,
    XR_FILL_STATE,
    XR_FILL_RECORD,
} xr_fill_kind;

/* Of one input. */
typedef struct xr_fill {
    xr_fill_kind kind;
    double value; /* CONSTANT */
    uint32_t of;  /* MASK: the input; STATE: the output, which its feed gets after each run */
} xr_fill;

typedef struct xr_fills {
    xr_fill of[XR_FEED_MOST];
    uint32_t count;
} xr_fills;

/* Plans the inputs of a session by the pipeline's keys `inputs` and `state` (NULL: there is none); states
 * begin anew.  EXRAY_E_FORMAT: a key names what the model has not, what does not fit, or an input gets
 * nothing. */
exray_status xr_fill_plan(xr_fills *fills, const xr_pipeline *pipeline, bool from_input,
                          const xr_engine *engine, xr_session *session, xr_feeds *feeds, exray_error *error);

/* Whether there is a state among them, and zeros for all of those. */
bool xr_fill_has_states(const xr_fills *fills);
exray_status xr_fill_reset_states(const xr_fills *fills, xr_feeds *feeds, exray_error *error);

/* Fills all inputs but states from an item. */
exray_status xr_fill_run(const xr_fills *fills, const xr_pipeline *pipeline, const xr_item *item,
                         xr_feeds *feeds, exray_error *error);

/* After a run: keeps the outputs that are states. */
exray_status xr_fill_keep_states(const xr_fills *fills, const xr_engine *engine, xr_session *session,
                                 xr_feeds *feeds, exray_error *error);

#endif
