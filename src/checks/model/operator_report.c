#include "checks/model/operator_report.h"

#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/coarse.h"
#include "checks/model/model_fit.h"
#include "checks/model/range_activation.h"
#include "checks/output/graph_tail.h"
#include "checks/place_of.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What a float16 copy of a model costs at its outputs (nRMSE). */
#define SMALL_EFFECT 1e-4

/* The rounding of a whole network of floats, in that of one of its layers. */
#define OF_NETWORK 2.3

enum { MOST_NAMED = 6 };

typedef struct report {
    const exray_comparison *comparison;
    const xr_differences *all;
    exray_findings *findings;
    bool *told; /* [all->count] */
} report;

static const xr_difference *at(const report *r, size_t i)
{
    return &r->all->list[i];
}

static bool is_gap(const xr_difference *d)
{
    return d->kind >= XR_DIFFERENCE_SOURCE;
}

/* ---- What is told ---------------------------------------------------------------------- */

/* A range that clips 8-bit values as the activation would takes its place. */
static bool is_by_range(const report *r, const xr_difference *d)
{
    const exray_layer_pair *layer =
        d->layer == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(r->comparison, d->layer);
    return layer && d->count[0] + d->count[1] == 1 &&
           xr_range_activates(r->comparison, layer, d->count[0] ? d->value[0] : "NONE",
                              d->count[1] ? d->value[1] : "NONE");
}

/* The same operator on both sides, so that what it says compares without interpretation. */
static bool is_plain(const report *r, const xr_difference *d)
{
    if (d->kind > XR_DIFFERENCE_CONSTANT || d->step[0] == EXRAY_NO_INDEX)
        return false;
    const exray_node *a = r->all->match.side[0].step[d->step[0]].node,
                     *b = r->all->match.side[1].step[d->step[1]].node;
    return a->op && b->op && strcmp(a->op, b->op) == 0;
}

static bool any_shown(const report *r)
{
    for (size_t i = 0; i < r->all->count; i++)
        if (at(r, i)->proof == XR_PROOF_SHOWN)
            return true;
    return false;
}

/* Whether a constant of that name is among the weights that differ: the bias of one channel. */
static bool is_other_weight(const report *r, const char *name)
{
    const xr_model_fit *fit = xr_model_fit_made(r->findings);
    for (size_t i = 0; fit && i < fit->count; i++)
        if (fit->pair[i].differs && fit->pair[i].name && strcmp(fit->pair[i].name, name) == 0)
            return true;
    return false;
}

/* Whether it is a recurrent layer's first state, or a constant, of which both files have numbers that were
 * told as weights. */
static bool is_told_as_weights(const report *r, const xr_difference *d)
{
    const bool state = strncmp(d->key, "initial_", strlen("initial_")) == 0,
               constant = d->kind == XR_DIFFERENCE_CONSTANT && is_other_weight(r, d->key);
    if (!(state || constant) || d->layer == EXRAY_NO_INDEX)
        return false;
    return xr_is_told_of_layer(r->comparison, r->findings, "model.weights", d->layer);
}

/* Whether it is a part that one side has summed into its weights (branches, an adapter), and these were told
 * as others. */
static bool is_summed_wrongly(const report *r, const xr_difference *d)
{
    const xr_model_fit *fit = xr_model_fit_made(r->findings);
    for (size_t i = 0; is_gap(d) && d->layer != EXRAY_NO_INDEX && fit && i < fit->count; i++)
        if (fit->pair[i].layer == d->layer && fit->pair[i].of_more && fit->pair[i].differs)
            return true;
    return false;
}

/* Whether a difference is reported for itself, not only beside others of its cause. */
static bool is_worth_telling(const report *r, const xr_difference *d)
{
    if (is_by_range(r, d) || is_told_as_weights(r, d) || is_summed_wrongly(r, d))
        return false;
    switch (d->proof) {
    case XR_PROOF_SHOWN:
    case XR_PROOF_HIDDEN:
        return true;
    case XR_PROOF_BEHIND:
        return is_plain(r, d) && !d->lone && !(strcmp(d->key, "perm") == 0 && any_shown(r));
    default: /* no values: the graphs alone, where the outputs show that there is a fault */
        return !any_shown(r) && !d->lone && (is_plain(r, d) || d->kind == XR_DIFFERENCE_ATTRIBUTE) &&
               !xr_inputs_differ(r->comparison) &&
               (xr_outputs_differ(r->comparison) || xr_outputs_of_other_shape(r->comparison));
    }
}

/* Whether there are layers, or outputs alone, in which 8 bits may hide a difference. */
static bool is_any_coarse(const exray_comparison *comparison)
{
    if (xr_has_coarse_layer(comparison))
        return true;
    size_t outputs = exray_comparison_layer_count(comparison) ? 0 : exray_comparison_output_count(comparison);
    for (size_t i = 0; i < outputs; i++)
        if (exray_comparison_output(comparison, i)->noise >= XR_COARSE_NOISE)
            return true;
    return false;
}

/* What the coarsest floats of all layers round. */
static double float_noise(const exray_comparison *comparison)
{
    double most = 0;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        double own = exray_comparison_layer(comparison, i)->own_noise;
        most = own < XR_COARSE_OWN_NOISE ? fmax(most, own) : most;
    }
    return most;
}

/* Whether no output differs by more than a network's rounding, whatever layers may amplify rightly. */
static bool is_nothing_left(const exray_comparison *comparison)
{
    double most = OF_NETWORK * float_noise(comparison);
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (output->comparable && !(output->error <= most))
            return false;
    }
    return true;
}

/* Clean layers behind a difference end it where they are of floats; in 8 bits "within noise" is much, and the
 * outputs decide. */
static bool is_surely_absorbed(const report *r, const xr_difference *d)
{
    const exray_layer_pair *layer =
        d->layer == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(r->comparison, d->layer);
    return d->absorbed && !is_any_coarse(r->comparison) && (!layer || is_nothing_left(r->comparison));
}

static bool is_compared(const exray_comparison *comparison, uint32_t tensor)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_output(comparison, i)->comparable &&
            xr_output_tensor(comparison, EXRAY_SIDE_EDGE, i) == tensor)
            return true;
    return false;
}

/* Whether the nearest layers that were compared of what a tensor is made of differ by little. */
static bool is_little_before(const exray_comparison *comparison, const exray_model *model, uint32_t tensor,
                             int depth)
{
    const size_t at = xr_layer_that_makes(comparison, EXRAY_SIDE_EDGE, tensor);
    const exray_layer_pair *layer = at == SIZE_MAX ? NULL : exray_comparison_layer(comparison, at);
    if (layer && !isnan(layer->error))
        return !(layer->error > layer->noise && layer->metrics.nrmse >= SMALL_EFFECT);
    for (uint32_t n = 0; depth && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool makes = false;
        for (uint32_t k = 0; k < node->output_count; k++)
            makes = makes || node->outputs[k] == tensor;
        for (uint32_t k = 0; makes && k < node->input_count; k++)
            if (!is_little_before(comparison, model, node->inputs[k], depth - 1))
                return false;
    }
    return true;
}

/* Whether an output that was not compared (a list, another shape) is made of layers that differ by much. */
static bool is_much_left_unseen(const exray_comparison *comparison)
{
    enum { FURTHEST = 3 };
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    for (uint32_t i = 0; model && i < model->output_count; i++)
        if (!is_compared(comparison, model->outputs[i]) &&
            !is_little_before(comparison, model, model->outputs[i], FURTHEST))
            return true;
    return false;
}

bool xr_outputs_differ_little(const exray_comparison *comparison)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(comparison);
    const size_t count = exray_comparison_output_count(comparison);
    bool little = count > 0 && !(accuracy->frames > 0 && accuracy->agreement < 1);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        little = little && output->comparable && output->metrics.nrmse < SMALL_EFFECT;
    }
    return little;
}

static exray_severity severity_of(const report *r, const xr_difference *d)
{
    if (d->proof == XR_PROOF_HIDDEN)
        return EXRAY_SEVERITY_WARNING;
    if (is_surely_absorbed(r, d))
        return EXRAY_SEVERITY_INFO;
    if (xr_outputs_of_other_shape(r->comparison)) /* more or fewer rows in some frames: those it decided */
        return EXRAY_SEVERITY_ERROR;
    return xr_outputs_differ_little(r->comparison) && !is_much_left_unseen(r->comparison)
               ? EXRAY_SEVERITY_WARNING
               : EXRAY_SEVERITY_ERROR;
}

/* ---- One cause in several places ------------------------------------------------------------- */

static bool same_op(const xr_op_step *a, const xr_op_step *b)
{
    return a->node->op && b->node->op && strcmp(a->node->op, b->node->op) == 0;
}

/* Whether two gaps of a side hold the same operators, each named after its place: as many, and the same at
 * both ends; of one function, the same function.  *any: they hold some. */
static bool same_gap(const report *r, const xr_difference *a, const xr_difference *b, int side, bool *any)
{
    const xr_step_graph *g = &r->all->match.side[side];
    if (a->count[side] != b->count[side])
        return false;
    if (a->count[side] == 0)
        return true;
    if (a->count[side] == 1 && g->step[a->last[side]].kind == XR_STEP_FUNCTION)
        return strcmp(a->value[side], b->value[side]) == 0;
    *any = true;
    return same_op(&g->step[a->first[side]], &g->step[b->first[side]]) &&
           same_op(&g->step[a->last[side]], &g->step[b->last[side]]);
}

/* One operator in the place of another, or one part that is missing or added, in several places. */
static bool same_operators(const report *r, const xr_difference *a, const xr_difference *b)
{
    bool any = false;
    return same_gap(r, a, b, 0, &any) && same_gap(r, a, b, 1, &any) && any;
}

/* Two readers of which each reads what the other should: a layer's values, or a constant. */
static bool is_exchange(const xr_difference *a, const xr_difference *b)
{
    return (a->kind == XR_DIFFERENCE_SOURCE || a->kind == XR_DIFFERENCE_CONSTANT) && b->kind == a->kind &&
           *a->value[0] && strcmp(a->value[0], b->value[1]) == 0 && strcmp(a->value[1], b->value[0]) == 0;
}

/* Where the shape of what is transposed begins in the words for a move. */
static const char *shape_in(const xr_difference *d, int side)
{
    const char *of = strstr(d->value[side], " of ");
    return of ? of : "";
}

/* Values that were cut up otherwise before they were moved, whatever order the moves are: heads, groups. */
static bool same_cutting(const xr_difference *a, const xr_difference *b)
{
    return a->kind == XR_DIFFERENCE_MOVES && b->kind == XR_DIFFERENCE_MOVES && *shape_in(a, 0) &&
           strcmp(shape_in(a, 0), shape_in(a, 1)) != 0 && strcmp(shape_in(a, 0), shape_in(b, 0)) == 0 &&
           strcmp(shape_in(a, 1), shape_in(b, 1)) == 0;
}

/* One attribute of one operator that is another in several places, by other numbers. */
static bool same_attribute(const report *r, const xr_difference *a, const xr_difference *b)
{
    if (a->kind != XR_DIFFERENCE_ATTRIBUTE || b->kind != a->kind || strcmp(a->key, b->key) != 0 ||
        a->step[0] == EXRAY_NO_INDEX || b->step[0] == EXRAY_NO_INDEX)
        return false;
    const xr_op_step *x = &r->all->match.side[0].step[a->step[0]],
                     *y = &r->all->match.side[0].step[b->step[0]];
    return x->kind == y->kind && strcmp(x->word, y->word) == 0 &&
           (b->proof == XR_PROOF_BEHIND || severity_of(r, a) == severity_of(r, b));
}

/* Whether a function is another one by a constant that is told as such. */
static bool is_by_constant(const report *r, const xr_difference *constant, const xr_difference *function)
{
    if (constant->kind != XR_DIFFERENCE_CONSTANT || function->kind != XR_DIFFERENCE_FUNCTION ||
        function->step[1] == EXRAY_NO_INDEX)
        return false;
    const xr_step_graph *g = &r->all->match.side[1];
    const exray_node *node = g->step[function->step[1]].node;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const exray_tensor_info *info =
            node->inputs[i] < g->model->tensor_count ? &g->model->tensors[node->inputs[i]] : NULL;
        if (info && info->constant && info->name && strcmp(info->name, constant->key) == 0)
            return true;
    }
    return false;
}

/* The same cause in several places. */
static bool same_cause(const report *r, const xr_difference *a, const xr_difference *b)
{
    bool gaps = is_gap(a) && is_gap(b) && a->count[0] + a->count[1] > 1;
    if (gaps && a->last[0] == b->last[0] && a->last[1] == b->last[1])
        return true; /* the same missing steps, seen by another reader */
    if (a->kind == b->kind && is_gap(a) && a->kind != XR_DIFFERENCE_SOURCE && same_operators(r, a, b))
        return true;
    if (same_cutting(a, b) || same_attribute(r, a, b) || is_exchange(a, b) || is_by_constant(r, a, b) ||
        is_by_constant(r, b, a))
        return true;
    return a->kind == b->kind && strcmp(a->key, b->key) == 0 && strcmp(a->value[0], b->value[0]) == 0 &&
           strcmp(a->value[1], b->value[1]) == 0;
}

/* ---- Words ----------------------------------------------------------------------------------- */

/* "Layer 12 (Conv) down0", or of what no pair of layers shows, the step. */
static void place_words(const report *r, const xr_difference *d, char *text, size_t size)
{
    if (d->layer != EXRAY_NO_INDEX) {
        const exray_layer_pair *layer = exray_comparison_layer(r->comparison, d->layer);
        snprintf(text, size, "Layer %u (%.40s) %.*s", (unsigned)layer->node[0], layer->op[0],
                 XR_SHORT_NAME(layer->name[0]));
    } else if (d->step[0] != EXRAY_NO_INDEX) {
        const xr_op_step *step = &r->all->match.side[0].step[d->step[0]];
        snprintf(text, size, "Layer %u (%.40s) %.120s", (unsigned)step->at,
                 step->node->op ? step->node->op : "?", xr_step_name(&r->all->match.side[0], step));
    } else
        snprintf(text, size, "The model's output");
}

static void tell_step(const xr_difference *d, const char *place, exray_finding *f)
{
    const char *several;
    switch (d->kind) {
    case XR_DIFFERENCE_ATTRIBUTE:
        several = strchr(d->key, ',') ? ":" : "";
        exray_finding_summary(f, "%s has %s%s %s on the edge, %s in the reference.", place, d->key, several,
                              d->value[0], d->value[1]);
        exray_finding_fix(f, "Convert the model again with %s%s %s for this layer.", d->key, several,
                          d->value[1]);
        break;
    case XR_DIFFERENCE_CONSTANT:
        exray_finding_summary(f, "%s reads the constant %s: %s on the edge, %s in the reference.", place,
                              d->key, d->value[0], d->value[1]);
        exray_finding_fix(f, "Convert the model again: %s is to be %s.", d->key, d->value[1]);
        break;
    case XR_DIFFERENCE_ORDER:
        exray_finding_summary(f, "%s reads its inputs in another order than the reference's.", place);
        exray_finding_fix(f, "Convert the model again: the operands of this layer were exchanged.");
        break;
    case XR_DIFFERENCE_MOVES:
        exray_finding_summary(f, "%s moves values to other places: %s on the edge, %s in the reference.",
                              place, d->value[0], d->value[1]);
        exray_finding_fix(f, "Convert the model again: reshape and transpose here as the reference does.");
        break;
    default:
        exray_finding_summary(f, "%s computes %s on the edge, %s in the reference.", place, d->value[0],
                              d->value[1]);
        exray_finding_fix(f, "Convert the model again with %s in this place.", d->value[1]);
        exray_finding_text(f, "activation", d->value[1]);
        break;
    }
}

/* What is between the layer and the one before. */
static void tell_gap(const xr_difference *d, const char *place, exray_finding *f)
{
    switch (d->kind) {
    case XR_DIFFERENCE_SOURCE:
        exray_finding_summary(f, "%s reads %s on the edge, %s in the reference.", place, d->value[0],
                              d->value[1]);
        exray_finding_fix(f, "Convert the model again: this layer is connected otherwise.");
        break;
    case XR_DIFFERENCE_LACKS:
        if (d->count[1] == 1)
            exray_finding_summary(f, "%s lacks %s, which the reference has.", place, d->value[1]);
        else
            exray_finding_summary(
                f, "The edge's model lacks a part of the reference's, %s, before this layer: %s.",
                d->value[1], place);
        exray_finding_fix(f, "Convert the whole model again: these layers were left out.");
        break;
    case XR_DIFFERENCE_EXTRA:
        if (d->count[0] == 1)
            exray_finding_summary(f, "%s applies %s, which the reference has not.", place, d->value[0]);
        else
            exray_finding_summary(
                f, "The edge's model has a part that the reference lacks, %s, before this layer: %s.",
                d->value[0], place);
        exray_finding_fix(f, "Convert the model again: these layers were added.");
        break;
    default:
        exray_finding_summary(f, "%s is computed by %s on the edge, by %s in the reference.", place,
                              d->value[0], d->value[1]);
        exray_finding_fix(f, "Convert the model again with the reference's operators in this place.");
        break;
    }
}

static void add_numbers(const report *r, const xr_difference *d, exray_finding *f)
{
    exray_finding_text(f, "attribute", d->key);
    if (d->layer == EXRAY_NO_INDEX && d->step[0] == EXRAY_NO_INDEX)
        exray_finding_number(f, XR_AT_OUTPUT, 1);
    exray_finding_text(f, "edge", d->value[0]);
    exray_finding_text(f, "reference", d->value[1]);
    if (is_gap(d)) {
        exray_finding_number(f, "edge_steps", d->count[0]);
        exray_finding_number(f, "reference_steps", d->count[1]);
    }
    if (d->layer == EXRAY_NO_INDEX)
        return;
    const exray_layer_pair *layer = exray_comparison_layer(r->comparison, d->layer);
    exray_finding_number(f, "error_to_signal", layer->error);
    exray_finding_number(f, "noise_to_signal", layer->noise);
}

/* "layer_17": xr_is_about_layer looks it up. */
static void add_layer(const report *r, uint32_t layer, exray_finding *f)
{
    char key[40];
    if (layer == EXRAY_NO_INDEX)
        return;
    const exray_layer_pair *pair = exray_comparison_layer(r->comparison, layer);
    snprintf(key, sizeof key, "layer_%u", (unsigned)pair->node[0]);
    exray_finding_number(f, key, pair->error);
}

/* A step that a bias was joined to is two layers: the one that reads the difference is before `behind`. */
static void add_first_behind(const report *r, const xr_difference *d, exray_finding *f)
{
    if (d->step[0] == EXRAY_NO_INDEX || d->behind == EXRAY_NO_INDEX)
        return;
    uint32_t at = r->all->match.side[0].step[d->step[0]].at;
    for (uint32_t i = d->behind; i-- > 0;) {
        const exray_layer_pair *pair = exray_comparison_layer(r->comparison, i);
        if (pair->node[EXRAY_SIDE_EDGE] <= at)
            return;
        if (pair->role == EXRAY_LAYER_ROLE_ORIGINATES)
            add_layer(r, i, f);
    }
}

/* A step whose own outputs have no counterpart of their shape shows in every layer that reads one of them,
 * straight or through others of which none was compared. */
static void add_readers(const report *r, const xr_difference *d, exray_finding *f)
{
    const exray_model *model = r->all->match.side[0].model;
    if (d->step[0] == EXRAY_NO_INDEX || d->layer != EXRAY_NO_INDEX || is_gap(d))
        return;
    bool *made = calloc((size_t)model->tensor_count + 1, sizeof *made);
    const exray_node *first = r->all->match.side[0].step[d->step[0]].node;
    for (uint32_t i = 0; made && i < first->output_count; i++)
        if (first->outputs[i] < model->tensor_count)
            made[first->outputs[i]] = true;
    for (uint32_t n = 0; made && n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool reads = false;
        for (uint32_t i = 0; i < node->input_count; i++)
            reads = reads || (node->inputs[i] < model->tensor_count && made[node->inputs[i]]);
        for (uint32_t k = 0; reads && k < node->output_count; k++) {
            uint32_t tensor = node->outputs[k];
            if (tensor >= model->tensor_count)
                continue;
            uint32_t layer = r->all->match.layer[tensor];
            add_layer(r, layer, f);
            made[tensor] = layer == EXRAY_NO_INDEX;
        }
    }
    free(made);
}

/* The layers where it shows: its own, the first behind, and of steps that are missing each that reads them.
 */
static void add_layers(const report *r, const xr_difference *d, exray_finding *f)
{
    const xr_step_match *m = &r->all->match;
    add_layer(r, d->layer, f);
    add_layer(r, d->behind, f);
    add_first_behind(r, d, f);
    add_readers(r, d, f);
    if (d->step[0] == EXRAY_NO_INDEX || !is_gap(d))
        return;
    const xr_op_step *step = &m->side[0].step[d->step[0]];
    uint32_t tensors[2] = {step->output, step->node->output_count ? step->node->outputs[0] : EXRAY_NO_INDEX};
    for (int i = 0; i < 2; i++)
        if (tensors[i] < m->side[0].model->tensor_count)
            add_layer(r, m->layer[tensors[i]], f);
}

/* Whether a step has a difference of the cause that is being told. */
static bool is_at_step_of(const report *r, size_t head, const xr_difference *d)
{
    for (size_t i = 0; i < r->all->count; i++)
        if (at(r, i)->step[0] == d->step[0] && same_cause(r, at(r, head), at(r, i)))
            return true;
    return false;
}

/* Steps beside another difference at the same layer are a part of that. */
static void add_beside(const report *r, size_t head, exray_finding *f)
{
    const xr_difference *named =
        NULL; /* the last one: another part of that place is told in the same words */
    for (size_t i = 0; i < r->all->count; i++) {
        const xr_difference *d = at(r, i);
        if (r->told[i] || d->step[0] == EXRAY_NO_INDEX || d->kind == XR_DIFFERENCE_FUNCTION ||
            !is_at_step_of(r, head, d))
            continue;
        r->told[i] = true;
        if (!named || strcmp(d->key, named->key) != 0 || strcmp(d->value[0], named->value[0]) != 0 ||
            strcmp(d->value[1], named->value[1]) != 0)
            exray_finding_detail(f, "There, too: %s on the edge, %s in the reference (%s).", d->value[0],
                                 d->value[1], d->key);
        named = d;
    }
}

/* What it changes of the layer's result, where that was computed. */
static void tell_effect(const xr_difference *d, exray_finding *f)
{
    const char *hidden =
        d->proof == XR_PROOF_HIDDEN ? ", which lies within the noise of the layer's 8 bits" : "";
    if (!isnan(d->effect)) {
        exray_finding_detail(
            f, "On the edge's own values it changes the layer's result by %.2g of its deviation%s.",
            d->effect, hidden);
        exray_finding_number(f, "effect_to_signal", d->effect);
    } else if (*hidden)
        exray_finding_detail(f, "What it changes lies within the noise of the layer's 8 bits.");
}

static void report_cause(const report *r, size_t head)
{
    const xr_difference *d = at(r, head);
    double confidence = d->proof == XR_PROOF_SHOWN || d->proof == XR_PROOF_HIDDEN ? 0.95
                        : d->proof == XR_PROOF_BEHIND                             ? 0.85
                                                                                  : 0.7;
    exray_severity severity = severity_of(r, d);
    exray_finding *f = exray_findings_add(r->findings, "model.operator", severity, confidence);
    char place[200];
    place_words(r, d, place, sizeof place);
    const char *name = d->layer != EXRAY_NO_INDEX ? exray_comparison_layer(r->comparison, d->layer)->name[0]
                       : d->last[1] != EXRAY_NO_INDEX && is_gap(d) && d->count[1]
                           ? xr_step_name(&r->all->match.side[1], &r->all->match.side[1].step[d->last[1]])
                           : NULL;
    exray_finding_where(f, d->layer == EXRAY_NO_INDEX ? "model" : "layer", name, d->layer);
    if (is_gap(d))
        tell_gap(d, place, f);
    else
        tell_step(d, place, f);
    if (severity == EXRAY_SEVERITY_INFO)
        exray_finding_detail(f, "Nothing of it is left at the model's outputs.");
    if (d->proof == XR_PROOF_BEHIND)
        exray_finding_detail(f, "It lies behind another difference, so its own effect does not show.");
    tell_effect(d, f);
    add_numbers(r, d, f);
    size_t named = 0;
    for (size_t i = 0; i < r->all->count; i++) {
        if (!same_cause(r, d, at(r, i)))
            continue;
        r->told[i] = true;
        add_layers(r, at(r, i), f);
        if (i == head || (at(r, i)->layer == d->layer && at(r, i)->step[0] == d->step[0]) ||
            named++ >= MOST_NAMED)
            continue;
        place_words(r, at(r, i), place, sizeof place);
        if ((same_attribute(r, d, at(r, i)) || is_exchange(d, at(r, i))) &&
            (strcmp(d->value[0], at(r, i)->value[0]) != 0 || strcmp(d->value[1], at(r, i)->value[1]) != 0))
            exray_finding_detail(f, "Likewise %s%s%s: %s on the edge, %s in the reference.", place,
                                 d->kind == XR_DIFFERENCE_CONSTANT ? ", the constant " : "",
                                 d->kind == XR_DIFFERENCE_CONSTANT ? at(r, i)->key : "", at(r, i)->value[0],
                                 at(r, i)->value[1]);
        else
            exray_finding_detail(f, "The same at: %s.", place);
    }
    if (named > MOST_NAMED)
        exray_finding_detail(f, "And at %zu more; all are in the JSON.", named - MOST_NAMED);
    add_beside(r, head, f);
}

/* ---- Kept for other assertions ---------------------------------------------------------------- */

static const char attached_key[] = "graph_differences";

static void release(void *state)
{
    xr_differences_free(state);
    free(state);
}

bool xr_differences_get(const exray_comparison *comparison, exray_findings *findings,
                        const xr_differences **out)
{
    bool models = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE)) &&
                  exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    *out = xr_findings_attached(findings, attached_key, 0);
    if (*out || !models || xr_is_same_file(comparison) ||
        !(xr_layers_differ(comparison) || xr_outputs_differ(comparison) || is_any_coarse(comparison) ||
          xr_outputs_of_other_shape(comparison)))
        return true;
    xr_differences *made = calloc(1, sizeof *made);
    if (!made || !xr_differences_find(comparison, made)) {
        free(made);
        return false;
    }
    if (!xr_findings_attach(findings, attached_key, 0, made, release))
        return false;
    *out = made;
    return true;
}

bool xr_is_contradicted(const exray_findings *findings, const exray_layer_pair *layer)
{
    const xr_differences *differences = xr_findings_attached(findings, attached_key, 0);
    return differences && xr_differences_contradict(differences, layer);
}

bool xr_is_of_unknown_content(const exray_findings *findings, const exray_layer_pair *layer)
{
    const xr_differences *differences = xr_findings_attached(findings, attached_key, 0);
    if (!differences || strcmp(layer->op[0], layer->op[1]) == 0)
        return false;
    for (int s = 0; s < 2; s++) {
        const xr_step_graph *g = &differences->match.side[s];
        const uint32_t tensor = xr_tensor_of_layer(g->model, layer, (exray_side)s),
                       maker = tensor == EXRAY_NO_INDEX ? tensor : g->tensor[tensor].maker;
        if (maker != EXRAY_NO_INDEX && xr_step_is_whole(&g->step[maker]))
            return true;
    }
    return false;
}

bool xr_is_layer_absorbed(const exray_comparison *comparison, const exray_findings *findings,
                          const exray_layer_pair *layer)
{
    const xr_differences *differences = xr_findings_attached(findings, attached_key, 0);
    return differences && layer->own_noise < XR_COARSE_OWN_NOISE && is_nothing_left(comparison) &&
           xr_differences_absorb(comparison, differences, layer);
}

/* Whether what is wrong with the model, or with a layer's integers, has a name. */
static bool is_model_wrong(const exray_findings *findings)
{
    return xr_has_error(findings, "model.") || xr_has_error(findings, "layer.saturation") ||
           xr_has_error(findings, "layer.range") || xr_has_error(findings, "layer.zero_point");
}

/* Whether a side's node of one layer reads what its node of another makes. */
static bool layer_reads(const exray_comparison *comparison, exray_side side, const exray_layer_pair *reader,
                        const exray_layer_pair *made)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    const uint32_t n = reader->node[side],
                   tensor = model ? xr_tensor_of_layer(model, made, side) : EXRAY_NO_INDEX;
    return tensor != EXRAY_NO_INDEX && n < model->node_count && xr_node_reads(&model->nodes[n], tensor);
}

bool xr_reads_contradicted(const exray_comparison *comparison, const exray_findings *findings, size_t layer)
{
    const exray_layer_pair *reader = exray_comparison_layer(comparison, layer);
    const bool wrong = is_model_wrong(findings);
    for (size_t k = 0; k < exray_comparison_layer_count(comparison); k++) {
        const exray_layer_pair *other = exray_comparison_layer(comparison, k);
        const bool reads = k != layer && (layer_reads(comparison, EXRAY_SIDE_REFERENCE, reader, other) ||
                                          layer_reads(comparison, EXRAY_SIDE_EDGE, reader, other));
        /* Its operator was told to be another, however little that costs. */
        if (reads && xr_is_contradicted(findings, other) &&
            (wrong || xr_is_told_of_layer(comparison, findings, "model.operator", k)))
            return true;
    }
    return false;
}

/* ---- All ------------------------------------------------------------------------------------------ */

/* Of a cause, the first place that shows it speaks for all. */
static void report_with_proof(const report *r, xr_difference_proof proof, bool gaps)
{
    for (size_t i = 0; i < r->all->count; i++)
        if (!r->told[i] && at(r, i)->proof == proof && is_gap(at(r, i)) == gaps &&
            is_worth_telling(r, at(r, i)))
            report_cause(r, i);
}

bool xr_report_operators(const exray_comparison *comparison, const xr_differences *differences,
                         exray_findings *findings)
{
    report r = {comparison, differences, findings, calloc(differences->count + 1, sizeof(bool))};
    if (!r.told)
        return false;
    for (int proof = XR_PROOF_SHOWN; proof >= XR_PROOF_NONE; proof--)
        for (int gaps = 0; gaps < 2; gaps++)
            report_with_proof(&r, (xr_difference_proof)proof, gaps);
    free(r.told);
    return true;
}
