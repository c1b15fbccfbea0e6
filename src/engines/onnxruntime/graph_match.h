/* Which tensors of two graphs of one model are the same: of the graph that is described in the log (optimized
 * as far as names are kept) and of the one that is deployed (with fused operators and other layouts). */
#ifndef XR_ORT_GRAPH_MATCH_H
#define XR_ORT_GRAPH_MATCH_H

#include "engines/onnxruntime/value_order.h"

/* A tensor in a run of its graph; both graphs run on the same inputs. */
typedef struct xr_ort_seen {
    exray_dtype dtype;
    uint32_t rank;
    int64_t shape[EXRAY_MAX_RANK];
    uint64_t count;   /* elements */
    const void *data; /* NULL: not seen */
} xr_ort_seen;

typedef struct xr_ort_graph {
    const exray_model *model;
    const xr_ort_seen *seen; /* [model->tensor_count] */
} xr_ort_graph;

typedef struct xr_ort_match {
    uint32_t tensor; /* of the described graph; EXRAY_NO_INDEX: none is known to be this one */
    xr_ort_layout layout;
} xr_ort_match;

/* Fills match[deployed->model->tensor_count].  Topology proposes, values decide: a tensor is one of those
 * that the described graph computes from the same tensors, within a few nodes, whose values are the same in
 * one of the layouts.  Where several are, it is the one that the same operator makes, or none.  false: memory
 * ran out. */
bool xr_ort_match_graphs(const xr_ort_graph *described, const xr_ort_graph *deployed, xr_ort_match *match);

/* The share, 0 to 1, of the tensors that deployed nodes make, and that are new, which have a match. */
double xr_ort_matched_share(const exray_model *deployed, const xr_ort_match *match);

#endif
