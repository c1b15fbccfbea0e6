/* Steps by the layers that they end in: where the values of two layers agree, the steps that make them are
 * the same, wherever an engine has put them. */
#ifndef XR_STEP_LAYERS_H
#define XR_STEP_LAYERS_H

#include "checks/model/graph/step_graph.h"

#include <exray/assertion.h>

/* The pair of layers of a tensor of the edge, or of what it is only quantized from; or EXRAY_NO_INDEX.
 * layer: [tensors of the edge's model] of the comparison, or EXRAY_NO_INDEX. */
uint32_t xr_step_layer_of(const xr_step_graph *edge, const uint32_t *layer, uint32_t tensor);

typedef struct xr_step_layers {
    const exray_comparison *comparison;
    const xr_step_graph *side; /* [2] */
    uint32_t **mate;           /* [2], each [steps of the side] */
    const uint32_t *layer;     /* as above */
    /* What is worth how much for two steps to be the same; 0: they cannot be. */
    double (*score)(const exray_comparison *comparison, void *user, uint32_t edge, uint32_t reference);
    void *user;
} xr_step_layers;

/* Makes two steps mates; their mates till then have none.  mate: [2], each [steps of the side]. */
void xr_step_make_mates(uint32_t *const *mate, uint32_t edge, uint32_t reference);

/* Parts mates that end in layers of which each agrees with another, and joins those that end in the same.
 * False: out of memory. */
bool xr_step_layers_settle(const xr_step_layers *by);

#endif
