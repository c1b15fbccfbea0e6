#include "base/tensor.h"

/* A tensor of more elements is no tensor. */
#define MOST_ELEMENTS (UINT64_C(1) << 40)

bool xr_element_count(const exray_tensor_info *info, uint64_t *count)
{
    uint64_t product = 1;
    bool empty = false;
    *count = 0;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] < 0)
            return false;
        empty = empty || info->shape[i] == 0;
    }
    for (uint32_t i = 0; i < info->rank && !empty; i++) {
        if ((uint64_t)info->shape[i] > MOST_ELEMENTS / product)
            return false;
        product *= (uint64_t)info->shape[i];
    }
    *count = empty ? 0 : product;
    return true;
}

uint64_t xr_elements(const exray_tensor_info *info)
{
    uint64_t count;
    return xr_element_count(info, &count) ? count : 0;
}
