/* Which constant of the edge is which of the reference, and how far they are apart. */
#ifndef XR_WEIGHT_MATCH_H
#define XR_WEIGHT_MATCH_H

#include "checks/model/weights/weight_matcher.h"

/* Fills matcher->pair: the constants of aligned layers, then those of one name. */
exray_status xr_match_weights(const exray_comparison *comparison, xr_weight_matcher *matcher);

#endif
