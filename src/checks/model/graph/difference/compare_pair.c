#include "checks/model/graph/difference/compare_pair.h"

#include "checks/model/graph/between/attribute_texts.h"
#include "checks/model/graph/between/step_axes.h"
#include "checks/model/graph/between/step_effect.h"
#include "checks/model/graph/between/step_moves.h"
#include "checks/model/graph/between/step_range.h"
#include "checks/model/graph/difference_words.h"
#include "checks/model/graph/step_traits.h"
#include "checks/model/weight_values.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A function's effect below this share of its result's deviation is that of floats. */
#define FLOAT_NOISE 3e-6

/* What is less than a float16 copy costs is not worth telling where it does not show. */
#define SMALL_EFFECT 1e-4

/* ---- What 8 bits hide ------------------------------------------------------------------------ */

/* Whether the outputs alone were recorded of what comes of the step. */
static bool is_unseen(const xr_finder *f, const xr_difference *d)
{
    return d->proof == XR_PROOF_NONE && d->behind == EXRAY_NO_INDEX && xr_difference_is_coarse(f, d);
}

/* A stated difference of an operator whose layer is right as far as 8 bits show: how much it changes what is
 * made of the same values.  False: nothing, or that is not known of a number that seldom matters. */
static bool judge_hidden(xr_finder *f, xr_difference *d, const xr_traits traits[2])
{
    xr_step_effect effect = {NAN, NAN};
    bool small = strncmp(d->key, "eps", 3) == 0;
    if (!xr_difference_is_coarse(f, d) || xr_key_computes_nothing(d->key))
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

/* The words of part i of a function, which is one of the part before. */
static bool part_words(const xr_step_graph *g, uint32_t root, const uint32_t *part, size_t i, char *text)
{
    double value[XR_POINTS];
    return xr_step_graph_compute(g, i ? part[i - 1] : root, part[i], xr_points, XR_POINTS, value) &&
           xr_function_words(value, text, XR_DIFFERENCE_WORDS);
}

/* Where functions have no names, the first of their parts that differ may have.  False: none has. */
static bool name_parts(xr_finder *f, const xr_op_step *a, const xr_op_step *b, xr_difference *d)
{
    const xr_op_step *step[2] = {a, b};
    uint32_t part[2][XR_FUNCTION_PARTS];
    size_t count[2];
    for (int s = 0; s < 2; s++)
        count[s] = xr_step_graph_parts(&xr_finder_match(f)->side[s], step[s]->output, part[s]);
    if (count[0] != count[1]) /* one has a part more: those behind it are no counterparts */
        return false;
    for (size_t i = 0; i < count[0]; i++) {
        char words[2][XR_DIFFERENCE_WORDS];
        for (int s = 0; s < 2; s++) {
            const xr_step_graph *g = &xr_finder_match(f)->side[s];
            if (!part_words(g, g->tensor[step[s]->output].root, part[s], i, words[s]))
                return false;
        }
        if (strcmp(words[0], words[1]) == 0)
            continue;
        memcpy(d->value, words, sizeof words);
        uint32_t tensor = part[0][i];
        if (tensor < xr_finder_match(f)->side[0].model->tensor_count &&
            xr_finder_match(f)->layer[tensor] != EXRAY_NO_INDEX)
            d->layer = xr_finder_match(f)->layer[tensor];
        return true;
    }
    return false;
}

/* Where the operators of two lists begin to differ; the last of each is always told. */
static size_t common_operators(const char *a, const char *b)
{
    size_t common = 0;
    for (size_t i = 0; a[i] && a[i] == b[i]; i++)
        if (a[i] == ',' && a[i + 1] == ' ')
            common = i + 2;
    return common;
}

/* Else what they are made of says it: the operators, where neither side has more than can be listed. */
static void name_operators(const xr_finder *f, const xr_op_step *a, const xr_op_step *b, xr_difference *d)
{
    const xr_op_step *step[2] = {a, b};
    char words[2][XR_DIFFERENCE_WORDS];
    for (int s = 0; s < 2; s++)
        if (!xr_step_graph_operators(&xr_finder_match(f)->side[s], step[s]->output, words[s],
                                     sizeof words[s]))
            return;
    if (strcmp(words[0], words[1]) == 0)
        return;
    const size_t common = common_operators(words[0], words[1]);
    for (int s = 0; s < 2; s++)
        snprintf(d->value[s], sizeof d->value[s], "%s", words[s] + common);
}

/* A function that begins behind a tensor which is only moved, from where the other side's begins: a transpose
 * between two of them ends the first, and an optimizer puts it elsewhere.  False: it does not begin so. */
static bool from_before_a_move(const xr_step_match *m, int s, const xr_op_step *step, uint32_t begins,
                               double value[XR_POINTS])
{
    const xr_step_graph *g = &m->side[s];
    const uint32_t root = g->tensor[step->output].root, maker = g->tensor[root].maker;
    if (maker == EXRAY_NO_INDEX || !xr_step_moves_alone(&g->step[maker]) || g->step[maker].input_count != 1)
        return false;
    const uint32_t moved = g->step[maker].input[0], from = g->tensor[moved].root;
    double before[XR_POINTS];
    return m->tensor_mate[s][g->tensor[from].same_as] == begins &&
           xr_step_graph_compute(g, from, moved, xr_points, XR_POINTS, before) &&
           xr_step_graph_compute(g, root, step->output, before, XR_POINTS, value);
}

/* Whether two functions are one, of which one is cut in two by what only moves values. */
static bool is_cut_by_a_move(const xr_step_match *m, const xr_op_step *const step[2])
{
    for (int s = 0; s < 2; s++) {
        const xr_tensor_facts *fact = m->side[!s].tensor;
        double value[XR_POINTS];
        if (from_before_a_move(m, s, step[s], fact[fact[step[!s]->output].root].same_as, value) &&
            xr_same_function(value, step[!s]->value, NULL, step[!s]->slack))
            return true;
    }
    return false;
}

/* By how much the biases of the convolutions or products that make two tensors differ, one number for all of
 * each; NAN: by something else, or there are none. */
static double bias_moved(xr_finder *f, const uint32_t made[2])
{
    static const double near = 1e-3; /* times the deviation */
    xr_constant_print print[2];
    for (int s = 0; s < 2; s++) {
        xr_step_graph *g = &f->out->match.side[s];
        const uint32_t maker = g->tensor[made[s]].maker;
        const xr_op_step_kind kind = maker == EXRAY_NO_INDEX ? XR_STEP_OTHER : g->step[maker].kind;
        if ((kind != XR_STEP_CONV && kind != XR_STEP_TRANSPOSED_CONV && kind != XR_STEP_PRODUCT) ||
            g->step[maker].constant_count < 2)
            return NAN;
        print[s] = xr_model_constants_print(&g->constants, g->step[maker].constant[1]);
    }
    const double most = near * print[1].deviation;
    return print[0].known && print[1].known && print[0].count == print[1].count &&
                   fabs(print[0].deviation - print[1].deviation) <= most
               ? print[0].mean - print[1].mean
               : NAN;
}

/* The number by which a function's argument has to be moved so that it is `made`; NAN: there is none. */
static double argument_of(const xr_step_graph *g, uint32_t root, uint32_t output, double made)
{
    enum { HALVINGS = 60 };
    double low = -64, high = 64, value[2];
    if (!xr_step_graph_compute(g, root, output, (const double[]){low, high}, 2, value) || value[0] >= made ||
        value[1] <= made)
        return NAN;
    for (int i = 0; i < HALVINGS; i++) {
        const double middle = (low + high) / 2;
        double own;
        if (!xr_step_graph_compute(g, root, output, &middle, 1, &own))
            return NAN;
        *(own < made ? &low : &high) = middle;
    }
    return high;
}

/* Whether two functions of what layers with a bias make are one but for a number that is added to its
 * argument, and the biases differ by it: a converter has it there. */
static bool is_moved_by_bias(xr_finder *f, const xr_op_step *a, const xr_op_step *b)
{
    static const double near = 1e-3;
    const xr_step_graph *g = xr_finder_match(f)->side;
    const uint32_t root[2] = {g[0].tensor[a->output].root, g[1].tensor[b->output].root};
    double moved[XR_POINTS], value[XR_POINTS], middle;
    const double zero = 0, by = bias_moved(f, root);
    if (!a->value || !b->value || isnan(by) ||
        !xr_step_graph_compute(&g[1], root[1], b->output, &zero, 1, &middle))
        return false;
    const double shift = argument_of(&g[0], root[0], a->output, middle);
    for (size_t i = 0; i < XR_POINTS; i++)
        moved[i] = xr_points[i] + shift;
    return fabs(shift - by) <= near * fmax(1, fabs(shift)) &&
           xr_step_graph_compute(&g[0], root[0], a->output, moved, XR_POINTS, value) &&
           xr_same_function(value, b->value, a->slack, b->slack);
}

/* Whether what the edge makes of its function was compared, and is right, several times nearer than the other
 * function would make it: what is given to them differs, too, and makes up for it (a constant that one side
 * adds before a convolution's fused activation, and the other in the convolution's bias), or the reference's
 * goes on in a step whose number is not known. */
static bool is_made_up_for(const xr_finder *f, const xr_op_step *a, double differ)
{
    static const double several = 4;
    const uint32_t at = xr_step_match_layer_of(xr_finder_match(f), a->output);
    const exray_layer_pair *layer = at == EXRAY_NO_INDEX ? NULL : exray_comparison_layer(f->comparison, at);
    return layer && layer->error <= layer->noise && several * layer->error < differ;
}

void xr_compare_functions_of(xr_finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = xr_finder_step(f, 0, edge), *b = xr_finder_step(f, 1, reference);
    if (xr_same_function(a->value, b->value, a->slack, b->slack) ||
        xr_step_match_of_others(xr_finder_match(f), a, b) ||
        is_cut_by_a_move(xr_finder_match(f), (const xr_op_step *const[]){a, b}) ||
        is_moved_by_bias(f, a, b) ||
        xr_step_same_within(xr_finder_match(f)->side, (const uint32_t[]){a->output, b->output},
                            (const double *const[]){a->value, b->value}))
        return;
    xr_difference *d = xr_add_difference(f, XR_DIFFERENCE_FUNCTION, edge, reference, "function");
    double differ, left;
    if (!d)
        return;
    bool named = xr_function_words(a->value, d->value[0], sizeof d->value[0]);
    named = xr_function_words(b->value, d->value[1], sizeof d->value[1]) && named;
    if (!named && !name_parts(f, a, b, d))
        name_operators(f, a, b, d);
    if (!xr_compare_functions(&f->values, a, b, &differ, &left)) {
        xr_judge_step(f, d);
        return;
    }
    /* Whatever it was given: on these very values the two differ. */
    if (differ < FLOAT_NOISE || is_made_up_for(f, a, differ) ||
        !xr_judge_difference(f, d, XR_STATE_CLEAN, XR_STATE_WRONG)) {
        xr_drop_difference(f);
        return;
    }
    d->effect = differ;
    if (differ >= 2 * left)
        return;
    /* The recorded values are too coarse to tell the two apart. */
    d->proof = XR_PROOF_HIDDEN;
    if (!named || differ < SMALL_EFFECT || !xr_difference_is_coarse(f, d))
        xr_drop_difference(f);
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

/* Whether two operators are one, or one is the other's form for integers (QAttention), whose attributes are
 * those that both state. */
static bool is_one_operator(const char *a, const char *b, bool forms)
{
    if (!a || !b)
        return false;
    return strcmp(a, b) == 0 ||
           (forms && ((*a == 'Q' && strcmp(a + 1, b) == 0) || (*b == 'Q' && strcmp(b + 1, a) == 0)));
}

/* The attributes that differ between nodes of one operator, as the file has them; where `lone`, those that
 * one side leaves out, of these names alone where there are such.  filled: the side whose defaults may be
 * written out, so that those say nothing.  False: none. */
static bool other_texts(const exray_node *a, const exray_node *b, const xr_traits *lone, int filled,
                        xr_difference *d)
{
    const exray_node *node[2] = {a, b};
    bool any = false;
    if (!is_one_operator(a->op, b->op, !lone))
        return false;
    bool first = d->key[0] == '\0';
    for (int s = 0; s < (lone ? 2 : 1); s++)
        for (uint32_t i = 0; i < node[s]->attribute_count; i++) {
            const char *key = node[s]->attributes[i].key;
            const char *text[2] = {key ? exray_node_attribute(a, key) : NULL,
                                   key ? exray_node_attribute(b, key) : NULL};
            bool both = text[0] && text[1];
            if (key && !both && xr_attribute_is_default(a->op, key, text[text[0] ? 0 : 1]))
                continue;
            /* A version says nothing by itself. */
            if (!key || strcmp(key, "opset") == 0 ||
                (!both && filled < 2 && text[filled] && !xr_attribute_is_meant(a->op, key, text[filled])) ||
                both == (lone != NULL) || (both && same_texts(a, b, key)) ||
                (lone && !first && !xr_trait_of(lone, key)))
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

/* The side whose attributes that the other leaves out may be defaults which an optimizer has filled in: where
 * the two were not optimized alike, the one that was; 2: neither. */
static int filled_in(const xr_finder *f)
{
    const char *kernels[2];
    for (int s = 0; s < 2; s++) {
        kernels[s] = f->out->match.side[s].model->kernels;
        kernels[s] = kernels[s] ? kernels[s] : "";
    }
    return strcmp(kernels[0], kernels[1]) == 0 ? 2 : strcmp(kernels[0], "none") == 0;
}

/* Whether another step of the reference has the name of the edge's: then the two may have been paired by
 * weights that were exchanged. */
static bool has_other_namesake(const xr_finder *f, uint32_t edge, uint32_t reference)
{
    const xr_step_graph *g = &xr_finder_match(f)->side[1];
    const char *name = xr_step_name(&xr_finder_match(f)->side[0], xr_finder_step(f, 0, edge));
    for (uint32_t i = 0; *name && i < g->count; i++)
        if (i != reference && strcmp(g->step[i].word, g->step[reference].word) == 0 &&
            strcmp(xr_step_name(g, &g->step[i]), name) == 0)
            return true;
    return false;
}

/* Sizes that change from frame to frame: the model's description has those of one, in which no window may
 * have lain beyond the rim. */
static void add_rounding_of_sizes(const xr_finder *f, const xr_op_step *const step[2], xr_traits traits[2])
{
    static const char key[] = "ceil_mode";
    const uint32_t layer = xr_step_match_layer_of(xr_finder_match(f), step[0]->output);
    if (step[0]->kind != XR_STEP_POOL || layer == EXRAY_NO_INDEX ||
        !exray_comparison_layer(f->comparison, layer)->other_shape)
        return;
    for (int s = 0; s < 2; s++)
        if (!xr_trait_of(&traits[s], key))
            xr_traits_add_number(&traits[s], key, xr_attribute_flag(step[s]->node, key, false));
}

void xr_compare_attributes(xr_finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = xr_finder_step(f, 0, edge), *b = xr_finder_step(f, 1, reference);
    if (xr_transposes_others(xr_finder_match(f)->side, a, b) ||
        xr_transposes_in_a_row(xr_finder_match(f)->side, a, b))
        return;
    xr_traits traits[2];
    size_t which[XR_TRAITS][2];
    xr_step_traits_of(&f->out->match.side[0], a, &traits[0]);
    xr_step_traits_of(&f->out->match.side[1], b, &traits[1]);
    add_rounding_of_sizes(f, (const xr_op_step *const[]){a, b}, traits);
    size_t differ = xr_traits_differ(&traits[0], &traits[1], which);
    bool unresolved = a->kind == XR_STEP_RESIZE && (traits[0].count == 0 || traits[1].count == 0);
    if (!differ && is_resolved(a->kind) && !unresolved)
        return;
    xr_difference *d = xr_add_difference(f, XR_DIFFERENCE_ATTRIBUTE, edge, reference, "");
    if (!d)
        return;
    bool told = other_texts(a->node, b->node, NULL, 2, d);
    xr_traits others = {.count = 0};
    for (size_t i = 0; i < differ; i++)
        others.trait[others.count++] = traits[0].trait[which[i][0]];
    d->lone =
        !told && !differ && xr_have_one_format(f) && other_texts(a->node, b->node, &others, filled_in(f), d);
    if (differ)
        told = other_texts(a->node, b->node, &others, 2, d) || told;
    if (!told && differ)
        trait_texts(traits, which, differ, d);
    xr_join_equal_words((char *const[2]){d->value[0], d->value[1]});
    if (!(told || differ || d->lone) || xr_attribute_is_moved(xr_finder_match(f)->side, a, b, d->key)) {
        xr_drop_difference(f);
        return;
    }
    if ((!xr_judge_made(f, d) || is_unseen(f, d)) && (d->lone || !judge_hidden(f, d, traits)))
        xr_drop_difference(f);
    else if (d->proof == XR_PROOF_BEHIND && has_other_namesake(f, edge, reference))
        xr_drop_difference(f);
}

/* Flags of any number (a mask that is part of the file): where each is set. */
static void compare_flags(xr_finder *f, uint32_t edge, uint32_t reference, const uint32_t tensor[2])
{
    static const uint64_t most = 1 << 22;
    xr_step_graph *side = f->out->match.side;
    const exray_tensor_info *info[2];
    size_t n[2] = {0, 0}, set[2] = {0, 0}, other = 0;
    for (int s = 0; s < 2; s++)
        info[s] = xr_step_graph_info(&side[s], tensor[s]);
    const uint64_t count = xr_tensor_elements(info[0]);
    double *value = count <= most ? malloc(2 * count * sizeof *value + 1) : NULL;
    for (int s = 0; value && s < 2; s++)
        n[s] = xr_model_constants_values(&side[s].constants, tensor[s], value + (s ? count : 0), count);
    for (size_t i = 0; value && n[0] == count && n[1] == count && i < count; i++) {
        other += (value[i] != 0) != (value[count + i] != 0);
        set[0] += value[i] != 0;
        set[1] += value[count + i] != 0;
    }
    free(value);
    xr_difference *d = other ? xr_add_difference(f, XR_DIFFERENCE_CONSTANT, edge, reference,
                                                 info[1]->name && *info[1]->name ? info[1]->name : "of flags")
                             : NULL;
    if (!d)
        return;
    for (int s = 0; s < 2; s++)
        snprintf(d->value[s], sizeof d->value[s], "%zu of %zu flags set%s", set[s], n[s],
                 s == 0 && set[0] == set[1] ? ", others" : "");
    if (!xr_judge_made(f, d) || is_unseen(f, d))
        xr_drop_difference(f);
}

static bool are_flags(const xr_step_graph *side, const uint32_t tensor[2])
{
    const exray_tensor_info *x = xr_step_graph_info(&side[0], tensor[0]),
                            *y = xr_step_graph_info(&side[1], tensor[1]);
    return x && y && x->dtype == EXRAY_DTYPE_BOOL && y->dtype == EXRAY_DTYPE_BOOL &&
           xr_tensor_elements(x) > 1 && xr_tensor_elements(x) == xr_tensor_elements(y);
}

/* A constant that is no weight, of both sides. */
static void compare_constant(xr_finder *f, uint32_t edge, uint32_t reference, const uint32_t tensor[2])
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
    const xr_op_step *reader = xr_finder_step(f, 0, edge);
    const bool masks = reader->kind == XR_STEP_COMBINE || strcmp(reader->word, "where") == 0;
    bool same = n == 0 || k == 0 || n == k;
    for (size_t j = 0; same && j < n && k; j++)
        same = xr_is_same_constant(x, p[j], y, q[j]) ||
               (masks && p[j] <= XR_HIDDEN_SCORE && q[j] <= XR_HIDDEN_SCORE);
    if (same ||
        (n == k && n &&
         xr_axes_are_moved(side, xr_finder_step(f, 0, edge), xr_finder_step(f, 1, reference), p, q, n)))
        return;
    xr_difference *d = xr_add_difference(f, XR_DIFFERENCE_CONSTANT, edge, reference,
                                         y->name && *y->name ? y->name : "a constant input");
    if (!d)
        return;
    xr_constant_words(p, n, d->value[0], sizeof d->value[0]);
    xr_constant_words(q, k, d->value[1], sizeof d->value[1]);
    if (xr_judge_made(f, d) && !is_unseen(f, d))
        return;
    d->proof = XR_PROOF_HIDDEN;
    if (!xr_is_whole(x) || !xr_is_whole(y) || !xr_difference_is_coarse(f, d))
        xr_drop_difference(f);
}

/* What operators with graphs of their own are given as constants: how often a loop runs (the inputs before
 * the values that it carries), and what their bodies read from outside, in the order in which they do. */
static void compare_given_constants(xr_finder *f, uint32_t edge, uint32_t reference)
{
    enum { BEFORE_VALUES = 2 };
    const exray_node *a = xr_finder_step(f, 0, edge)->node, *b = xr_finder_step(f, 1, reference)->node;
    uint32_t count = a->input_count == b->input_count ? a->input_count
                     : strcmp(a->op, "Loop") == 0     ? BEFORE_VALUES
                                                      : 0;
    for (uint32_t i = 0; i < count && i < a->input_count && i < b->input_count; i++) {
        const uint32_t tensor[2] = {a->inputs[i], b->inputs[i]};
        bool constant = true;
        for (int s = 0; s < 2; s++) {
            const xr_step_graph *g = &xr_finder_match(f)->side[s];
            constant = constant && tensor[s] < g->tensor_count && g->tensor[tensor[s]].constant;
        }
        if (constant)
            compare_constant(f, edge, reference, tensor);
    }
}

/* Constants that are no weights, of nodes of one operator: place by place. */
void xr_compare_constants(xr_finder *f, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = xr_finder_step(f, 0, edge), *b = xr_finder_step(f, 1, reference);
    if (!a->node->op || !b->node->op || strcmp(a->node->op, b->node->op) != 0)
        return;
    /* Which part of a tensor a node takes is read from its constants; where the other's is no such part, they
     * are all that tells. */
    if (xr_reads_by_name(a->node) || (a->cut != NULL) != (b->cut != NULL)) {
        compare_given_constants(f, edge, reference);
        return;
    }
    if (a->constant_count != b->constant_count || a->kind == XR_STEP_SHAPE || xr_is_of_integers(a->node))
        return;
    for (uint32_t i = 0; i < a->constant_count; i++) {
        const uint32_t tensor[2] = {a->constant[i], b->constant[i]};
        if (are_flags(f->out->match.side, tensor))
            compare_flags(f, edge, reference, tensor);
        else
            compare_constant(f, edge, reference, tensor);
    }
}
