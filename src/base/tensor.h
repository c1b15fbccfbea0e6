/* Properties that follow from a tensor's description. */
#ifndef XR_TENSOR_H
#define XR_TENSOR_H

#include <exray/types.h>

/* The elements of a shape; false, and 0 of them, where a dimension is unknown or there are more than 2^40. */
bool xr_element_count(const exray_tensor_info *info, uint64_t *count);

/* The same, 0 for what is not known. */
uint64_t xr_elements(const exray_tensor_info *info);

#endif
