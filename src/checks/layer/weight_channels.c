#include "checks/layer/weight_channels.h"

#include "checks/layer/value_evidence.h"
#include "checks/model/weight_values.h"
#include "checks/place_of.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which constant it is ------------------------------------------------------------------------ */

static const exray_node *node_of(const exray_comparison *comparison, const exray_layer_pair *layer,
                                 exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    return model && layer->node[side] < model->node_count ? &model->nodes[layer->node[side]] : NULL;
}

/* The node that dequantizes, casts or turns a constant before the layer reads it, or NULL. */
static const exray_node *unpacking_node(const exray_model *model, uint32_t tensor)
{
    uint32_t node, output;
    return xr_place_of(model, tensor, &node, &output) ? &model->nodes[node] : NULL;
}

static bool is_constant(const exray_model *model, uint32_t tensor)
{
    return tensor < model->tensor_count && model->tensors[tensor].constant;
}

/* The constant behind input i of a node. */
static bool find_constant(const exray_model *model, const exray_node *node, uint32_t i, xr_node_constant *out)
{
    *out = (xr_node_constant){.tensor = node->inputs[i], .node = node, .input = i};
    if (is_constant(model, out->tensor))
        return true;
    const exray_node *before = unpacking_node(model, out->tensor);
    if (!before || before->input_count == 0 || !is_constant(model, before->inputs[0]))
        return false;
    *out = (xr_node_constant){.tensor = before->inputs[0], .node = before};
    return true;
}

/* The largest constant of more than one dimension that a node reads. */
static bool find_own_weights(const exray_model *model, const exray_node *node, xr_node_constant *out)
{
    uint64_t most = 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        xr_node_constant constant;
        if (!find_constant(model, node, i, &constant) || xr_weight_dimensions(model, &constant) < 2)
            continue;
        uint64_t count = xr_weight_count(model, &constant);
        if (count > most) {
            most = count;
            *out = constant;
        }
    }
    return most > 0;
}

/* The weights of a layer that is written as several nodes (an integer product, its scale, its bias, its
 * activation) are those of the node before the last in whose way nothing else was compared. */
static const exray_node *find_weights(const exray_comparison *comparison, exray_side side,
                                      const exray_node *node, xr_node_constant *out)
{
    enum { MOST_NODES = 8 };
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    for (uint32_t steps = 0; model && node && steps < MOST_NODES; steps++) {
        if (find_own_weights(model, node, out))
            return node;
        const exray_node *before = NULL;
        for (uint32_t i = 0; i < node->input_count && !before; i++)
            if (xr_layer_that_makes(comparison, side, node->inputs[i]) == SIZE_MAX)
                before = unpacking_node(model, node->inputs[i]);
        node = before;
    }
    return NULL;
}

/* ---- How it is stored ------------------------------------------------------------------------------ */

/* The step of weights of at most 8 bits with one scale; else 0. */
static double single_step(const exray_tensor_info *info)
{
    const exray_quantization *q = &info->quantization;
    bool bytes =
        xr_is_byte(info->dtype) || info->dtype == EXRAY_DTYPE_INT4 || info->dtype == EXRAY_DTYPE_UINT4;
    for (uint32_t i = 1; i < q->count; i++)
        if (q->scale[i] != q->scale[0])
            return 0;
    return bytes && q->count ? q->scale[0] : 0;
}

/* One side's weights: their description and, where the log has them, values. */
typedef struct side_weights {
    bool found;
    xr_node_constant constant;
    const exray_node *node; /* the one that reads them */
    xr_weight_values values;
} side_weights;

static const exray_tensor_info *info_of(const exray_comparison *comparison, exray_side side,
                                        const side_weights *w)
{
    return w->values.value
               ? &w->values.view.info
               : &exray_log_model(exray_comparison_log(comparison, side))->tensors[w->constant.tensor];
}

static exray_status read_side(const exray_comparison *comparison, const exray_layer_pair *layer,
                              exray_side side, side_weights *w, exray_error *error)
{
    const exray_log *log = exray_comparison_log(comparison, side);
    w->node = find_weights(comparison, side, node_of(comparison, layer, side), &w->constant);
    w->found = w->node != NULL;
    if (!xr_weight_values_make(&w->values))
        return EXRAY_E_MEMORY;
    exray_status status =
        w->found ? xr_weight_values_read(log, &w->constant, &w->values, error) : EXRAY_E_STATE;
    if (status == EXRAY_E_STATE || status == EXRAY_E_UNSUPPORTED)
        status = error->status = EXRAY_OK;
    return status;
}

/* ---- Channels ---------------------------------------------------------------------------------------- */

/* Whether a layer's output channels are the last dimension of its weights, not the first. */
static bool has_channels_last(const exray_node *node)
{
    const char *turned = exray_node_attribute(node, "transB");
    if (!node->op || (turned && strcmp(turned, "0") != 0))
        return false;
    return strcmp(node->op, "DEPTHWISE_CONV_2D") == 0 || strstr(node->op, "MatMul") ||
           strstr(node->op, "Gemm");
}

static bool measure(const side_weights *w, double step, xr_weight_channels *out)
{
    const exray_tensor_info *info = &w->values.view.info;
    uint32_t axis = has_channels_last(w->node) ? info->rank - 1 : 0;
    uint64_t count = info->shape[axis] > 0 ? (uint64_t)info->shape[axis] : 0, stride = 1;
    for (uint32_t d = axis + 1; d < info->rank; d++)
        stride *= info->shape[d] > 0 ? (uint64_t)info->shape[d] : 1;
    if (count < 2 || w->values.view.count % count != 0)
        return false;
    double *square = calloc(count, sizeof *square);
    if (!square)
        return false;
    for (uint64_t i = 0; i < w->values.view.count; i++)
        square[i / stride % count] += (double)w->values.value[i] * w->values.value[i];
    *out = (xr_weight_channels){.count = count, .step = step, .rms_min = INFINITY};
    double sum = 0, each = (double)(w->values.view.count / count);
    for (uint64_t c = 0; c < count; c++) {
        double rms = sqrt(square[c] / each);
        if (rms == 0)
            continue; /* zeros are exact */
        double error = fmin(1, step / sqrt(12) / rms);
        out->rms_min = fmin(out->rms_min, rms);
        out->rms_max = fmax(out->rms_max, rms);
        out->lost += error > 0.25;
        sum += error * error;
    }
    free(square);
    out->predicted = sqrt(sum / (double)count);
    return true;
}

exray_status xr_weight_channels_get(const exray_comparison *comparison, const exray_layer_pair *layer,
                                    xr_weight_channels *out, bool *found, exray_error *error)
{
    side_weights side[2] = {{0}};
    exray_status status = EXRAY_OK;
    *found = false;
    for (int s = 0; s < 2 && status == EXRAY_OK; s++)
        status = read_side(comparison, layer, (exray_side)s, &side[s], error);
    if (status == EXRAY_OK && side[0].found) {
        const exray_tensor_info *edge = info_of(comparison, EXRAY_SIDE_EDGE, &side[0]);
        const exray_tensor_info *other =
            side[1].found ? info_of(comparison, EXRAY_SIDE_REFERENCE, &side[1]) : NULL;
        double step = single_step(edge);
        /* With the same type and scale both sides compute with the same weights. */
        bool alike = other && other->dtype == edge->dtype && single_step(other) == step;
        const side_weights *of = side[0].values.value ? &side[0] : side[1].values.value ? &side[1] : NULL;
        *found = step > 0 && !alike && of && of->values.view.info.rank > 1 && measure(of, step, out);
    }
    for (int s = 0; s < 2; s++)
        xr_weight_values_free(&side[s].values);
    return status;
}
