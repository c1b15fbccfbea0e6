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

bool xr_node_reads(const exray_node *node, uint32_t tensor)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] == tensor)
            return true;
    return false;
}
