/* The graph that ONNX Runtime makes of a model, described in the log and exposed for its layers: the
 * same for the session of `record` and for an application's own session.
 *
 * graph.c           the graph
 * exposed_graph.c   making and running graphs whose tensors are outputs
 * deployed_graph.c  the graph of the deployed level, whose layers cost less and are the deployed ones, bit by
 * bit graph_match.c     which of its tensors are which of the described graph observe.c         what is
 * recorded of each run serve.c           the exposed graph's run in place of the application's profile.c  the
 * time of each node, from the profile of a separate run */
#ifndef XR_ORT_GRAPH_H
#define XR_ORT_GRAPH_H

#include "engines/onnxruntime/ort_observer.h"

/* Describes the graph in the recorder's log, and prepares for its layers.  On failure, too,
 * *out is to be released. */
exray_status xr_ort_observe(xr_ort_observer **out, const xr_ort_observation *how, exray_error *error);
void xr_ort_unobserve(xr_ort_observer *observer); /* NULL is fine */

/* A name cut to what the recorder takes: a pointer into it, or `cut`, filled. */
const char *xr_ort_fit_name(const char *name, char cut[XR_NAME_MOST + 1]);

/* The tensor of that name in the logged graph; EXRAY_NO_INDEX: none. */
uint32_t xr_ort_tensor_named(const xr_ort_observer *observer, const char *name);

#endif
