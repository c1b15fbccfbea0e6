/* The search for the transform that takes the reference's model input to the edge's: calls the
 * finders in order, from the simplest explanation to the least simple. */
#ifndef XR_SEARCH_H
#define XR_SEARCH_H

#include "checks/input/search/input_pair.h"

/* *transform is filled in any case: free it with xr_transform_free.  False: nothing better than no
 * transform was found (or out of memory). */
bool xr_search(xr_input_pair *pair, xr_transform *transform);

#endif
