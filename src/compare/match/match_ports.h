/* Which input of one log is which of the other, and which output. */
#ifndef XR_MATCH_PORTS_H
#define XR_MATCH_PORTS_H

#include "compare/comparison.h"

/* Fills in the comparison's inputs and outputs, whose frames are matched.  False: out of memory. */
bool xr_match_ports(exray_comparison *comparison);

#endif
