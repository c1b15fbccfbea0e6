#include "compare/judge/dissolve.h"

#include "compare/comparison.h"
#include "compare/judge/channel_factors.h"
#include "compare/judge/localize.h"
#include "compare/match/ops.h"
#include "compare/noise/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* What is computed from a pair agrees if its error is noise, and a small part of the pair's own. */
#define GONE 0.1

#define NO_PAIR UINT32_MAX

typedef struct effects {
    exray_comparison *comparison;
    const exray_model *model; /* the edge's */
    uint32_t *pair;           /* [tensor_count]: of the edge's tensor, or NO_PAIR */
    bool *output;             /* [tensor_count]: one of the model's */
    double *least;            /* [tensor_count]: see walk_back */
} effects;

static bool is_compared(const effects *e, uint32_t tensor)
{
    return e->pair[tensor] != NO_PAIR && !isnan(e->comparison->layers.pair[e->pair[tensor]].error);
}

static bool is_clean(const effects *e, uint32_t tensor)
{
    return e->comparison->layer[e->pair[tensor]].role == EXRAY_LAYER_ROLE_CLEAN;
}

enum { NOTHING = -1 };

/* Fills `least`, from the outputs to the inputs: how large an error of this tensor must be that what is
 * computed from it can be said to agree; INFINITY: the model returns it, or something wrong that is computed
 * from it; NOTHING: what is computed from it was not compared. */
static void walk_back(effects *e)
{
    for (uint32_t t = 0; t < e->model->tensor_count; t++)
        e->least[t] = e->output[t] ? INFINITY : NOTHING;
    for (uint32_t n = e->model->node_count; n-- > 0;) {
        const exray_node *node = &e->model->nodes[n];
        double need = NOTHING;
        /* A class, a choice of boxes: it stays the same of many wrong values, and proves none of them. */
        if (xr_is_decision(node->op))
            continue;
        for (uint32_t k = 0; k < node->output_count; k++) {
            uint32_t t = node->outputs[k];
            if (t >= e->model->tensor_count)
                continue;
            bool agrees = is_compared(e, t) && is_clean(e, t);
            double error = agrees ? e->comparison->layers.pair[e->pair[t]].error : 0;
            need = fmax(need, agrees ? error / GONE : e->least[t]);
        }
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] < e->model->tensor_count)
                e->least[node->inputs[i]] = fmax(e->least[node->inputs[i]], need);
    }
}

/* Names of two files may stand for a tensor and its transpose, or times a factor for each channel that the
 * weights behind it take off again. */
static bool may_dissolve(const effects *e, size_t i)
{
    const exray_model *other = exray_log_model(e->comparison->log[1]);
    const xr_pair *pair = &e->comparison->layers.pair[i];
    xr_op_kind kind = xr_op_of(&e->model->nodes[pair->index[0]]).kind;
    bool one_file = e->model->sha256 && other->sha256 && memcmp(e->model->sha256, other->sha256, 32) == 0;
    return !pair->proven ||
           (!one_file && (kind == XR_OP_SHAPE || xr_differs_by_channel_factors(e->comparison, i)));
}

static bool is_mistaken(const effects *e, size_t i)
{
    const xr_pair *pair = &e->comparison->layers.pair[i];
    const exray_layer_pair *shown = &e->comparison->layer[i];
    uint32_t t = pair->tensor[0];
    bool wrong = shown->role == EXRAY_LAYER_ROLE_ORIGINATES || shown->role == EXRAY_LAYER_ROLE_PROPAGATES;
    return wrong && t < e->model->tensor_count && e->least[t] >= 0 && pair->error > e->least[t] &&
           may_dissolve(e, i);
}

/* False: out of memory.  *any: a pair was taken out. */
static bool take_out(const effects *e, bool *any)
{
    exray_comparison *c = e->comparison;
    size_t kept = 0;
    bool *out = calloc(c->layers.count + 1, sizeof *out);
    *any = false;
    if (!out)
        return false;
    for (size_t i = 0; i < c->layers.count; i++)
        out[i] = is_mistaken(e, i); /* reads values: before any pair has another place */
    for (size_t i = 0; i < c->layers.count; i++) {
        xr_pair *pair = &c->layers.pair[i];
        if (out[i]) {
            /* What is computed from it was compared, and agrees: a quantity that one side has otherwise. */
            c->inside[c->inside_count++] = (xr_layer_place){pair->index[0], pair->output[0]};
            c->parted[c->parted_count++] = (xr_layer_place){pair->index[1], pair->output[1]};
            free(pair->sketch);
            continue;
        }
        c->layers.pair[kept] = *pair;
        c->layer[kept++] = c->layer[i];
    }
    *any = kept < c->layers.count;
    c->layers.count = kept;
    free(out);
    return true;
}

static bool prepare(effects *e)
{
    size_t tensors = (size_t)e->model->tensor_count + 1;
    e->pair = malloc(tensors * sizeof *e->pair);
    e->output = calloc(tensors, sizeof *e->output);
    e->least = malloc(tensors * sizeof *e->least);
    if (!e->pair || !e->output || !e->least)
        return false;
    for (uint32_t t = 0; t < e->model->tensor_count; t++)
        e->pair[t] = NO_PAIR;
    for (size_t i = 0; i < e->comparison->layers.count; i++) {
        uint32_t tensor = e->comparison->layers.pair[i].tensor[0];
        if (tensor < e->model->tensor_count)
            e->pair[tensor] = (uint32_t)i;
    }
    for (uint32_t i = 0; i < e->model->output_count; i++)
        if (e->model->outputs[i] < e->model->tensor_count)
            e->output[e->model->outputs[i]] = true;
    return true;
}

bool xr_dissolve(exray_comparison *comparison)
{
    effects e = {.comparison = comparison, .model = exray_log_model(comparison->log[0])};
    if (!e.model || !exray_log_model(comparison->log[1]) || comparison->layers.count == 0)
        return true;
    bool ok = prepare(&e), any = false;
    if (ok) {
        walk_back(&e);
        ok = take_out(&e, &any) && (!any || xr_localize(comparison));
    }
    free(e.pair);
    free(e.output);
    free(e.least);
    return ok;
}
