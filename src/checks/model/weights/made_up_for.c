#include "checks/model/weights/made_up_for.h"

#include "checks/layer/inner_range.h"
#include "checks/op_name.h"
#include "checks/place_of.h"

#include <math.h>
#include <string.h>

bool xr_is_of_one_factor(const xr_weight_pair *pair)
{
    static const double most_left = 0.1;
    const double r = pair->correlation;
    return r > XR_ONE_FACTOR && sqrt(fmax(0, 1 - r * r)) <= most_left * pair->difference;
}

bool xr_is_made_up_for_behind(const exray_comparison *comparison, const xr_weight_pair *weights)
{
    enum { MOST_READERS = 8 };
    const double most_noise = 0.5 * weights->difference;
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    const uint32_t made =
        model && weights->layer != SIZE_MAX
            ? xr_tensor_of_layer(model, exray_comparison_layer(comparison, weights->layer), EXRAY_SIDE_EDGE)
            : EXRAY_NO_INDEX;
    size_t reader[MOST_READERS];
    const size_t count =
        made == EXRAY_NO_INDEX ? 0 : xr_layers_that_read(comparison, made, reader, MOST_READERS);
    bool right = count > 0 && count < MOST_READERS;
    for (size_t i = 0; i < count; i++) {
        const exray_layer_pair *behind = exray_comparison_layer(comparison, reader[i]);
        right = right && behind->role == EXRAY_LAYER_ROLE_CLEAN && behind->noise <= most_noise;
    }
    return right;
}

bool xr_is_of_scaled_input(const xr_weight_pair *pair, size_t count, const xr_weight_pair *bias)
{
    for (size_t i = 0; bias->layer != SIZE_MAX && i < count; i++) {
        const xr_weight_pair *p = &pair[i];
        if (!p->bias && p->layer == bias->layer && p->rescaled && !p->differs &&
            p->correlation > XR_ONE_FACTOR)
            return true;
    }
    return false;
}

bool xr_is_moved_bias(const exray_comparison *comparison, const xr_weight_pair *p)
{
    static const double near = 1e-3; /* times the deviation */
    const double n = (double)p->count, moved = fabs(p->sum[0] / n - p->sum[1] / n);
    const double deviation[2] = {xr_weight_deviation(p, 0), xr_weight_deviation(p, 1)};
    if (p->layer == SIZE_MAX || p->from_stats ||
        exray_comparison_layer(comparison, p->layer)->role != EXRAY_LAYER_ROLE_PROPAGATES)
        return false;
    return fabs(deviation[0] - deviation[1]) <= near * deviation[1] && moved > deviation[1] * near;
}

bool xr_is_of_parts(const xr_weight_pair *p)
{
    bool norm[2], part[2];
    for (int s = 0; s < 2; s++) {
        const char *op = p->of[s].node && p->of[s].node->op ? p->of[s].node->op : "";
        norm[s] = strstr(op, "atchNorm") != NULL;
        part[s] = xr_is_op(op, "add") || xr_is_op(op, "sub") || xr_is_op(op, "mul");
    }
    return (norm[0] && part[1]) || (norm[1] && part[0]);
}
