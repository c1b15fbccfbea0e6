/* How two tensors' shapes correspond. */
#include "internal.h"

#include <string.h>

uint32_t xr_squeeze(const exray_tensor_info *info, int64_t shape[EXRAY_MAX_RANK])
{
    uint32_t rank = 0;
    for (uint32_t i = 0; i < info->rank && i < EXRAY_MAX_RANK; i++)
        if (info->shape[i] != 1)
            shape[rank++] = info->shape[i];
    return rank;
}

xr_layout_match xr_match_layout(const exray_tensor_info *edge, const exray_tensor_info *reference)
{
    int64_t a[EXRAY_MAX_RANK], b[EXRAY_MAX_RANK];
    uint32_t ra = xr_squeeze(edge, a), rb = xr_squeeze(reference, b);
    if (ra == rb && memcmp(a, b, ra * sizeof *a) == 0)
        return XR_LAYOUT_SAME;
    if (ra == 1 || rb == 1)
        return XR_LAYOUT_SAME; /* flattened: the counts decide */
    if (ra != rb || ra < 3 || ra > 4)
        return XR_LAYOUT_NONE;
    const int64_t *x = a + (ra - 3), *y = b + (ra - 3);
    if (ra == 4 && a[0] != b[0])
        return XR_LAYOUT_NONE;
    if (x[2] == y[0] && x[0] == y[1] && x[1] == y[2])
        return XR_LAYOUT_EDGE_LAST;
    if (x[0] == y[2] && x[1] == y[0] && x[2] == y[1])
        return XR_LAYOUT_EDGE_FIRST;
    return XR_LAYOUT_NONE;
}
