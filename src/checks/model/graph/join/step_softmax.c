#include "checks/model/graph/join/step_softmax.h"

#include <math.h>
#include <string.h>

enum { DEPTH = 8 };

/* The steps of one; MAXIMUM and LESS: EXRAY_NO_INDEX where nothing is subtracted. */
enum { MAXIMUM, LESS, EXPONENTIAL, SUM, PARTS };

typedef struct softmax_search {
    xr_step_graph *graph;
    uint32_t *maker;   /* [tensor_count] of raw, or EXRAY_NO_INDEX */
    uint32_t *readers; /* [tensor_count] how many steps read it */
    bool *gone;        /* [raw_count] */
} softmax_search;

static bool is_identity(const xr_op_step *step)
{
    return step->kind == XR_STEP_FUNCTION && step->pointwise.op == XR_PW_IDENTITY && step->input_count == 1;
}

/* The step that computes a tensor, types aside; NULL: none.  *alone: what is between is read by nothing else
 * than `most` steps. */
static const xr_op_step *maker_of(const softmax_search *s, uint32_t tensor, uint32_t most, bool *alone)
{
    const xr_step_graph *g = s->graph;
    for (int i = 0; i < DEPTH && tensor < g->tensor_count && s->maker[tensor] != EXRAY_NO_INDEX; i++) {
        const xr_op_step *step = &g->raw[s->maker[tensor]];
        *alone = *alone && s->readers[tensor] <= most;
        if (!is_identity(step))
            return step;
        tensor = step->input[0];
    }
    return NULL;
}

/* The tensor that has the same numbers and is computed, or comes from outside. */
static uint32_t plain(const softmax_search *s, uint32_t tensor)
{
    for (int i = 0; i < DEPTH && tensor < s->graph->tensor_count; i++) {
        uint32_t maker = s->maker[tensor];
        if (maker == EXRAY_NO_INDEX || !is_identity(&s->graph->raw[maker]))
            return tensor;
        tensor = s->graph->raw[maker].input[0];
    }
    return tensor;
}

static bool is_word(const xr_op_step *step, const char *word, uint32_t inputs)
{
    return step && strcmp(step->word, word) == 0 && step->input_count == inputs;
}

static bool keeps_dimensions(const xr_op_step *step)
{
    const char *keep = exray_node_attribute(step->node, "keepdims");
    return !keep || strcmp(keep, "0") != 0;
}

/* Whether the largest of its own values is subtracted from a tensor here, and nothing else reads the result;
 * notes the steps. */
static bool find_maximum(const softmax_search *s, const xr_op_step *less, bool alone, uint32_t part[PARTS])
{
    if (!alone || !is_word(less, "sub", 2))
        return false;
    const xr_op_step *maximum = maker_of(s, less->input[1], 1, &alone);
    if (!is_word(maximum, "max over", 1) || !keeps_dimensions(maximum) || !alone ||
        plain(s, maximum->input[0]) != plain(s, less->input[0]))
        return false; /* a difference that is computed for another reason */
    part[LESS] = (uint32_t)(less - s->graph->raw);
    part[MAXIMUM] = (uint32_t)(maximum - s->graph->raw);
    return true;
}

/* Whether step i divides exponentials by their sum; *x: what they are of.  *turned: a Transpose behind the
 * subtraction, where an optimizer moved it; then *x is what it gives. */
static bool find(const softmax_search *s, uint32_t i, uint32_t part[PARTS], uint32_t *x, uint32_t *turned)
{
    const xr_op_step *quotient = &s->graph->raw[i], *base = s->graph->raw;
    bool alone = true;
    for (int k = 0; k < PARTS; k++)
        part[k] = EXRAY_NO_INDEX;
    if (!is_word(quotient, "div", 2))
        return false;
    const xr_op_step *sum = maker_of(s, quotient->input[1], 1, &alone),
                     *exponential = maker_of(s, quotient->input[0], 2, &alone);
    if (!is_word(sum, "sum over", 1) || !keeps_dimensions(sum) || !exponential ||
        exponential->kind != XR_STEP_FUNCTION || exponential->pointwise.op != XR_PW_EXP ||
        plain(s, sum->input[0]) != plain(s, quotient->input[0]))
        return false;
    part[SUM] = (uint32_t)(sum - base);
    part[EXPONENTIAL] = (uint32_t)(exponential - base);
    *x = plain(s, exponential->input[0]);
    *turned = EXRAY_NO_INDEX;
    const xr_op_step *before = maker_of(s, exponential->input[0], 1, &alone);
    if (!alone)
        return false;
    if (before && before->kind == XR_STEP_TRANSPOSE && before->input_count == 1) {
        bool alone_before = true;
        const xr_op_step *less = maker_of(s, before->input[0], 1, &alone_before);
        if (find_maximum(s, less, alone_before, part))
            *turned = (uint32_t)(before - base);
    } else if (find_maximum(s, before, true, part))
        *x = plain(s, before->input[0]);
    return true;
}

static void join(const softmax_search *s, uint32_t i, const uint32_t part[PARTS], uint32_t x)
{
    xr_step_graph *g = s->graph;
    uint32_t *input = xr_step_take(g->memory, 1, sizeof *input);
    if (!input)
        return;
    *input = x;
    xr_op_step *step = &g->raw[i];
    const exray_node *sum = g->raw[part[SUM]].node;
    *step = (xr_op_step){.kind = XR_STEP_SOFTMAX,
                         .node = step->node,
                         .at = step->at,
                         .output = step->output,
                         .input = input,
                         .input_count = 1,
                         .over = sum};
    strcpy(step->word, "softmax");
    for (int k = 0; k < PARTS; k++)
        if (part[k] != EXRAY_NO_INDEX) {
            s->gone[part[k]] = true;
            g->inside[g->raw[part[k]].output] = step->output;
        }
}

static bool has_operator(const exray_node *node, uint32_t count)
{
    char plain_name[XR_PLAIN_NAME];
    for (uint32_t n = 0; n < count; n++) {
        exray_node_plain_op(node[n].op, plain_name, sizeof plain_name);
        if (strcmp(plain_name, "softmax") == 0 || has_operator(node[n].inner, node[n].inner_count))
            return true;
    }
    return false;
}

/* What reads a tensor, and which of them go. */
static bool prepare(softmax_search *s)
{
    xr_step_graph *g = s->graph;
    s->maker = xr_step_take(g->memory, (size_t)g->tensor_count + 1, sizeof *s->maker);
    s->readers = xr_step_take(g->memory, (size_t)g->tensor_count + 1, sizeof *s->readers);
    s->gone = xr_step_take(g->memory, (size_t)g->raw_count + 1, sizeof *s->gone);
    bool first = !g->inside;
    if (first)
        g->inside = xr_step_take(g->memory, (size_t)g->tensor_count + 1, sizeof *g->inside);
    if (!s->maker || !s->readers || !s->gone || !g->inside)
        return false;
    for (uint32_t t = 0; t < g->tensor_count; t++) {
        s->maker[t] = EXRAY_NO_INDEX;
        if (first)
            g->inside[t] = EXRAY_NO_INDEX;
    }
    for (uint32_t i = 0; i < g->raw_count; i++) {
        s->maker[g->raw[i].output] = i;
        for (uint32_t k = 0; k < g->raw[i].input_count; k++)
            s->readers[g->raw[i].input[k]]++;
    }
    for (uint32_t i = 0; i < g->model->output_count; i++)
        if (g->model->outputs[i] < g->model->tensor_count)
            s->readers[g->model->outputs[i]] += DEPTH; /* read outside */
    return true;
}

void xr_step_join_softmax(xr_step_graph *graph)
{
    softmax_search s = {.graph = graph};
    if (!graph->other || !has_operator(graph->other->nodes, graph->other->node_count) || !prepare(&s))
        return;
    uint32_t kept = 0, part[PARTS], x, turned;
    for (uint32_t i = 0; i < graph->raw_count; i++)
        if (find(&s, i, part, &x, &turned)) {
            if (turned != EXRAY_NO_INDEX) /* it now reads what was subtracted from */
                graph->raw[turned].input[0] = graph->raw[part[LESS]].input[0];
            join(&s, i, part, x);
        }
    for (uint32_t i = 0; i < graph->raw_count; i++) {
        if (s.gone[i])
            continue;
        graph->raw[kept++] = graph->raw[i];
    }
    graph->raw_count = kept;
}

double xr_step_joined_axis(const xr_step_graph *graph, const xr_op_step *step)
{
    const exray_model *model = graph->model;
    const exray_node *sum = step->over;
    if (!sum || !sum->input_count || !sum->output_count || sum->inputs[0] >= model->tensor_count ||
        sum->outputs[0] >= model->tensor_count)
        return NAN;
    const exray_tensor_info *in = &model->tensors[sum->inputs[0]], *out = &model->tensors[sum->outputs[0]];
    double axis = NAN;
    uint32_t found = 0;
    for (uint32_t d = 0; in->rank == out->rank && d < in->rank; d++)
        if (in->shape[d] != out->shape[d]) {
            axis = d;
            found++;
        }
    return found == 1 ? axis : NAN;
}
