#include "checks/layer/run_together.h"

#include "checks/findings.h"

#include <math.h>
#include <stdlib.h>

/* A walk from a layer to the nodes before it that were judged with it alone. */
typedef struct run_walk {
    const exray_comparison *comparison;
    const exray_model *model; /* the edge's */
    uint32_t *maker;          /* [tensor_count]: the node, or EXRAY_NO_INDEX */
    size_t *pair;             /* [tensor_count]: of the layer whose values it has, or SIZE_MAX */
    bool *seen;               /* [node_count] */
    uint32_t *stack;          /* [node_count] */
    size_t depth;
    bool alone; /* the layer was run alone: those that were not are part of what was run; else: those are
                   whose values were not compared */
} run_walk;

static void note_makers(run_walk *w)
{
    for (uint32_t t = 0; t < w->model->tensor_count; t++)
        w->maker[t] = EXRAY_NO_INDEX, w->pair[t] = SIZE_MAX;
    for (uint32_t n = 0; n < w->model->node_count; n++)
        for (uint32_t k = 0; k < w->model->nodes[n].output_count; k++)
            if (w->model->nodes[n].outputs[k] < w->model->tensor_count)
                w->maker[w->model->nodes[n].outputs[k]] = n;
    for (size_t i = 0; i < exray_comparison_layer_count(w->comparison); i++) {
        const uint32_t node = exray_comparison_layer(w->comparison, i)->node[EXRAY_SIDE_EDGE];
        for (uint32_t k = 0; node < w->model->node_count && k < w->model->nodes[node].output_count; k++)
            if (w->model->nodes[node].outputs[k] < w->model->tensor_count)
                w->pair[w->model->nodes[node].outputs[k]] = i;
    }
}

static bool walk_begin(const exray_comparison *comparison, run_walk *w)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    *w = (run_walk){.comparison = comparison, .model = model};
    if (!model)
        return false;
    w->maker = malloc(((size_t)model->tensor_count + 1) * sizeof *w->maker);
    w->pair = malloc(((size_t)model->tensor_count + 1) * sizeof *w->pair);
    w->seen = calloc((size_t)model->node_count + 1, sizeof *w->seen);
    w->stack = calloc((size_t)model->node_count + 1, sizeof *w->stack);
    if (!w->maker || !w->pair || !w->seen || !w->stack)
        return false;
    note_makers(w);
    return true;
}

static void walk_end(run_walk *w)
{
    free(w->maker);
    free(w->pair);
    free(w->seen);
    free(w->stack);
}

/* Whether a tensor was not judged by itself: also one of a node that has no counterpart. */
static bool is_part(const run_walk *w, uint32_t tensor)
{
    if (w->pair[tensor] == SIZE_MAX)
        return true;
    const exray_layer_pair *pair = exray_comparison_layer(w->comparison, w->pair[tensor]);
    return isnan(pair->isolated_error) && (w->alone || isnan(pair->error));
}

/* Puts the nodes that feed this one, and were not judged by themselves, on the stack. */
static void step_back(run_walk *w, uint32_t node)
{
    for (uint32_t i = 0; i < w->model->nodes[node].input_count; i++) {
        const uint32_t tensor = w->model->nodes[node].inputs[i];
        const uint32_t before = tensor < w->model->tensor_count ? w->maker[tensor] : EXRAY_NO_INDEX;
        if (before == EXRAY_NO_INDEX || w->seen[before] || !is_part(w, tensor))
            continue;
        w->seen[before] = true;
        w->stack[w->depth++] = before;
    }
}

static bool is_about_node(const run_walk *w, const exray_finding *finding, uint32_t node)
{
    for (uint32_t k = 0; k < w->model->nodes[node].output_count; k++) {
        const uint32_t tensor = w->model->nodes[node].outputs[k];
        if (tensor < w->model->tensor_count && w->pair[tensor] != SIZE_MAX &&
            xr_is_about_layer(w->comparison, finding, w->pair[tensor]))
            return true;
    }
    return false;
}

static bool is_run_with(const exray_comparison *comparison, const exray_finding *finding, size_t layer)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    run_walk w;
    bool found = false;
    if (walk_begin(comparison, &w) && pair->node[EXRAY_SIDE_EDGE] < w.model->node_count) {
        w.alone = isfinite(pair->isolated_error);
        step_back(&w, pair->node[EXRAY_SIDE_EDGE]);
        while (w.depth && !found) {
            const uint32_t before = w.stack[--w.depth];
            found = is_about_node(&w, finding, before);
            step_back(&w, before);
        }
    }
    walk_end(&w);
    return found;
}

bool xr_is_about_layer_or_run_with(const exray_comparison *comparison, const exray_finding *finding,
                                   size_t layer)
{
    return xr_is_about_layer(comparison, finding, layer) || is_run_with(comparison, finding, layer);
}
