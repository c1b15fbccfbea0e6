/* Which constants a layer computes with: a walk over the graph. */
#ifndef XR_WEIGHT_GRAPH_H
#define XR_WEIGHT_GRAPH_H

#include "checks/model/weight_constant.h"

/* One side's graph, for walks from a compared tensor back to those before it. */
typedef struct xr_weight_graph {
    const exray_model *model, *other; /* of the side; of the other one, or NULL */
    uint32_t *maker;                  /* [tensor_count] the node that makes each tensor, or EXRAY_NO_INDEX */
    bool *compared;                   /* [tensor_count] whether it has a counterpart: a walk ends there */
    bool *parameter;                  /* [tensor_count] whether a node reads it as a scale or a zero point */
    bool *seen;                       /* [node_count] nodes of earlier walks, which later ones leave out */
    uint32_t *stack;                  /* [node_count + 1] */
    xr_node_constant *found;          /* what the last walk found */
    size_t found_count;
} xr_weight_graph;

/* False: out of memory.  Of a log without a model the graph is empty. */
bool xr_weight_graph_make(const exray_comparison *comparison, exray_side side, xr_weight_graph *out);
void xr_weight_graph_free(xr_weight_graph *graph);

/* Fills `found` with the constants that make `tensor` out of the compared tensors before it, in the order of
 * the nodes' inputs; scales and zero points, and what partitions read, are left out. */
void xr_weight_graph_walk(xr_weight_graph *graph, uint32_t tensor);

#endif
