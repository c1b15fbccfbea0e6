/* What two steps that are one and the same make of what they are given: functions, attributes, constants. */
#ifndef XR_COMPARE_PAIR_H
#define XR_COMPARE_PAIR_H

#include "checks/model/graph/difference/finder.h"

/* Each adds what differs between a step of the edge and its counterpart. */
void xr_compare_functions_of(xr_finder *f, uint32_t edge, uint32_t reference); /* both are functions */
void xr_compare_attributes(xr_finder *f, uint32_t edge, uint32_t reference);
void xr_compare_constants(xr_finder *f, uint32_t edge, uint32_t reference); /* that are no weights */

#endif
