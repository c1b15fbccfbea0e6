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
    double others; /* the largest healthy error that other layers of the edge add, which the same part of the
                      reference's model computes; 0: none */
    bool exact;    /* xr_comparison_is_exact, no others, and the layer was cut out of that same file */
} xr_isolated_errors;

/* The largest healthy error of a layer that was run alone. */
double xr_isolated_noise(const exray_comparison *comparison, size_t layer, const xr_isolated_errors *errors);
/* Updates the layer's role; returns whether it is wrong by itself. */
bool xr_comparison_isolated(exray_comparison *comparison, size_t layer, const xr_isolated_errors *errors);
/* Notes that the reference's output is off by that from what the layer makes of the reference's own inputs,
 * where the edge's is right. */
void xr_comparison_reference_fails(exray_comparison *comparison, size_t layer, double error);
/* The largest healthy error that a node of the edge adds by itself. */
double xr_node_own_noise(const exray_comparison *comparison, uint32_t node);
/* Result of running the reference's layers from the counterpart of edge node `first_node` up to this one
 * as a block: each passes alone, together they fail. */
void xr_comparison_block(exray_comparison *comparison, size_t layer, uint32_t first_node, double error);
/* The largest healthy error of that many layers in a row, the last of which is `layer`. */
double xr_block_noise(const exray_comparison *comparison, size_t layer, uint32_t layers);
/* Whether the layer's result on the same inputs is known to one step: both sides run one model file, and
 * the layer is of integers. */
bool xr_comparison_is_exact(const exray_comparison *comparison, size_t layer);

#endif
