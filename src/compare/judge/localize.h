/* Which layer originates an error, and which only passes it on. */
#ifndef XR_LOCALIZE_H
#define XR_LOCALIZE_H

#include <exray/assertion.h>

/* Fills error and noise of every pair and the role of every layer.  False: out of memory. */
bool xr_localize(exray_comparison *comparison);

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

#endif
