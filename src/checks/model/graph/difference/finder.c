#include "checks/model/graph/difference/finder.h"

#include "checks/model/coarse.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const xr_step_match *xr_finder_match(const xr_finder *f)
{
    return &f->out->match;
}

const xr_op_step *xr_finder_step(const xr_finder *f, int side, uint32_t i)
{
    return &xr_finder_match(f)->side[side].step[i];
}

uint32_t xr_finder_mate(const xr_finder *f, uint32_t edge_tensor)
{
    return xr_finder_match(f)->tensor_mate[0][edge_tensor];
}

/* ---- Adding ------------------------------------------------------------------------------ */

/* The pair of layers that the edge's step ends in. */
static uint32_t layer_at(const xr_finder *f, uint32_t edge_step)
{
    const xr_step_match *m = xr_finder_match(f);
    if (edge_step == EXRAY_NO_INDEX)
        return EXRAY_NO_INDEX;
    const xr_op_step *step = xr_finder_step(f, 0, edge_step);
    uint32_t tensors[2] = {step->output, step->node->output_count ? step->node->outputs[0] : step->output};
    for (int i = 0; i < 2; i++)
        if (tensors[i] < m->side[0].model->tensor_count && m->layer[tensors[i]] != EXRAY_NO_INDEX)
            return m->layer[tensors[i]];
    return xr_step_match_layer_of(m, step->output);
}

uint32_t xr_layer_behind_step(const xr_finder *f, uint32_t edge_step)
{
    enum { FURTHEST = 8 };
    const xr_step_graph *g = &xr_finder_match(f)->side[0];
    for (int i = 0; i < FURTHEST && edge_step < g->count; i++) {
        uint32_t layer = layer_at(f, edge_step), made = g->step[edge_step].output;
        if (layer != EXRAY_NO_INDEX)
            return layer;
        bool found = false;
        while (!found && ++edge_step < g->count)
            for (uint32_t k = 0; k < g->step[edge_step].input_count; k++)
                found = found || g->step[edge_step].input[k] == made;
    }
    return EXRAY_NO_INDEX;
}

xr_difference *xr_add_difference(xr_finder *f, xr_difference_kind kind, uint32_t edge, uint32_t reference,
                                 const char *key)
{
    xr_difference *grown = realloc(f->out->list, (f->out->count + 1) * sizeof *grown);
    if (!grown) {
        f->failed = true;
        return NULL;
    }
    f->out->list = grown;
    xr_difference *d = &grown[f->out->count++];
    *d = (xr_difference){.kind = kind, .step = {edge, reference}, .layer = layer_at(f, edge), .effect = NAN};
    d->behind = edge == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : xr_layer_behind_step(f, edge);
    snprintf(d->key, sizeof d->key, "%s", key);
    return d;
}

void xr_drop_difference(xr_finder *f)
{
    f->out->count--;
}

/* ---- What the values say --------------------------------------------------------------------- */

xr_state xr_state_before_all(xr_finder *f, const uint32_t *tensor, uint32_t count)
{
    xr_state state = XR_STATE_CLEAN;
    for (uint32_t i = 0; i < count && state != XR_STATE_WRONG; i++) {
        xr_state one = xr_state_before(&f->values, tensor[i]);
        state = one == XR_STATE_CLEAN ? state : one;
    }
    return state;
}

static xr_state given(xr_finder *f, const xr_op_step *step)
{
    return xr_state_before_all(f, step->input, step->input_count);
}

bool xr_judge_difference(xr_finder *f, xr_difference *d, xr_state in, xr_state out)
{
    if (out == XR_STATE_CLEAN)
        return false;
    d->proof = in == XR_STATE_WRONG                            ? XR_PROOF_BEHIND
               : in == XR_STATE_CLEAN && out == XR_STATE_WRONG ? XR_PROOF_SHOWN
                                                               : XR_PROOF_NONE;
    d->absorbed = d->step[0] != EXRAY_NO_INDEX && xr_is_absorbed(&f->values, d->step[0]);
    return true;
}

/* Whether a step's own result was compared by statistics alone: those of its values in another order, or
 * moved by a place, are the same. */
static bool is_seen_by_statistics(const xr_finder *f, const xr_difference *d)
{
    const uint32_t layer = layer_at(f, d->step[0]);
    return layer != EXRAY_NO_INDEX && exray_comparison_layer(f->comparison, layer)->from_stats;
}

/* Of a result that seems right: what the first that reads it makes of it, past functions of single elements.
 * d->behind becomes the layer that is wrong. */
static xr_state look_behind(xr_finder *f, xr_difference *d)
{
    const xr_step_graph *g = &xr_finder_match(f)->side[0];
    uint32_t made = g->step[d->step[0]].output;
    xr_state out = XR_STATE_CLEAN;
    for (uint32_t i = d->step[0] + 1; out == XR_STATE_CLEAN && i < g->count; i++) {
        const xr_op_step *step = &g->step[i];
        bool reads = false;
        for (uint32_t k = 0; k < step->input_count; k++)
            reads = reads || step->input[k] == made;
        if (!reads || xr_finder_match(f)->mate[0][i] == EXRAY_NO_INDEX)
            continue;
        out = xr_state_behind(&f->values, i) == XR_STATE_WRONG ? XR_STATE_WRONG : out;
        if (out == XR_STATE_WRONG)
            d->behind = layer_at(f, i);
        else if (step->kind == XR_STEP_FUNCTION ||
                 (step->kind == XR_STEP_CONCAT && is_seen_by_statistics(f, d)))
            made = step->output;
    }
    return out;
}

bool xr_judge_made(xr_finder *f, xr_difference *d)
{
    xr_state out = xr_state_behind(&f->values, d->step[0]);
    const bool seems = out == XR_STATE_CLEAN && is_seen_by_statistics(f, d);
    if (seems)
        out = look_behind(f, d);
    if (!xr_judge_difference(f, d, given(f, xr_finder_step(f, 0, d->step[0])), out))
        return false;
    if (seems && d->proof == XR_PROOF_SHOWN)
        d->proof = XR_PROOF_BEHIND; /* by what follows alone */
    return true;
}

void xr_judge_step(xr_finder *f, xr_difference *d)
{
    if (d && !xr_judge_made(f, d))
        xr_drop_difference(f);
}

void xr_judge_order(xr_finder *f, xr_difference *d)
{
    if (!d)
        return;
    const xr_step_graph *g = &xr_finder_match(f)->side[0];
    const uint32_t made = g->step[d->step[0]].output;
    xr_state out = xr_state_behind(&f->values, d->step[0]);
    const bool joins = g->step[d->step[0]].kind == XR_STEP_CONCAT;
    if (joins && !is_seen_by_statistics(f, d) &&
        xr_state_of(&f->values, made, xr_finder_step(f, 1, d->step[1])->output) == XR_STATE_CLEAN) {
        xr_drop_difference(f); /* what is joined is alike: its order makes nothing of it */
        return;
    }
    if (out == XR_STATE_CLEAN)
        out = look_behind(f, d);
    if (!xr_judge_difference(f, d, given(f, xr_finder_step(f, 0, d->step[0])), out))
        xr_drop_difference(f);
}

bool xr_difference_is_coarse(const xr_finder *f, const xr_difference *d)
{
    return d->behind == EXRAY_NO_INDEX
               ? xr_are_outputs_coarse(f->comparison)
               : exray_comparison_layer(f->comparison, d->behind)->noise >= XR_COARSE_NOISE &&
                     xr_has_coarse_layer(f->comparison);
}

static bool runs_tflite(const char *engine)
{
    return strcmp(engine, "tflite") == 0 || strcmp(engine, "litert") == 0;
}

bool xr_have_one_format(const xr_finder *f)
{
    const char *a = f->out->match.side[0].model->engine, *b = f->out->match.side[1].model->engine;
    return !a || !b || strcmp(a, b) == 0 || (runs_tflite(a) && runs_tflite(b));
}
