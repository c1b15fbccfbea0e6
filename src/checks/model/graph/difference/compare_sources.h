/* What lies between two tensors that are read at the same place. */
#ifndef XR_COMPARE_SOURCES_H
#define XR_COMPARE_SOURCES_H

#include "checks/model/graph/difference/finder.h"

/* Adds what one side alone has there.  Tensors a of the edge and b of the reference are read by steps `edge`
 * and `reference` (EXRAY_NO_INDEX: they are outputs of the model). */
void xr_compare_sources(xr_finder *f, uint32_t edge, uint32_t reference, uint32_t a, uint32_t b);

#endif
