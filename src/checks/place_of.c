#include "checks/place_of.h"

bool xr_place_of(const exray_model *model, uint32_t tensor, uint32_t *node, uint32_t *output)
{
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t k = 0; k < model->nodes[n].output_count; k++)
            if (model->nodes[n].outputs[k] == tensor) {
                *node = n;
                *output = k;
                return true;
            }
    return false;
}

uint32_t xr_tensor_of_layer(const exray_model *model, const exray_layer_pair *layer, exray_side side)
{
    const uint32_t node = layer->node[side];
    const uint32_t output = side == EXRAY_SIDE_EDGE ? layer->output : layer->reference_output;
    if (node >= model->node_count || output >= model->nodes[node].output_count)
        return EXRAY_NO_INDEX;
    const uint32_t tensor = model->nodes[node].outputs[output];
    return tensor < model->tensor_count ? tensor : EXRAY_NO_INDEX;
}

bool xr_node_reads(const exray_node *node, uint32_t tensor)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] == tensor)
            return true;
    return false;
}
