/* The graph of the deployed level in place of the described one. */
#ifndef XR_ORT_DEPLOYED_GRAPH_H
#define XR_ORT_DEPLOYED_GRAPH_H

#include "engines/onnxruntime/ort_observer.h"

/* Observes the deployed level's graph in place of the described one, which is exposed already.  false: it has
 * another structure, or could not be run; nothing has changed. */
bool xr_ort_expose_deployed(xr_ort_observer *observer, const xr_ort_observation *how);

#endif
