#include "checks/model/graph/between/step_range.h"

#include "checks/layer/value_evidence.h"

#include <math.h>
#include <string.h>

/* False: the tensor is of floats, or has a scale for each channel. */
static bool range_of(const exray_tensor_info *info, xr_layer_evidence *out)
{
    *out = (xr_layer_evidence){0};
    xr_note_range(info, out);
    return out->step > 0;
}

static bool own_range(const xr_step_graph *g, uint32_t tensor, xr_layer_evidence *out)
{
    return tensor < g->model->tensor_count && range_of(&g->model->tensors[tensor], out);
}

bool xr_step_range_behind(const xr_step_graph *g, uint32_t tensor, xr_layer_evidence *out)
{
    const exray_model *model = g->model;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (node->op && strcmp(node->op, "QuantizeLinear") == 0 && node->input_count > 0 &&
            node->output_count > 0 && node->inputs[0] < g->tensor_count &&
            node->outputs[0] < model->tensor_count &&
            g->tensor[node->inputs[0]].same_as == g->tensor[tensor].same_as)
            return range_of(&model->tensors[node->outputs[0]], out);
    }
    return false;
}

static bool changes_nothing(const xr_layer_evidence *r, const double *value)
{
    for (size_t i = 0; i < XR_POINTS; i++) {
        double with = fmin(fmax(value[i], r->low), r->high),
               without = fmin(fmax(xr_points[i], r->low), r->high);
        if (fabs(with - without) > r->step)
            return false;
    }
    return true;
}

bool xr_step_is_clipped(const xr_step_graph *graph, uint32_t tensor, const double *value)
{
    xr_layer_evidence range;
    return own_range(graph, tensor, &range) && changes_nothing(&range, value);
}

bool xr_step_is_by_range(const xr_step_graph *graph, uint32_t tensor, const double *value)
{
    xr_layer_evidence range;
    return xr_step_is_clipped(graph, tensor, value) ||
           (xr_step_range_behind(graph, tensor, &range) && changes_nothing(&range, value));
}
