#include "checks/layer/run_together.h"

#include "checks/findings.h"

#include <math.h>
#include <stdlib.h>

/* A walk from a layer to those before it that were judged with it alone. */
typedef struct run_walk {
    const exray_comparison *comparison;
    const exray_model *model;
    size_t *maker; /* [tensor_count] of the edge's model: the pair of the layer that makes it, or SIZE_MAX */
    bool *seen;    /* [layers] */
    size_t *stack; /* [layers] */
    size_t depth;
    bool alone; /* the layer was run alone: those that were not are part of what was run; else: those are
                   whose values were not compared */
} run_walk;

static bool walk_begin(const exray_comparison *comparison, run_walk *w)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    size_t layers = exray_comparison_layer_count(comparison);
    *w = (run_walk){.comparison = comparison, .model = model};
    if (!model)
        return false;
    w->maker = malloc(((size_t)model->tensor_count + 1) * sizeof *w->maker);
    w->seen = calloc(layers + 1, sizeof *w->seen);
    w->stack = calloc(layers + 1, sizeof *w->stack);
    if (!w->maker || !w->seen || !w->stack)
        return false;
    for (uint32_t t = 0; t < model->tensor_count; t++)
        w->maker[t] = SIZE_MAX;
    for (size_t i = 0; i < layers; i++) {
        const uint32_t node = exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE];
        for (uint32_t k = 0; node < model->node_count && k < model->nodes[node].output_count; k++)
            if (model->nodes[node].outputs[k] < model->tensor_count)
                w->maker[model->nodes[node].outputs[k]] = i;
    }
    return true;
}

static void walk_end(run_walk *w)
{
    free(w->maker);
    free(w->seen);
    free(w->stack);
}

static bool is_part(const run_walk *w, size_t layer)
{
    const exray_layer_pair *pair = exray_comparison_layer(w->comparison, layer);
    return isnan(pair->isolated_error) && (w->alone || isnan(pair->error));
}

/* Puts the layers that feed this one, and were not judged by themselves, on the stack. */
static void step_back(run_walk *w, size_t layer)
{
    const uint32_t node = exray_comparison_layer(w->comparison, layer)->node[EXRAY_SIDE_EDGE];
    for (uint32_t i = 0; node < w->model->node_count && i < w->model->nodes[node].input_count; i++) {
        const uint32_t tensor = w->model->nodes[node].inputs[i];
        const size_t before = tensor < w->model->tensor_count ? w->maker[tensor] : SIZE_MAX;
        if (before == SIZE_MAX || w->seen[before] || !is_part(w, before))
            continue;
        w->seen[before] = true;
        w->stack[w->depth++] = before;
    }
}

static bool is_run_with(const exray_comparison *comparison, const exray_finding *finding, size_t layer)
{
    run_walk w;
    bool found = false;
    if (walk_begin(comparison, &w)) {
        w.alone = isfinite(exray_comparison_layer(comparison, layer)->isolated_error);
        step_back(&w, layer);
        while (w.depth && !found) {
            const size_t before = w.stack[--w.depth];
            found = xr_is_about_layer(comparison, finding, before);
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
