#include "checks/model/graph/between/step_layers.h"

#include "checks/beyond_noise.h"
#include "checks/place_of.h"

#include <stdlib.h>
#include <string.h>

enum { BEHIND = 3 }; /* functions behind a step: a bias, an activation */

uint32_t xr_step_layer_of(const xr_step_graph *g, const uint32_t *layer, uint32_t edge)
{
    enum { FURTHEST = 4 };
    for (int i = 0; i <= FURTHEST && edge != EXRAY_NO_INDEX; i++) {
        if (edge < g->model->tensor_count && layer[edge] != EXRAY_NO_INDEX)
            return layer[edge];
        edge = xr_step_graph_unpacked(g, edge);
    }
    return EXRAY_NO_INDEX;
}

/* [steps of the side] the layer of the comparison that each ends in, or EXRAY_NO_INDEX. */
typedef struct step_ends {
    uint32_t *of[2];
} step_ends;

void xr_step_make_mates(uint32_t *const *mate, uint32_t edge, uint32_t reference)
{
    const uint32_t other[2] = {mate[0][edge], mate[1][reference]};
    if (other[0] != EXRAY_NO_INDEX)
        mate[1][other[0]] = EXRAY_NO_INDEX;
    if (other[1] != EXRAY_NO_INDEX)
        mate[0][other[1]] = EXRAY_NO_INDEX;
    mate[0][edge] = reference;
    mate[1][reference] = edge;
}

/* Whether a pair of layers is one tensor: its values agree, or behind an input that is another one, where no
 * values do, both have its name. */
static bool agrees(const exray_comparison *comparison, uint32_t layer)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    const char *const *name = pair->name;
    return pair->role == EXRAY_LAYER_ROLE_CLEAN ||
           (pair->role == EXRAY_LAYER_ROLE_PROPAGATES && name[0] && name[1] && *name[0] &&
            strcmp(name[0], name[1]) == 0 && xr_inputs_differ(comparison));
}

/* [tensors of the reference, one for all that have the same numbers] the layer that agrees with the edge's;
 * NULL: out of memory. */
static uint32_t *layers_of_reference(const xr_step_layers *by)
{
    const xr_step_graph *g = &by->side[1];
    uint32_t *layer = malloc(((size_t)g->tensor_count + 1) * sizeof *layer);
    if (!layer)
        return NULL;
    for (uint32_t t = 0; t < g->tensor_count; t++)
        layer[t] = EXRAY_NO_INDEX;
    for (size_t i = 0; i < exray_comparison_layer_count(by->comparison); i++) {
        const uint32_t tensor =
            xr_tensor_of_layer(g->model, exray_comparison_layer(by->comparison, i), EXRAY_SIDE_REFERENCE);
        if (tensor != EXRAY_NO_INDEX && agrees(by->comparison, (uint32_t)i))
            layer[g->tensor[tensor].same_as] = (uint32_t)i;
    }
    return layer;
}

static uint32_t layer_at(const xr_step_layers *by, const uint32_t *of_reference, int side, uint32_t tensor)
{
    if (side == 1)
        return of_reference[by->side[1].tensor[tensor].same_as];
    uint32_t layer = xr_step_layer_of(&by->side[0], by->layer, tensor);
    return layer != EXRAY_NO_INDEX && agrees(by->comparison, layer) ? layer : EXRAY_NO_INDEX;
}

/* [steps] the function that alone reads what a step makes, or EXRAY_NO_INDEX; NULL: out of memory. */
static uint32_t *functions_behind(const xr_step_graph *g)
{
    uint32_t *behind = malloc(((size_t)g->count + 1) * sizeof *behind);
    for (uint32_t i = 0; behind && i < g->count; i++)
        behind[i] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; behind && i < g->count; i++) {
        const xr_op_step *step = &g->step[i];
        if (step->kind != XR_STEP_FUNCTION || step->input_count != 1)
            continue;
        uint32_t maker = g->tensor[step->input[0]].maker;
        if (maker < g->count && g->step[maker].output == step->input[0] &&
            g->tensor[step->input[0]].readers == 1)
            behind[maker] = i;
    }
    return behind;
}

static bool find_ends(const xr_step_layers *by, step_ends *ends)
{
    uint32_t *of_reference = layers_of_reference(by);
    bool ok = of_reference != NULL;
    for (int s = 0; s < 2 && ok; s++) {
        const xr_step_graph *g = &by->side[s];
        uint32_t *behind = functions_behind(g);
        ends->of[s] = malloc(((size_t)g->count + 1) * sizeof *ends->of[s]);
        ok = behind && ends->of[s];
        for (uint32_t i = 0; ok && i < g->count; i++) {
            uint32_t at = i, layer = layer_at(by, of_reference, s, g->step[i].output);
            for (int k = 0; k < BEHIND && layer == EXRAY_NO_INDEX && behind[at] != EXRAY_NO_INDEX; k++) {
                at = behind[at];
                layer = layer_at(by, of_reference, s, g->step[at].output);
            }
            ends->of[s][i] = layer;
        }
        free(behind);
    }
    free(of_reference);
    return ok;
}

static void part(const xr_step_layers *by, const step_ends *ends)
{
    for (uint32_t i = 0; i < by->side[0].count; i++) {
        uint32_t k = by->mate[0][i];
        if (k == EXRAY_NO_INDEX || ends->of[0][i] == EXRAY_NO_INDEX || ends->of[1][k] == EXRAY_NO_INDEX ||
            ends->of[0][i] == ends->of[1][k])
            continue;
        by->mate[0][i] = by->mate[1][k] = EXRAY_NO_INDEX;
    }
}

static void join(const xr_step_layers *by, const step_ends *ends)
{
    for (uint32_t i = 0; i < by->side[0].count; i++) {
        if (by->mate[0][i] != EXRAY_NO_INDEX || ends->of[0][i] == EXRAY_NO_INDEX)
            continue;
        uint32_t best = EXRAY_NO_INDEX;
        double most = 0;
        for (uint32_t k = 0; k < by->side[1].count; k++) {
            if (by->mate[1][k] != EXRAY_NO_INDEX || ends->of[1][k] != ends->of[0][i] ||
                by->side[0].step[i].kind != by->side[1].step[k].kind)
                continue;
            double s = by->score(by->comparison, by->user, i, k);
            best = s > most ? k : best;
            most = s > most ? s : most;
        }
        if (best != EXRAY_NO_INDEX) {
            by->mate[0][i] = best;
            by->mate[1][best] = i;
        }
    }
}

bool xr_step_layers_settle(const xr_step_layers *by)
{
    step_ends ends = {{NULL, NULL}};
    bool ok = find_ends(by, &ends);
    if (ok) {
        part(by, &ends);
        join(by, &ends);
    }
    free(ends.of[0]);
    free(ends.of[1]);
    return ok;
}
