/* What is said of a layer, by the findings that are shown. */
#ifndef XR_LAYER_CAUSE_H
#define XR_LAYER_CAUSE_H

#include "report/report.h"

/* The cause of the first error that is about the layer or lists it, or NULL: such a layer is one of those at
 * fault, even where its own error is within noise (one of many that clip a little). */
const char *xr_layer_cause(const xr_report *report, size_t layer);

#endif
