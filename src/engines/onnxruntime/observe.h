/* A run of ONNX Runtime, observed. */
#ifndef XR_ORT_OBSERVE_H
#define XR_ORT_OBSERVE_H

#include "engines/onnxruntime/graph.h"

/* Makes the call and records it: inputs, layers, outputs, times.  Returns what ONNX Runtime returned;
 * `error` is filled where observing failed. */
OrtStatus *xr_ort_observed_run(xr_ort_observer *observer, const xr_ort_call *call, exray_error *error);

/* At the recorder's close: records how far the observed outputs are from the deployed ones.  Nothing is
 * recorded from then on. */
void xr_ort_conclude(xr_ort_observer *observer); /* NULL is fine */

#endif
