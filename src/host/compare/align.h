/* Which layer of one model corresponds to which of the other.  The one door to
 * it: another way to align replaces xr_align and nothing else. */
#ifndef XR_ALIGN_H
#define XR_ALIGN_H

#include <exray/log.h>

typedef enum xr_match {
    XR_MATCH_TENSOR_NAME, /* their output tensors have the same name */
    XR_MATCH_NODE_NAME,   /* the nodes have */
    XR_MATCH_POSITION,    /* same op and size, at the same place between matched neighbours */
    XR_MATCH_INSIDE,      /* inside a partition that the reference runs as one node; node[1] is it */
} xr_match;

typedef struct xr_layer_match {
    uint32_t node[2]; /* edge, reference */
    uint32_t output;  /* which output of both nodes */
    xr_match how;
} xr_layer_match;

typedef struct xr_alignment {
    xr_layer_match *match; /* in execution order of the edge; at most one for an edge layer */
    size_t count;
    size_t conversions[2]; /* edge, reference: layers that only convert between types (QUANTIZE, CAST, ...)
                              and have no counterpart, as the other model needs none */
} xr_alignment;

/* Aligns two models.  Nodes that do not fit anything are left out.  False: out of
 * memory. */
bool xr_align(const exray_model *edge, const exray_model *reference, xr_alignment *out);

void xr_alignment_free(xr_alignment *alignment);

/* Layers (outputs of nodes) of a model. */
size_t xr_layer_count(const exray_model *model);

/* The tensor that output `output` of `node` is, or NULL where the model does not
 * say. */
const exray_tensor_info *xr_layer_tensor(const exray_model *model, uint32_t node, uint32_t output);

/* Elements of a shape; 0 where unknown or beyond 2^40. */
uint64_t xr_shape_elements(const exray_tensor_info *info);

#endif
