#include "checks/model/graph/between/step_range.h"

#include <math.h>
#include <string.h>

typedef struct integer_range {
    double low, high, step;
} integer_range;

/* False: the tensor is of floats, or has a scale for each channel. */
static bool range_of(const exray_tensor_info *info, integer_range *out)
{
    static const struct {
        exray_dtype dtype;
        double least, steps;
    } types[] = {{EXRAY_DTYPE_UINT8, 0, 255},
                 {EXRAY_DTYPE_INT8, -128, 255},
                 {EXRAY_DTYPE_UINT16, 0, 65535},
                 {EXRAY_DTYPE_INT16, -32768, 65535}};
    const exray_quantization *q = &info->quantization;
    for (size_t i = 0; q->count == 1 && i < sizeof types / sizeof *types; i++)
        if (info->dtype == types[i].dtype) {
            double zero = q->zero_point ? (double)q->zero_point[0] : 0;
            out->step = q->scale[0];
            out->low = out->step * (types[i].least - zero);
            out->high = out->low + types[i].steps * out->step;
            return out->step > 0;
        }
    return false;
}

static bool own_range(const xr_step_graph *g, uint32_t tensor, integer_range *out)
{
    return tensor < g->model->tensor_count && range_of(&g->model->tensors[tensor], out);
}

/* The range of the integers that what reads a tensor quantizes it to. */
static bool range_behind(const xr_step_graph *g, uint32_t tensor, integer_range *out)
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

static bool changes_nothing(const integer_range *r, const double *value)
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
    integer_range range;
    return own_range(graph, tensor, &range) && changes_nothing(&range, value);
}

bool xr_step_is_by_range(const xr_step_graph *graph, uint32_t tensor, const double *value)
{
    integer_range range;
    return xr_step_is_clipped(graph, tensor, value) ||
           (range_behind(graph, tensor, &range) && changes_nothing(&range, value));
}
