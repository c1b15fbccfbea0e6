/* The work of a node: multiply-accumulates, from the shapes of its tensors. */
#include "compare/perf/macs.h"
#include "base/tensor.h"
#include "compare/match/layers.h"

#include <string.h>

/* How the work follows from the weights' shape: every element of the output (or of the
 * input, for a transposed convolution) takes elements(weights) / `channels` of them. */
typedef enum rule {
    FIRST_IS_CHANNELS,  /* [out, ...] */
    LAST_IS_CHANNELS,   /* [..., out] */
    OUTPUT_IS_CHANNELS, /* as many as the output's last dimension */
    INNER_PRODUCT,      /* a matrix product: the last dimension of `data` */
    SPREAD_LAST,        /* from an input of weights' last dimension channels */
    SPREAD_FIRST,
} rule;

typedef struct op_rule {
    const char *op;
    uint8_t data, weights; /* which inputs */
    rule rule;
} op_rule;

static const op_rule rules[] = {
    {"CONV_2D", 0, 1, FIRST_IS_CHANNELS},       {"DEPTHWISE_CONV_2D", 0, 1, LAST_IS_CHANNELS},
    {"CONV_3D", 0, 1, LAST_IS_CHANNELS},        {"FULLY_CONNECTED", 0, 1, FIRST_IS_CHANNELS},
    {"BATCH_MATMUL", 0, 1, INNER_PRODUCT},      {"TRANSPOSE_CONV", 2, 1, SPREAD_LAST},
    {"Conv", 0, 1, FIRST_IS_CHANNELS},          {"FusedConv", 0, 1, FIRST_IS_CHANNELS},
    {"NhwcFusedConv", 0, 1, FIRST_IS_CHANNELS}, {"ConvInteger", 0, 1, FIRST_IS_CHANNELS},
    {"QLinearConv", 0, 3, FIRST_IS_CHANNELS},   {"ConvTranspose", 0, 1, SPREAD_FIRST},
    {"Gemm", 0, 1, OUTPUT_IS_CHANNELS},         {"FusedGemm", 0, 1, OUTPUT_IS_CHANNELS},
    {"QGemm", 0, 3, OUTPUT_IS_CHANNELS},        {"MatMul", 0, 1, INNER_PRODUCT},
    {"FusedMatMul", 0, 1, INNER_PRODUCT},       {"MatMulInteger", 0, 1, INNER_PRODUCT},
    {"QLinearMatMul", 0, 3, INNER_PRODUCT},
};

static const exray_tensor_info *input_of(const exray_model *model, const exray_node *node, uint32_t k)
{
    uint32_t tensor = k < node->input_count ? node->inputs[k] : EXRAY_NO_INDEX;
    return tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
}

static uint64_t last_dimension(const exray_tensor_info *info)
{
    return info->rank && info->shape[info->rank - 1] > 0 ? (uint64_t)info->shape[info->rank - 1] : 0;
}

static uint64_t first_dimension(const exray_tensor_info *info)
{
    return info->rank && info->shape[0] > 0 ? (uint64_t)info->shape[0] : 0;
}

/* a * b, or 0 beyond 2^62: no such layer exists, and sums of these must not overflow. */
static uint64_t product(uint64_t a, uint64_t b)
{
    return b && a > (UINT64_C(1) << 62) / b ? 0 : a * b;
}

uint64_t xr_node_macs(const exray_model *model, uint32_t index)
{
    const exray_node *node = index < model->node_count ? &model->nodes[index] : NULL;
    const op_rule *r = NULL;
    for (size_t i = 0; node && node->op && i < sizeof rules / sizeof *rules && !r; i++)
        r = strcmp(node->op, rules[i].op) == 0 ? &rules[i] : NULL;
    const exray_tensor_info *out = r ? xr_layer_tensor(model, index, 0) : NULL;
    const exray_tensor_info *data = out ? input_of(model, node, r->data) : NULL;
    const exray_tensor_info *weights = out ? input_of(model, node, r->weights) : NULL;
    if (!data || !weights)
        return 0;
    if (r->rule == INNER_PRODUCT)
        return product(xr_elements(out), last_dimension(data));
    bool spread = r->rule == SPREAD_LAST || r->rule == SPREAD_FIRST;
    uint64_t channels = r->rule == OUTPUT_IS_CHANNELS                           ? last_dimension(out)
                        : r->rule == LAST_IS_CHANNELS || r->rule == SPREAD_LAST ? last_dimension(weights)
                                                                                : first_dimension(weights);
    uint64_t elements = xr_elements(spread ? data : out);
    return channels ? product(elements, xr_elements(weights) / channels) : 0;
}
