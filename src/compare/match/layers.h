/* A model as a list of layers, for the alignment: every output of every node, including those inside a
 * delegate's partition, with the properties that identify a layer. */
#ifndef XR_LAYERS_H
#define XR_LAYERS_H

#include "compare/match/ops.h"

typedef struct xr_layer {
    uint32_t node, output; /* as recorded; of a layer inside a partition, the partition and EXRAY_NO_INDEX */
    const exray_node *op;  /* the node itself, or the one within the partition */
    const exray_tensor_info *tensor; /* NULL: the model does not say */
    xr_op_kind kind;
    /* The layer that computed the result: this one, or the one before an activation, a bias, a conversion
     * or a change of shape. */
    uint32_t core;
    uint32_t source; /* of a layer that passes its only changing input on: the one that computes that, else
                        EXRAY_NO_INDEX */
    xr_activation activation; /* applied to the core's result up to here */
    uint64_t weights;  /* elements of the core's largest constant input; 0: none, or engines share them out
                          otherwise */
    uint64_t elements; /* of the tensor; 0: unknown */
    bool constant;     /* computed from constants alone, or the scale of a run */
    bool raw;          /* integers whose scale is that of a run, and what still counts in it */
    uint32_t producers[4]; /* cores that feed the core, EXRAY_NO_INDEX where fewer */
} xr_layer;

typedef struct xr_layers {
    const exray_model *model;
    xr_layer *layer; /* in execution order */
    uint32_t count;
} xr_layers;

/* False: out of memory. */
bool xr_layers_of(const exray_model *model, xr_layers *out);
void xr_layers_free(xr_layers *layers);

/* Whether a layer may have no counterpart in a healthy pair: it computes nothing. */
bool xr_layer_is_free(const xr_layer *layer);

/* Whether a layer is stored in 8 bits whose range begins at zero: it holds what a ReLU makes. */
bool xr_layer_is_cut_at_zero(const xr_layer *layer);

/* The tensor that output `output` of `node` is, or NULL where the model does not
 * say. */
const exray_tensor_info *xr_layer_tensor(const exray_model *model, uint32_t node, uint32_t output);

/* The node that makes a tensor; EXRAY_NO_INDEX: none does (a constant, an input, one within a partition). */
uint32_t xr_maker_of(const exray_model *model, uint32_t tensor);

#endif
