#include "checks/model/weight_graph.h"

#include "checks/model/gates.h"
#include "checks/place_of.h"

#include <stdlib.h>
#include <string.h>

/* ---- Scales and zero points ---------------------------------------------------------------------- */

/* Which inputs of ONNX's operators are scales, zero points or indices of blocks: bit i for input i. */
static const struct {
    const char *op;
    uint32_t inputs;
} parameters[] = {
    {"DequantizeLinear", 0x6},      {"QuantizeLinear", 0x6},
    {"QLinearConv", 0xf6},          {"QGemm", 0x1b6},
    {"QLinearWhere", 0x1ec},        {"DynamicQuantizeMatMul", 0xc},
    {"MatMulIntegerToFloat", 0x3c}, {"MatMulInteger", 0xc},
    {"ConvInteger", 0xc},           {"DynamicQuantizeLSTM", 0xf00},
    {"MatMulNBits", 0x1c},          {"GatherBlockQuantized", 0xc},
    {"QAttention", 0xd8},           {"QEmbedLayerNormalization", 0x3ff00},
};

/* What a product multiplies with where its other operand is the scale of a run: the scale of weights. */
static bool is_scale_of_product(const xr_weight_graph *g, const exray_node *node, uint32_t input)
{
    if (strcmp(node->op, "Mul") != 0 || node->input_count != 2)
        return false;
    uint32_t other = node->inputs[1 - input];
    uint32_t maker = other < g->model->tensor_count ? g->maker[other] : EXRAY_NO_INDEX;
    return maker != EXRAY_NO_INDEX && g->model->nodes[maker].op &&
           strcmp(g->model->nodes[maker].op, "DynamicQuantizeLinear") == 0;
}

static bool is_parameter(const xr_weight_graph *g, const exray_node *node, uint32_t input)
{
    if (!node->op)
        return false;
    for (size_t i = 0; i < sizeof parameters / sizeof *parameters; i++)
        if (strcmp(node->op, parameters[i].op) == 0)
            return input < 32 && parameters[i].inputs >> input & 1;
    if (strcmp(node->op, "QLinearConcat") == 0)
        return input < 2 || (input - 2) % 3 != 0;
    if (strncmp(node->op, "QLinear", 7) == 0)
        return input != 0 && input != 3;
    return is_scale_of_product(g, node, input);
}

static void note_parameters(xr_weight_graph *g, const exray_node *node, uint32_t count)
{
    for (uint32_t n = 0; n < count; n++) {
        note_parameters(g, node[n].inner, node[n].inner_count);
        for (uint32_t i = 0; i < node[n].input_count; i++)
            if (node[n].inputs[i] < g->model->tensor_count && is_parameter(g, &node[n], i))
                g->parameter[node[n].inputs[i]] = true;
    }
}

/* ---- Making one --------------------------------------------------------------------------- */

static void note_makers(xr_weight_graph *g)
{
    for (uint32_t t = 0; t < g->model->tensor_count; t++)
        g->maker[t] = EXRAY_NO_INDEX;
    for (uint32_t n = 0; n < g->model->node_count; n++)
        for (uint32_t k = 0; k < g->model->nodes[n].output_count; k++)
            if (g->model->nodes[n].outputs[k] < g->model->tensor_count)
                g->maker[g->model->nodes[n].outputs[k]] = n;
}

static size_t most_inputs(const exray_model *model)
{
    size_t count = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        count += model->nodes[n].input_count;
    return XR_MOST_GATE_PARTS * count;
}

bool xr_weight_graph_make(const exray_comparison *comparison, exray_side side, xr_weight_graph *g)
{
    *g = (xr_weight_graph){.model = exray_log_model(exray_comparison_log(comparison, side)),
                           .other = exray_log_model(exray_comparison_log(comparison, (exray_side)!side))};
    if (!g->model)
        return true;
    size_t tensors = (size_t)g->model->tensor_count + 1, nodes = (size_t)g->model->node_count + 1;
    g->maker = calloc(tensors, sizeof *g->maker);
    g->compared = calloc(tensors, sizeof *g->compared);
    g->parameter = calloc(tensors, sizeof *g->parameter);
    g->seen = calloc(nodes, sizeof *g->seen);
    g->stack = calloc(nodes, sizeof *g->stack);
    g->found = calloc(most_inputs(g->model) + 1, sizeof *g->found);
    if (!g->maker || !g->compared || !g->parameter || !g->seen || !g->stack || !g->found)
        return false;
    note_makers(g);
    note_parameters(g, g->model->nodes, g->model->node_count);
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        uint32_t tensor = xr_tensor_of_layer(g->model, exray_comparison_layer(comparison, i), side);
        if (tensor != EXRAY_NO_INDEX)
            g->compared[tensor] = true;
    }
    return true;
}

void xr_weight_graph_free(xr_weight_graph *g)
{
    free(g->maker);
    free(g->compared);
    free(g->parameter);
    free(g->seen);
    free(g->stack);
    free(g->found);
}

/* ---- The walk ---------------------------------------------------------------------------------- */

/* A recurrent node's weights in parts that other engines have as constants of their own. */
static void note_constant(xr_weight_graph *g, xr_node_constant constant)
{
    if (!xr_gates_join(g->model, g->other, &constant))
        return;
    uint32_t parts = xr_gate_parts(g->model, &constant);
    constant.parts = parts > 1 ? parts : 0;
    for (; constant.part < (parts > 1 ? parts : 1); constant.part++)
        g->found[g->found_count++] = constant;
}

/* Notes the constants that a node reads, and puts the makers of its other inputs on the stack. */
static void visit(xr_weight_graph *g, uint32_t n, size_t *depth)
{
    const exray_node *node = &g->model->nodes[n];
    if (node->inner_count)
        return;
    for (uint32_t i = 0; i < node->input_count; i++) {
        uint32_t tensor = node->inputs[i];
        if (tensor >= g->model->tensor_count || is_parameter(g, node, i))
            continue;
        uint32_t maker = g->maker[tensor];
        if (maker == EXRAY_NO_INDEX)
            note_constant(g, (xr_node_constant){.tensor = tensor, .node = node, .input = i});
        else if (!g->compared[tensor] && !g->seen[maker]) {
            g->seen[maker] = true;
            g->stack[(*depth)++] = maker;
        }
    }
}

void xr_weight_graph_walk(xr_weight_graph *g, uint32_t tensor)
{
    g->found_count = 0;
    uint32_t maker = g->model && tensor < g->model->tensor_count ? g->maker[tensor] : EXRAY_NO_INDEX;
    if (maker == EXRAY_NO_INDEX || g->seen[maker])
        return;
    size_t depth = 0;
    g->seen[maker] = true;
    g->stack[depth++] = maker;
    while (depth)
        visit(g, g->stack[--depth], &depth);
}
