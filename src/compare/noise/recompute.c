/* Functions without weights that are so nonlinear that no bound on errors passes
 * through them: a softmax turns a tenth of a deviation of its logits into half of its own.
 * Where their values are in the log, the reference's function is computed from the edge's
 * own input. */
#include "compare/noise/recompute.h"

#include "compare/match/ops.h"
#include "compare/match/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FRAMES = 8 };

typedef struct operand {
    exray_slot *slot;
    exray_tensor_view view;
    const float *value;
} operand;

/* The row that a softmax normalizes: 0 where it is not over the last dimension. */
static uint64_t softmax_row(const exray_node *node, const exray_tensor_view *view)
{
    uint32_t rank = view->info.rank;
    if (rank == 0 || view->info.shape[rank - 1] <= 0)
        return 0;
    const char *text = xr_attribute(node, "axis");
    long axis = text ? strtol(text, NULL, 10) : -1;
    return axis == -1 || axis == (long)rank - 1 ? (uint64_t)view->info.shape[rank - 1] : 0;
}

/* Adds the squared differences between the edge's output and softmax(beta x). */
static bool add_softmax(const exray_node *node, const operand *in, const operand *out, double *square)
{
    uint64_t row = softmax_row(node, &in->view);
    const char *text = xr_attribute(node, "beta");
    double beta = text ? strtod(text, NULL) : 1;
    if (row == 0 || in->view.count % row)
        return false;
    for (uint64_t r = 0; r < in->view.count; r += row) {
        double most = -INFINITY, sum = 0;
        for (uint64_t i = 0; i < row; i++)
            most = fmax(most, beta * in->value[r + i]);
        for (uint64_t i = 0; i < row; i++)
            sum += exp(beta * in->value[r + i] - most);
        for (uint64_t i = 0; i < row; i++) {
            double d = exp(beta * in->value[r + i] - most) / sum - out->value[r + i];
            *square += d * d;
        }
    }
    return true;
}

static bool add_sigmoid(const operand *in, const operand *out, double *square)
{
    for (uint64_t i = 0; i < in->view.count; i++) {
        double d = 1 / (1 + exp(-(double)in->value[i])) - out->value[i];
        *square += d * d;
    }
    return true;
}

/* The pair of layers that computes the node's first input, or NULL. */
static const xr_pair *producer(const exray_comparison *c, const exray_node *node)
{
    for (size_t i = 0; i < c->layers.count && node->input_count; i++)
        if (c->layers.pair[i].tensor[EXRAY_SIDE_EDGE] == node->inputs[0])
            return &c->layers.pair[i];
    return NULL;
}

static bool read_edge(const exray_comparison *c, const xr_pair *pair, size_t frame, operand *o)
{
    const exray_record *record = xr_pair_record(c, pair, EXRAY_SIDE_EDGE, frame);
    exray_error error;
    return record && record->has_data &&
           exray_log_read_values(c->log[EXRAY_SIDE_EDGE], record, o->slot, &o->view, &o->value, &error) ==
               EXRAY_OK &&
           o->value;
}

static const exray_node *reference_node(const exray_comparison *c, const xr_pair *pair)
{
    const exray_model *model = exray_log_model(c->log[EXRAY_SIDE_REFERENCE]);
    uint32_t node = pair->index[EXRAY_SIDE_REFERENCE];
    return model && node < model->node_count ? &model->nodes[node] : NULL;
}

double xr_recomputed_error(const exray_comparison *c, const xr_pair *pair)
{
    const exray_model *model = exray_log_model(c->log[EXRAY_SIDE_EDGE]);
    if (!model || pair->index[EXRAY_SIDE_EDGE] >= model->node_count)
        return NAN;
    const exray_node *node = &model->nodes[pair->index[EXRAY_SIDE_EDGE]];
    const exray_node *right = reference_node(c, pair);
    xr_op op = right ? xr_op_of(right) : (xr_op){XR_OP_OTHER, XR_ACTIVATION_NONE};
    bool sigmoid = op.kind == XR_OP_ACTIVATION && op.activation == XR_ACTIVATION_SIGMOID;
    const xr_pair *before = op.kind == XR_OP_SOFTMAX || sigmoid ? producer(c, node) : NULL;
    if (!before)
        return NAN;
    operand in = {.slot = exray_slot_new()}, out = {.slot = exray_slot_new()};
    double square = 0, count = 0, sum = 0, sum_square = 0;
    bool ok = in.slot && out.slot;
    size_t stride = c->frame_count > MOST_FRAMES ? c->frame_count / MOST_FRAMES : 1;
    for (size_t f = 0; ok && f < c->frame_count; f += stride) {
        if (!read_edge(c, before, f, &in) || !read_edge(c, pair, f, &out))
            continue;
        ok = in.view.count == out.view.count &&
             (sigmoid ? add_sigmoid(&in, &out, &square) : add_softmax(right, &in, &out, &square));
        for (uint64_t i = 0; ok && i < out.view.count; i++) {
            sum += out.value[i];
            sum_square += (double)out.value[i] * out.value[i];
        }
        count += (double)out.view.count;
    }
    exray_slot_free(in.slot);
    exray_slot_free(out.slot);
    double variance = count > 0 ? sum_square / count - sum / count * (sum / count) : 0;
    return ok && variance > 0 ? sqrt(square / count / variance) : NAN;
}
