#include "checks/model/graph/difference/compare_sources.h"

#include "checks/model/graph/between/step_fold.h"
#include "checks/model/graph/between/step_gap.h"
#include "checks/model/graph/difference/compare_pair.h"
#include "checks/model/graph/difference/compare_scales.h"
#include "checks/model/graph/difference_words.h"
#include "checks/model/graph/join/step_cuts.h"
#include "checks/model/graph/step_traits.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Those of the gap's entries that are listed. */
static uint32_t listed(const xr_step_gap *gap)
{
    return gap->entries < 4 ? gap->entries : 4;
}

static bool is_entry(const xr_step_gap *gap, uint32_t tensor)
{
    for (uint32_t i = 0; i < listed(gap); i++)
        if (gap->entry[i] == tensor)
            return true;
    return false;
}

static void describe_gap(const xr_finder *f, int side, const xr_step_gap *gap, xr_difference *d)
{
    d->count[side] = gap->count;
    d->first[side] = gap->first;
    d->last[side] = gap->last;
    if (gap->count == 0) {
        snprintf(d->value[side], sizeof d->value[side], "nothing");
        return;
    }
    const xr_step_graph *g = &xr_finder_match(f)->side[side];
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
static bool is_matched_layer(const xr_finder *f, int side, uint32_t tensor)
{
    return xr_finder_match(f)->tensor_mate[side][tensor] != EXRAY_NO_INDEX &&
           xr_finder_match(f)->side[side].tensor[tensor].maker != EXRAY_NO_INDEX;
}

/* Whether all that lies between is zeros at the rim on one side, which the other's window adds itself. */
static bool is_pad_of_window(xr_finder *f, const xr_step_gap gap[2], uint32_t edge, uint32_t reference)
{
    int s = gap[0].count ? 0 : 1;
    if (edge == EXRAY_NO_INDEX || gap[s].count != 1 || gap[!s].count != 0 ||
        xr_finder_step(f, s, gap[s].first)->kind != XR_STEP_PAD)
        return false;
    xr_traits traits[2];
    xr_step_traits_of(&f->out->match.side[0], xr_finder_step(f, 0, edge), &traits[0]);
    xr_step_traits_of(&f->out->match.side[1], xr_finder_step(f, 1, reference), &traits[1]);
    size_t which[XR_TRAITS][2], differ = xr_traits_differ(&traits[0], &traits[1], which);
    for (size_t i = 0; i < differ; i++)
        if (strcmp(traits[0].trait[which[i][0]].key, "pads") == 0)
            return false;
    return xr_trait_of(&traits[0], "pads") && xr_trait_of(&traits[1], "pads");
}

/* Two tensors of one name, of which each was paired with what the other is changed to, are one. */
static bool have_one_name(const xr_finder *f, uint32_t a, uint32_t b)
{
    const exray_tensor_info *edge = xr_step_graph_info(&xr_finder_match(f)->side[0], a),
                            *reference = xr_step_graph_info(&xr_finder_match(f)->side[1], b);
    return edge && reference && edge->name && reference->name && *edge->name &&
           strcmp(edge->name, reference->name) == 0;
}

/* A name that only counts ("12", "onnx::Conv_12", "input.4") is a place in its file: the next file may give
 * it to something else. */
static bool only_counts(const char *name)
{
    static const char generic[][8] = {"onnx::", "input", "tensor", "x", "out", "output"};
    const char *at = name;
    for (size_t i = 0; i < sizeof generic / sizeof *generic; i++)
        if (strncmp(name, generic[i], strlen(generic[i])) == 0) {
            at = name + strlen(generic[i]);
            if (i == 0) /* an operator's word behind it */
                at += strcspn(at, "_");
            break;
        }
    return *at && at[strspn(at, "0123456789._:")] == '\0';
}

/* Whether a tensor is a part of another, which it is cut out of. */
static bool is_part(const xr_step_graph *g, uint32_t tensor)
{
    const uint32_t maker = g->tensor[g->tensor[tensor].same_as].maker;
    const exray_node *node = maker == EXRAY_NO_INDEX ? NULL : g->step[maker].node;
    return maker == EXRAY_NO_INDEX || g->step[maker].cut || node->output_count > 1;
}

/* The cut that a tensor is; NULL: none. */
static const xr_cut *cut_of(const xr_step_graph *g, uint32_t tensor)
{
    const uint32_t maker = g->tensor[g->tensor[tensor].same_as].maker;
    return maker == EXRAY_NO_INDEX ? NULL : g->step[maker].cut;
}

/* Whether the two are other parts of what they are cut out of. */
static bool are_other_parts(const xr_finder *f, uint32_t a, uint32_t b)
{
    const xr_step_graph *side = xr_finder_match(f)->side;
    const xr_cut *edge = cut_of(&side[0], a), *reference = cut_of(&side[1], b);
    return edge && reference && !xr_same_cut(side, edge, reference);
}

/* Whether the two are one tensor by their name.  Where no values are known, or they differ, what they are
 * made of says more: halves that are cut out in another order keep their names.  A name that only counts
 * needs equal values. */
static bool are_one_by_name(xr_finder *f, uint32_t a, uint32_t b)
{
    if (!have_one_name(f, a, b))
        return false;
    const xr_state state = xr_state_of(&f->values, a, b);
    const bool whole = !is_part(&xr_finder_match(f)->side[0], a) && !is_part(&xr_finder_match(f)->side[1], b);
    return only_counts(xr_step_graph_info(&xr_finder_match(f)->side[0], a)->name)
               ? state == XR_STATE_CLEAN
               : (state != XR_STATE_UNKNOWN || whole) &&
                     !(state == XR_STATE_WRONG && are_other_parts(f, a, b));
}

/* The words for a tensor that a step reads: its name, or of two of one name the part that it is. */
static void source_words(const xr_finder *f, int side, uint32_t tensor, bool one_name, char *text,
                         size_t size)
{
    const xr_step_graph *g = &xr_finder_match(f)->side[side];
    const exray_tensor_info *info = xr_step_graph_info(g, tensor);
    const xr_cut *cut = one_name ? cut_of(g, tensor) : NULL;
    const exray_tensor_info *whole = cut ? xr_step_graph_info(g, cut->of) : NULL;
    char part[80];
    if (!cut) {
        snprintf(text, size, "%.80s", info && info->name ? info->name : "");
        return;
    }
    xr_cut_words(cut, part, sizeof part);
    snprintf(text, size, "the part %s of %.48s", part, whole && whole->name ? whole->name : "a tensor");
}

/* Whether all that lies between only puts values in another order on one side, and what reads them makes the
 * same: its weights are in that order, as those of a quantizer that sorts them.  Values in disorder make
 * nothing of what is right, which the noise of 4 bits would allow. */
static bool is_sorted_for_reader(xr_finder *f, const xr_step_gap gap[2], uint32_t edge)
{
    static const double little = 0.5; /* of the signal */
    int s = gap[0].count ? 0 : 1;
    uint32_t layer = edge == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : xr_layer_behind_step(f, edge);
    return layer != EXRAY_NO_INDEX && exray_comparison_layer(f->comparison, layer)->error < little &&
           edge != EXRAY_NO_INDEX && gap[s].count == 1 && gap[!s].count == 0 &&
           strcmp(xr_finder_step(f, s, gap[s].first)->word, "gather") == 0 &&
           xr_state_behind(&f->values, edge) == XR_STATE_CLEAN;
}

/* Whether two steps do the same with two tensors, each of which is the mate of the other's other one. */
static bool is_turned(const xr_finder *f, const xr_op_step *a, const xr_op_step *b)
{
    return a->kind == XR_STEP_COMBINE && b->kind == XR_STEP_COMBINE && strcmp(a->word, b->word) == 0 &&
           a->input_count == 2 && b->input_count == 2 && xr_finder_mate(f, a->input[0]) == b->input[1] &&
           xr_finder_mate(f, a->input[1]) == b->input[0];
}

/* One step in the place of another of the same operator: what they state, or the order in which they read,
 * says more than that.  True: it was found. */
static bool compare_replaced(xr_finder *f, const xr_step_gap gap[2])
{
    if (gap[0].count != 1 || gap[1].count != 1)
        return false;
    if (is_turned(f, xr_finder_step(f, 0, gap[0].last), xr_finder_step(f, 1, gap[1].last))) {
        xr_judge_order(f, xr_add_difference(f, XR_DIFFERENCE_ORDER, gap[0].last, gap[1].last, "inputs"));
        return true;
    }
    const exray_node *a = xr_finder_step(f, 0, gap[0].last)->node,
                     *b = xr_finder_step(f, 1, gap[1].last)->node;
    size_t before = f->out->count;
    if (!a->op || !b->op || strcmp(a->op, b->op) != 0)
        return false;
    xr_compare_attributes(f, gap[0].last, gap[1].last);
    return f->out->count > before;
}

/* Whether a function only bounds values (a ReLU, a clip): done twice, it is the same. */
static bool only_bounds(const double *value)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < XR_POINTS; i++) {
        low = fmin(low, value[i]);
        high = fmax(high, value[i]);
    }
    for (size_t i = 0; i < XR_POINTS; i++)
        if (value[i] != fmin(fmax(xr_points[i], low), high))
            return false;
    return true;
}

/* Whether one side alone has bounds there, and what they change of the edge's own values
 * is beyond the noise of the layer behind: whether those were right does not matter then. */
static bool shows_on_own_values(xr_finder *f, const xr_step_gap gap[2], const uint32_t tensor[2],
                                const xr_difference *d)
{
    const int has = gap[0].count ? 0 : 1;
    uint32_t input[2][1];
    xr_op_step plain, whole;
    double differ, left;
    if (gap[has].count != 1 || gap[!has].count || gap[0].entries != 1 || gap[1].entries != 1 ||
        d->behind == EXRAY_NO_INDEX || !xr_difference_is_coarse(f, d))
        return false;
    whole = xr_finder_match(f)->side[has].step[gap[has].first];
    if (whole.kind != XR_STEP_FUNCTION || !whole.value || !only_bounds(whole.value))
        return false;
    plain = (xr_op_step){.kind = XR_STEP_FUNCTION, .output = tensor[!has], .input_count = 1};
    plain.input = input[0];
    input[0][0] = gap[!has].entry[0];
    whole.input = input[1];
    input[1][0] = gap[has].entry[0];
    const xr_op_step *edge = has ? &plain : &whole, *reference = has ? &whole : &plain;
    const double own = exray_comparison_layer(f->comparison, d->behind)->noise;
    return xr_compare_functions(&f->values, edge, reference, &differ, &left) && differ > own;
}

/* Whether all that lies between is what takes an input's numbers, on one side, to the values that the other
 * side is given (exray_io_pair.unit_gain). */
static bool is_unit_of_input(const xr_finder *f, const xr_step_gap gap[2])
{
    const int s = gap[0].count ? 0 : 1;
    double gain, offset;
    if (gap[s].count != 1 || gap[!s].count || gap[s].entries != 1)
        return false;
    const xr_step_graph *g = &xr_finder_match(f)->side[s];
    const xr_op_step *step = &g->step[gap[s].first];
    const exray_tensor_info *from = xr_step_graph_info(g, gap[s].entry[0]);
    if (step->kind != XR_STEP_FUNCTION || !xr_is_line(step->value, &gain, &offset) || !from || !from->name)
        return false;
    for (size_t i = 0; i < exray_comparison_input_count(f->comparison); i++) {
        const exray_io_pair *input = exray_comparison_input(f->comparison, i);
        if (strcmp(input->name[s], from->name) == 0)
            return fabs(gain - input->unit_gain[s]) <= 1e-4 * fabs(gain) &&
                   fabs(offset - input->unit_offset[s]) <= 1e-4 * fmax(1, fabs(offset));
    }
    return false;
}

/* Whether one side reads a matched tensor as it is where the other computes something of other matched ones:
 * the gate of another block. */
static bool is_read_elsewhere(const xr_finder *f, const xr_step_gap gap[2])
{
    const int plain = gap[0].count ? 1 : 0;
    if ((gap[0].count == 0) == (gap[1].count == 0) || gap[plain].entries != 1 ||
        !is_matched_layer(f, plain, gap[plain].entry[0]) || gap[!plain].entries == 0 ||
        gap[!plain].entries > listed(&gap[!plain]))
        return false;
    for (uint32_t i = 0; i < gap[!plain].entries; i++)
        if (!is_matched_layer(f, !plain, gap[!plain].entry[i]))
            return false;
    return true;
}

/* Whether each side computes something of other right tensors than the other does (the mean of all tokens for
 * the last one). */
static bool is_made_of_others(xr_finder *f, const xr_step_gap gap[2])
{
    for (int s = 0; s < 2; s++) {
        if (gap[s].count == 0 || gap[s].entries == 0 || gap[s].entries > listed(&gap[s]))
            return false;
        for (uint32_t i = 0; i < gap[s].entries; i++) {
            const uint32_t entry = gap[s].entry[i];
            if (!is_matched_layer(f, s, entry) ||
                xr_state_before(&f->values, s ? xr_finder_match(f)->tensor_mate[1][entry] : entry) !=
                    XR_STATE_CLEAN)
                return false;
        }
    }
    return true;
}

/* Whether one side has a single operator with weights of its own (PyTorch's attention) where the other has
 * several steps, or a layer of another framework where the other has anything: what it is made of is not
 * known, and no proof that it is another. */
static bool is_whole_against_steps(const xr_finder *f, const xr_step_gap gap[2])
{
    for (int s = 0; s < 2; s++) {
        const xr_op_step *step = gap[s].count ? xr_finder_step(f, s, gap[s].last) : NULL;
        if (step && gap[s].count == 1 && step->kind == XR_STEP_OTHER && step->constant_count > 1 &&
            gap[!s].count > 1)
            return true;
        if (step && gap[!s].count && xr_step_is_whole(step) && !xr_have_one_format(f))
            return true;
    }
    return false;
}

/* Whether two tensors are copies of one, in one shape. */
static bool are_copies(const xr_finder *f, uint32_t a, uint32_t b)
{
    const xr_step_graph *g = xr_finder_match(f)->side;
    return xr_finder_mate(f, xr_step_graph_before_shapes(&g[0], a)) ==
               xr_step_graph_before_shapes(&g[1], b) &&
           xr_same_shape(xr_step_graph_info(&g[0], a), xr_step_graph_info(&g[1], b));
}

/* Whether a side has one function there alone. */
static bool is_function(const xr_finder *f, int side, const xr_step_gap *gap)
{
    return gap->count == 1 && xr_finder_step(f, side, gap->last)->kind == XR_STEP_FUNCTION;
}

/* Whether as many steps of the same operators lie on both sides, behind a difference that shows: they make
 * other values of what they are given, and nothing says that they are others. */
static bool are_alike_behind_another(xr_finder *f, const xr_step_gap gap[2])
{
    if (gap[0].count < 2 || gap[0].count != gap[1].count)
        return false;
    const uint32_t ends[2][2] = {{gap[0].first, gap[1].first}, {gap[0].last, gap[1].last}};
    for (int i = 0; i < 2; i++) {
        const exray_node *a = xr_finder_step(f, 0, ends[i][0])->node,
                         *b = xr_finder_step(f, 1, ends[i][1])->node;
        if (!a->op || !b->op || strcmp(a->op, b->op) != 0)
            return false;
    }
    for (size_t i = 0; i < f->out->count; i++)
        if (f->out->list[i].proof == XR_PROOF_SHOWN && f->out->list[i].step[0] < gap[0].first)
            return true;
    return false;
}

void xr_compare_sources(xr_finder *f, uint32_t edge, uint32_t reference, uint32_t a, uint32_t b)
{
    xr_step_gap gap[2];
    if (xr_finder_mate(f, a) == b || are_copies(f, a, b))
        return;
    xr_step_gap_of(xr_finder_match(f), 0, a, f->seen[0], &gap[0]);
    xr_step_gap_of(xr_finder_match(f), 1, b, f->seen[1], &gap[1]);
    bool follows = false;
    for (uint32_t i = 0; i < listed(&gap[0]); i++)
        follows = follows || (xr_finder_mate(f, gap[0].entry[i]) != EXRAY_NO_INDEX &&
                              is_entry(&gap[1], xr_finder_mate(f, gap[0].entry[i])));
    if (gap[0].count == 0 && gap[1].count == 0 && follows)
        return; /* shapes alone */
    if (xr_gap_is_of_scales(f, gap) || is_unit_of_input(f, gap) ||
        xr_step_gap_is_within(&f->out->match, gap, (const uint32_t[2]){a, b}) ||
        is_pad_of_window(f, gap, edge, reference) || is_sorted_for_reader(f, gap, edge) ||
        is_whole_against_steps(f, gap))
        return;
    xr_difference_kind kind = gap[0].count && gap[1].count ? XR_DIFFERENCE_REPLACED
                              : gap[0].count               ? XR_DIFFERENCE_EXTRA
                              : gap[1].count               ? XR_DIFFERENCE_LACKS
                                                           : XR_DIFFERENCE_SOURCE;
    bool known = kind != XR_DIFFERENCE_SOURCE
                     ? follows
                     : gap[0].entries && gap[1].entries && is_matched_layer(f, 0, gap[0].entry[0]) &&
                           is_matched_layer(f, 1, gap[1].entry[0]);
    const bool read = !known && edge != EXRAY_NO_INDEX && is_read_elsewhere(f, gap),
               elsewhere = read || (!known && is_made_of_others(f, gap));
    kind = read ? XR_DIFFERENCE_SOURCE : kind;
    known = known || elsewhere;
    bool port = kind == XR_DIFFERENCE_SOURCE && (edge == EXRAY_NO_INDEX || are_one_by_name(f, a, b));
    if (!known || port)
        return; /* the two do not begin at the same place, or the outputs were paired otherwise */
    if (kind == XR_DIFFERENCE_REPLACED && (compare_replaced(f, gap) || are_alike_behind_another(f, gap)))
        return;
    xr_state out = xr_state_of(&f->values, a, b);
    bool here = out != XR_STATE_UNKNOWN; /* the values at the gap's end itself are known */
    if (!here && edge != EXRAY_NO_INDEX)
        out = xr_state_behind(&f->values, edge);
    xr_difference *d = xr_add_difference(f, kind, edge, reference, "steps");
    if (!d)
        return;
    for (int s = 0; s < 2; s++)
        describe_gap(f, s, &gap[s], d);
    if (is_function(f, 0, &gap[0]) && is_function(f, 1, &gap[1])) { /* told as one that was paired */
        d->kind = XR_DIFFERENCE_FUNCTION;
        snprintf(d->key, sizeof d->key, "function");
    }
    if (kind == XR_DIFFERENCE_SOURCE)
        for (int s = 0; s < 2; s++)
            source_words(f, s, s ? b : a, have_one_name(f, a, b), d->value[s], sizeof d->value[s]);
    if (here && xr_step_match_layer(f->comparison, xr_finder_match(f), a, b))
        d->layer = xr_step_match_layer_of(xr_finder_match(f), a);
    xr_state in = xr_state_before_all(f, gap[0].entry, listed(&gap[0]));
    if (out == XR_STATE_WRONG && in != XR_STATE_CLEAN &&
        shows_on_own_values(f, gap, (const uint32_t[2]){a, b}, d))
        in = XR_STATE_CLEAN;
    if (!xr_judge_difference(f, d, in, out) || (elsewhere && d->proof != XR_PROOF_SHOWN))
        xr_drop_difference(f);
}
