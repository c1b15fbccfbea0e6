#include "compare/noise/noise.h"

#include "base/tensor.h"
#include "compare/comparison.h"
#include "compare/match/layers.h"
#include "compare/match/ops.h"
#include "core/dtype.h"

#include <string.h>

double xr_type_noise(exray_dtype dtype)
{
    switch (dtype) {
    case EXRAY_DTYPE_FLOAT16:
        return 1.0 / 1024;
    case EXRAY_DTYPE_BFLOAT16:
        return 1.0 / 128;
    case EXRAY_DTYPE_FLOAT8_E4M3:
        return 1.0 / 8;
    case EXRAY_DTYPE_FLOAT8_E5M2:
        return 1.0 / 4;
    case EXRAY_DTYPE_INT8:
    case EXRAY_DTYPE_UINT8:
    case EXRAY_DTYPE_INT16:
    case EXRAY_DTYPE_UINT16:
        return XR_NOISE_8_BITS;
    case EXRAY_DTYPE_INT4:
    case EXRAY_DTYPE_UINT4:
        return XR_NOISE_4_BITS;
    default:
        return XR_NOISE_FLOAT32;
    }
}

bool xr_is_integer(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_BOOL || xr_dtype_is_integer(dtype);
}

/* Tensor i of those that a node reads and then of those that it writes, or NULL. */
static const exray_tensor_info *node_tensor(const exray_model *model, const exray_node *n, uint32_t i)
{
    uint32_t tensor = i < n->input_count ? n->inputs[i] : n->outputs[i - n->input_count];
    return tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
}

static bool is_op(const exray_node *node, const char *op)
{
    return node->op && strcmp(node->op, op) == 0;
}

/* What weights add that a node reads packed, as bytes whose type says nothing; 0: it has none. */
static double packed_noise(const exray_node *node)
{
    if (is_op(node, "DynamicQuantizeLSTM"))
        return XR_NOISE_8_BITS;
    if (!is_op(node, "MatMulNBits") && !is_op(node, "GatherBlockQuantized"))
        return 0;
    const char *bits = exray_node_attribute(node, "bits");
    return bits && strcmp(bits, "8") == 0 ? XR_NOISE_8_BITS : XR_NOISE_4_BITS;
}

/* The coarsest of the types that a node reads and writes; an integer that is not
 * quantized (a shape, an index) is exact. */
double xr_node_noise(const exray_model *model, uint32_t node)
{
    double noise = XR_NOISE_FLOAT32;
    if (!model || node >= model->node_count)
        return noise;
    const exray_node *n = &model->nodes[node];
    for (uint32_t i = 0; i < n->input_count + n->output_count; i++) {
        const exray_tensor_info *info = node_tensor(model, n, i);
        if (info && !(xr_is_integer(info->dtype) && info->quantization.count == 0))
            noise = fmax(noise, xr_type_noise(info->dtype));
    }
    return fmax(noise, packed_noise(n));
}

/* Whether a node of floats computes with integers: its weights are quantized, its output is not. */
static bool is_hybrid(const exray_model *model, const exray_node *node)
{
    const exray_tensor_info *in = node->input_count ? node_tensor(model, node, 0) : NULL;
    const exray_tensor_info *out = node->output_count ? node_tensor(model, node, node->input_count) : NULL;
    bool integers = false;
    for (uint32_t i = 1; i < node->input_count; i++) {
        const exray_tensor_info *info = node_tensor(model, node, i);
        integers =
            integers || (info && info->constant && info->quantization.count && xr_is_integer(info->dtype));
    }
    return integers && in && out && in->dtype == EXRAY_DTYPE_FLOAT32 && out->dtype == EXRAY_DTYPE_FLOAT32;
}

bool xr_quantizes_in_run(const exray_model *model, uint32_t node)
{
    if (!model || node >= model->node_count)
        return false;
    const exray_node *n = &model->nodes[node];
    const char *accuracy = is_op(n, "MatMulNBits") ? exray_node_attribute(n, "accuracy_level") : NULL;
    return is_op(n, "DynamicQuantizeLinear") || is_op(n, "DynamicQuantizeLSTM") ||
           (accuracy && strcmp(accuracy, "4") == 0) || is_hybrid(model, n);
}

bool xr_adds_integers(const exray_model *model, uint32_t node)
{
    static const char *const ops[] = {"MatMulInteger", "ConvInteger", "MatMulIntegerToFloat",
                                      "DynamicQuantizeMatMul"};
    for (size_t i = 0; model && node < model->node_count && i < sizeof ops / sizeof *ops; i++)
        if (is_op(&model->nodes[node], ops[i]))
            return true;
    return false;
}

bool xr_keeps_noise(const exray_node *node)
{
    switch (xr_op_of(node).kind) {
    case XR_OP_ACTIVATION:
    case XR_OP_CONCAT:
    case XR_OP_CONVERSION:
    case XR_OP_DIV:
    case XR_OP_MUL:
    case XR_OP_NORMALIZATION:
    case XR_OP_POOL_MAX:
    case XR_OP_SHAPE:
        return true;
    default:
        return false;
    }
}

bool xr_is_of_shape(const exray_node *node)
{
    return is_op(node, "Shape") || is_op(node, "Size") || is_op(node, "SHAPE") || is_op(node, "RANK");
}

bool xr_has_body(const exray_node *node)
{
    return is_op(node, "If") || is_op(node, "Loop") || is_op(node, "Scan");
}

static xr_activation activation_of(const exray_node *node)
{
    return xr_op_of(node).kind == XR_OP_ACTIVATION ? xr_op_of(node).activation : xr_fused_activation(node);
}

double xr_bounded_noise(const exray_model *model, uint32_t node)
{
    if (!model || node >= model->node_count)
        return 0;
    const exray_node *n = &model->nodes[node];
    xr_activation activation = activation_of(n);
    bool bounded = activation == XR_ACTIVATION_SIGMOID || activation == XR_ACTIVATION_TANH || xr_has_body(n);
    return bounded ? XR_NOISE_OF_ONE : 0;
}

bool xr_may_be_sigmoid(const exray_model *model, uint32_t node)
{
    return model && node < model->node_count &&
           (activation_of(&model->nodes[node]) == XR_ACTIVATION_SIGMOID || xr_has_body(&model->nodes[node]));
}

/* Ops that round more than once, and carry that from frame to frame. */
static bool is_recurrent(const char *op)
{
    static const char *const parts[] = {"LSTM", "GRU", "RNN", "SVDF"};
    for (size_t i = 0; op && i < sizeof parts / sizeof *parts; i++)
        if (strstr(op, parts[i]))
            return true;
    return false;
}

bool xr_keeps_state(const exray_node *node)
{
    return is_recurrent(node->op) || (node->op && strstr(node->op, "VARIABLE"));
}

/* Whether a node is a single layer, and all that it reads and writes are integers. */
bool xr_is_quantized_layer(const exray_model *model, uint32_t node)
{
    if (!model || node >= model->node_count)
        return false;
    const exray_node *n = &model->nodes[node];
    bool quantized = n->output_count > 0 && n->inner_count == 0 && !is_recurrent(n->op);
    for (uint32_t i = 0; i < n->input_count + n->output_count; i++) {
        const exray_tensor_info *info = node_tensor(model, n, i);
        bool input = i < n->input_count;
        if (info)
            quantized = quantized && xr_is_integer(info->dtype) && (input || info->quantization.count > 0);
    }
    return quantized;
}

/* Ops that can turn a difference within noise into another decision: what follows them is judged only
 * where their inputs are equal.  TensorFlow Lite's WHERE lists places; ONNX's Where chooses as it is told:
 * what makes its condition decides. */
bool xr_is_decision(const char *op)
{
    static const char *const parts[] = {"ARG_M",     "ArgM",  "TOPK",  "TopK",    "NON_MAX", "NonMax",
                                        "Detection", "EQUAL", "Equal", "GREATER", "Greater", "LESS",
                                        "Less",      "ROUND", "Round", "FLOOR",   "Floor",   "CEIL",
                                        "Ceil",      "SIGN",  "Sign",  "UNIQUE",  "WHERE"};
    for (size_t i = 0; op && i < sizeof parts / sizeof *parts; i++)
        if (strstr(op, parts[i]))
            return true;
    return false;
}

/* Whether a node adds a constant number, or multiplies with one. */
static bool has_one_number(const exray_model *model, const exray_node *n)
{
    const exray_tensor_info *other = n->input_count == 2 ? node_tensor(model, n, 1) : NULL;
    return other && other->constant && xr_elements(other) == 1;
}

bool xr_rounds_to_steps(const exray_model *model, uint32_t node)
{
    enum { FURTHEST = 2 };
    if (!model || !is_op(&model->nodes[node], "Round"))
        return false;
    for (int i = 0; i < FURTHEST && model->nodes[node].input_count; i++) {
        node = xr_maker_of(model, model->nodes[node].inputs[0]);
        if (node == EXRAY_NO_INDEX || !has_one_number(model, &model->nodes[node]))
            return false;
        const xr_op_kind kind = xr_op_of(&model->nodes[node]).kind;
        if (kind != XR_OP_ADD && kind != XR_OP_SUB)
            return kind == XR_OP_MUL || kind == XR_OP_DIV;
    }
    return false;
}

bool xr_node_decides(const exray_model *model, uint32_t node)
{
    return xr_is_decision(model->nodes[node].op) && !xr_rounds_to_steps(model, node);
}

bool xr_is_steep(const char *op)
{
    static const char *const names[] = {"LOG",
                                        "Log",
                                        "DIV",
                                        "Div",
                                        "POW",
                                        "Pow",
                                        "SUB",
                                        "Sub",
                                        "SQRT",
                                        "Sqrt",
                                        "RSQRT",
                                        "Reciprocal",
                                        "LayerNorm",
                                        "LayerNormalization",
                                        "GroupNorm",
                                        "GroupNormalization",
                                        "InstanceNormalization",
                                        "L2_NORMALIZATION",
                                        "LpNormalization",
                                        "SkipLayerNormalization",
                                        "SQUARED_DIFFERENCE"};
    for (size_t i = 0; op && i < sizeof names / sizeof *names; i++)
        if (strcmp(op, names[i]) == 0)
            return true;
    return false;
}

bool xr_is_of_floats(const exray_model *model)
{
    bool floats = model && model->node_count > 0;
    for (uint32_t n = 0; floats && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        floats = node->inner_count <= 1 && !xr_has_body(node) && !xr_is_decision(node->op) &&
                 !(xr_node_noise(model, n) > XR_NOISE_FLOAT32);
        for (uint32_t i = 0; floats && i < node->output_count; i++) {
            const exray_tensor_info *made = node_tensor(model, node, node->input_count + i);
            floats = made && (made->dtype == EXRAY_DTYPE_FLOAT32 || made->dtype == EXRAY_DTYPE_UNSPECIFIED);
        }
    }
    return floats;
}

/* The coarsest known type of a network whose layers were not recorded: of its inputs and outputs, and of
 * the other side's graph. */
double xr_network_noise(const exray_comparison *c)
{
    double noise = XR_NOISE_FLOAT32;
    const xr_pairs *pairs[] = {&c->inputs, &c->outputs};
    for (int k = 0; k < 2; k++)
        for (size_t i = 0; i < pairs[k]->count; i++)
            for (int s = 0; s < 2; s++) {
                const xr_pair *pair = &pairs[k]->pair[i];
                /* Integers that are not quantized are classes and counts, whatever the network. */
                bool levels = pair->lattice[s] > 0 && pair->lattice[s] != rint(pair->lattice[s]);
                bool counts = k == 1 && pair->stored[s].scale == 0 && xr_is_integer(pair->stored[s].dtype);
                noise = fmax(noise, levels ? XR_NOISE_8_BITS : 0);
                noise =
                    fmax(noise, counts || !pair->stored[s].known ? 0 : xr_type_noise(pair->stored[s].dtype));
            }
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(c->log[s]);
        for (uint32_t n = 0; model && n < model->node_count; n++)
            noise = fmax(noise, xr_node_noise(model, n));
    }
    return noise;
}
