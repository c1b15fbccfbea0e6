/* Items whose data are decoded and pre-processed ahead of the model's runs, on several threads: a batch at a
 * time, and no model runs meanwhile, so that the latencies of its runs are what they are without. */
#ifndef XR_AHEAD_H
#define XR_AHEAD_H

#include "replay/fill.h"

/* What was made of an item. */
typedef struct xr_prepared {
    xr_feeds feeds;
    exray_status status;
    exray_error error;
    uint64_t took; /* ns */
} xr_prepared;

typedef struct xr_ahead xr_ahead;

/* All are borrowed; `plan` and `pipeline` are not changed meanwhile.  NULL: out of memory, or the inputs
 * cannot be taken. */
xr_ahead *xr_ahead_open(unsigned jobs, xr_items *items, const xr_pipeline *pipeline, const xr_fills *plan,
                        const xr_engine *engine, xr_session *session, exray_error *error);
void xr_ahead_close(xr_ahead *ahead);

/* The next item and what was made of it (NULL where it is BROKEN), in the order of the items; both are valid
 * until the next call. */
xr_next xr_ahead_next(xr_ahead *ahead, xr_item *item, const xr_prepared **prepared, exray_error *error);

/* Copies the inputs that were made of an item; a model's states stay as they are. */
exray_status xr_ahead_take(const xr_prepared *prepared, const xr_fills *fills, xr_feeds *feeds,
                           exray_error *error);

#endif
