/* What both sides hold of one pair of tensors in one frame. */
#ifndef XR_BOTH_SIDES_H
#define XR_BOTH_SIDES_H

#include <exray/assertion.h>

/* Reads their values as exray_comparison_values does, into views and slots by exray_side; false: one of them
 * cannot be read. */
bool xr_both_values(const exray_comparison *comparison, exray_kind kind, size_t pair, size_t frame,
                    exray_slot *const slot[2], exray_tensor_view view[2], const float *values[2]);

/* As xr_both_values; false also where the two have not one shape. */
bool xr_both_of_one_shape(const exray_comparison *comparison, exray_kind kind, size_t pair, size_t frame,
                          exray_slot *const slot[2], exray_tensor_view view[2], const float *values[2]);

/* Whether two tensors have the same shape; false where one is NULL. */
bool xr_same_shape(const exray_tensor_info *a, const exray_tensor_info *b);

#endif
