/* What the operators of a graph imply for its tensors: quantization of integers, types that are not
 * declared, the layout of a convolution's input. */
#include "core/dtype.h"
#include "models/onnx.h"

#include <string.h>

/* Where an operator has (tensor, scale, zero point); -1: ends the list.  Outputs
 * count from OUT. */
enum { OUT = 100, NONE = -1 };
typedef struct triple {
    int tensor, scale, zero_point;
} triple;
typedef struct operator
{
    const char *op;
    triple triples[4];
}
operator;

static const operator operators[] = {
    {"QuantizeLinear", {{OUT, 1, 2}, {NONE, 0, 0}}},
    {"DequantizeLinear", {{0, 1, 2}, {NONE, 0, 0}}},
    {"QLinearConv", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}, {NONE, 0, 0}}},
    {"QLinearMatMul", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}, {NONE, 0, 0}}},
    {"QLinearAdd", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}, {NONE, 0, 0}}},
    {"QLinearMul", {{0, 1, 2}, {3, 4, 5}, {OUT, 6, 7}, {NONE, 0, 0}}},
    {"QGemm", {{0, 1, 2}, {3, 4, 5}, {OUT, 7, 8}, {NONE, 0, 0}}},
    {"QLinearAveragePool", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearGlobalAveragePool", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearSigmoid", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearLeakyRelu", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearSoftmax", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
    {"QLinearReduceMean", {{0, 1, 2}, {OUT, 3, 4}, {NONE, 0, 0}}},
};

/* Operators that move integers and keep their quantization. */
static const char *const movers[] = {"MaxPool", "NhwcMaxPool", "Reshape",  "Transpose", "Flatten",
                                     "Squeeze", "Unsqueeze",   "Identity", "Slice",     "DepthToSpace"};

/* Operators whose first input and output have channels at the second place (or,
 * with channels_last, at the last). */
static const char *const spatial[] = {"Conv",
                                      "FusedConv",
                                      "QLinearConv",
                                      "ConvTranspose",
                                      "MaxPool",
                                      "AveragePool",
                                      "GlobalAveragePool",
                                      "GlobalMaxPool",
                                      "QLinearAveragePool",
                                      "QLinearGlobalAveragePool",
                                      "BatchNormalization",
                                      "NhwcMaxPool"};

/* Operators that leave every element at its place. */
static const char *const elementwise[] = {
    "QuantizeLinear", "DequantizeLinear", "Relu",           "Clip",     "Sigmoid",
    "LeakyRelu",      "HardSwish",        "QLinearSigmoid", "Identity", "Cast"};

static bool is_among(const char *op, const char *const *list, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(op, list[i]) == 0)
            return true;
    return false;
}
#define IS_AMONG(op, list) is_among(op, list, sizeof(list) / sizeof *(list))

static uint32_t operand(const exray_node *node, int place)
{
    uint32_t i = (uint32_t)(place >= OUT ? place - OUT : place);
    if (place >= OUT)
        return i < node->output_count ? node->outputs[i] : EXRAY_NO_INDEX;
    return i < node->input_count ? node->inputs[i] : EXRAY_NO_INDEX;
}

/* ---- Quantization ---------------------------------------------------------------------- */

static int64_t load_integer(exray_dtype dtype, const void *data, size_t i)
{
    switch (dtype) {
    case EXRAY_DTYPE_INT8:
        return ((const int8_t *)data)[i];
    case EXRAY_DTYPE_UINT8:
        return ((const uint8_t *)data)[i];
    case EXRAY_DTYPE_INT16: {
        int16_t value;
        memcpy(&value, (const char *)data + 2 * i, 2);
        return value;
    }
    case EXRAY_DTYPE_UINT16: {
        uint16_t value;
        memcpy(&value, (const char *)data + 2 * i, 2);
        return value;
    }
    case EXRAY_DTYPE_INT32: {
        int32_t value;
        memcpy(&value, (const char *)data + 4 * i, 4);
        return value;
    }
    case EXRAY_DTYPE_INT4:
    case EXRAY_DTYPE_UINT4: {
        int nibble = ((const uint8_t *)data)[i / 2] >> (i % 2 ? 4 : 0) & 15;
        return dtype == EXRAY_DTYPE_INT4 && nibble > 7 ? nibble - 16 : nibble;
    }
    default:
        return 0;
    }
}

/* Along which dimension a list of scales runs. */
static int64_t axis_of(const exray_node *node, int place)
{
    if (strcmp(node->op, "QLinearConv") == 0)
        return 0; /* of the weights: their output channels */
    if (strcmp(node->op, "QLinearMatMul") == 0 || strcmp(node->op, "QGemm") == 0)
        return place == 3 && xr_onnx_integer(node, "transB", 0) == 0 ? 1 : 0;
    return xr_onnx_integer(node, "axis", 1);
}

static bool describe(xr_onnx *onnx, const exray_node *node, const triple *t)
{
    uint32_t at = operand(node, t->tensor), scale_at = operand(node, t->scale);
    uint32_t zero_at = operand(node, t->zero_point);
    if (at == EXRAY_NO_INDEX || scale_at == EXRAY_NO_INDEX)
        return true;
    exray_tensor_info *info = xr_onnx_info(onnx, at);
    const exray_tensor_info *zero_info = zero_at == EXRAY_NO_INDEX ? NULL : xr_onnx_info(onnx, zero_at);
    if (info->dtype == EXRAY_DTYPE_UNSPECIFIED && strcmp(node->op, "DequantizeLinear") != 0)
        info->dtype = zero_info ? zero_info->dtype : EXRAY_DTYPE_UINT8; /* as the operators have it */
    const xr_constant *scale = xr_onnx_constant(onnx, scale_at);
    const xr_constant *zero = zero_at == EXRAY_NO_INDEX ? NULL : xr_onnx_constant(onnx, zero_at);
    size_t count = scale->size / sizeof(float);
    if (info->quantization.count || !xr_dtype_is_integer(info->dtype) || !count ||
        xr_onnx_info(onnx, scale_at)->dtype != EXRAY_DTYPE_FLOAT32)
        return true;
    if (zero_info && !xr_dtype_is_integer(zero_info->dtype))
        return true; /* a number for float8; anything in a hostile file */
    size_t zeros = zero && zero->data ? zero->size * 8 / exray_dtype_bits(zero_info->dtype) : 0;
    if (zero && zeros != count && zeros != 1 && !(count == 1 && zeros))
        return true;
    int64_t axis = axis_of(node, t->tensor);
    axis += axis < 0 ? (int64_t)info->rank : 0;
    if (count > 1 && (axis < 0 || axis >= info->rank || info->shape[axis] != (int64_t)count))
        return true; /* by blocks, or of a shape that is not known */
    float *scales = xr_onnx_alloc(onnx, count, sizeof *scales);
    int64_t *zero_points = xr_onnx_alloc(onnx, count, sizeof *zero_points);
    if (!scales || !zero_points)
        return false;
    memcpy(scales, scale->data, count * sizeof *scales);
    for (size_t i = 0; zeros && i < count; i++)
        zero_points[i] = load_integer(zero_info->dtype, zero->data, i < zeros ? i : 0);
    info->quantization =
        (exray_quantization){(uint32_t)count, count > 1 ? (uint32_t)axis : 0, scales, zero_points};
    return true;
}

static bool describe_operands(xr_onnx *onnx, const exray_node *node)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(node->op, operators[i].op) == 0)
            for (const triple *t = operators[i].triples; t->tensor != NONE; t++)
                if (!describe(onnx, node, t))
                    return false;
    return true;
}

/* A bias of 32 bits counts in steps of the input's scale times the weights': what it is
 * added to. */
static bool describe_bias(xr_onnx *onnx, const exray_node *node)
{
    bool conv = strcmp(node->op, "QLinearConv") == 0;
    if (!conv && strcmp(node->op, "QGemm") != 0)
        return true;
    uint32_t scale_at = operand(node, 1), weights_at = operand(node, 3),
             bias_at = operand(node, conv ? 8 : 6);
    if (scale_at == EXRAY_NO_INDEX || weights_at == EXRAY_NO_INDEX || bias_at == EXRAY_NO_INDEX)
        return true;
    exray_tensor_info *bias = xr_onnx_info(onnx, bias_at);
    const exray_quantization *weights = &xr_onnx_info(onnx, weights_at)->quantization;
    const xr_constant *scale = xr_onnx_constant(onnx, scale_at);
    float input;
    if (bias->quantization.count || bias->dtype != EXRAY_DTYPE_INT32 || bias->rank != 1 || !weights->count ||
        !scale->data || scale->size != sizeof input ||
        xr_onnx_info(onnx, scale_at)->dtype != EXRAY_DTYPE_FLOAT32 ||
        (weights->count > 1 && bias->shape[0] != (int64_t)weights->count))
        return true;
    memcpy(&input, scale->data, sizeof input);
    float *scales = xr_onnx_alloc(onnx, weights->count, sizeof *scales);
    if (!scales)
        return false;
    for (uint32_t i = 0; i < weights->count; i++)
        scales[i] = input * weights->scale[i];
    bias->quantization = (exray_quantization){.count = weights->count, .scale = scales};
    return true;
}

static void move_quantization(xr_onnx *onnx, const exray_node *node)
{
    uint32_t from = operand(node, 0), to = operand(node, OUT);
    if (from == EXRAY_NO_INDEX || to == EXRAY_NO_INDEX || !IS_AMONG(node->op, movers))
        return;
    const exray_tensor_info *source = xr_onnx_info(onnx, from);
    exray_tensor_info *target = xr_onnx_info(onnx, to);
    if (target->dtype == EXRAY_DTYPE_UNSPECIFIED)
        target->dtype = source->dtype;
    if (!target->quantization.count && source->quantization.count == 1 && target->dtype == source->dtype)
        target->quantization = source->quantization;
}

/* ---- Layout ------------------------------------------------------------------------------ */

static void set_layout(xr_onnx *onnx, uint32_t at, const char *layout)
{
    if (at == EXRAY_NO_INDEX || !layout)
        return;
    exray_tensor_info *info = xr_onnx_info(onnx, at);
    if (info->rank == 4 && !info->layout && !info->constant)
        info->layout = layout;
}

static void set_spatial_layout(xr_onnx *onnx, size_t i)
{
    const exray_node *node = xr_onnx_node_at(onnx, i);
    /* Blocked channels are neither. */
    if (!IS_AMONG(node->op, spatial) || xr_onnx_is(xr_onnx_extra(onnx, i)->domain, "com.microsoft.nchwc"))
        return;
    bool last = xr_onnx_integer(node, "channels_last", 0) || strcmp(node->op, "NhwcMaxPool") == 0;
    set_layout(onnx, operand(node, 0), last ? "NHWC" : "NCHW");
    set_layout(onnx, operand(node, OUT), last ? "NHWC" : "NCHW");
}

static void move_layout(xr_onnx *onnx, const exray_node *node)
{
    uint32_t from = operand(node, 0), to = operand(node, OUT);
    if (from == EXRAY_NO_INDEX || to == EXRAY_NO_INDEX || !IS_AMONG(node->op, elementwise))
        return;
    set_layout(onnx, to, xr_onnx_info(onnx, from)->layout);
    set_layout(onnx, from, xr_onnx_info(onnx, to)->layout);
}

bool xr_onnx_interpret(xr_onnx *onnx)
{
    size_t count = onnx->nodes.count;
    for (size_t i = 0; i < count; i++) {
        if (!describe_operands(onnx, xr_onnx_node_at(onnx, i)) ||
            !describe_bias(onnx, xr_onnx_node_at(onnx, i)))
            return false;
        move_quantization(onnx, xr_onnx_node_at(onnx, i));
        set_spatial_layout(onnx, i);
    }
    for (size_t i = 0; i < count; i++)
        move_layout(onnx, xr_onnx_node_at(onnx, i));
    for (size_t i = count; i-- > 0;)
        move_layout(onnx, xr_onnx_node_at(onnx, i));
    return true;
}
