/* Which layer originates an error, and which only passes it on. */
#ifndef XR_LOCALIZE_H
#define XR_LOCALIZE_H

#include <exray/assertion.h>

/* Fills error and noise of every pair and the role of every layer.  False: out of memory. */
bool xr_localize(exray_comparison *comparison);

/* Result of running a layer alone on the edge's own inputs (src/isolate). */
typedef struct xr_isolated_errors {
    double error;     /* of the edge's output against it, relative to `deviation` */
    double within;    /* the same, with the reference clamped to the range of the edge's type */
    double deviation; /* standard deviation of the output of the layer when run alone */
} xr_isolated_errors;

/* Updates the layer's role; returns whether it is wrong by itself.  `exact`: xr_comparison_is_exact, and
 * the layer was cut out of that same file. */
bool xr_comparison_isolated(exray_comparison *comparison, size_t layer, const xr_isolated_errors *errors,
                            bool exact);
/* Result of running the reference's layers from the counterpart of edge node `first_node` up to this one
 * as a block: each passes alone, together they fail. */
void xr_comparison_block(exray_comparison *comparison, size_t layer, uint32_t first_node, double error);
/* The largest healthy error of that many layers in a row, the last of which is `layer`. */
double xr_block_noise(const exray_comparison *comparison, size_t layer, uint32_t layers);
/* Whether the layer's result on the same inputs is known to one step: both sides run one model file, and
 * the layer is of integers. */
bool xr_comparison_is_exact(const exray_comparison *comparison, size_t layer);

#endif
