/* Aligns two logs and measures how far they are apart: the exray_comparison that
 * assertions and reports look at (include/exray/assertion.h). */
#ifndef XR_COMPARE_H
#define XR_COMPARE_H

#include <exray/assertion.h>

/* Told now and then how many of `total` frames are compared. */
typedef void xr_progress_fn(void *user, size_t done, size_t total);

typedef struct xr_compare_options {
    xr_progress_fn *progress; /* NULL: none */
    void *user;
} xr_compare_options;

/* Reads both logs once, frame by frame and layer by layer: memory does not grow
 * with the logs' data.  The logs are borrowed until xr_comparison_free.  options
 * may be NULL.  NULL on failure, error filled. */
exray_comparison *xr_compare(const exray_log *edge, const exray_log *reference,
                             const xr_compare_options *options, exray_error *error);

/* What came of running a layer alone on the edge's own inputs (src/isolate). */
typedef struct xr_isolated_errors {
    double error;     /* of the edge's output against that, of its deviation */
    double within;    /* the same with that cut off where the edge's type ends */
    double deviation; /* of what the layer made, alone */
} xr_isolated_errors;

/* The layer's role follows; returns whether it is wrong by itself.  `exact`:
 * xr_comparison_is_exact, and the layer was of that file, too. */
bool xr_comparison_isolated(exray_comparison *comparison, size_t layer, const xr_isolated_errors *errors,
                            bool exact);
/* ... of running the reference's layers from those that edge node `first_node` matches up to
 * this one, which pass one by one and fail together. */
void xr_comparison_block(exray_comparison *comparison, size_t layer, uint32_t first_node, double error);
/* The error that so many layers in a row, the last of which is `layer`, may add. */
double xr_block_noise(const exray_comparison *comparison, size_t layer, uint32_t layers);
/* Whether the layer's result, on the same inputs, is known to the last step: both sides run
 * one model file, and the layer is of integers. */
bool xr_comparison_is_exact(const exray_comparison *comparison, size_t layer);

/* What both sides put first in one matched frame. */
typedef struct xr_decision {
    int64_t top[2]; /* classes, by exray_side */
    float score[2];
    bool has_label;
    int64_t label;
} xr_decision;
/* Reads it; slot is the caller's, for scratch.  False: not both sides decide on this frame. */
bool xr_comparison_decision(const exray_comparison *comparison, size_t frame, exray_slot *slot,
                            xr_decision *out);

/* NULL is allowed. */
void xr_comparison_free(exray_comparison *comparison);

#endif
