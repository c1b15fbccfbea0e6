#include "checks/model/range_activation.h"

#include "checks/layer/value_evidence.h"
#include "checks/op_name.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <string.h>

bool xr_range_activates(const exray_comparison *comparison, const exray_layer_pair *layer, const char *edge,
                        const char *reference)
{
    bool lacks = strcmp(edge, "NONE") == 0;
    if (!lacks && strcmp(reference, "NONE") != 0)
        return false;
    const char *other = lacks ? reference : edge;
    const exray_tensor_info *info =
        xr_layer_info(comparison, layer, lacks ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE);
    bool bytes = info && xr_is_byte(info->dtype);
    if (!bytes || info->quantization.count != 1)
        return false;
    double least = info->dtype == EXRAY_DTYPE_UINT8 ? 0 : -128, step = info->quantization.scale[0];
    double low =
        step * (least - (info->quantization.zero_point ? (double)info->quantization.zero_point[0] : 0));
    bool cuts_below = fabs(low) <= step, cuts_above = low + 255 * step <= 6 + step;
    return cuts_below && (xr_is_op(other, "relu") || (xr_is_op(other, "relu6") && cuts_above));
}
