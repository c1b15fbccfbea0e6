/* Inputs that get an output of the frame before, or begin with the end of their own frame before (windows
 * that overlap): memory in the application's hands. */
#ifndef XR_LOOPS_H
#define XR_LOOPS_H

#include "checks/findings.h"

/* What an input is in one frame of a log. */
typedef enum xr_link {
    XR_LINK_UNKNOWN, /* not recorded, or the log's first frame */
    XR_LINK_CARRIED, /* what the frame before left, value for value or rounded to 16 bits */
    XR_LINK_ZEROS,
    XR_LINK_KEPT,    /* what it was in the frame before: not the model's output */
    XR_LINK_EARLIER, /* what the frame before that left */
    XR_LINK_OTHER,
} xr_link;

typedef struct xr_loop {
    size_t input, output;   /* among the comparison's pairs; output SIZE_MAX: the input's own end */
    uint64_t overlap, size; /* the first `overlap` of the input's `size` values are the state: all of them, of
                               an output's */
    unsigned char *link[2]; /* by exray_side: [frames of the log] xr_link */
} xr_loop;

typedef struct xr_loops {
    xr_loop *loop;
    bool *more; /* [count] whether the input differs beside the state, too */
    size_t count;
} xr_loops;

/* The loops of the models' inputs, found once and kept with the findings.  An input is one where, on one side
 * at least, it is the output of the frame before in most frames.  NULL: out of memory. */
const xr_loops *xr_loops_get(const exray_comparison *comparison, exray_findings *findings);

/* Those that were found; NULL: nobody asked for them. */
const xr_loops *xr_loops_kept(const exray_findings *findings);

/* Whether that pair of inputs is one, and differs in nothing but its state. */
bool xr_is_looped(const xr_loops *loops, size_t input);

/* Whether that pair of inputs is one that a side leaves in more frames than the other: model.state tells it,
 * whatever sizes the input has then. */
bool xr_is_broken_loop(const exray_comparison *comparison, const xr_loops *loops, size_t input);

#endif
