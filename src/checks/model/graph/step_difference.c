#include "checks/model/graph/step_difference.h"

#include "checks/model/graph/between/step_moves.h"
#include "checks/model/graph/difference/compare_pair.h"
#include "checks/model/graph/difference/compare_scales.h"
#include "checks/model/graph/difference/compare_sources.h"
#include "checks/model/graph/join/step_cuts.h"

#include <stdlib.h>
#include <string.h>

static bool any_order(const xr_op_step *step)
{
    return step->kind == XR_STEP_COMBINE &&
           (strcmp(step->word, "add") == 0 || strcmp(step->word, "mul") == 0 ||
            strcmp(step->word, "min") == 0 || strcmp(step->word, "max") == 0);
}

/* The same tensors in another order. */
static bool is_permuted(const xr_finder *f, const xr_op_step *a, const xr_op_step *b)
{
    for (uint32_t i = 0; i < a->input_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->input_count; k++)
            found = found || xr_finder_mate(f, a->input[i]) == b->input[k];
        if (!found)
            return false;
    }
    return true;
}

static bool is_in_order(const xr_finder *f, const xr_op_step *a, const xr_op_step *b)
{
    for (uint32_t i = 0; i < a->input_count; i++)
        if (xr_finder_mate(f, a->input[i]) != b->input[i])
            return false;
    return true;
}

/* The reference's input that the edge's input i takes the place of. */
static uint32_t place_of(const xr_finder *f, const xr_op_step *a, const xr_op_step *b, uint32_t i)
{
    if (!any_order(a) || a->input_count != 2)
        return i;
    /* Of a sum, the one that the other summand is not. */
    return xr_finder_mate(f, a->input[1 - i]) == b->input[i] ||
                   xr_finder_mate(f, a->input[i]) == b->input[1 - i]
               ? 1 - i
               : i;
}

static bool is_constant(const xr_finder *f, int side, const xr_op_step *step, uint32_t input)
{
    const xr_step_graph *g = &xr_finder_match(f)->side[side];
    return step->node->inputs[input] < g->tensor_count && g->tensor[step->node->inputs[input]].constant;
}

/* Of a constant and a tensor that changes, which is the first: c - x for x - c. */
static bool is_turned(const xr_finder *f, const xr_op_step *a, const xr_op_step *b)
{
    const exray_node *x = a->node, *y = b->node;
    if (any_order(a) || a->kind == XR_STEP_FUNCTION || !x->op || !y->op || strcmp(x->op, y->op) != 0 ||
        x->input_count != 2 || y->input_count != 2 || a->input_count != 1 || b->input_count != 1)
        return false;
    bool first[2] = {is_constant(f, 0, a, 0), is_constant(f, 1, b, 0)};
    return first[0] != first[1] && is_constant(f, 0, a, 1) != first[0] && is_constant(f, 1, b, 1) != first[1];
}

/* Whether a difference was found at a step of the edge. */
static bool is_found_at(const xr_finder *f, uint32_t edge)
{
    for (size_t i = 0; i < f->out->count; i++)
        if (f->out->list[i].step[0] == edge)
            return true;
    return false;
}

/* The two tensors are read at the same place; what lies between may have moved their values. */
static void compare_moves(xr_finder *f, uint32_t edge, uint32_t reference, uint32_t a, uint32_t b)
{
    xr_moves moves[2];
    if (!xr_moves_differ(&f->out->match, a, b, moves) ||
        (moves[0].channels && !xr_have_equal_weights(&f->out->match, edge, reference)))
        return;
    for (uint32_t i = 0; i < moves[0].count; i++)
        if (is_found_at(f, moves[0].step[i]))
            return;
    xr_difference *d = xr_add_difference(f, XR_DIFFERENCE_MOVES, moves[0].count ? moves[0].step[0] : edge,
                                         reference, "order of values");
    if (!d)
        return;
    d->behind = xr_layer_behind_step(f, edge); /* moved values may look right by themselves */
    for (int s = 0; s < 2; s++)
        xr_moves_words(&f->out->match.side[s], &moves[s], d->value[s], sizeof d->value[s]);
    xr_state out = xr_state_of(&f->values, a, b);
    out = out == XR_STATE_WRONG ? out : xr_state_behind(&f->values, edge);
    if (!xr_judge_difference(f, d, xr_state_before(&f->values, moves[0].entry), out))
        xr_drop_difference(f);
}

static void compare_repeated(xr_finder *f, uint32_t edge, uint32_t reference)
{
    char text[2][XR_DIFFERENCE_WORDS];
    if (!xr_repeats_otherwise(xr_finder_match(f)->side, xr_finder_step(f, 0, edge),
                              xr_finder_step(f, 1, reference), text))
        return;
    xr_difference *d =
        xr_add_difference(f, XR_DIFFERENCE_ATTRIBUTE, edge, reference, "repeated dimensions of");
    if (d)
        memcpy(d->value, text, sizeof text);
    xr_judge_step(f, d);
}

static void compare_inputs(xr_finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = xr_finder_step(f, 0, edge), *b = xr_finder_step(f, 1, reference);
    compare_repeated(f, edge, reference);
    if (xr_reads_by_name(a->node)) {
        if (a->input_count && b->input_count && strcmp(a->node->op, "If") == 0 &&
            strcmp(b->node->op, "If") == 0)
            xr_compare_sources(f, edge, reference, a->input[0], b->input[0]); /* what it chooses by */
        return;
    }
    for (uint32_t i = 0; !xr_step_moves_alone(a) && i < a->input_count && a->input_count == b->input_count;
         i++)
        compare_moves(f, edge, reference, a->input[i], b->input[place_of(f, a, b, i)]);
    if (is_turned(f, a, b)) {
        xr_judge_step(f, xr_add_difference(f, XR_DIFFERENCE_ORDER, edge, reference, "inputs"));
        return;
    }
    if (a->input_count != b->input_count || is_in_order(f, a, b))
        return;
    if (is_permuted(f, a, b)) {
        if (!any_order(a))
            xr_judge_order(f, xr_add_difference(f, XR_DIFFERENCE_ORDER, edge, reference, "inputs"));
        return;
    }
    for (uint32_t i = 0; i < a->input_count; i++)
        xr_compare_sources(f, edge, reference, a->input[i], b->input[place_of(f, a, b, i)]);
}

static void compare_cuts(xr_finder *f, uint32_t edge, uint32_t reference)
{
    const xr_cut *a = xr_finder_step(f, 0, edge)->cut, *b = xr_finder_step(f, 1, reference)->cut;
    if (xr_same_cut(xr_finder_match(f)->side, a, b))
        return;
    xr_difference *d = xr_add_difference(f, XR_DIFFERENCE_ATTRIBUTE, edge, reference, "range");
    if (!d)
        return;
    xr_cut_words(a, d->value[0], sizeof d->value[0]);
    xr_cut_words(b, d->value[1], sizeof d->value[1]);
    /* Of a cut of a cut: what the node itself was given. */
    if (!xr_judge_difference(f, d, xr_state_before(&f->values, a->read), xr_state_behind(&f->values, edge)))
        xr_drop_difference(f);
}

/* An attribute that one side leaves out explains nothing where something else does. */
static void drop_lone(xr_finder *f, uint32_t edge)
{
    size_t lone = SIZE_MAX, others = 0;
    for (size_t i = 0; i < f->out->count; i++) {
        const xr_difference *d = &f->out->list[i];
        if (d->step[0] != edge)
            continue;
        lone = d->lone ? i : lone;
        others += !d->lone;
    }
    if (lone == SIZE_MAX || !others)
        return;
    memmove(&f->out->list[lone], &f->out->list[lone + 1], (--f->out->count - lone) * sizeof *f->out->list);
}

static void compare_functions(xr_finder *f, uint32_t edge, uint32_t reference)
{
    if (!xr_steps_are_of_scales(f, edge, reference))
        xr_compare_functions_of(f, edge, reference);
}

static void compare_step(xr_finder *f, uint32_t edge)
{
    uint32_t reference = xr_finder_match(f)->mate[0][edge];
    if (reference == EXRAY_NO_INDEX)
        return;
    if (xr_finder_step(f, 0, edge)->kind == XR_STEP_FUNCTION &&
        xr_finder_step(f, 1, reference)->kind == XR_STEP_FUNCTION)
        compare_functions(f, edge, reference);
    else if (xr_finder_step(f, 0, edge)->cut && xr_finder_step(f, 1, reference)->cut)
        compare_cuts(f, edge, reference);
    else {
        xr_compare_attributes(f, edge, reference);
        xr_compare_constants(f, edge, reference);
        xr_compare_scales(f, edge);
    }
    compare_inputs(f, edge, reference);
    drop_lone(f, edge);
}

static uint32_t output_tensor(const exray_model *model, const char *name, size_t outputs)
{
    uint32_t tensor = xr_step_match_port(model, model->outputs, model->output_count, name);
    bool only = outputs == 1 && model->output_count == 1 && model->outputs[0] < model->tensor_count;
    return tensor == EXRAY_NO_INDEX && only ? model->outputs[0] : tensor;
}

static void compare_outputs(xr_finder *f)
{
    size_t count = exray_comparison_output_count(f->comparison);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(f->comparison, i);
        uint32_t tensor[2];
        for (int s = 0; s < 2; s++) {
            const xr_step_graph *g = &xr_finder_match(f)->side[s];
            tensor[s] = output_tensor(g->model, output->name[s], count);
            if (tensor[s] != EXRAY_NO_INDEX)
                tensor[s] = g->tensor[tensor[s]].same_as;
        }
        bool wrong = output->comparable && !(output->error <= output->noise);
        if (tensor[0] != EXRAY_NO_INDEX && tensor[1] != EXRAY_NO_INDEX && wrong)
            xr_compare_sources(f, EXRAY_NO_INDEX, EXRAY_NO_INDEX, tensor[0], tensor[1]);
    }
}

bool xr_differences_find(const exray_comparison *comparison, xr_differences *out)
{
    *out = (xr_differences){.list = NULL};
    if (!xr_step_match_make(comparison, &out->match))
        return false;
    xr_finder f = {.comparison = comparison, .out = out};
    bool ok = xr_step_values_open(comparison, &out->match, &f.values) &&
              xr_product_scales_find(&out->match, &out->scales);
    for (int s = 0; ok && s < 2; s++) {
        f.seen[s] = calloc((size_t)out->match.side[s].count + 1, sizeof *f.seen[s]);
        ok = f.seen[s] != NULL;
    }
    for (uint32_t i = 0; ok && !f.failed && i < out->match.side[0].count; i++)
        compare_step(&f, i);
    if (ok && !f.failed)
        compare_outputs(&f);
    for (int s = 0; s < 2; s++)
        free(f.seen[s]);
    xr_step_values_close(&f.values);
    ok = ok && !f.failed;
    if (!ok)
        xr_differences_free(out);
    return ok;
}

void xr_differences_free(xr_differences *differences)
{
    xr_step_match_free(&differences->match);
    xr_product_scales_free(&differences->scales);
    free(differences->list);
    *differences = (xr_differences){.list = NULL};
}
