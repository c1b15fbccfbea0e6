#include "compare/noise/masked.h"

#include "compare/match/ops.h"
#include "compare/match/pairs.h"

#include <math.h>
#include <string.h>

/* The exponential of this is zero in any float, beside a score that is not as low. */
#define HIDDEN (-1000.0F)

enum { FURTHEST = 8, MOST_VISITS = 4096, FIRST_MASK_OF_ATTENTION = 3 };

static bool is_op(const exray_node *node, const char *op)
{
    return node->op && strcmp(node->op, op) == 0;
}

/* Whether a softmax, or a part of one that is written out, is given its input i. */
static bool is_softmax(const exray_node *node, uint32_t i)
{
    if (node->op && strstr(node->op, "Attention"))
        return i >= FIRST_MASK_OF_ATTENTION; /* behind queries, keys and values: masks and biases of scores */
    return (xr_op_of(node).kind == XR_OP_SOFTMAX && !is_op(node, "LogSoftmax") &&
            !is_op(node, "LOG_SOFTMAX")) ||
           is_op(node, "Exp") || is_op(node, "EXP") || is_op(node, "ReduceMax") || is_op(node, "REDUCE_MAX");
}

/* Whether a node adds to values, chooses among them or moves them. */
static bool passes_on(const exray_node *node)
{
    static const char *const ops[] = {"Where", "Expand", "Slice", "Tile"};
    switch (xr_op_of(node).kind) {
    case XR_OP_ADD:
    case XR_OP_SUB:
    case XR_OP_SHAPE:
    case XR_OP_CONVERSION:
    case XR_OP_CONCAT:
        return node->inner_count == 0;
    default:
        for (size_t i = 0; i < sizeof ops / sizeof *ops; i++)
            if (is_op(node, ops[i]))
                return true;
        return false;
    }
}

/* Whether all that reads a tensor adds to it on the way to a softmax. */
static bool leads_to_softmax(const exray_model *model, uint32_t tensor, int steps, int *visits)
{
    bool any = false;
    for (uint32_t i = 0; i < model->output_count; i++)
        if (model->outputs[i] == tensor)
            return false;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        for (uint32_t i = 0; i < node->input_count; i++) {
            if (node->inputs[i] != tensor)
                continue;
            any = true;
            if (is_softmax(node, i))
                continue;
            if (!passes_on(node) || steps == 0 || --*visits < 0 || node->output_count != 1 ||
                !leads_to_softmax(model, node->outputs[0], steps - 1, visits))
                return false;
        }
    }
    return any;
}

static bool is_scored(const exray_comparison *c, const xr_pair *pair)
{
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(c->log[s]);
        int visits = MOST_VISITS;
        if (model && pair->tensor[s] < model->tensor_count &&
            leads_to_softmax(model, pair->tensor[s], FURTHEST, &visits))
            return true;
    }
    return false;
}

/* Of the values that are hidden on neither side. */
typedef struct seen_sums {
    double n, sum, square, apart;
    bool hidden; /* there are others */
} seen_sums;

static void add_values(const float *a, const float *b, uint64_t count, seen_sums *s)
{
    for (uint64_t i = 0; i < count; i++) {
        if (a[i] <= HIDDEN && b[i] <= HIDDEN) {
            s->hidden = true;
            continue;
        }
        const double apart = (double)a[i] - b[i];
        s->apart += apart * apart;
        s->sum += b[i];
        s->square += (double)b[i] * b[i];
        s->n++;
    }
}

/* False: the two are not of one shape. */
static bool add_frame(const exray_comparison *c, const xr_pair *pair, size_t frame, exray_slot *slot[2],
                      seen_sums *s)
{
    exray_tensor_view view[2];
    const float *value[2] = {NULL, NULL};
    exray_error ignored;
    for (int k = 0; k < 2; k++) {
        const exray_record *record = xr_pair_record(c, pair, (exray_side)k, frame);
        if (!record || !record->has_data ||
            exray_log_read_values(c->log[k], record, slot[k], &view[k], &value[k], &ignored) != EXRAY_OK ||
            !value[k])
            return true; /* a frame without data tells nothing */
    }
    if (view[0].count != view[1].count || view[0].info.rank != view[1].info.rank ||
        memcmp(view[0].info.shape, view[1].info.shape, view[0].info.rank * sizeof *view[0].info.shape) != 0)
        return false;
    add_values(value[0], value[1], view[0].count, s);
    return true;
}

double xr_error_beside_mask(const exray_comparison *c, const xr_pair *pair)
{
    seen_sums s = {0};
    if (pair->kind != EXRAY_KIND_LAYER || !is_scored(c, pair))
        return NAN;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool ok = slot[0] && slot[1];
    for (size_t f = 0; ok && f < c->frame_count; f++)
        ok = c->behind[f] || add_frame(c, pair, f, slot, &s);
    for (int k = 0; k < 2; k++)
        exray_slot_free(slot[k]);
    if (!ok || !s.hidden || !(s.n > 0) || !isfinite(s.apart))
        return NAN;
    const double deviation = sqrt(fmax(s.square / s.n - s.sum / s.n * (s.sum / s.n), 0));
    return s.apart == 0 ? 0 : deviation > 0 ? sqrt(s.apart / s.n) / deviation : INFINITY;
}
