/* Weights in another order of channels, where what their layer reads is in that order. */
#ifndef XR_ORDER_OF_INPUT_H
#define XR_ORDER_OF_INPUT_H

#include <exray/assertion.h>

/* Whether a layer makes the same on both sides, up to far less than `difference` of its weights would make,
 * of tensors that are not each other's: what one side reads was put in another order before, and its weights
 * are in that order.  Of one tensor (a gray picture), equal results would prove nothing. */
bool xr_is_in_order_of_input(const exray_comparison *comparison, size_t layer, double difference);

#endif
