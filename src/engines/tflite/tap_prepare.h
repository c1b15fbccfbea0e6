/* At Prepare: the observer delegate's only work. */
#ifndef XR_TFLITE_TAP_PREPARE_H
#define XR_TFLITE_TAP_PREPARE_H

#include "engines/tflite/tap_state.h"

/* The delegate's Prepare: describes the interpreter, or notes a new one of the same model.  Never claims a
 * node, never fails the application. */
TfLiteStatus xr_tap_prepare(TfLiteOpaqueContext *context, TfLiteDelegate *delegate, void *data);

#endif
