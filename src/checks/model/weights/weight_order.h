/* Weights that are the reference's with the slices along a dimension in another order: channels, classes, the
 * queries of a decoder. */
#ifndef XR_WEIGHT_ORDER_H
#define XR_WEIGHT_ORDER_H

#include "checks/model/weight_difference.h"

/* Of a pair that differs: sets `order` and `along` where its slices along one dimension are the other
 * side's. */
exray_status xr_weight_find_order(const exray_tensor_view view[2], const float *const values[2],
                                  double factor, xr_weight_pair *pair);

#endif
