#include "checks/port/both_sides.h"

#include <string.h>

bool xr_same_shape(const exray_tensor_info *a, const exray_tensor_info *b)
{
    return a && b && a->rank == b->rank && memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

bool xr_both_values(const exray_comparison *comparison, exray_kind kind, size_t pair, size_t frame,
                    exray_slot *const slot[2], exray_tensor_view view[2], const float *values[2])
{
    exray_error ignored;
    for (int s = 0; s < 2; s++)
        if (exray_comparison_values(comparison, (exray_side)s, frame, kind, pair, slot[s], &view[s],
                                    &values[s], &ignored) != EXRAY_OK)
            return false;
    return true;
}

bool xr_both_of_one_shape(const exray_comparison *comparison, exray_kind kind, size_t pair, size_t frame,
                          exray_slot *const slot[2], exray_tensor_view view[2], const float *values[2])
{
    return xr_both_values(comparison, kind, pair, frame, slot, view, values) &&
           view[0].count == view[1].count && xr_same_shape(&view[0].info, &view[1].info);
}
