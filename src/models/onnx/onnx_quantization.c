/* What the operators of a graph tell of its integers: scales and zero points, which ONNX has as inputs of
 * operators and exray as properties of tensors, and types that are not declared. */
#include "core/dtype.h"
#include "models/onnx/onnx.h"

#include <string.h>

/* Where an operator has (tensor, scale, zero point); NONE: ends the list. */
enum { OUT = XR_ONNX_OUT, NONE = -1 };
typedef struct triple {
    int tensor, scale, zero_point;
} triple;
typedef struct operator
{
    const char *op;
    triple triples[6];
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
    {"QLinearWhere", {{1, 2, 3}, {4, 5, 6}, {OUT, 7, 8}, {NONE, 0, 0}}},
    /* The first operand of these is quantized anew in each run. */
    {"DynamicQuantizeMatMul", {{1, 2, 3}, {NONE, 0, 0}}},
    {"MatMulIntegerToFloat", {{1, 3, 5}, {NONE, 0, 0}}},
    {"DynamicQuantizeLSTM", {{1, 8, 9}, {2, 10, 11}, {NONE, 0, 0}}},
    {"QAttention", {{0, 3, 6}, {1, 4, 7}, {NONE, 0, 0}}},
    {"QEmbedLayerNormalization",
     {{2, 8, 13}, {3, 9, 14}, {4, 10, 15}, {5, 11, 16}, {6, 12, 17}, {NONE, 0, 0}}},
};

/* Operators that move integers and keep their quantization. */
static const char *const movers[] = {
    "MaxPool", "NhwcMaxPool",  "Reshape", "Transpose",    "Flatten", "Squeeze", "Unsqueeze", "Identity",
    "Slice",   "DepthToSpace", "Gather",  "SpaceToDepth", "Expand",  "Tile",    "Pad",       "Resize"};

static bool is_mover(const char *op)
{
    for (size_t i = 0; i < sizeof movers / sizeof *movers; i++)
        if (strcmp(op, movers[i]) == 0)
            return true;
    return false;
}

uint32_t xr_onnx_operand(const exray_node *node, int place)
{
    uint32_t i = (uint32_t)(place >= OUT ? place - OUT : place);
    if (place >= OUT)
        return i < node->output_count ? node->outputs[i] : EXRAY_NO_INDEX;
    return i < node->input_count ? node->inputs[i] : EXRAY_NO_INDEX;
}

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

/* Along which dimension of a tensor a list of scales runs. */
static int64_t axis_of(const exray_node *node, int place, const exray_tensor_info *info, size_t count)
{
    if (strcmp(node->op, "QuantizeLinear") == 0 || strcmp(node->op, "DequantizeLinear") == 0)
        return xr_onnx_integer(node, "axis", 1);
    if (strcmp(node->op, "QLinearConv") == 0 || strcmp(node->op, "ConvInteger") == 0)
        return 0;                                     /* of the weights: their output channels */
    if (strcmp(node->op, "DynamicQuantizeLSTM") == 0) /* [directions, inputs, gates x hidden] */
        return info->rank == 3 && info->shape[0] > 1 && info->shape[0] == (int64_t)count ? 0 : -1;
    return place == 0 || xr_onnx_integer(node, "transB", 0) ? 0 : -1; /* of a matrix: its columns */
}

static float half(uint16_t bits)
{
    uint32_t sign = (uint32_t)(bits >> 15) << 31, exponent = bits >> 10 & 31, mantissa = bits & 1023;
    uint32_t whole = sign | (exponent + 112) << 23 | mantissa << 13;
    float value;
    memcpy(&value, &whole, sizeof value);
    return exponent ? value : (sign ? -1 : 1) * (float)mantissa / (1 << 24);
}

/* The number of scales in a constant; 0: it has none that can be read. */
static size_t scale_count(const xr_onnx *onnx, uint32_t at)
{
    const xr_constant *constant = xr_onnx_constant(onnx, at);
    exray_dtype dtype = xr_onnx_info(onnx, at)->dtype;
    if (dtype != EXRAY_DTYPE_FLOAT32 && dtype != EXRAY_DTYPE_FLOAT16)
        return 0;
    return constant->data ? constant->size / (exray_dtype_bits(dtype) / 8) : 0;
}

static float scale_at(const xr_onnx *onnx, uint32_t at, size_t i)
{
    const char *data = xr_onnx_constant(onnx, at)->data;
    if (xr_onnx_info(onnx, at)->dtype == EXRAY_DTYPE_FLOAT16) {
        uint16_t bits;
        memcpy(&bits, data + 2 * i, sizeof bits);
        return half(bits);
    }
    float value;
    memcpy(&value, data + 4 * i, sizeof value);
    return value;
}

static bool is_float8(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_FLOAT8_E4M3 || dtype == EXRAY_DTYPE_FLOAT8_E5M2;
}

/* Gives tensor `at`, which operand `place` of the node is, the scales and zero points of two constants. */
static bool quantize(xr_onnx *onnx, const exray_node *node, int place, uint32_t at, uint32_t scale,
                     uint32_t zero)
{
    exray_tensor_info *info = xr_onnx_info(onnx, at);
    const exray_tensor_info *zero_info = zero == EXRAY_NO_INDEX ? NULL : xr_onnx_info(onnx, zero);
    const xr_constant *zero_data = zero == EXRAY_NO_INDEX ? NULL : xr_onnx_constant(onnx, zero);
    size_t count = scale_count(onnx, scale);
    /* Weights of 8-bit floats have a scale, too; their zero point is 0. */
    const bool floats = info->constant && is_float8(info->dtype);
    if (info->quantization.count || !(floats || xr_dtype_is_integer(info->dtype)) || !count)
        return true;
    if (floats && (!zero_info || is_float8(zero_info->dtype))) {
        zero_info = NULL;
        zero_data = NULL;
    } else if (floats || (zero_info && !xr_dtype_is_integer(zero_info->dtype)))
        return true; /* a number for float8; anything in a hostile file */
    size_t zeros =
        zero_data && zero_data->data ? zero_data->size * 8 / exray_dtype_bits(zero_info->dtype) : 0;
    if (zero_data && zeros != count && zeros != 1 && !(count == 1 && zeros))
        return true;
    int64_t axis = axis_of(node, place, info, count);
    axis += axis < 0 ? (int64_t)info->rank : 0;
    if (count > 1 && (axis < 0 || axis >= info->rank || info->shape[axis] != (int64_t)count))
        return true; /* by blocks, or of a shape that is not known */
    float *scales = xr_onnx_alloc(onnx, count, sizeof *scales);
    int64_t *zero_points = xr_onnx_alloc(onnx, count, sizeof *zero_points);
    if (!scales || !zero_points)
        return false;
    for (size_t i = 0; i < count; i++) {
        scales[i] = scale_at(onnx, scale, i);
        if (zeros)
            zero_points[i] = load_integer(zero_info->dtype, zero_data->data, i < zeros ? i : 0);
    }
    info->quantization =
        (exray_quantization){(uint32_t)count, count > 1 ? (uint32_t)axis : 0, scales, zero_points};
    return true;
}

static bool describe(xr_onnx *onnx, const exray_node *node, const triple *t)
{
    uint32_t at = xr_onnx_operand(node, t->tensor), scale = xr_onnx_operand(node, t->scale);
    uint32_t zero = xr_onnx_operand(node, t->zero_point);
    if (at == EXRAY_NO_INDEX || scale == EXRAY_NO_INDEX)
        return true;
    exray_tensor_info *info = xr_onnx_info(onnx, at);
    if (info->dtype == EXRAY_DTYPE_UNSPECIFIED && strcmp(node->op, "DequantizeLinear") != 0)
        info->dtype = zero == EXRAY_NO_INDEX ? EXRAY_DTYPE_UINT8 : xr_onnx_info(onnx, zero)->dtype;
    return quantize(onnx, node, t->tensor, at, scale, zero);
}

/* QLinearConcat has as many triples as parts. */
static bool describe_parts(xr_onnx *onnx, const exray_node *node)
{
    if (!describe(onnx, node, &(triple){OUT, 0, 1}))
        return false;
    for (uint32_t i = 2; i + 2 < node->input_count && i < 3000; i += 3)
        if (!describe(onnx, node, &(triple){(int)i, (int)i + 1, (int)i + 2}))
            return false;
    return true;
}

static bool describe_operands(xr_onnx *onnx, const exray_node *node)
{
    for (size_t i = 0; i < sizeof operators / sizeof *operators; i++)
        if (strcmp(node->op, operators[i].op) == 0)
            for (const triple *t = operators[i].triples; t->tensor != NONE; t++)
                if (!describe(onnx, node, t))
                    return false;
    return strcmp(node->op, "QLinearConcat") != 0 || describe_parts(onnx, node);
}

/* A bias of 32 bits counts in steps of the input's scale times the weights': what it is
 * added to. */
static bool describe_bias(xr_onnx *onnx, const exray_node *node)
{
    bool conv = strcmp(node->op, "QLinearConv") == 0;
    if (!conv && strcmp(node->op, "QGemm") != 0)
        return true;
    uint32_t scale_at = xr_onnx_operand(node, 1), weights_at = xr_onnx_operand(node, 3),
             bias_at = xr_onnx_operand(node, conv ? 8 : 6);
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
    uint32_t from = xr_onnx_operand(node, 0), to = xr_onnx_operand(node, OUT);
    if (from == EXRAY_NO_INDEX || to == EXRAY_NO_INDEX || !is_mover(node->op))
        return;
    const exray_tensor_info *source = xr_onnx_info(onnx, from);
    exray_tensor_info *target = xr_onnx_info(onnx, to);
    if (target->dtype == EXRAY_DTYPE_UNSPECIFIED)
        target->dtype = source->dtype;
    if (!target->quantization.count && source->quantization.count == 1 && target->dtype == source->dtype)
        target->quantization = source->quantization;
}

/* ---- Products of integers ------------------------------------------------------------------ */

/* The first node that reads each tensor. */
typedef struct reader_table {
    xr_onnx *onnx;
    uint32_t *first; /* [tensors] */
} reader_table;

static bool make_readers(xr_onnx *onnx, reader_table *r)
{
    *r = (reader_table){onnx, xr_onnx_alloc(onnx, onnx->infos.count + 1, sizeof *r->first)};
    if (!r->first)
        return false;
    for (size_t t = 0; t < onnx->infos.count; t++)
        r->first[t] = EXRAY_NO_INDEX;
    for (size_t n = onnx->nodes.count; n-- > 0;) {
        const exray_node *node = xr_onnx_node_at(onnx, n);
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] != EXRAY_NO_INDEX)
                r->first[node->inputs[i]] = (uint32_t)n;
    }
    return true;
}

/* The node behind the first output of another, if it is of that operator. */
static const exray_node *next_node(const reader_table *r, const exray_node *node, const char *op)
{
    uint32_t out = xr_onnx_operand(node, OUT);
    uint32_t next = out == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : r->first[out];
    if (next == EXRAY_NO_INDEX)
        return NULL;
    const exray_node *found = xr_onnx_node_at(r->onnx, next);
    return strcmp(found->op, op) == 0 ? found : NULL;
}

/* The constant that a product multiplies with: an operand of `product` itself, or of the node that makes one
 * of its operands (the scale of a run times the weights'). */
static uint32_t constant_factor(const reader_table *r, const exray_node *product, bool deeper)
{
    for (uint32_t i = 0; i < product->input_count; i++) {
        uint32_t at = product->inputs[i];
        if (at == EXRAY_NO_INDEX)
            continue;
        if (scale_count(r->onnx, at))
            return at;
        uint32_t maker = xr_onnx_at(r->onnx, at)->maker;
        const exray_node *made = maker == EXRAY_NO_INDEX ? NULL : xr_onnx_node_at(r->onnx, maker);
        if (deeper && made && strcmp(made->op, "Mul") == 0) {
            uint32_t found = constant_factor(r, made, false);
            if (found != EXRAY_NO_INDEX)
                return found;
        }
    }
    return EXRAY_NO_INDEX;
}

/* MatMulInteger and ConvInteger have no scales: what follows, Cast and Mul, has them. */
static bool describe_product(const reader_table *r, const exray_node *node)
{
    if (strcmp(node->op, "MatMulInteger") != 0 && strcmp(node->op, "ConvInteger") != 0)
        return true;
    uint32_t weights = xr_onnx_operand(node, 1);
    const exray_node *cast = next_node(r, node, "Cast"), *product = cast ? next_node(r, cast, "Mul") : NULL;
    uint32_t scale = product ? constant_factor(r, product, true) : EXRAY_NO_INDEX;
    if (weights == EXRAY_NO_INDEX || scale == EXRAY_NO_INDEX)
        return true;
    return quantize(r->onnx, node, 1, weights, scale, xr_onnx_operand(node, 3));
}

/* Integers that are moved before they are dequantized: a table that is looked up in, what was looked up. */
static void move_back(xr_onnx *onnx, const exray_node *node)
{
    uint32_t from = xr_onnx_operand(node, 0), to = xr_onnx_operand(node, OUT);
    if (from == EXRAY_NO_INDEX || to == EXRAY_NO_INDEX || !is_mover(node->op))
        return;
    exray_tensor_info *source = xr_onnx_info(onnx, from);
    const exray_tensor_info *target = xr_onnx_info(onnx, to);
    if (!source->quantization.count && target->quantization.count == 1 && source->dtype == target->dtype)
        source->quantization = target->quantization;
}

bool xr_onnx_describe_quantization(xr_onnx *onnx)
{
    size_t count = onnx->nodes.count;
    reader_table readers;
    if (!make_readers(onnx, &readers))
        return false;
    for (size_t i = 0; i < count; i++) {
        const exray_node *node = xr_onnx_node_at(onnx, i);
        if (!describe_operands(onnx, node) || !describe_bias(onnx, node) || !describe_product(&readers, node))
            return false;
        move_quantization(onnx, node);
    }
    for (size_t i = count; i-- > 0;)
        move_back(onnx, xr_onnx_node_at(onnx, i));
    return true;
}
