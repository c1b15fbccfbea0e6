/* Weights that differ from those at their place, and are those of another place: two blocks exchanged, layers
 * that were loaded in another order, one that was loaded twice. */
#ifndef XR_WEIGHT_ELSEWHERE_H
#define XR_WEIGHT_ELSEWHERE_H

#include "checks/model/weights/weight_pair.h"

/* Sets `from` of each pair that differs and whose values the reference has in another pair. */
exray_status xr_weights_find_elsewhere(xr_weight_matcher *matcher, xr_weight_pair *pair, size_t count);

#endif
