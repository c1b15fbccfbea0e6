/* What the operators of a graph imply for its tensors: the layout of a convolution's input, and what
 * onnx_quantization.c adds. */
#include "models/onnx/onnx.h"

#include <string.h>

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
    set_layout(onnx, xr_onnx_operand(node, 0), last ? "NHWC" : "NCHW");
    set_layout(onnx, xr_onnx_operand(node, XR_ONNX_OUT), last ? "NHWC" : "NCHW");
}

static void move_layout(xr_onnx *onnx, const exray_node *node)
{
    uint32_t from = xr_onnx_operand(node, 0), to = xr_onnx_operand(node, XR_ONNX_OUT);
    if (from == EXRAY_NO_INDEX || to == EXRAY_NO_INDEX || !IS_AMONG(node->op, elementwise))
        return;
    set_layout(onnx, to, xr_onnx_info(onnx, from)->layout);
    set_layout(onnx, from, xr_onnx_info(onnx, to)->layout);
}

bool xr_onnx_interpret(xr_onnx *onnx)
{
    size_t count = onnx->nodes.count;
    if (!xr_onnx_describe_quantization(onnx))
        return false;
    for (size_t i = 0; i < count; i++)
        set_spatial_layout(onnx, i);
    for (size_t i = 0; i < count; i++)
        move_layout(onnx, xr_onnx_node_at(onnx, i));
    for (size_t i = count; i-- > 0;)
        move_layout(onnx, xr_onnx_node_at(onnx, i));
    return true;
}
