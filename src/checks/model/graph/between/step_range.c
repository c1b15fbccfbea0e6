#include "checks/model/graph/between/step_range.h"

#include <string.h>

bool xr_step_range_behind(const xr_step_graph *g, uint32_t tensor, double range[2], double *step)
{
    const exray_model *model = g->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (!node->op || strcmp(node->op, "QuantizeLinear") != 0 || node->input_count == 0 ||
            node->output_count == 0 || node->inputs[0] >= g->tensor_count ||
            node->outputs[0] >= model->tensor_count ||
            g->tensor[node->inputs[0]].same_as != g->tensor[tensor].same_as)
            continue;
        const exray_tensor_info *info = &model->tensors[node->outputs[0]];
        int64_t least = info->dtype == EXRAY_DTYPE_INT8 ? -128 : 0;
        bool bytes = info->dtype == EXRAY_DTYPE_INT8 || info->dtype == EXRAY_DTYPE_UINT8;
        int64_t zero = info->quantization.count == 1 && info->quantization.zero_point
                           ? info->quantization.zero_point[0]
                           : 0;
        *step = info->quantization.count == 1 ? info->quantization.scale[0] : 0;
        range[0] = *step * (double)(least - zero);
        range[1] = range[0] + 255 * *step;
        return bytes && *step > 0;
    }
    return false;
}
