#include "checks/model/graph/join/step_groups.h"

#include <math.h>
#include <string.h>

/* The steps of a chain, in their order. */
enum { APART, NORM, BACK, SCALE, BIAS, CHAIN };

static uint32_t maker_of(const xr_step_graph *g, uint32_t tensor, uint32_t before)
{
    for (uint32_t i = before; i-- > 0;)
        if (g->raw[i].output == tensor)
            return i;
    return EXRAY_NO_INDEX;
}

static bool is_output(const xr_step_graph *g, uint32_t tensor)
{
    for (uint32_t i = 0; i < g->model->output_count; i++)
        if (g->model->outputs[i] == tensor)
            return true;
    return false;
}

/* The one step that reads a tensor, as its first; EXRAY_NO_INDEX: none, several, or the tensor is an output.
 */
static uint32_t reader_of(const xr_step_graph *g, uint32_t tensor)
{
    uint32_t found = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < g->raw_count; i++)
        for (uint32_t k = 0; k < g->raw[i].input_count; k++)
            if (g->raw[i].input[k] == tensor) {
                if (found != EXRAY_NO_INDEX || k)
                    return EXRAY_NO_INDEX;
                found = i;
            }
    return is_output(g, tensor) ? EXRAY_NO_INDEX : found;
}

static bool is_step(const xr_step_graph *g, uint32_t i, const char *word)
{
    return i != EXRAY_NO_INDEX && strcmp(g->raw[i].word, word) == 0;
}

/* A sum or a product with one constant. */
static bool is_affine(const xr_step_graph *g, uint32_t i, const char *word)
{
    return is_step(g, i, word) && g->raw[i].kind == XR_STEP_COMBINE && g->raw[i].input_count == 1 &&
           g->raw[i].constant_count == 1;
}

static bool find_chain(const xr_step_graph *g, uint32_t norm, uint32_t chain[CHAIN])
{
    const xr_op_step *step = &g->raw[norm];
    if (strcmp(step->word, "instance norm") != 0 || step->input_count != 1)
        return false;
    chain[NORM] = norm;
    chain[APART] = maker_of(g, step->input[0], norm);
    if (!is_step(g, chain[APART], "shape") || reader_of(g, step->input[0]) != norm)
        return false;
    chain[BACK] = reader_of(g, step->output);
    if (!is_step(g, chain[BACK], "shape") || g->raw[chain[BACK]].kind != XR_STEP_SHAPE)
        return false;
    chain[SCALE] = reader_of(g, g->raw[chain[BACK]].output);
    if (!is_affine(g, chain[SCALE], "mul"))
        return false;
    chain[BIAS] = reader_of(g, g->raw[chain[SCALE]].output);
    return is_affine(g, chain[BIAS], "add");
}

static void join(xr_step_graph *g, const uint32_t chain[CHAIN], bool *gone)
{
    uint32_t *input = xr_step_take(g->memory, 1, sizeof *input),
             *constant = xr_step_take(g->memory, 2, sizeof *constant);
    if (!input || !constant)
        return;
    input[0] = g->raw[chain[APART]].input[0];
    constant[0] = g->raw[chain[SCALE]].constant[0];
    constant[1] = g->raw[chain[BIAS]].constant[0];
    xr_op_step *last = &g->raw[chain[BIAS]];
    const uint32_t output = last->output;
    *last = g->raw[chain[NORM]];
    strcpy(last->word, "group norm");
    last->output = output;
    last->input = input;
    last->input_count = 1;
    last->constant = constant;
    last->constant_count = 2;
    for (int k = 0; k < BIAS; k++)
        gone[chain[k]] = true;
}

static bool has_operator(const exray_node *node, uint32_t count)
{
    char plain[64];
    for (uint32_t n = 0; n < count; n++) {
        exray_node_plain_op(node[n].op, plain, sizeof plain);
        if (strcmp(plain, "groupnorm") == 0 || strcmp(plain, "groupnormalization") == 0 ||
            has_operator(node[n].inner, node[n].inner_count))
            return true;
    }
    return false;
}

void xr_step_join_groups(xr_step_graph *graph)
{
    if (!graph->other || !has_operator(graph->other->nodes, graph->other->node_count))
        return;
    bool *gone = xr_step_take(graph->memory, (size_t)graph->raw_count + 1, sizeof *gone);
    uint32_t chain[CHAIN], kept = 0;
    for (uint32_t i = 0; gone && i < graph->raw_count; i++)
        if (find_chain(graph, i, chain))
            join(graph, chain, gone);
    for (uint32_t i = 0; gone && i < graph->raw_count; i++)
        if (!gone[i])
            graph->raw[kept++] = graph->raw[i];
    graph->raw_count = gone ? kept : graph->raw_count;
}

double xr_step_joined_groups(const xr_step_graph *graph, const xr_op_step *step)
{
    if (step->groups > 0)
        return step->groups;
    if ((strcmp(step->word, "group norm") != 0 && strcmp(step->word, "instance norm") != 0) ||
        !step->node->op || strcmp(step->node->op, "InstanceNormalization") != 0 || !step->node->input_count)
        return NAN;
    uint32_t tensor = step->node->inputs[0];
    const exray_tensor_info *info =
        tensor < graph->model->tensor_count ? &graph->model->tensors[tensor] : NULL;
    return info && info->rank > 1 && info->shape[1] > 0 ? (double)info->shape[1] : NAN;
}
