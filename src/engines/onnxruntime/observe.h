/* A run of ONNX Runtime, observed. */
#ifndef XR_ORT_OBSERVE_H
#define XR_ORT_OBSERVE_H

#include "engines/onnxruntime/graph.h"

/* Makes the call and records it: inputs, layers, outputs, times.  Returns what ONNX Runtime returned;
 * `error` is filled where observing failed. */
OrtStatus *xr_ort_observed_run(xr_ort_observer *observer, const xr_ort_call *call, exray_error *error);

/* What observe.c and serve.c share: the records of a run's layers, from observer->value. */
void xr_ort_record_layers(xr_ort_observer *observer);

/* Makes the call by the exposed graph's run, with its layers.  false: it cannot take the place of the
 * deployed one in this call; nothing has come of it, and the deployed session is to run. */
bool xr_ort_serve(xr_ort_observer *observer, const xr_ort_call *call);

/* At the recorder's close: records how far the observed outputs are from the deployed ones.  Nothing is
 * recorded from then on. */
void xr_ort_conclude(xr_ort_observer *observer); /* NULL is fine */

#endif
