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
