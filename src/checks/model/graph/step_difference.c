#include "checks/model/graph/step_difference.h"

#include "checks/model/coarse.h"
#include "checks/model/graph/between/attribute_texts.h"
#include "checks/model/graph/between/step_axes.h"
#include "checks/model/graph/between/step_effect.h"
#include "checks/model/graph/between/step_fold.h"
#include "checks/model/graph/between/step_gap.h"
#include "checks/model/graph/between/step_moves.h"
#include "checks/model/graph/between/step_range.h"
#include "checks/model/graph/difference_words.h"
#include "checks/model/graph/join/step_cuts.h"
#include "checks/model/graph/step_traits.h"
#include "checks/model/graph/step_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function's effect below this share of its result's deviation is that of floats. */
#define FLOAT_NOISE 3e-6

/* What is less than a float16 copy costs is not worth telling where it does not show. */
#define SMALL_EFFECT 1e-4

typedef struct finder {
    const exray_comparison *comparison;
    xr_differences *out;
    xr_step_values values;
    bool *seen[2];
    bool failed;
} finder;

static const xr_step_match *match_of(const finder *f)
{
    return &f->out->match;
}

static const xr_op_step *step_of(const finder *f, int side, uint32_t i)
{
    return &match_of(f)->side[side].step[i];
}

/* ---- Adding ------------------------------------------------------------------------------ */

/* The pair of layers that a tensor of the edge is only quantized from. */
static uint32_t layer_quantized(const xr_step_match *m, uint32_t tensor)
{
    enum { FURTHEST = 4 };
    const xr_step_graph *g = &m->side[0];
    for (int i = 0; i < FURTHEST && g->tensor[tensor].raw != EXRAY_NO_INDEX; i++) {
        const xr_op_step *raw = &g->raw[g->tensor[tensor].raw];
        if (raw->kind != XR_STEP_FUNCTION || raw->pointwise.op != XR_PW_IDENTITY || raw->input_count != 1)
            break;
        tensor = raw->input[0];
        if (tensor < g->model->tensor_count && m->layer[tensor] != EXRAY_NO_INDEX)
            return m->layer[tensor];
    }
    return EXRAY_NO_INDEX;
}

/* The pair of layers that the edge's step ends in. */
static uint32_t layer_at(const finder *f, uint32_t edge_step)
{
    const xr_step_match *m = match_of(f);
    if (edge_step == EXRAY_NO_INDEX)
        return EXRAY_NO_INDEX;
    const xr_op_step *step = step_of(f, 0, edge_step);
    uint32_t tensors[2] = {step->output, step->node->output_count ? step->node->outputs[0] : step->output};
    for (int i = 0; i < 2; i++)
        if (tensors[i] < m->side[0].model->tensor_count && m->layer[tensors[i]] != EXRAY_NO_INDEX)
            return m->layer[tensors[i]];
    return layer_quantized(m, step->output);
}

/* The first pair of layers at the step or among those that read it. */
static uint32_t layer_behind(const finder *f, uint32_t edge_step)
{
    enum { FURTHEST = 8 };
    const xr_step_graph *g = &match_of(f)->side[0];
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

static xr_difference *add(finder *f, xr_difference_kind kind, uint32_t edge, uint32_t reference,
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
    d->behind = edge == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : layer_behind(f, edge);
    snprintf(d->key, sizeof d->key, "%s", key);
    return d;
}

static void drop_last(finder *f)
{
    f->out->count--;
}

/* ---- What the values say --------------------------------------------------------------------- */

static xr_state given(finder *f, const xr_op_step *step)
{
    xr_state state = XR_STATE_CLEAN;
    for (uint32_t i = 0; i < step->input_count && state != XR_STATE_WRONG; i++) {
        xr_state one = xr_state_before(&f->values, step->input[i]);
        state = one == XR_STATE_CLEAN ? state : one;
    }
    return state;
}

/* False: what the step makes is right, so that the difference is none. */
static bool judge(finder *f, xr_difference *d, xr_state in, xr_state out)
{
    if (out == XR_STATE_CLEAN)
        return false;
    d->proof = in == XR_STATE_WRONG                            ? XR_PROOF_BEHIND
               : in == XR_STATE_CLEAN && out == XR_STATE_WRONG ? XR_PROOF_SHOWN
                                                               : XR_PROOF_NONE;
    d->absorbed = d->step[0] != EXRAY_NO_INDEX && xr_is_absorbed(&f->values, d->step[0]);
    return true;
}

static bool judge_made(finder *f, xr_difference *d)
{
    return judge(f, d, given(f, step_of(f, 0, d->step[0])), xr_state_behind(&f->values, d->step[0]));
}

static void judge_step(finder *f, xr_difference *d)
{
    if (d && !judge_made(f, d))
        drop_last(f);
}

/* Exchanged operands may make the same values in another order, which are compared as such: then what reads
 * them shows it, or what reads a function of them. */
static void judge_order(finder *f, xr_difference *d)
{
    if (!d)
        return;
    const xr_step_graph *g = &match_of(f)->side[0];
    uint32_t made = g->step[d->step[0]].output;
    xr_state out = xr_state_behind(&f->values, d->step[0]);
    for (uint32_t i = d->step[0] + 1; out == XR_STATE_CLEAN && i < g->count; i++) {
        const xr_op_step *step = &g->step[i];
        bool reads = false;
        for (uint32_t k = 0; k < step->input_count; k++)
            reads = reads || step->input[k] == made;
        if (!reads || match_of(f)->mate[0][i] == EXRAY_NO_INDEX)
            continue;
        out = xr_state_behind(&f->values, i) == XR_STATE_WRONG ? XR_STATE_WRONG : out;
        if (out == XR_STATE_WRONG)
            d->behind = layer_at(f, i);
        else if (step->kind == XR_STEP_FUNCTION)
            made = step->output;
    }
    if (!judge(f, d, given(f, step_of(f, 0, d->step[0])), out))
        drop_last(f);
}

/* ---- What 8 bits hide ------------------------------------------------------------------------ */

/* Whether what the step made was compared, or what came of it, with the noise of 8 bits. */
static bool is_coarse(const finder *f, const xr_difference *d)
{
    return d->behind == EXRAY_NO_INDEX
               ? xr_are_outputs_coarse(f->comparison)
               : exray_comparison_layer(f->comparison, d->behind)->noise >= XR_COARSE_NOISE &&
                     xr_has_coarse_layer(f->comparison);
}

/* Whether the outputs alone were recorded of what comes of the step. */
static bool is_unseen(const finder *f, const xr_difference *d)
{
    return d->proof == XR_PROOF_NONE && d->behind == EXRAY_NO_INDEX && is_coarse(f, d);
}

/* A stated difference of an operator whose layer is right as far as 8 bits show: how much it changes what is
 * made of the same values.  False: nothing, or that is not known of a number that seldom matters. */
static bool judge_hidden(finder *f, xr_difference *d, const xr_traits traits[2])
{
    xr_step_effect effect = {NAN, NAN};
    bool small = strncmp(d->key, "eps", 3) == 0;
    if (!is_coarse(f, d) || xr_key_computes_nothing(d->key))
        return false;
    d->proof = XR_PROOF_HIDDEN;
    if (!xr_step_effect_of(&f->values, &f->out->match, d->step, traits, &effect))
        return !small;
    d->effect = effect.moved;
    double own =
        d->behind == EXRAY_NO_INDEX ? INFINITY : exray_comparison_layer(f->comparison, d->behind)->own_noise;
    if (isnan(effect.left) ? effect.moved > own : effect.moved > 2 * effect.left)
        d->proof = XR_PROOF_SHOWN;
    return effect.moved > SMALL_EFFECT;
}

/* ---- At a pair of steps ------------------------------------------------------------------------ */

/* The words of part i of a function, which is one of the part before. */
static bool part_words(const xr_step_graph *g, uint32_t root, const uint32_t *part, size_t i, char *text)
{
    double value[XR_POINTS];
    return xr_step_graph_compute(g, i ? part[i - 1] : root, part[i], xr_points, XR_POINTS, value) &&
           xr_function_words(value, text, XR_DIFFERENCE_WORDS);
}

/* Where functions have no names, the first of their parts that differ may have. */
static void name_parts(finder *f, const xr_op_step *a, const xr_op_step *b, xr_difference *d)
{
    const xr_op_step *step[2] = {a, b};
    uint32_t part[2][XR_FUNCTION_PARTS];
    size_t count[2];
    for (int s = 0; s < 2; s++)
        count[s] = xr_step_graph_parts(&match_of(f)->side[s], step[s]->output, part[s]);
    for (size_t i = 0; i < count[0] && i < count[1]; i++) {
        char words[2][XR_DIFFERENCE_WORDS];
        for (int s = 0; s < 2; s++) {
            const xr_step_graph *g = &match_of(f)->side[s];
            if (!part_words(g, g->tensor[step[s]->output].root, part[s], i, words[s]))
                return;
        }
        if (strcmp(words[0], words[1]) == 0)
            continue;
        memcpy(d->value, words, sizeof words);
        uint32_t tensor = part[0][i];
        if (tensor < match_of(f)->side[0].model->tensor_count && match_of(f)->layer[tensor] != EXRAY_NO_INDEX)
            d->layer = match_of(f)->layer[tensor];
        return;
    }
}

static void compare_functions(finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = step_of(f, 0, edge), *b = step_of(f, 1, reference);
    if (xr_same_function(a->value, b->value, a->slack, b->slack) ||
        xr_step_match_of_others(match_of(f), a, b))
        return;
    xr_difference *d = add(f, XR_DIFFERENCE_FUNCTION, edge, reference, "function");
    double differ, left;
    if (!d)
        return;
    bool named = xr_function_words(a->value, d->value[0], sizeof d->value[0]);
    named = xr_function_words(b->value, d->value[1], sizeof d->value[1]) && named;
    if (!named)
        name_parts(f, a, b, d);
    if (!xr_compare_functions(&f->values, a, b, &differ, &left)) {
        judge_step(f, d);
        return;
    }
    /* Whatever it was given: on these very values the two differ. */
    if (differ < FLOAT_NOISE || !judge(f, d, XR_STATE_CLEAN, XR_STATE_WRONG)) {
        drop_last(f);
        return;
    }
    d->effect = differ;
    if (differ >= 2 * left)
        return;
    /* The recorded values are too coarse to tell the two apart. */
    d->proof = XR_PROOF_HIDDEN;
    if (!named || differ < SMALL_EFFECT || !is_coarse(f, d))
        drop_last(f);
}

static bool same_texts(const exray_node *a, const exray_node *b, const char *key)
{
    const char *x = exray_node_attribute(a, key), *y = exray_node_attribute(b, key);
    if (!x || !y || strcmp(x, y) == 0 || xr_texts_may_agree(x, y))
        return x && y;
    double p[XR_TRAIT_NUMBERS], q[XR_TRAIT_NUMBERS];
    size_t n = xr_attribute_numbers(a, key, p, XR_TRAIT_NUMBERS),
           k = xr_attribute_numbers(b, key, q, XR_TRAIT_NUMBERS);
    bool same = n && n == k && n <= XR_TRAIT_NUMBERS;
    for (size_t i = 0; same && i < n; i++)
        same = fabs(p[i] - q[i]) <= 1e-6 * fabs(q[i]);
    return same;
}

static bool has_trait(const xr_traits *traits, const char *key)
{
    for (size_t i = 0; i < traits->count; i++)
        if (strcmp(traits->trait[i].key, key) == 0)
            return true;
    return false;
}

/* The attributes that differ between nodes of one operator, as the file has them; where `lone`, those that
 * one side leaves out, of these names alone where there are such.  False: none. */
static bool other_texts(const exray_node *a, const exray_node *b, const xr_traits *lone, xr_difference *d)
{
    const exray_node *node[2] = {a, b};
    bool any = false;
    if (!a->op || !b->op || strcmp(a->op, b->op) != 0)
        return false;
    bool first = d->key[0] == '\0';
    for (int s = 0; s < (lone ? 2 : 1); s++)
        for (uint32_t i = 0; i < node[s]->attribute_count; i++) {
            const char *key = node[s]->attributes[i].key;
            const char *text[2] = {key ? exray_node_attribute(a, key) : NULL,
                                   key ? exray_node_attribute(b, key) : NULL};
            bool both = text[0] && text[1];
            if (!key || both == (lone != NULL) || (both && same_texts(a, b, key)) ||
                (lone && !first && !has_trait(lone, key)))
                continue;
            xr_append_words(d->key, sizeof d->key, ", ", key);
            char shown[2][XR_ATTRIBUTE_NUMBER];
            xr_attribute_words(text, shown);
            for (int k = 0; k < 2; k++)
                xr_append_words(d->value[k], sizeof d->value[k], "; ", text[k] ? text[k] : "its default");
            any = true;
        }
    return any;
}

static void trait_texts(const xr_traits traits[2], size_t which[XR_TRAITS][2], size_t count, xr_difference *d)
{
    const char *last = NULL;
    for (size_t i = 0; i < count; i++) {
        const char *name = traits[0].trait[which[i][0]].name;
        if (name && last && strcmp(name, last) == 0) /* rows and columns alike */
            continue;
        last = name;
        xr_append_words(d->key, sizeof d->key, ", ", name ? "coordinates" : traits[0].trait[which[i][0]].key);
        for (int s = 0; s < 2; s++) {
            char words[XR_DIFFERENCE_WORDS];
            xr_trait_words(&traits[s].trait[which[i][s]], words, sizeof words);
            xr_append_words(d->value[s], sizeof d->value[s], "; ", words);
        }
    }
}

/* Whether a kind of step has all that matters of its attributes among its traits. */
static bool is_resolved(xr_op_step_kind kind)
{
    return kind == XR_STEP_CONV || kind == XR_STEP_POOL || kind == XR_STEP_RESIZE || kind == XR_STEP_CONCAT ||
           kind == XR_STEP_SOFTMAX || kind == XR_STEP_PRODUCT || kind == XR_STEP_SHAPE ||
           kind == XR_STEP_COMBINE;
}

static void compare_attributes(finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = step_of(f, 0, edge), *b = step_of(f, 1, reference);
    if (xr_transposes_others(match_of(f)->side, a, b))
        return;
    xr_traits traits[2];
    size_t which[XR_TRAITS][2];
    xr_step_traits_of(&f->out->match.side[0], a, &traits[0]);
    xr_step_traits_of(&f->out->match.side[1], b, &traits[1]);
    size_t differ = xr_traits_differ(&traits[0], &traits[1], which);
    bool unresolved = a->kind == XR_STEP_RESIZE && (traits[0].count == 0 || traits[1].count == 0);
    if (!differ && is_resolved(a->kind) && !unresolved)
        return;
    xr_difference *d = add(f, XR_DIFFERENCE_ATTRIBUTE, edge, reference, "");
    if (!d)
        return;
    bool told = other_texts(a->node, b->node, NULL, d);
    if (differ) {
        xr_traits others = {.count = 0};
        for (size_t i = 0; i < differ; i++)
            others.trait[others.count++] = traits[0].trait[which[i][0]];
        told = other_texts(a->node, b->node, &others, d) || told;
    }
    if (!told && differ)
        trait_texts(traits, which, differ, d);
    xr_join_equal_words((char *const[2]){d->value[0], d->value[1]});
    if (!(told || differ) || xr_attribute_is_moved(match_of(f)->side, a, b, d->key)) {
        drop_last(f);
        return;
    }
    if ((!judge_made(f, d) || is_unseen(f, d)) && !judge_hidden(f, d, traits))
        drop_last(f);
}

/* A constant that is no weight, of both sides. */
static void compare_constant(finder *f, uint32_t edge, uint32_t reference, const uint32_t tensor[2])
{
    enum { MOST = 64 };
    xr_step_graph *side = f->out->match.side;
    const exray_tensor_info *x = xr_step_graph_info(&side[0], tensor[0]),
                            *y = xr_step_graph_info(&side[1], tensor[1]);
    double p[MOST], q[MOST];
    if (!x || !y || !xr_is_count(x) || !xr_is_count(y))
        return;
    size_t n = xr_model_constants_values(&side[0].constants, tensor[0], p, MOST),
           k = xr_model_constants_values(&side[1].constants, tensor[1], q, MOST);
    bool same = n == 0 || k == 0 || n == k;
    for (size_t j = 0; same && j < n && k; j++)
        same = xr_is_same_constant(x, p[j], y, q[j]);
    if (same ||
        (n == k && n && xr_axes_are_moved(side, step_of(f, 0, edge), step_of(f, 1, reference), p, q, n)))
        return;
    xr_difference *d =
        add(f, XR_DIFFERENCE_CONSTANT, edge, reference, y->name && *y->name ? y->name : "a constant input");
    if (!d)
        return;
    xr_constant_words(p, n, d->value[0], sizeof d->value[0]);
    xr_constant_words(q, k, d->value[1], sizeof d->value[1]);
    if (judge_made(f, d) && !is_unseen(f, d))
        return;
    d->proof = XR_PROOF_HIDDEN;
    if (!xr_is_whole(x) || !xr_is_whole(y) || !is_coarse(f, d))
        drop_last(f);
}

/* What operators with graphs of their own are given as constants: how often a loop runs (the inputs before
 * the values that it carries), and what the branches of a choice read, in the order in which they do. */
static void compare_given_constants(finder *f, uint32_t edge, uint32_t reference)
{
    enum { BEFORE_VALUES = 2 };
    const exray_node *a = step_of(f, 0, edge)->node, *b = step_of(f, 1, reference)->node;
    bool loops = strcmp(a->op, "Loop") == 0 && strcmp(b->op, "Loop") == 0,
         choices = strcmp(a->op, "If") == 0 && strcmp(b->op, "If") == 0 && a->input_count == b->input_count;
    uint32_t count = loops ? BEFORE_VALUES : choices ? a->input_count : 0;
    for (uint32_t i = 0; i < count && i < a->input_count && i < b->input_count; i++) {
        const uint32_t tensor[2] = {a->inputs[i], b->inputs[i]};
        bool constant = true;
        for (int s = 0; s < 2; s++) {
            const xr_step_graph *g = &match_of(f)->side[s];
            constant = constant && tensor[s] < g->tensor_count && g->tensor[tensor[s]].constant;
        }
        if (constant)
            compare_constant(f, edge, reference, tensor);
    }
}

/* Constants that are no weights, of nodes of one operator: place by place. */
static void compare_constants(finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = step_of(f, 0, edge), *b = step_of(f, 1, reference);
    if (!a->node->op || !b->node->op || strcmp(a->node->op, b->node->op) != 0)
        return;
    if (xr_reads_by_name(a->node)) {
        compare_given_constants(f, edge, reference);
        return;
    }
    if (a->constant_count != b->constant_count || a->kind == XR_STEP_SHAPE || xr_is_of_integers(a->node))
        return;
    for (uint32_t i = 0; i < a->constant_count; i++)
        compare_constant(f, edge, reference, (const uint32_t[2]){a->constant[i], b->constant[i]});
}

/* ---- Between steps ---------------------------------------------------------------------------- */

static bool any_order(const xr_op_step *step)
{
    return step->kind == XR_STEP_COMBINE &&
           (strcmp(step->word, "add") == 0 || strcmp(step->word, "mul") == 0 ||
            strcmp(step->word, "min") == 0 || strcmp(step->word, "max") == 0);
}

static uint32_t mate_of(const finder *f, uint32_t edge_tensor)
{
    return match_of(f)->tensor_mate[0][edge_tensor];
}

static bool is_entry(const xr_step_gap *gap, uint32_t tensor)
{
    for (uint32_t i = 0; i < gap->entries && i < 4; i++)
        if (gap->entry[i] == tensor)
            return true;
    return false;
}

/* Whether what goes into the edge's gap is right. */
static xr_state entry_state(finder *f, const xr_step_gap *gap)
{
    xr_state state = XR_STATE_CLEAN;
    for (uint32_t i = 0; i < gap->entries && i < 4 && state != XR_STATE_WRONG; i++) {
        xr_state one = xr_state_before(&f->values, gap->entry[i]);
        state = one == XR_STATE_CLEAN ? state : one;
    }
    return state;
}

static void describe_gap(const finder *f, int side, const xr_step_gap *gap, xr_difference *d)
{
    d->count[side] = gap->count;
    d->first[side] = gap->first;
    d->last[side] = gap->last;
    if (gap->count == 0) {
        snprintf(d->value[side], sizeof d->value[side], "nothing");
        return;
    }
    const xr_step_graph *g = &match_of(f)->side[side];
    const xr_op_step *first = &g->step[gap->first], *last = &g->step[gap->last];
    char words[64];
    if (gap->count == 1 && last->kind == XR_STEP_FUNCTION)
        xr_function_words(last->value, d->value[side], sizeof d->value[side]);
    else if (gap->count == 1 && last->epsilon > 0)
        snprintf(d->value[side], sizeof d->value[side], "the operators of %s (%.80s)", last->word,
                 xr_step_name(g, last));
    else if (gap->count == 1)
        snprintf(d->value[side], sizeof d->value[side], "%.40s (%.80s)", last->node->op,
                 xr_step_name(g, last));
    else {
        snprintf(words, sizeof words, "%.48s", xr_step_name(g, first));
        snprintf(d->value[side], sizeof d->value[side], "%u steps from %s (%.24s) to %.48s (%.24s)",
                 (unsigned)gap->count, words, first->node->op, xr_step_name(g, last), last->node->op);
    }
}

/* A tensor that a matched step makes.  Which of the model's inputs are the same is not decided here. */
static bool is_matched_layer(const finder *f, int side, uint32_t tensor)
{
    return match_of(f)->tensor_mate[side][tensor] != EXRAY_NO_INDEX &&
           match_of(f)->side[side].tensor[tensor].maker != EXRAY_NO_INDEX;
}

/* Whether all that lies between is zeros at the rim on one side, which the other's window adds itself. */
static bool is_pad_of_window(finder *f, const xr_step_gap gap[2], uint32_t edge, uint32_t reference)
{
    int s = gap[0].count ? 0 : 1;
    if (edge == EXRAY_NO_INDEX || gap[s].count != 1 || gap[!s].count != 0 ||
        step_of(f, s, gap[s].first)->kind != XR_STEP_PAD)
        return false;
    xr_traits traits[2];
    xr_step_traits_of(&f->out->match.side[0], step_of(f, 0, edge), &traits[0]);
    xr_step_traits_of(&f->out->match.side[1], step_of(f, 1, reference), &traits[1]);
    size_t which[XR_TRAITS][2], differ = xr_traits_differ(&traits[0], &traits[1], which);
    for (size_t i = 0; i < differ; i++)
        if (strcmp(traits[0].trait[which[i][0]].key, "pads") == 0)
            return false;
    return has_trait(&traits[0], "pads") && has_trait(&traits[1], "pads");
}

/* Tensors a of the edge and b of the reference are read at the same place, by steps `edge` and `reference`
 * (EXRAY_NO_INDEX: they are outputs of the model). */
static void compare_sources(finder *f, uint32_t edge, uint32_t reference, uint32_t a, uint32_t b)
{
    xr_step_gap gap[2];
    if (mate_of(f, a) == b)
        return;
    xr_step_gap_of(match_of(f), 0, a, f->seen[0], &gap[0]);
    xr_step_gap_of(match_of(f), 1, b, f->seen[1], &gap[1]);
    bool follows = false;
    for (uint32_t i = 0; i < gap[0].entries && i < 4; i++)
        follows = follows || (mate_of(f, gap[0].entry[i]) != EXRAY_NO_INDEX &&
                              is_entry(&gap[1], mate_of(f, gap[0].entry[i])));
    if (gap[0].count == 0 && gap[1].count == 0 && follows)
        return; /* shapes alone */
    if (xr_step_gap_is_within(&f->out->match, gap, (const uint32_t[2]){a, b}) ||
        is_pad_of_window(f, gap, edge, reference))
        return;
    xr_difference_kind kind = gap[0].count && gap[1].count ? XR_DIFFERENCE_REPLACED
                              : gap[0].count               ? XR_DIFFERENCE_EXTRA
                              : gap[1].count               ? XR_DIFFERENCE_LACKS
                                                           : XR_DIFFERENCE_SOURCE;
    bool known = kind != XR_DIFFERENCE_SOURCE
                     ? follows
                     : gap[0].entries && gap[1].entries && is_matched_layer(f, 0, gap[0].entry[0]) &&
                           is_matched_layer(f, 1, gap[1].entry[0]);
    bool port = kind == XR_DIFFERENCE_SOURCE && edge == EXRAY_NO_INDEX;
    if (!known || port)
        return; /* the two do not begin at the same place, or the outputs were paired otherwise */
    xr_state out = xr_state_of(&f->values, a, b);
    bool here = out != XR_STATE_UNKNOWN; /* the values at the gap's end itself are known */
    if (!here && edge != EXRAY_NO_INDEX)
        out = xr_state_behind(&f->values, edge);
    xr_difference *d = add(f, kind, edge, reference, "steps");
    if (!d)
        return;
    for (int s = 0; s < 2; s++)
        describe_gap(f, s, &gap[s], d);
    if (kind == XR_DIFFERENCE_SOURCE)
        for (int s = 0; s < 2; s++) {
            const exray_tensor_info *info = xr_step_graph_info(&match_of(f)->side[s], s ? b : a);
            snprintf(d->value[s], sizeof d->value[s], "%.80s", info && info->name ? info->name : "");
        }
    if (here && xr_step_match_layer(f->comparison, match_of(f), a, b))
        d->layer = match_of(f)->layer[a];
    if (!judge(f, d, entry_state(f, &gap[0]), out))
        drop_last(f);
}

/* The same tensors in another order. */
static bool is_permuted(const finder *f, const xr_op_step *a, const xr_op_step *b)
{
    for (uint32_t i = 0; i < a->input_count; i++) {
        bool found = false;
        for (uint32_t k = 0; k < b->input_count; k++)
            found = found || mate_of(f, a->input[i]) == b->input[k];
        if (!found)
            return false;
    }
    return true;
}

static bool is_in_order(const finder *f, const xr_op_step *a, const xr_op_step *b)
{
    for (uint32_t i = 0; i < a->input_count; i++)
        if (mate_of(f, a->input[i]) != b->input[i])
            return false;
    return true;
}

/* The reference's input that the edge's input i takes the place of. */
static uint32_t place_of(const finder *f, const xr_op_step *a, const xr_op_step *b, uint32_t i)
{
    if (!any_order(a) || a->input_count != 2)
        return i;
    /* Of a sum, the one that the other summand is not. */
    return mate_of(f, a->input[1 - i]) == b->input[i] || mate_of(f, a->input[i]) == b->input[1 - i] ? 1 - i
                                                                                                    : i;
}

static bool is_constant(const finder *f, int side, const xr_op_step *step, uint32_t input)
{
    const xr_step_graph *g = &match_of(f)->side[side];
    return step->node->inputs[input] < g->tensor_count && g->tensor[step->node->inputs[input]].constant;
}

/* Of a constant and a tensor that changes, which is the first: c - x for x - c. */
static bool is_turned(const finder *f, const xr_op_step *a, const xr_op_step *b)
{
    const exray_node *x = a->node, *y = b->node;
    if (any_order(a) || a->kind == XR_STEP_FUNCTION || !x->op || !y->op || strcmp(x->op, y->op) != 0 ||
        x->input_count != 2 || y->input_count != 2 || a->input_count != 1 || b->input_count != 1)
        return false;
    bool first[2] = {is_constant(f, 0, a, 0), is_constant(f, 1, b, 0)};
    return first[0] != first[1] && is_constant(f, 0, a, 1) != first[0] && is_constant(f, 1, b, 1) != first[1];
}

/* Whether a difference was found at a step of the edge. */
static bool is_found_at(const finder *f, uint32_t edge)
{
    for (size_t i = 0; i < f->out->count; i++)
        if (f->out->list[i].step[0] == edge)
            return true;
    return false;
}

/* The two tensors are read at the same place; what lies between may have moved their values. */
static void compare_moves(finder *f, uint32_t edge, uint32_t reference, uint32_t a, uint32_t b)
{
    xr_moves moves[2];
    if (!xr_moves_differ(&f->out->match, a, b, moves) ||
        (moves[0].channels && !xr_have_equal_weights(&f->out->match, edge, reference)))
        return;
    for (uint32_t i = 0; i < moves[0].count; i++)
        if (is_found_at(f, moves[0].step[i]))
            return;
    xr_difference *d =
        add(f, XR_DIFFERENCE_MOVES, moves[0].count ? moves[0].step[0] : edge, reference, "order of values");
    if (!d)
        return;
    d->behind = layer_behind(f, edge); /* moved values may look right by themselves */
    for (int s = 0; s < 2; s++)
        xr_moves_words(&f->out->match.side[s], &moves[s], d->value[s], sizeof d->value[s]);
    xr_state out = xr_state_of(&f->values, a, b);
    out = out == XR_STATE_WRONG ? out : xr_state_behind(&f->values, edge);
    if (!judge(f, d, xr_state_before(&f->values, moves[0].entry), out))
        drop_last(f);
}

static void compare_repeated(finder *f, uint32_t edge, uint32_t reference)
{
    char text[2][XR_DIFFERENCE_WORDS];
    if (!xr_repeats_otherwise(match_of(f)->side, step_of(f, 0, edge), step_of(f, 1, reference), text))
        return;
    xr_difference *d = add(f, XR_DIFFERENCE_ATTRIBUTE, edge, reference, "repeated dimensions of");
    if (d)
        memcpy(d->value, text, sizeof text);
    judge_step(f, d);
}

static void compare_inputs(finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = step_of(f, 0, edge), *b = step_of(f, 1, reference);
    compare_repeated(f, edge, reference);
    if (xr_reads_by_name(a->node)) {
        if (a->input_count && b->input_count && strcmp(a->node->op, "If") == 0 &&
            strcmp(b->node->op, "If") == 0)
            compare_sources(f, edge, reference, a->input[0], b->input[0]); /* what it chooses by */
        return;
    }
    for (uint32_t i = 0; !xr_step_moves_alone(a) && i < a->input_count && a->input_count == b->input_count;
         i++)
        compare_moves(f, edge, reference, a->input[i], b->input[place_of(f, a, b, i)]);
    if (is_turned(f, a, b)) {
        judge_step(f, add(f, XR_DIFFERENCE_ORDER, edge, reference, "inputs"));
        return;
    }
    if (a->input_count != b->input_count || is_in_order(f, a, b))
        return;
    if (is_permuted(f, a, b)) {
        if (!any_order(a))
            judge_order(f, add(f, XR_DIFFERENCE_ORDER, edge, reference, "inputs"));
        return;
    }
    for (uint32_t i = 0; i < a->input_count; i++)
        compare_sources(f, edge, reference, a->input[i], b->input[place_of(f, a, b, i)]);
}

static void compare_cuts(finder *f, uint32_t edge, uint32_t reference)
{
    const xr_cut *a = step_of(f, 0, edge)->cut, *b = step_of(f, 1, reference)->cut;
    if (xr_same_cut(match_of(f)->side, a, b))
        return;
    xr_difference *d = add(f, XR_DIFFERENCE_ATTRIBUTE, edge, reference, "range");
    if (!d)
        return;
    xr_cut_words(a, d->value[0], sizeof d->value[0]);
    xr_cut_words(b, d->value[1], sizeof d->value[1]);
    /* Of a cut of a cut: what the node itself was given. */
    if (!judge(f, d, xr_state_before(&f->values, a->read), xr_state_behind(&f->values, edge)))
        drop_last(f);
}

static void compare_step(finder *f, uint32_t edge)
{
    uint32_t reference = match_of(f)->mate[0][edge];
    if (reference == EXRAY_NO_INDEX)
        return;
    if (step_of(f, 0, edge)->kind == XR_STEP_FUNCTION && step_of(f, 1, reference)->kind == XR_STEP_FUNCTION)
        compare_functions(f, edge, reference);
    else if (step_of(f, 0, edge)->cut && step_of(f, 1, reference)->cut)
        compare_cuts(f, edge, reference);
    else {
        compare_attributes(f, edge, reference);
        compare_constants(f, edge, reference);
    }
    compare_inputs(f, edge, reference);
}

static uint32_t output_tensor(const exray_model *model, const char *name, size_t outputs)
{
    uint32_t tensor = xr_step_match_port(model, model->outputs, model->output_count, name);
    bool only = outputs == 1 && model->output_count == 1 && model->outputs[0] < model->tensor_count;
    return tensor == EXRAY_NO_INDEX && only ? model->outputs[0] : tensor;
}

static void compare_outputs(finder *f)
{
    size_t count = exray_comparison_output_count(f->comparison);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(f->comparison, i);
        uint32_t tensor[2];
        for (int s = 0; s < 2; s++) {
            const xr_step_graph *g = &match_of(f)->side[s];
            tensor[s] = output_tensor(g->model, output->name[s], count);
            if (tensor[s] != EXRAY_NO_INDEX)
                tensor[s] = g->tensor[tensor[s]].same_as;
        }
        bool wrong = output->comparable && !(output->error <= output->noise);
        if (tensor[0] != EXRAY_NO_INDEX && tensor[1] != EXRAY_NO_INDEX && wrong)
            compare_sources(f, EXRAY_NO_INDEX, EXRAY_NO_INDEX, tensor[0], tensor[1]);
    }
}

bool xr_differences_find(const exray_comparison *comparison, xr_differences *out)
{
    *out = (xr_differences){.list = NULL};
    if (!xr_step_match_make(comparison, &out->match))
        return false;
    finder f = {.comparison = comparison, .out = out};
    bool ok = xr_step_values_open(comparison, &out->match, &f.values);
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
    free(differences->list);
    *differences = (xr_differences){.list = NULL};
}
