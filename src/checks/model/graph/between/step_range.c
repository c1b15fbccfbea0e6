#include "checks/model/graph/between/step_range.h"

#include "checks/layer/value_evidence.h"
#include "checks/model/graph/step_graph.h"

#include <math.h>
#include <string.h>

/* False: the tensor is of floats, or has a scale for each channel. */
static bool range_of(const exray_tensor_info *info, xr_layer_evidence *out)
{
    *out = (xr_layer_evidence){0};
    xr_note_range(info, out);
    return out->step > 0;
}

static xr_layer_evidence range_written(const xr_written_range *w)
{
    return (xr_layer_evidence){.low = w->low, .high = w->high, .step = w->step};
}

static bool own_range(const xr_step_graph *g, uint32_t tensor, xr_layer_evidence *out)
{
    for (uint32_t i = 0; i < g->written_count; i++)
        if (g->written[i].to == tensor) {
            *out = range_written(&g->written[i]);
            return true;
        }
    return tensor < g->model->tensor_count && range_of(&g->model->tensors[tensor], out);
}

/* Narrows a range to another's; the steps of the coarser. */
static void narrow(xr_layer_evidence *range, const xr_layer_evidence *other)
{
    range->low = fmax(range->low, other->low);
    range->high = fmin(range->high, other->high);
    range->step = fmax(range->step, other->step);
}

/* Takes one more range of what is behind a tensor.  `first`: what the first of them reads. */
static void add_range(const xr_layer_evidence *one, uint32_t from, uint32_t *first, xr_layer_evidence *out)
{
    if (*first == EXRAY_NO_INDEX) {
        *out = *one;
        *first = from;
    } else if (from != *first) /* behind it: a layer and its activation, each quantized */
        narrow(out, one);
}

bool xr_step_range_behind(const xr_step_graph *g, uint32_t tensor, xr_layer_evidence *out)
{
    const exray_model *model = g->model;
    uint32_t first = EXRAY_NO_INDEX;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        xr_layer_evidence one;
        if (!node->op || strcmp(node->op, "QuantizeLinear") != 0 || node->input_count == 0 ||
            node->output_count == 0 || node->inputs[0] >= g->tensor_count ||
            node->outputs[0] >= model->tensor_count ||
            g->tensor[node->inputs[0]].same_as != g->tensor[tensor].same_as ||
            !range_of(&model->tensors[node->outputs[0]], &one))
            continue;
        add_range(&one, node->inputs[0], &first, out);
    }
    for (uint32_t i = 0; i < g->written_count; i++) {
        const xr_layer_evidence one = range_written(&g->written[i]);
        if (g->tensor[g->written[i].from].same_as == g->tensor[tensor].same_as)
            add_range(&one, g->written[i].from, &first, out);
    }
    return first != EXRAY_NO_INDEX;
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

/* The range of integers that hold a tensor, before it is unpacked or behind it.  False: none do. */
static bool range_around(const xr_step_graph *g, uint32_t tensor, xr_layer_evidence *out)
{
    enum { FURTHEST = 4 };
    for (int i = 0; i <= FURTHEST && tensor != EXRAY_NO_INDEX; i++) {
        if (own_range(g, tensor, out) || xr_step_range_behind(g, tensor, out))
            return true;
        tensor = xr_step_graph_unpacked(g, tensor);
    }
    return false;
}

bool xr_step_same_within(const xr_step_graph *side, const uint32_t *tensor, const double *const *value)
{
    xr_layer_evidence range[2];
    double step = 0;
    for (int s = 0; s < 2; s++) {
        if (!range_around(&side[s], tensor[s], &range[s]))
            range[s] = (xr_layer_evidence){.low = -INFINITY, .high = INFINITY};
        step = fmax(step, range[s].step);
    }
    for (size_t i = 0; step > 0 && i < XR_POINTS; i++) {
        double held[2];
        for (int s = 0; s < 2; s++)
            held[s] = fmin(fmax(value[s][i], range[s].low), range[s].high);
        if (!(fabs(held[0] - held[1]) <= step))
            return false;
    }
    return step > 0;
}
