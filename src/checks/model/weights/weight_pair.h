/* One pair of constants: as they are, folded, in another order, gate by gate. */
#ifndef XR_WEIGHT_PAIR_H
#define XR_WEIGHT_PAIR_H

#include "checks/model/weights/weight_matcher.h"

/* Compares two constants of a layer (SIZE_MAX: of none that is known); *found: they can be compared. */
exray_status xr_compare_weights(xr_weight_matcher *matcher, size_t layer, const xr_node_constant pair[2],
                                xr_weight_pair *out, bool *found);

/* Whether a constant of the edge and one of the reference hold the same values, up to their rounding. */
exray_status xr_weights_are_equal(xr_weight_matcher *matcher, const xr_node_constant *edge,
                                  const xr_node_constant *reference, bool *equal);

#endif
