#include "checks/told/decision_ties.h"

#include <math.h>

/* Of small outputs each value may be a decision: by its sign, or against one half. */
enum { FEW_VALUES = 64 };

static uint64_t best_of(const float *values, uint64_t begin, uint64_t count, uint64_t stride)
{
    uint64_t best = 0;
    for (uint64_t i = 1; i < count; i++)
        if (values[begin + i * stride] > values[begin + best * stride])
            best = i;
    return best;
}

/* The best along an axis, for all places of the others. */
static bool best_differ(const exray_tensor_view *view, const float *const values[2], uint32_t axis)
{
    uint64_t count = (uint64_t)view->info.shape[axis], stride = 1;
    for (uint32_t i = axis + 1; i < view->info.rank; i++)
        stride *= (uint64_t)view->info.shape[i];
    for (uint64_t at = 0; count > 1 && stride > 0 && at < view->count; at += count * stride)
        for (uint64_t k = 0; k < stride && at + (count - 1) * stride + k < view->count; k++)
            if (best_of(values[0], at + k, count, stride) != best_of(values[1], at + k, count, stride))
                return true;
    return false;
}

/* Whether the shape says how many values there are. */
static bool is_shaped(const exray_tensor_view *view)
{
    for (uint32_t i = 0; i < view->info.rank; i++)
        if (view->info.shape[i] < 1)
            return false;
    return view->info.rank > 0;
}

static bool decisions_differ(const exray_tensor_view *view, const float *const values[2])
{
    if (!is_shaped(view))
        return true;
    for (uint64_t i = 0; view->count <= FEW_VALUES && i < view->count; i++) {
        float a = values[0][i], b = values[1][i];
        if ((a > 0) != (b > 0) || (a > 0.5F) != (b > 0.5F))
            return true;
    }
    uint32_t rank = view->info.rank;
    return best_differ(view, values, rank - 1) || (rank > 2 && best_differ(view, values, 1));
}

/* Whether one side's output is the place of the largest of the other's values: the same decision. */
static bool is_choice(const exray_tensor_view view[2], const float *const values[2])
{
    for (int s = 0; s < 2; s++)
        if (view[s].count == 1 && view[!s].count > 1 &&
            values[s][0] == (float)best_of(values[!s], 0, view[!s].count, 1))
            return true;
    return false;
}

bool xr_decisions_are_tied(const exray_comparison *comparison, size_t frame, exray_slot *slot[2])
{
    size_t count = exray_comparison_output_count(comparison);
    for (size_t i = 0; i < count; i++) {
        exray_tensor_view view[2];
        const float *values[2];
        exray_error error;
        for (int s = 0; s < 2; s++)
            if (exray_comparison_values(comparison, (exray_side)s, frame, EXRAY_KIND_OUTPUT, i, slot[s],
                                        &view[s], &values[s], &error) != EXRAY_OK)
                return true;
        if (is_choice(view, values))
            continue;
        if (view[0].count != view[1].count || decisions_differ(&view[0], values))
            return true;
    }
    return count == 0;
}
