#include "checks/output/graph_tail.h"

#include "checks/op_name.h"

#include <stdio.h>
#include <string.h>

static bool is_one_of(const char *op, const char *const *names)
{
    for (; *names; names++)
        if (xr_is_op(op, *names))
            return true;
    return false;
}

static bool only_moves(const char *op)
{
    static const char *const names[] = {
        "reshape",  "squeeze",    "expanddims",     "unsqueeze", "flatten",
        "quantize", "dequantize", "quantizelinear", "identity",  "dequantizelinear",
        "cast",     "transpose",  "permute",        "view",      NULL};
    return is_one_of(op, names);
}

/* What an engine computes within the node that makes the values. */
static const char *fused_activation(const exray_node *node)
{
    const char *own = exray_node_attribute(node, "activation");
    return own ? own : exray_node_attribute(node, "fused_activation_function");
}

static bool is_activation(const char *op, xr_tail_activation *which)
{
    *which = xr_is_op(op, "softmax")      ? XR_TAIL_SOFTMAX
             : xr_is_op(op, "logsoftmax") ? XR_TAIL_LOG_SOFTMAX
                                          : XR_TAIL_SIGMOID;
    return *which != XR_TAIL_SIGMOID || xr_is_op(op, "logistic") || xr_is_op(op, "sigmoid");
}

uint32_t xr_output_tensor(const exray_comparison *comparison, exray_side side, size_t pair)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    for (uint32_t i = 0; io && model && i < model->output_count; i++) {
        uint32_t tensor = model->outputs[i];
        const char *name = tensor < model->tensor_count ? model->tensors[tensor].name : NULL;
        if (name && strcmp(name, io->name[side]) == 0)
            return tensor;
    }
    return model && model->output_count == 1 && pair == 0 && model->outputs[0] < model->tensor_count
               ? model->outputs[0]
               : EXRAY_NO_INDEX;
}

static const exray_node *producer_among(const exray_node *nodes, uint32_t count, uint32_t tensor)
{
    for (uint32_t n = count; n-- > 0;) {
        const exray_node *inner =
            nodes[n].inner_count ? producer_among(nodes[n].inner, nodes[n].inner_count, tensor) : NULL;
        if (inner)
            return inner;
        for (uint32_t k = 0; k < nodes[n].output_count; k++)
            if (nodes[n].outputs[k] == tensor)
                return &nodes[n];
    }
    return NULL;
}

const exray_node *xr_producer(const exray_model *model, uint32_t tensor)
{
    return model && tensor < model->tensor_count ? producer_among(model->nodes, model->node_count, tensor)
                                                 : NULL;
}

/* A delegate's node does not say which ops it runs. */
static bool hides_nodes(const char *op)
{
    return !op || !*op || strstr(op, "elegate") || strstr(op, "DELEGATE");
}

static const exray_node *maker_of(const exray_model *model, const exray_node *node, uint32_t input,
                                  const char *op)
{
    const exray_node *maker = input < node->input_count ? xr_producer(model, node->inputs[input]) : NULL;
    return maker && xr_is_op(maker->op, op) && maker->input_count ? maker : NULL;
}

/* Whether a node is the end of a softmax that is written as its parts, as engines do for types that their
 * kernel has not; `*input`: what goes in. */
static bool ends_softmax(const exray_model *model, const exray_node *node, uint32_t *input)
{
    const exray_node *power = xr_is_op(node->op, "div") ? maker_of(model, node, 0, "exp") : NULL;
    const exray_node *sum = power ? maker_of(model, node, 1, "reducesum") : NULL;
    if (!sum || sum->inputs[0] != node->inputs[0])
        return false;
    *input = power->inputs[0];
    const exray_node *below = maker_of(model, power, 0, "sub");
    if (below && maker_of(model, below, 1, "reducemax"))
        *input = below->inputs[0];
    return true;
}

xr_tail xr_output_tail(const exray_comparison *comparison, exray_side side, size_t pair)
{
    enum { FURTHEST = 16 };
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    uint32_t tensor = xr_output_tensor(comparison, side, pair);
    xr_tail tail = {0};
    for (int i = 0; i < FURTHEST && tail.count < XR_TAIL_MOST; i++) {
        const exray_node *node = xr_producer(model, tensor);
        xr_tail_activation which;
        if (!node || hides_nodes(node->op))
            break;
        const char *fused = fused_activation(node);
        uint32_t before = node->input_count ? node->inputs[0] : EXRAY_NO_INDEX;
        bool alone = is_activation(node->op, &which);
        if (!alone && ends_softmax(model, node, &before)) {
            which = XR_TAIL_SOFTMAX;
            alone = true;
        }
        bool within = !alone && fused && is_activation(fused, &which);
        if (within || alone) {
            memmove(&tail.activation[1], &tail.activation[0], tail.count * sizeof tail.activation[0]);
            tail.activation[0] = which;
            tail.count++;
        }
        if (!alone && !only_moves(node->op)) {
            tail.known = true;
            break;
        }
        tensor = before;
    }
    return tail;
}

uint32_t xr_tail_layer(const exray_comparison *comparison, const exray_io_pair *output)
{
    uint32_t found = EXRAY_NO_INDEX;
    for (size_t i = exray_comparison_layer_count(comparison); i-- > 0;) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        xr_tail_activation which;
        if (layer->role != EXRAY_LAYER_ROLE_UNJUDGED && layer->metrics.count != output->metrics.count)
            break;
        bool activates = is_activation(layer->op[EXRAY_SIDE_EDGE], &which) ||
                         is_activation(layer->op[EXRAY_SIDE_REFERENCE], &which);
        if (activates)
            found = (uint32_t)i;
        else if (!only_moves(layer->op[EXRAY_SIDE_EDGE]))
            break;
    }
    return found;
}

bool xr_tails_differ(const xr_tail *a, const xr_tail *b)
{
    return a->known && b->known &&
           (a->count != b->count ||
            memcmp(a->activation, b->activation, a->count * sizeof a->activation[0]) != 0);
}

void xr_tail_words(const xr_tail *tail, char *text, size_t size)
{
    static const char *const words[] = {"softmax", "log-softmax", "sigmoid"};
    size_t used = (size_t)snprintf(text, size, "%s", tail->count ? "" : "no activation");
    for (size_t i = 0; i < tail->count && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", words[tail->activation[i]]);
}
