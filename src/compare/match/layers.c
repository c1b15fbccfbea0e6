#include "compare/match/layers.h"

#include "base/tensor.h"

#include <stdlib.h>
#include <string.h>

const exray_tensor_info *xr_layer_tensor(const exray_model *model, uint32_t node, uint32_t output)
{
    if (!model || node >= model->node_count || output >= model->nodes[node].output_count)
        return NULL;
    uint32_t tensor = model->nodes[node].outputs[output];
    return tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
}

/* What is known of each tensor while the nodes are walked. */
typedef struct tensor_state {
    uint32_t layer;   /* that computes it, or EXRAY_NO_INDEX */
    uint32_t readers; /* nodes */
    bool constant;    /* it is a constant, or computed from constants alone, or the scale of a run */
    bool raw;         /* see xr_layer */
    bool stored;      /* made by a part of a quantization that is written in floats */
    const exray_node *maker;
} tensor_state;

typedef struct walk {
    xr_layers *out;
    tensor_state *tensor;
} walk;

typedef void visit_fn(walk *w, const exray_node *node, uint32_t outer);

/* All nodes; the nodes of a partition in place of the partition. */
static void each_node(const exray_model *model, visit_fn *visit, void (*after)(walk *w, uint32_t outer),
                      walk *w)
{
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        for (uint32_t i = 0; i < node->inner_count; i++)
            visit(w, &node->inner[i], n);
        if (node->inner_count == 0)
            visit(w, node, n);
        if (after)
            after(w, n);
    }
}

static void count_readers(walk *w, const exray_node *node, uint32_t outer)
{
    (void)outer;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < w->out->model->tensor_count)
            w->tensor[node->inputs[i]].readers++;
}

static void note_maker(walk *w, const exray_node *node, uint32_t outer)
{
    (void)outer;
    for (uint32_t k = 0; k < node->output_count; k++)
        if (node->outputs[k] < w->out->model->tensor_count)
            w->tensor[node->outputs[k]].maker = node;
}

/* The node that makes what another reads first, its other inputs being constants; else NULL. */
static const exray_node *before(const walk *w, const exray_node *node)
{
    const exray_model *model = w->out->model;
    for (uint32_t i = 1; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count && !model->tensors[node->inputs[i]].constant)
            return NULL;
    return node->input_count && node->inputs[0] < model->tensor_count ? w->tensor[node->inputs[0]].maker
                                                                      : NULL;
}

static bool scales(const exray_node *node, const exray_model *model)
{
    const xr_op_kind kind = xr_op_of(node).kind;
    return (kind == XR_OP_MUL || kind == XR_OP_DIV) && node->input_count == 2 && node->output_count == 1 &&
           node->inputs[1] < model->tensor_count && xr_elements(&model->tensors[node->inputs[1]]) == 1;
}

/* Notes the nodes of a quantization that a training graph writes in floats: a scale, maybe a zero point,
 * Round, a clip, the scale back (this node).  They are how numbers are stored, as QuantizeLinear and
 * DequantizeLinear are. */
static void note_stored(walk *w, const exray_node *node, uint32_t outer)
{
    enum { LONGEST = 7, SHORTEST = 3 };
    const exray_node *part[LONGEST] = {node};
    size_t count = 1, rounds = 0;
    bool scaled = false;
    (void)outer;
    if (!scales(node, w->out->model))
        return;
    while (count < LONGEST && !scaled) {
        const exray_node *one = before(w, part[count - 1]);
        if (!one || one->output_count != 1)
            return;
        const xr_op_kind kind = xr_op_of(one).kind;
        const bool round = one->op && strcmp(one->op, "Round") == 0;
        const bool clips = kind == XR_OP_ACTIVATION && xr_op_of(one).activation == XR_ACTIVATION_CLIP;
        scaled = rounds && scales(one, w->out->model);
        if (!round && !clips && !scaled && kind != XR_OP_ADD && kind != XR_OP_SUB)
            return;
        rounds += round;
        part[count++] = one;
    }
    for (size_t i = 0; scaled && rounds == 1 && count >= SHORTEST && i < count; i++)
        w->tensor[part[i]->outputs[0]].stored = true;
}

/* The layer that computes a node's only input which is not constant; EXRAY_NO_INDEX: it has several, or it
 * is the model's input. */
static uint32_t single_source(const walk *w, const exray_node *node)
{
    uint32_t source = EXRAY_NO_INDEX, changing = 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] >= w->out->model->tensor_count)
            continue;
        const tensor_state *t = &w->tensor[node->inputs[i]];
        if (t->constant)
            continue;
        changing++;
        source = t->layer;
        /* If other nodes read its input, too, it is a layer of its own, unless it changes type or shape
         * only, which changes no value. */
        xr_op_kind kind = xr_op_of(node).kind;
        if (t->readers > 1 && kind != XR_OP_CONVERSION && kind != XR_OP_SHAPE)
            return EXRAY_NO_INDEX;
    }
    return changing == 1 ? source : EXRAY_NO_INDEX;
}

/* For a node with one input that is not constant: whether its output is still the result of the layer
 * before. */
static bool only_passes_on(xr_op_kind kind, const exray_node *node)
{
    switch (kind) {
    case XR_OP_ACTIVATION:
    case XR_OP_NORMALIZATION:
    case XR_OP_CONVERSION:
    case XR_OP_SHAPE:
        return true;
    case XR_OP_ADD: /* of a constant: a bias, a scale */
    case XR_OP_SUB:
    case XR_OP_MUL:
    case XR_OP_DIV:
        return node->input_count > 1;
    default:
        return false;
    }
}

/* Activations behind the core belong to it; a second activation hides the first. */
static xr_activation combined(xr_activation before, xr_op op)
{
    return op.kind == XR_OP_ACTIVATION ? op.activation : before;
}

/* Elements of the matrix that a node has packed in blocks, the last of a row filled up; 0: it has none. */
static uint64_t packed_elements(const exray_node *node)
{
    const char *rows = exray_node_attribute(node, "N"), *columns = exray_node_attribute(node, "K");
    if (!node->op || strcmp(node->op, "MatMulNBits") != 0 || !rows || !columns)
        return 0;
    long long n = strtoll(rows, NULL, 10), k = strtoll(columns, NULL, 10);
    return n > 0 && k > 0 && n < INT32_MAX && k < INT32_MAX ? (uint64_t)n * (uint64_t)k : 0;
}

static void note_inputs(const walk *w, const exray_node *node, xr_layer *layer)
{
    size_t producers = 0;
    for (size_t i = 0; i < 4; i++)
        layer->producers[i] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] >= w->out->model->tensor_count)
            continue;
        const tensor_state *t = &w->tensor[node->inputs[i]];
        uint64_t elements = t->constant ? xr_elements(&w->out->model->tensors[node->inputs[i]]) : 0;
        if (elements > layer->weights && w->out->model->tensors[node->inputs[i]].rank > 1)
            layer->weights = elements;
        if (!t->constant && t->layer != EXRAY_NO_INDEX && producers < 4)
            layer->producers[producers++] = w->out->layer[t->layer].core;
    }
    uint64_t packed = packed_elements(node);
    layer->weights = packed ? packed : layer->weights;
    if (layer->kind == XR_OP_LSTM) /* of all gates, or of one */
        layer->weights = 0;
}

/* A node with a body of its own, which reads what it likes of the graph around it. */
static bool has_body(const exray_node *node)
{
    static const char *const ops[] = {"If", "IF", "Loop", "Scan", "WHILE"};
    for (size_t i = 0; node->op && i < sizeof ops / sizeof *ops; i++)
        if (strcmp(node->op, ops[i]) == 0)
            return true;
    return false;
}

static bool all_constant(const walk *w, const exray_node *node)
{
    bool any = false;
    if (has_body(node))
        return false;
    for (uint32_t i = 0; i < node->input_count; i++) {
        if (node->inputs[i] >= w->out->model->tensor_count)
            continue;
        if (!w->tensor[node->inputs[i]].constant)
            return false;
        any = true;
    }
    return any;
}

/* Which output of the outer node a tensor is; EXRAY_NO_INDEX: none, it stays within. */
static uint32_t output_of(const exray_node *outer, const exray_node *node, uint32_t k)
{
    if (outer == node)
        return k;
    for (uint32_t i = 0; i < outer->output_count; i++)
        if (outer->outputs[i] == node->outputs[k])
            return i;
    return EXRAY_NO_INDEX;
}

/* DynamicQuantizeLinear measures the scale in each run: its first output counts in it, the others are the
 * scale and the zero point. */
static bool is_dynamic_quantization(const exray_node *node)
{
    return node->op && strcmp(node->op, "DynamicQuantizeLinear") == 0;
}

/* Whether the numbers that a node makes still have to be multiplied by the scale of a run. */
static bool is_raw(const walk *w, const exray_node *node, xr_op_kind kind)
{
    if (node->op && (strcmp(node->op, "MatMulInteger") == 0 || strcmp(node->op, "ConvInteger") == 0))
        return true;
    bool keeps = kind == XR_OP_CONVERSION || kind == XR_OP_SHAPE;
    uint32_t from = node->input_count ? node->inputs[0] : EXRAY_NO_INDEX;
    return is_dynamic_quantization(node) ||
           (keeps && from < w->out->model->tensor_count && w->tensor[from].raw);
}

static void add_layers(walk *w, const exray_node *node, uint32_t outer)
{
    const exray_model *model = w->out->model;
    xr_op op = xr_op_of(node);
    if (node->output_count == 1 && node->outputs[0] < model->tensor_count &&
        w->tensor[node->outputs[0]].stored)
        op = (xr_op){XR_OP_CONVERSION, 0};
    uint32_t source = only_passes_on(op.kind, node) ? single_source(w, node) : EXRAY_NO_INDEX;
    bool fixed = op.kind == XR_OP_CONSTANT || all_constant(w, node), raw = is_raw(w, node, op.kind);
    for (uint32_t k = 0; k < node->output_count; k++) {
        if (node->outputs[k] == EXRAY_NO_INDEX && node->output_count > 1)
            continue; /* an optional one that the node leaves out */
        uint32_t number = w->out->count++;
        xr_layer *layer = &w->out->layer[number];
        bool known = node->outputs[k] < model->tensor_count;
        bool constant = fixed || (k > 0 && is_dynamic_quantization(node));
        *layer =
            (xr_layer){.node = outer,
                       .output = output_of(&model->nodes[outer], node, k),
                       .op = node,
                       .tensor = known ? &model->tensors[node->outputs[k]] : NULL,
                       .kind = xr_last_kind(node, op.kind),
                       .core = number,
                       .source = source,
                       .activation = op.kind == XR_OP_ACTIVATION ? op.activation : xr_fused_activation(node),
                       .elements = known ? xr_elements(&model->tensors[node->outputs[k]]) : 0,
                       .constant = constant,
                       .raw = raw && !constant};
        note_inputs(w, node, layer);
        if (layer->kind != op.kind)
            layer->activation = XR_ACTIVATION_NONE;
        if (source != EXRAY_NO_INDEX && node->output_count == 1) {
            const xr_layer *core = &w->out->layer[w->out->layer[source].core];
            layer->core = w->out->layer[source].core;
            layer->activation = combined(w->out->layer[source].activation, op);
            layer->weights = core->weights;
            memcpy(layer->producers, core->producers, sizeof layer->producers);
        }
        if (known) {
            w->tensor[node->outputs[k]].layer = number;
            w->tensor[node->outputs[k]].constant = constant;
            w->tensor[node->outputs[k]].raw = layer->raw;
        }
    }
}

/* Outputs of a partition that none of its listed nodes computes. */
static void add_unmade(walk *w, uint32_t n)
{
    const exray_model *model = w->out->model;
    const exray_node *node = &model->nodes[n];
    for (uint32_t k = 0; node->inner_count && k < node->output_count; k++) {
        bool known = node->outputs[k] < model->tensor_count;
        if (known && w->tensor[node->outputs[k]].layer != EXRAY_NO_INDEX)
            continue;
        uint32_t number = w->out->count++;
        xr_layer *layer = &w->out->layer[number];
        *layer = (xr_layer){.node = n,
                            .output = k,
                            .op = node,
                            .tensor = known ? &model->tensors[node->outputs[k]] : NULL,
                            .kind = XR_OP_PARTITION,
                            .core = number,
                            .source = EXRAY_NO_INDEX,
                            .activation = XR_ACTIVATION_UNKNOWN,
                            .elements = known ? xr_elements(&model->tensors[node->outputs[k]]) : 0};
        note_inputs(w, node, layer);
        if (known)
            w->tensor[node->outputs[k]].layer = number;
    }
}

static uint32_t most_layers(const exray_model *model)
{
    uint64_t count = 1;
    for (uint32_t n = 0; n < model->node_count; n++) {
        count += model->nodes[n].output_count;
        for (uint32_t i = 0; i < model->nodes[n].inner_count; i++)
            count += model->nodes[n].inner[i].output_count;
    }
    return count < EXRAY_NO_INDEX ? (uint32_t)count : 0;
}

bool xr_layers_of(const exray_model *model, xr_layers *out)
{
    *out = (xr_layers){.model = model};
    walk w = {.out = out};
    uint32_t most = most_layers(model);
    out->layer = most ? calloc(most, sizeof *out->layer) : NULL;
    w.tensor = calloc((size_t)model->tensor_count + 1, sizeof *w.tensor);
    bool ok = out->layer && w.tensor;
    for (uint32_t t = 0; ok && t < model->tensor_count; t++)
        w.tensor[t] = (tensor_state){.layer = EXRAY_NO_INDEX, .constant = model->tensors[t].constant};
    if (ok) {
        each_node(model, count_readers, NULL, &w);
        each_node(model, note_maker, NULL, &w);
        each_node(model, note_stored, NULL, &w);
        each_node(model, add_layers, add_unmade, &w);
    }
    free(w.tensor);
    return ok;
}

void xr_layers_free(xr_layers *layers)
{
    free(layers->layer);
    *layers = (xr_layers){0};
}

bool xr_layer_is_free(const xr_layer *layer)
{
    return layer->constant || layer->kind == XR_OP_CONVERSION || layer->kind == XR_OP_SHAPE ||
           layer->kind == XR_OP_CONSTANT;
}

bool xr_layer_is_cut_at_zero(const xr_layer *layer)
{
    const exray_tensor_info *t = layer->tensor;
    bool bytes = t && (t->dtype == EXRAY_DTYPE_UINT8 || t->dtype == EXRAY_DTYPE_INT8);
    if (!bytes || t->quantization.count != 1)
        return false;
    int64_t zero = t->quantization.zero_point ? t->quantization.zero_point[0] : 0;
    return zero == (t->dtype == EXRAY_DTYPE_INT8 ? -128 : 0);
}

uint32_t xr_maker_of(const exray_model *model, uint32_t tensor)
{
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t k = 0; k < model->nodes[n].output_count; k++)
            if (model->nodes[n].outputs[k] == tensor)
                return n;
    return EXRAY_NO_INDEX;
}
