#include "checks/model/graph/expand/step_expand.h"

#include "checks/model/graph/expand/step_words.h"
#include "checks/model/graph/join/step_cuts.h"
#include "checks/model/graph/join/step_groups.h"
#include "checks/model/graph/join/step_norms.h"
#include "checks/model/graph/join/step_softmax.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- One node -------------------------------------------------------------------------- */

typedef struct expansion {
    xr_step_graph *graph;
    bool *constant; /* [model->tensor_count] */
    bool *scale;    /* [model->tensor_count] the scale or zero point of a run, or what is computed from it */
    double *folded; /* [model->tensor_count] the number that constants of one number make; NAN: none */
    uint32_t *source; /* [model->tensor_count] the constant that a constant is stored as, or itself */
    size_t room;      /* of raw */
    const exray_node *node;
    uint32_t at;
} expansion;

static bool is_constant(const expansion *e, uint32_t tensor)
{
    return tensor < e->graph->model->tensor_count && e->constant[tensor];
}

static xr_op_step *add_step(expansion *e, xr_op_step_kind kind, const char *word, uint32_t output)
{
    xr_op_step *step = &e->graph->raw[e->graph->raw_count];
    if (e->graph->raw_count == e->room)
        return NULL;
    e->graph->raw_count++;
    *step = (xr_op_step){.kind = kind, .node = e->node, .at = e->at, .output = output};
    strncpy(step->word, word, sizeof step->word - 1);
    step->input = xr_step_take(e->graph->memory, (size_t)e->node->input_count + 1, sizeof *step->input);
    step->constant = xr_step_take(e->graph->memory, (size_t)e->node->input_count + 1, sizeof *step->constant);
    return step->input && step->constant ? step : NULL;
}

static void add_input(const expansion *e, xr_op_step *step, uint32_t tensor)
{
    if (tensor >= e->graph->model->tensor_count || e->scale[tensor])
        return;
    if (is_constant(e, tensor))
        step->constant[step->constant_count++] = tensor;
    else
        step->input[step->input_count++] = tensor;
}

static uint32_t hidden(expansion *e)
{
    return e->graph->tensor_count++;
}

/* A function of one tensor; numbers are given where it has more operands. */
static bool add_function(expansion *e, xr_pointwise p, uint32_t input, double number, uint32_t output)
{
    xr_op_step *step = add_step(e, XR_STEP_FUNCTION, "function", output);
    if (!step)
        return false;
    step->pointwise = p;
    step->input[step->input_count++] = input;
    step->operand[0] = input;
    for (uint32_t i = 1; i < XR_STEP_OPERANDS; i++) {
        step->operand[i] = EXRAY_NO_INDEX;
        step->number[i] = number;
    }
    return true;
}

/* Scales and zero points of operators on quantized integers: how numbers are stored, no operands. */
static bool is_quantization(const exray_node *node, uint32_t input)
{
    static const struct {
        const char *op;
        uint32_t inputs; /* bit i for input i */
    } rules[] = {{"MatMulInteger", 0xc},         {"ConvInteger", 0xc},
                 {"DynamicQuantizeMatMul", 0xc}, {"MatMulIntegerToFloat", 0x3c},
                 {"MatMulNBits", 0x1c},          {"DynamicQuantizeLSTM", 0xf00},
                 {"QLinearMatMul", 0xf6},        {"QLinearConv", 0xf6},
                 {"QLinearAdd", 0xf6},           {"QGemm", 0x1b6},
                 {"QAttention", 0xd8},           {"QEmbedLayerNormalization", 0x3ff00},
                 {"QLinearMul", 0xf6},           {"QLinearSigmoid", 0x1e},
                 {"QLinearLeakyRelu", 0x1e},     {"QLinearSoftmax", 0x1e},
                 {"QLinearAveragePool", 0x1e},   {"QLinearGlobalAveragePool", 0x1e},
                 {"QLinearReduceMean", 0x1e},    {"QLinearWhere", 0x1ec}};
    if (node->op &&
        strcmp(node->op, "QLinearConcat") == 0) /* the result's, then threes of a tensor and its own */
        return input < 2 || (input - 2) % 3 != 0;
    for (size_t i = 0; node->op && i < sizeof rules / sizeof *rules; i++)
        if (strcmp(node->op, rules[i].op) == 0)
            return input < 32 && (rules[i].inputs >> input & 1);
    return false;
}

/* The node's inputs as a function's operands: tensors that change, and numbers.  False: it has a constant
 * array, or a number that is not known. */
static bool read_operands(expansion *e, xr_pointwise *p, xr_op_step *step)
{
    uint32_t input[XR_STEP_OPERANDS], count = 0;
    bool fixed = p->op == XR_PW_IDENTITY || p->operands == 1;
    for (uint32_t i = 0; i < e->node->input_count && !(fixed && count); i++) {
        if (is_quantization(e->node, i))
            continue;
        if (count == XR_STEP_OPERANDS)
            return false;
        input[count++] = e->node->inputs[i];
    }
    if (count == 0)
        return false;
    bool two = p->op != XR_PW_CLIP && p->operands == 2;
    if (two && count != 2)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t tensor = input[i];
        step->operand[i] = EXRAY_NO_INDEX;
        step->number[i] = i == 1 ? -1e38 : 1e38; /* a bound that was left out */
        if (tensor >= e->graph->model->tensor_count)
            continue;
        if (!is_constant(e, tensor))
            step->operand[i] = tensor;
        else if (!isnan(e->folded[tensor]))
            step->number[i] = e->folded[tensor];
        else if (xr_model_constants_values(&e->graph->constants, e->source[tensor], &step->number[i], 1) != 1)
            return false;
        else
            step->rounding[i] =
                xr_constant_rounding(&e->graph->model->tensors[e->source[tensor]], step->number[i]);
    }
    p->operands = count;
    return true;
}

/* The step that makes a tensor, of those that were added; NULL: none. */
static const xr_op_step *step_before(const xr_step_graph *g, uint32_t tensor)
{
    uint32_t i = g->raw_count;
    while (i > 0 && g->raw[i - 1].output != tensor)
        i--;
    return i ? &g->raw[i - 1] : NULL;
}

/* Whether a step is a sum or a product (*scales) with one constant number. */
static bool is_affine(const xr_op_step *step, bool *scales)
{
    *scales = strcmp(step->word, "div") == 0 || strcmp(step->word, "mul") == 0;
    bool moves = strcmp(step->word, "add") == 0 || strcmp(step->word, "sub") == 0;
    return (*scales || moves) && step->input_count == 1 && step->node->input_count == 2;
}

/* Whether a node rounds to steps of a scale, as a training graph writes the quantization to come (x / s,
 * maybe a zero point, round, clip, times s): how numbers are stored. */
static bool rounds_to_steps(const expansion *e, const char *plain)
{
    enum { FURTHEST = 2 };
    if (strcmp(plain, "round") != 0 || e->node->input_count != 1)
        return false;
    uint32_t tensor = e->node->inputs[0];
    for (int k = 0; k < FURTHEST; k++) {
        bool scales;
        const xr_op_step *step = step_before(e->graph, tensor);
        if (!step || !is_affine(step, &scales))
            return false;
        if (scales)
            return true;
        tensor = step->input[0];
    }
    return false;
}

static bool is_whole(exray_dtype dtype)
{
    return dtype == EXRAY_DTYPE_INT8 || dtype == EXRAY_DTYPE_UINT8 || dtype == EXRAY_DTYPE_INT16 ||
           dtype == EXRAY_DTYPE_UINT16 || dtype == EXRAY_DTYPE_INT32 || dtype == EXRAY_DTYPE_INT64;
}

/* Whether a node casts floats to integers, which cuts off what is behind the point; where that was rounded
 * before, they are whole numbers already. */
static bool cuts_off(const expansion *e, const char *plain)
{
    enum { FURTHEST = 3 };
    static const char *const whole[] = {"Round", "Floor", "Ceil", "Trunc", "ROUND", "FLOOR", "CEIL"};
    const exray_model *model = e->graph->model;
    if (strcmp(plain, "cast") != 0 || e->node->input_count == 0 || e->node->output_count == 0 ||
        e->node->inputs[0] >= model->tensor_count || e->node->outputs[0] >= model->tensor_count ||
        model->tensors[e->node->inputs[0]].dtype != EXRAY_DTYPE_FLOAT32 ||
        !is_whole(model->tensors[e->node->outputs[0]].dtype))
        return false;
    uint32_t tensor = e->node->inputs[0];
    for (int k = 0; k < FURTHEST; k++) {
        const xr_op_step *step = step_before(e->graph, tensor);
        if (!step || step->rounds)
            return false;
        for (size_t i = 0; step->node->op && i < sizeof whole / sizeof *whole; i++)
            if (strcmp(step->node->op, whole[i]) == 0)
                return false;
        if (step->kind != XR_STEP_FUNCTION || step->input_count != 1)
            return true;
        tensor = step->input[0];
    }
    return true;
}

/* The number that an affine step computes of x, written as its factor and its offset. */
static bool apply_affine(const xr_op_step *step, double *factor, double *offset)
{
    double at[2] = {0, 1}, out[2];
    xr_operand operand[XR_STEP_OPERANDS] = {{0}};
    for (uint32_t i = 0; i < step->pointwise.operands; i++) {
        bool read = step->operand[i] != EXRAY_NO_INDEX;
        operand[i] = (xr_operand){.value = read ? at : NULL, .number = step->number[i]};
    }
    xr_pointwise_apply(&step->pointwise, operand, step->pointwise.operands, 2, out);
    *factor = out[1] - out[0];
    *offset = out[0];
    return isfinite(out[0]) && isfinite(out[1]) && *factor != 0;
}

/* Whether whole numbers have the range of a type of 16 bits or fewer, or all of it but the lowest. */
static bool is_range_of_type(double low, double high)
{
    enum { FEWEST_BITS = 2, MOST_BITS = 16 };
    bool found = false;
    for (int bits = FEWEST_BITS; bits <= MOST_BITS && !found; bits++)
        found = high - low == ldexp(1, bits) - 1 || (high - low == ldexp(1, bits) - 2 && low == -high);
    return found && low == round(low);
}

/* Whether a clip bounds what was rounded to steps to the whole numbers of a type: its
 * range, noted in the graph, is how numbers are stored. */
static bool bounds_integers(const expansion *e, const xr_pointwise *p, const xr_op_step *clip)
{
    enum { FURTHEST = 4 };
    xr_step_graph *g = e->graph;
    double low = p->operands > 1 ? clip->number[1] : p->a, high = p->operands > 2 ? clip->number[2] : p->b;
    double factor = 1, offset = 0; /* the whole number is factor x + offset */
    bool rounded = false, scaled = false;
    uint32_t tensor = clip->operand[0];
    if (p->op != XR_PW_CLIP || !is_range_of_type(low, high))
        return false;
    for (int k = 0; k < FURTHEST && !scaled; k++) {
        double f, o;
        const xr_op_step *step = step_before(g, tensor);
        if (!step)
            return false;
        if (is_affine(step, &scaled)) {
            if ((scaled && !rounded) || !apply_affine(step, &f, &o))
                return false;
            offset += factor * o;
            factor *= f;
        } else if (rounded || !step->rounds)
            return false;
        else
            rounded = true;
        tensor = step->input[0];
    }
    if (!scaled || !(factor > 0))
        return false;
    g->written[g->written_count++] = (xr_written_range){.from = tensor,
                                                        .to = e->node->outputs[0],
                                                        .low = (low - offset) / factor,
                                                        .high = (high - offset) / factor,
                                                        .step = 1 / factor};
    return true;
}

/* Adds the node as a function of single elements, where it is one. */
static bool add_pointwise(expansion *e, const char *plain, bool *added)
{
    const xr_pointwise same = {.op = XR_PW_IDENTITY, .operands = 1};
    const bool rounds = rounds_to_steps(e, plain);
    xr_pointwise p = rounds ? same : xr_pointwise_of(e->node, plain);
    xr_op_step draft = {0};
    *added = p.op != XR_PW_NONE && e->node->output_count > 0 && read_operands(e, &p, &draft);
    if (!*added)
        return true;
    if (bounds_integers(e, &p, &draft))
        p = same;
    if (cuts_off(e, plain))
        p.op = XR_PW_TRUNCATE;
    const char *word;
    xr_step_kind_of(plain, &word);
    xr_op_step *step = add_step(e, XR_STEP_FUNCTION, word, e->node->outputs[0]);
    if (!step)
        return false;
    step->pointwise = p;
    step->rounds = rounds;
    memcpy(step->operand, draft.operand, sizeof draft.operand);
    memcpy(step->number, draft.number, sizeof draft.number);
    memcpy(step->rounding, draft.rounding, sizeof draft.rounding);
    for (uint32_t i = 0; i < p.operands; i++)
        if (step->operand[i] != EXRAY_NO_INDEX)
            step->input[step->input_count++] = step->operand[i];
    return true;
}

/* What a recurrent cell names as its activation is within it. */
static bool is_recurrent(const exray_node *node)
{
    static const char *const parts[] = {"LSTM", "GRU", "RNN", "SVDF"};
    for (size_t i = 0; node->op && i < sizeof parts / sizeof *parts; i++)
        if (strstr(node->op, parts[i]))
            return true;
    return false;
}

/* The activation that is fused into a node, with its parameters. */
static bool fused_activation(const exray_node *node, xr_pointwise *out)
{
    static const char *const keys[] = {"fused_activation_function", "activation"};
    char plain[XR_PLAIN_NAME];
    const char *value = NULL;
    for (size_t i = 0; !value && i < sizeof keys / sizeof *keys; i++)
        value = exray_node_attribute(node, keys[i]);
    if (!value || !*value || is_recurrent(node))
        return false;
    exray_node_plain_op(value, plain, sizeof plain);
    *out = xr_pointwise_of(&(exray_node){.op = value}, plain);
    double parameter[2]; /* FusedConv lists them, FusedGemm names them */
    size_t count = xr_attribute_numbers(node, "activation_params", parameter, 2);
    out->a = count > 0 ? parameter[0] : xr_attribute_number(node, "activation_alpha", out->a);
    out->b = count > 1 ? parameter[1] : xr_attribute_number(node, "activation_beta", out->b);
    out->a = strcmp(value, "leaky_relu") == 0 ? 0.2 : out->a; /* Keras' */
    out->operands = 1;
    return out->op != XR_PW_NONE && out->op != XR_PW_IDENTITY;
}

/* Whether a node that may repeat values has as many as it was given. */
static bool repeats_nothing(const expansion *e, const char *word)
{
    const exray_node *node = e->node;
    const exray_model *model = e->graph->model;
    if (!xr_is_repeating_word(word) || node->input_count == 0 || node->inputs[0] >= model->tensor_count)
        return false;
    const uint64_t given = xr_tensor_elements(&model->tensors[node->inputs[0]]);
    return given && given == xr_tensor_elements(&model->tensors[node->outputs[0]]);
}

static bool add_plain(expansion *e, xr_op_step_kind kind, const char *word, uint32_t output)
{
    xr_op_step *step = add_step(e, kind, word, output);
    for (uint32_t i = 0; step && i < e->node->input_count; i++)
        if (!is_quantization(e->node, i))
            add_input(e, step, e->node->inputs[i]);
    return step != NULL;
}

/* BiasGelu, FastGelu: a sum with a constant array, and a function. */
static bool add_biased(expansion *e, const char *plain)
{
    uint32_t sum = hidden(e);
    xr_pointwise p = {.op = strcmp(plain, "biasgelu") == 0 ? XR_PW_GELU : XR_PW_TANH_GELU, .operands = 1};
    return add_plain(e, XR_STEP_COMBINE, "add", sum) && add_function(e, p, sum, 0, e->node->outputs[0]);
}

/* SkipLayerNormalization(input, skip, gamma, beta, bias). */
static bool add_skip_norm(expansion *e)
{
    const exray_node *node = e->node;
    uint32_t sum = hidden(e);
    xr_op_step *step = add_step(e, XR_STEP_COMBINE, "add", sum);
    for (uint32_t i = 0; step && i < 2; i++)
        add_input(e, step, node->inputs[i]);
    if (step && node->input_count > 4 && node->inputs[4] < e->graph->model->tensor_count) {
        uint32_t biased = hidden(e);
        step = add_step(e, XR_STEP_COMBINE, "add", biased);
        if (step) {
            step->input[step->input_count++] = sum;
            add_input(e, step, node->inputs[4]);
        }
        sum = biased;
    }
    if (step)
        step = add_step(e, XR_STEP_NORM, "layer norm", node->outputs[0]);
    if (!step)
        return false;
    step->input[step->input_count++] = sum;
    for (uint32_t i = 2; i < node->input_count && i < 4; i++)
        add_input(e, step, node->inputs[i]);
    return true;
}

/* Whether a Gemm adds a tensor that changes from frame to frame, as an optimizer fuses a residual sum into
 * it. */
static bool adds_tensor(const expansion *e)
{
    const exray_node *node = e->node;
    return xr_product_is_biased(node) && node->inputs[2] < e->graph->model->tensor_count &&
           !is_constant(e, node->inputs[2]) && xr_attribute_number(node, "alpha", 1) == 1 &&
           xr_attribute_number(node, "beta", 1) == 1;
}

/* The product, and the sum as a step of its own. */
static bool add_product_and_sum(expansion *e, const char *word, uint32_t output)
{
    const uint32_t product = hidden(e);
    xr_op_step *step = add_step(e, XR_STEP_PRODUCT, word, product);
    for (uint32_t i = 0; step && i < 2; i++)
        add_input(e, step, e->node->inputs[i]);
    step = step ? add_step(e, XR_STEP_COMBINE, "add", output) : NULL;
    if (!step)
        return false;
    step->input[step->input_count++] = product;
    add_input(e, step, e->node->inputs[2]);
    return true;
}

/* A factor that a product of matrices applies to its result. */
static double factor_of(const exray_node *node, xr_op_step_kind kind)
{
    return kind == XR_STEP_PRODUCT ? xr_attribute_number(node, "alpha", 1) : 1;
}

/* Which input of a product a function makes, to which its factor then belongs: 0.5 of a GELU; or
 * EXRAY_NO_INDEX. */
static uint32_t made_by_function(const expansion *e)
{
    for (uint32_t k = 0; k < e->node->input_count && k < 2; k++)
        for (uint32_t i = e->graph->raw_count; i-- > 0;) {
            const xr_op_step *step = &e->graph->raw[i];
            if (step->output != e->node->inputs[k])
                continue;
            if (step->kind == XR_STEP_FUNCTION && step->pointwise.op != XR_PW_IDENTITY)
                return i;
            break;
        }
    return EXRAY_NO_INDEX;
}

/* A product whose factor is applied to the function before it. */
static bool add_scaled_product(expansion *e, uint32_t function, double factor, const char *word,
                               uint32_t output)
{
    uint32_t from = e->graph->raw[function].output, scaled = hidden(e);
    if (!add_function(e, (xr_pointwise){.op = XR_PW_MUL, .operands = 2}, from, factor, scaled))
        return false;
    e->graph->raw[e->graph->raw_count - 1].node = e->graph->raw[function].node;
    e->graph->raw[e->graph->raw_count - 1].at = e->graph->raw[function].at;
    if (!add_plain(e, XR_STEP_PRODUCT, word, output))
        return false;
    xr_op_step *product = &e->graph->raw[e->graph->raw_count - 1];
    for (uint32_t k = 0; k < product->input_count; k++)
        if (product->input[k] == from) {
            product->input[k] = scaled;
            break;
        }
    return true;
}

/* What was quantized before a product multiplies it with the scale of a run; or EXRAY_NO_INDEX. */
static uint32_t scaled_in_run(const expansion *e, const char *plain)
{
    const exray_node *node = e->node;
    for (uint32_t i = 0; strcmp(plain, "mul") == 0 && node->input_count == 2 && i < 2; i++) {
        uint32_t scale = node->inputs[i], other = node->inputs[1 - i];
        uint32_t count = e->graph->model->tensor_count;
        if (scale < count && e->scale[scale] && other < count && !is_constant(e, other))
            return other;
    }
    return EXRAY_NO_INDEX;
}

/* DynamicQuantizeLinear(x) and the products with its scale change no number. */
static bool expand_dynamic(expansion *e, const char *plain, bool *done)
{
    uint32_t from = scaled_in_run(e, plain);
    if (strcmp(plain, "dynamicquantizelinear") == 0 && e->node->input_count == 1) {
        from = e->node->inputs[0];
        for (uint32_t k = 1; k < e->node->output_count; k++)
            if (e->node->outputs[k] < e->graph->model->tensor_count)
                e->constant[e->node->outputs[k]] = e->scale[e->node->outputs[k]] = true;
    }
    *done = from < e->graph->model->tensor_count;
    return !*done ||
           add_function(e, (xr_pointwise){.op = XR_PW_IDENTITY, .operands = 1}, from, 0, e->node->outputs[0]);
}

/* Keras's layers may end in a softmax, which is no function of single elements. */
static bool add_softmax(expansion *e, xr_op_step_kind kind, const char *word)
{
    uint32_t core = hidden(e);
    if (!add_plain(e, kind, word, core))
        return false;
    xr_op_step *step = add_step(e, XR_STEP_SOFTMAX, "softmax", e->node->outputs[0]);
    if (step)
        step->input[step->input_count++] = core;
    return step != NULL;
}

static bool expand_node(expansion *e)
{
    const exray_node *node = e->node;
    char plain[XR_PLAIN_NAME];
    const char *word;
    exray_node_plain_op(node->op, plain, sizeof plain);
    if (node->op && strcmp(node->op, "Sum") == 0 && node->input_count == 2) /* ONNX's, of tensors */
        strcpy(plain, "add");
    bool added = false;
    if (node->output_count == 0 || node->outputs[0] >= e->graph->model->tensor_count)
        return true;
    if (!expand_dynamic(e, plain, &added) || added)
        return added;
    if (node->input_count > 1 && (strcmp(plain, "biasgelu") == 0 || strcmp(plain, "fastgelu") == 0))
        return add_biased(e, plain);
    if (strcmp(plain, "skiplayernormalization") == 0 && node->input_count > 2)
        return add_skip_norm(e);
    xr_pointwise activation;
    bool fused = fused_activation(node, &activation);
    if (!fused && (!add_pointwise(e, plain, &added) || added))
        return added;
    /* Keras' layer of nothing else. */
    if (fused && strcmp(plain, "activation") == 0 && node->input_count == 1 &&
        node->inputs[0] < e->graph->model->tensor_count)
        return add_function(e, activation, node->inputs[0], 0, node->outputs[0]);
    xr_op_step_kind kind = xr_step_kind_of(plain, &word);
    if (repeats_nothing(e, word))
        kind = xr_step_kind_of("reshape", &word);
    const char *last = exray_node_attribute(node, "activation");
    if (last && strcmp(last, "softmax") == 0 && (kind == XR_STEP_PRODUCT || kind == XR_STEP_CONV))
        return add_softmax(e, kind, word);
    if (adds_tensor(e)) {
        const uint32_t sum = fused ? hidden(e) : node->outputs[0];
        return add_product_and_sum(e, word, sum) &&
               (!fused || add_function(e, activation, sum, 0, node->outputs[0]));
    }
    double factor = xr_product_is_biased(node) ? 1 : factor_of(node, kind);
    uint32_t function = factor != 1 ? made_by_function(e) : EXRAY_NO_INDEX;
    bool behind = factor != 1 && function == EXRAY_NO_INDEX;
    uint32_t result = node->outputs[0], core = fused || behind ? hidden(e) : result;
    bool ok = function != EXRAY_NO_INDEX ? add_scaled_product(e, function, factor, word, core)
                                         : add_plain(e, kind, word, core);
    if (ok && behind) {
        uint32_t scaled = fused ? hidden(e) : result;
        ok = add_function(e, (xr_pointwise){.op = XR_PW_MUL, .operands = 2}, core, factor, scaled);
        core = scaled;
    }
    return ok && (!fused || add_function(e, activation, core, 0, result));
}

/* ---- All nodes ----------------------------------------------------------------------------- */

/* A node all of whose inputs are constants computes a constant. */
static bool folds(const expansion *e)
{
    bool any = false;
    for (uint32_t i = 0; i < e->node->input_count; i++) {
        if (e->node->inputs[i] >= e->graph->model->tensor_count)
            continue;
        if (!is_constant(e, e->node->inputs[i]))
            return false;
        any = true;
    }
    return any || (e->node->op && strcmp(e->node->op, "Constant") == 0);
}

/* A constant that is only stored otherwise, or turned, is still that constant. */
static void note_source(xr_step_graph *graph, const exray_node *node, uint32_t *source)
{
    static const char *const same[] = {"cast",    "dequantize", "dequantizelinear", "transpose", "reshape",
                                       "squeeze", "unsqueeze",  "identity",         "expanddims"};
    char plain[XR_PLAIN_NAME];
    exray_node_plain_op(node->op, plain, sizeof plain);
    if (node->input_count == 0 || node->output_count == 0 || node->inputs[0] >= graph->model->tensor_count ||
        node->outputs[0] >= graph->model->tensor_count)
        return;
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (strcmp(plain, same[i]) == 0)
            source[node->outputs[0]] = source[node->inputs[0]];
}

/* A function of constants of one number is such a number: the root of two. */
static void fold_number(expansion *e)
{
    char plain[XR_PLAIN_NAME];
    exray_node_plain_op(e->node->op, plain, sizeof plain);
    xr_pointwise p = xr_pointwise_of(e->node, plain);
    xr_op_step draft = {0};
    if (p.op == XR_PW_NONE || p.op == XR_PW_IDENTITY || e->node->output_count == 0 ||
        e->node->outputs[0] >= e->graph->model->tensor_count || !read_operands(e, &p, &draft))
        return;
    xr_operand operand[XR_STEP_OPERANDS] = {{0}};
    for (uint32_t i = 0; i < p.operands; i++)
        operand[i].number = draft.number[i];
    xr_pointwise_apply(&p, operand, p.operands, 1, &e->folded[e->node->outputs[0]]);
}

static bool visit(expansion *e, const exray_node *node, uint32_t at)
{
    e->node = node;
    e->at = at;
    if (!folds(e))
        return expand_node(e);
    note_source(e->graph, node, e->source);
    fold_number(e);
    bool scale = false;
    for (uint32_t i = 0; i < node->input_count; i++)
        scale = scale || (node->inputs[i] < e->graph->model->tensor_count && e->scale[node->inputs[i]]);
    for (uint32_t k = 0; k < node->output_count; k++)
        if (node->outputs[k] < e->graph->model->tensor_count) {
            e->constant[node->outputs[k]] = true;
            e->scale[node->outputs[k]] = scale;
        }
    return true;
}

static void resolve_sources(xr_step_graph *graph, const uint32_t *source)
{
    for (uint32_t i = 0; i < graph->raw_count; i++)
        for (uint32_t k = 0; k < graph->raw[i].constant_count; k++)
            graph->raw[i].constant[k] = source[graph->raw[i].constant[k]];
}

bool xr_step_expand(xr_step_graph *graph, bool *constant)
{
    enum { MOST_OF_NODE = 4 };
    const exray_model *model = graph->model;
    size_t nodes = 0;
    for (uint32_t n = 0; n < model->node_count; n++)
        nodes += model->nodes[n].inner_count ? model->nodes[n].inner_count : 1;
    expansion e = {.graph = graph, .constant = constant, .room = MOST_OF_NODE * nodes};
    graph->raw = xr_step_take(graph->memory, e.room + 1, sizeof *graph->raw);
    e.source = xr_step_take(graph->memory, (size_t)model->tensor_count + 1, sizeof *e.source);
    e.scale = xr_step_take(graph->memory, (size_t)model->tensor_count + 1, sizeof *e.scale);
    e.folded = xr_step_take(graph->memory, (size_t)model->tensor_count + 1, sizeof *e.folded);
    graph->tensor_count = model->tensor_count;
    graph->written = xr_step_take(graph->memory, nodes + 1, sizeof *graph->written);
    bool ok = graph->raw && graph->written && e.source && e.scale && e.folded;
    for (uint32_t t = 0; ok && t < model->tensor_count; t++) {
        e.source[t] = t;
        e.folded[t] = NAN;
        constant[t] = model->tensors[t].constant;
    }
    for (uint32_t n = 0; ok && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        for (uint32_t i = 0; ok && i < node->inner_count; i++)
            ok = visit(&e, &node->inner[i], n);
        ok = ok && (node->inner_count || visit(&e, node, n));
    }
    if (ok)
        resolve_sources(graph, e.source);
    if (ok)
        xr_step_join_cuts(graph, e.source);
    if (ok)
        xr_step_join_norms(graph);
    if (ok)
        xr_step_join_groups(graph);
    if (ok)
        xr_step_join_softmax(graph);
    return ok && !graph->memory->failed;
}
