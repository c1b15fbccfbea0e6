/* At Prepare: the interpreter's subgraphs, tensors and nodes as the model's description. */
#ifndef XR_TFLITE_TAP_MODEL_H
#define XR_TFLITE_TAP_MODEL_H

#include "engines/tflite/tap_state.h"

/* The tables of the interpreter that `context` belongs to, to be freed; NULL: *problem says why not. */
xr_tap_tables *xr_tap_describe(const xr_tap *tap, TfLiteOpaqueContext *context, const char **problem);

#endif
