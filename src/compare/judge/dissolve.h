/* Pairs of layers that cannot be the same layer. */
#ifndef XR_DISSOLVE_H
#define XR_DISSOLVE_H

#include <exray/assertion.h>

/* A pair whose values differ while everything that is computed from them agrees is a wrong pair, not a wrong
 * layer: takes such pairs out, unless their names are proof (xr_pair.proven), and localizes again.  After
 * xr_localize.  False: out of memory. */
bool xr_dissolve(exray_comparison *comparison);

#endif
