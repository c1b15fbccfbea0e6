/* Which step of one model is which of the other: by weights, names, functions and place, and not by values
 * that a fault has changed. */
#ifndef XR_STEP_MATCH_H
#define XR_STEP_MATCH_H

#include "checks/model/graph/step_graph.h"

#include <exray/assertion.h>

typedef struct xr_step_match {
    xr_step_graph side[2];
    uint32_t *mate[2];        /* [steps of the side]: the other side's step, or EXRAY_NO_INDEX */
    uint32_t *tensor_mate[2]; /* [tensors of the side]: likewise */
    bool *twin[2];            /* [tensors of the side]: weights, and the other side has them, too */
    uint32_t *layer;          /* [edge tensors]: the comparison's pair of layers, or EXRAY_NO_INDEX */
} xr_step_match;

/* Both logs have a model.  False: out of memory. */
bool xr_step_match_make(const exray_comparison *comparison, xr_step_match *out);
void xr_step_match_free(xr_step_match *match);

/* The pair of layers of a tensor of the edge, or of what it is only quantized from; or EXRAY_NO_INDEX. */
uint32_t xr_step_match_layer_of(const xr_step_match *match, uint32_t edge);

/* The pair of layers whose values are those of both tensors, or what the edge's is only quantized from, or
 * NULL. */
const exray_layer_pair *xr_step_match_layer(const exray_comparison *comparison, const xr_step_match *match,
                                            uint32_t edge, uint32_t reference);

/* The tensor of that name among a model's ports, or EXRAY_NO_INDEX. */
uint32_t xr_step_match_port(const exray_model *model, const uint32_t *ports, uint32_t count,
                            const char *name);

/* Whether two functions are of tensors of which each has another counterpart: they were paired for want of
 * better. */
bool xr_step_match_of_others(const xr_step_match *match, const xr_op_step *edge, const xr_op_step *reference);

#endif
