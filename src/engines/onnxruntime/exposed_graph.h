/* Graphs that ONNX Runtime makes of a model, and runs of those whose tensors are outputs. */
#ifndef XR_ORT_EXPOSED_GRAPH_H
#define XR_ORT_EXPOSED_GRAPH_H

#include "engines/onnxruntime/ort_observer.h"

/* The graph that ONNX Runtime makes of the model at a level; *bytes is to be freed. */
exray_status xr_ort_save_graph(const xr_ort_observation *how, int level, void **bytes, size_t *size,
                               exray_error *error);

/* Runs the exposed graph on the call's inputs; its values are in `value` until released. */
exray_status xr_ort_run_exposed(xr_ort_observer *observer, const xr_ort_call *call, exray_error *error);

#endif
