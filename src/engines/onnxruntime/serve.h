/* The exposed graph's run in place of the deployed session's: serving.h. */
#ifndef XR_ORT_SERVE_H
#define XR_ORT_SERVE_H

#include "engines/onnxruntime/ort_observer.h"

/* Makes the call by the exposed graph's run; its values are in observer->value until xr_ort_serve_end, which
 * must be called.  false: it cannot take the place of the deployed one in this call; nothing has come of it,
 * the deployed session is to run, and nothing is to be called. */
bool xr_ort_serve(xr_ort_observer *observer, const xr_ort_call *call);

/* Gives the outputs to the application. */
void xr_ort_serve_end(xr_ort_observer *observer, const xr_ort_call *call);

#endif
