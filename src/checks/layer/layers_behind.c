#include "checks/layer/layers_behind.h"

#include <stdlib.h>
#include <string.h>

bool xr_reads_more(const exray_node *node)
{
    static const char *const ops[] = {"If", "Loop", "Scan", "READ_VARIABLE"};
    for (size_t i = 0; node->op && i < sizeof ops / sizeof *ops; i++)
        if (strcmp(node->op, ops[i]) == 0)
            return true;
    return node->subgraph != 0;
}

static bool reads_marked(const exray_model *model, const exray_node *node, const bool *tensor)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count && tensor[node->inputs[i]])
            return true;
    return false;
}

/* Nodes are listed in the order in which they run. */
static void walk(const exray_comparison *comparison, const exray_model *model, bool *tensor, bool *layer)
{
    size_t at = 0, layers = exray_comparison_layer_count(comparison);
    bool any = false;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool behind = reads_marked(model, node, tensor) || (any && xr_reads_more(node));
        for (; at < layers && exray_comparison_layer(comparison, at)->node[EXRAY_SIDE_EDGE] == n; at++) {
            any = any || layer[at];
            layer[at] = layer[at] || behind;
            behind = layer[at];
        }
        for (uint32_t k = 0; behind && k < node->output_count; k++)
            if (node->outputs[k] < model->tensor_count)
                tensor[node->outputs[k]] = true;
    }
}

bool xr_mark_behind(const exray_comparison *comparison, bool *layer)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    if (!model) {
        for (size_t i = 1; i < exray_comparison_layer_count(comparison); i++)
            layer[i] = layer[i] || layer[i - 1];
        return true;
    }
    bool *tensor = calloc((size_t)model->tensor_count + 1, sizeof *tensor);
    if (tensor)
        walk(comparison, model, tensor, layer);
    free(tensor);
    return tensor != NULL;
}
