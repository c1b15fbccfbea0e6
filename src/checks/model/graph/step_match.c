/* The monotone alignment of the steps with the largest sum of scores (Needleman and Wunsch, 1970, free
 * gaps); then those in another order, by the steps that feed them. */
#include "checks/model/graph/step_match.h"

#include "checks/model/graph/between/step_branches.h"
#include "checks/model/graph/between/step_layers.h"
#include "checks/model/graph/join/step_cuts.h"
#include "checks/place_of.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define MOST_CELLS ((size_t)1 << 24)

/* What each piece of evidence is worth. */
#define SAME_KIND      2.0
#define SAME_SHAPE_OP  0.6 /* of what computes nothing */
#define OTHER_FUNCTION 1.2
#define OTHER_CUT      1.6 /* another part of a tensor */
#define SAME_WEIGHTS   4.0
#define SAME_SIZE      0.7
#define SAME_NAME      1.5
#define SAME_OUTPUT    0.4
#define OTHER_OUTPUT   (-1.5)
#define CLEAN_VALUES   2.0

enum { FEWEST_WEIGHTS = 8 };

/* ---- The score --------------------------------------------------------------------- */

/* Rounding to 8 bits changes mean and deviation by less than this share of the deviation. */
static bool same_print(const xr_constant_print *a, const xr_constant_print *b)
{
    double most = 0.02 * fmax(a->deviation, b->deviation) + 1e-6 * fabs(b->mean);
    return a->count == b->count && fabs(a->mean - b->mean) <= most &&
           fabs(a->deviation - b->deviation) <= most;
}

/* Rounding to 8 bits or more, which is spread over all values, moves mean and deviation hardly at all: one
 * matrix is told from others that were made alike.  What a quantizer clips moves them more. */
static bool close_print(const xr_constant_print *a, const xr_constant_print *b)
{
    double most = (1e-3 + 0.03 / sqrt((double)b->count)) * fmax(a->deviation, b->deviation);
    return a->count == b->count && a->deviation > 0 && b->deviation > 0 && fabs(a->mean - b->mean) <= most &&
           fabs(a->deviation - b->deviation) <= most;
}

/* Weights of fewer than 8 bits, several to a byte, or gates that are stacked in one engine and apart in
 * another: neither their number nor their values show. */
static bool is_packed(const xr_op_step *step)
{
    const char *op = step->node->op ? step->node->op : "";
    return strcmp(op, "MatMulNBits") == 0 || xr_is_recurrent_word(step->word);
}

/* NAN: they cannot be the same step. */
static double score_weights(xr_step_match *m, const xr_op_step *a, const xr_op_step *b)
{
    uint32_t x = xr_step_largest_constant(&m->side[0], a, FEWEST_WEIGHTS),
             y = xr_step_largest_constant(&m->side[1], b, FEWEST_WEIGHTS);
    if (x == EXRAY_NO_INDEX && y == EXRAY_NO_INDEX)
        return 0;
    /* A normalization's factors may be folded into the weights behind it. */
    if (x == EXRAY_NO_INDEX || y == EXRAY_NO_INDEX)
        return a->kind == XR_STEP_OTHER || a->kind == XR_STEP_SHAPE || a->kind == XR_STEP_PAD ||
                       a->kind == XR_STEP_NORM
                   ? 0
                   : NAN;
    uint64_t n = xr_tensor_elements(xr_step_graph_info(&m->side[0], x)),
             k = xr_tensor_elements(xr_step_graph_info(&m->side[1], y));
    if (is_packed(a) || is_packed(b))
        return SAME_SIZE;
    if (n != k)
        return NAN;
    xr_constant_print p = xr_model_constants_print(&m->side[0].constants, x),
                      q = xr_model_constants_print(&m->side[1].constants, y);
    if (!p.known || !q.known || !same_print(&p, &q))
        return SAME_SIZE;
    return close_print(&p, &q) || !(m->twin[0][x] || m->twin[1][y]) ? SAME_WEIGHTS : SAME_SIZE;
}

static bool same_text(const char *a, const char *b)
{
    return a && b && *a && strcmp(a, b) == 0;
}

static double score_kinds(const xr_step_match *m, const xr_op_step *a, const xr_op_step *b)
{
    if (a->kind != b->kind) {
        bool dense = (a->kind == XR_STEP_CONV && b->kind == XR_STEP_PRODUCT) ||
                     (a->kind == XR_STEP_PRODUCT && b->kind == XR_STEP_CONV);
        return dense ? SAME_SHAPE_OP : 0;
    }
    if (a->kind == XR_STEP_FUNCTION)
        return xr_same_function(a->value, b->value, a->slack, b->slack) ? SAME_KIND : OTHER_FUNCTION;
    if (xr_step_moves_alone(a))
        return SAME_SHAPE_OP;
    if (a->cut && b->cut)
        return xr_same_cut(m->side, a->cut, b->cut) ? SAME_KIND : OTHER_CUT;
    if ((a->cut || b->cut) && a->node->op && b->node->op && strcmp(a->node->op, b->node->op) == 0)
        return SAME_KIND;
    return strcmp(a->word, b->word) == 0 ? SAME_KIND : 0;
}

static double score_outputs(const exray_comparison *c, xr_step_match *m, const xr_op_step *a,
                            const xr_op_step *b)
{
    const exray_tensor_info *x = xr_step_graph_info(&m->side[0], a->output),
                            *y = xr_step_graph_info(&m->side[1], b->output);
    const exray_layer_pair *pair = xr_step_match_layer(c, m, a->output, b->output);
    double score = pair && pair->role == EXRAY_LAYER_ROLE_CLEAN ? CLEAN_VALUES : 0;
    if (!x || !y)
        return score;
    uint64_t n = xr_tensor_elements(x), k = xr_tensor_elements(y);
    return score + (n && k ? n == k ? SAME_OUTPUT : OTHER_OUTPUT : 0) +
           (same_text(x->name, y->name) ? SAME_NAME : 0);
}

static double score_of(const exray_comparison *c, xr_step_match *m, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = &m->side[0].step[edge], *b = &m->side[1].step[reference];
    double kinds = score_kinds(m, a, b);
    if (kinds <= 0)
        return 0;
    double weights = score_weights(m, a, b);
    if (isnan(weights) || (kinds < SAME_KIND && a->kind != b->kind && weights < SAME_WEIGHTS))
        return 0;
    return fmax(0, kinds + weights + score_outputs(c, m, a, b) +
                       (same_text(a->node->name, b->node->name) ? SAME_OUTPUT : 0));
}

/* ---- In order -------------------------------------------------------------------------- */

enum { SKIP_EDGE, SKIP_REFERENCE, MATCH };

static bool match_in_order(const exray_comparison *c, xr_step_match *m)
{
    size_t rows = m->side[0].count, columns = m->side[1].count;
    if (rows == 0 || columns == 0 || rows > MOST_CELLS / columns)
        return true;
    uint8_t *way = malloc(rows * columns);
    double *below = calloc(columns + 1, sizeof *below), *row = calloc(columns + 1, sizeof *row);
    bool ok = way && below && row;
    for (size_t i = rows; ok && i-- > 0;) {
        row[columns] = 0;
        for (size_t j = columns; j-- > 0;) {
            double best = fmax(below[j], row[j + 1]), score = score_of(c, m, (uint32_t)i, (uint32_t)j);
            uint8_t how = below[j] > row[j + 1] ? SKIP_EDGE : SKIP_REFERENCE;
            if (score > 0 && score + below[j + 1] > best) {
                best = score + below[j + 1];
                how = MATCH;
            }
            row[j] = best;
            way[i * columns + j] = how;
        }
        double *swap = below;
        below = row;
        row = swap;
    }
    for (size_t i = 0, j = 0; ok && i < rows && j < columns;) {
        uint8_t how = way[i * columns + j];
        if (how == MATCH) {
            m->mate[0][i] = (uint32_t)j;
            m->mate[1][j] = (uint32_t)i;
        }
        i += how != SKIP_REFERENCE;
        j += how != SKIP_EDGE;
    }
    free(way);
    free(below);
    free(row);
    return ok;
}

static const char *output_name(const xr_step_graph *g, uint32_t step)
{
    const exray_tensor_info *info = xr_step_graph_info(g, g->step[step].output);
    return info ? info->name : NULL;
}

/* Whether two steps make outputs of the models that vary and are equal, whatever they are called. */
static bool are_equal_outputs(const exray_comparison *c, const xr_step_match *m, uint32_t edge,
                              uint32_t reference)
{
    const char *name[2] = {output_name(&m->side[0], edge), output_name(&m->side[1], reference)};
    for (size_t i = 0; i < exray_comparison_output_count(c); i++) {
        const exray_io_pair *io = exray_comparison_output(c, i);
        if (same_text(name[0], io->name[0]) && same_text(name[1], io->name[1]))
            return io->comparable && io->error <= io->noise && io->metrics.std[EXRAY_SIDE_REFERENCE] > 0;
    }
    return false;
}

/* Two steps of one kind that were paired with each other's namesakes, for an engine runs them in another
 * order, are exchanged; not where weights and values say otherwise, for names may be counted anew. */
static void uncross(const exray_comparison *c, xr_step_match *m)
{
    const xr_step_graph *g = m->side;
    for (uint32_t i = 0; i < g[0].count; i++) {
        const uint32_t k = m->mate[0][i];
        if (k == EXRAY_NO_INDEX || same_text(output_name(&g[0], i), output_name(&g[1], k)) ||
            are_equal_outputs(c, m, i, k))
            continue;
        for (uint32_t j = 0; j < g[1].count; j++) {
            const uint32_t other = m->mate[1][j];
            if (other == EXRAY_NO_INDEX || g[1].step[j].kind != g[0].step[i].kind ||
                strcmp(g[1].step[j].word, g[0].step[i].word) != 0 ||
                !same_text(output_name(&g[0], i), output_name(&g[1], j)) ||
                !same_text(output_name(&g[0], other), output_name(&g[1], k)) ||
                score_of(c, m, i, j) + score_of(c, m, other, k) <
                    score_of(c, m, i, k) + score_of(c, m, other, j))
                continue;
            xr_step_make_mates(m->mate, i, j);
            xr_step_make_mates(m->mate, other, k);
            break;
        }
    }
}

static double score_for(const exray_comparison *c, void *match, uint32_t edge, uint32_t reference)
{
    return score_of(c, match, edge, reference);
}

static bool settle_by_layers(const exray_comparison *c, xr_step_match *m)
{
    const xr_step_layers by = {c, m->side, m->mate, m->layer, score_for, m};
    return xr_step_layers_settle(&by) && xr_step_branches_settle(&by);
}

/* ---- Tensors ----------------------------------------------------------------------------- */

static void join_tensors(xr_step_match *m, uint32_t edge, uint32_t reference)
{
    m->tensor_mate[0][edge] = reference;
    m->tensor_mate[1][reference] = edge;
}

static void join_outputs(xr_step_match *m, uint32_t edge, uint32_t reference)
{
    const xr_op_step *a = &m->side[0].step[edge], *b = &m->side[1].step[reference];
    join_tensors(m, a->output, b->output);
    if (a->cut && b->cut)
        return;
    for (uint32_t k = 1; k < a->node->output_count && k < b->node->output_count; k++)
        if (a->node->outputs[k] < m->side[0].model->tensor_count &&
            b->node->outputs[k] < m->side[1].model->tensor_count)
            join_tensors(m, a->node->outputs[k], b->node->outputs[k]);
}

uint32_t xr_step_match_port(const exray_model *model, const uint32_t *ports, uint32_t count, const char *name)
{
    for (uint32_t i = 0; i < count; i++)
        if (ports[i] < model->tensor_count && same_text(model->tensors[ports[i]].name, name))
            return ports[i];
    return EXRAY_NO_INDEX;
}

static void join_inputs(const exray_comparison *c, xr_step_match *m)
{
    size_t count = exray_comparison_input_count(c);
    for (size_t i = 0; i < count; i++) {
        uint32_t tensor[2];
        for (int s = 0; s < 2; s++) {
            const exray_model *model = m->side[s].model;
            tensor[s] = xr_step_match_port(model, model->inputs, model->input_count,
                                           exray_comparison_input(c, i)->name[s]);
            if (tensor[s] == EXRAY_NO_INDEX && count == 1 && model->input_count == 1 &&
                model->inputs[0] < model->tensor_count)
                tensor[s] = model->inputs[0];
        }
        if (tensor[0] != EXRAY_NO_INDEX && tensor[1] != EXRAY_NO_INDEX)
            join_tensors(m, tensor[0], tensor[1]);
    }
}

/* ---- Out of order -------------------------------------------------------------------------- */

/* Whether all inputs of both are mates, in this order. */
static bool same_inputs(const xr_step_match *m, const xr_op_step *a, const xr_op_step *b)
{
    if (a->input_count != b->input_count || a->input_count == 0)
        return false;
    for (uint32_t i = 0; i < a->input_count; i++)
        if (m->tensor_mate[0][a->input[i]] != b->input[i])
            return false;
    return true;
}

/* Whether two products of the same weights read the same values, in whatever shape. */
static bool same_product(xr_step_match *m, const xr_op_step *a, const xr_op_step *b)
{
    return a->kind == XR_STEP_PRODUCT && b->kind == XR_STEP_PRODUCT && a->input_count == 1 &&
           b->input_count == 1 && a->constant_count && b->constant_count &&
           m->tensor_mate[0][xr_step_graph_before_shapes(&m->side[0], a->input[0])] ==
               xr_step_graph_before_shapes(&m->side[1], b->input[0]) &&
           score_weights(m, a, b) >= SAME_WEIGHTS;
}

/* Whether a side has a cut of the same part. */
static bool has_cut(const xr_step_match *m, int side, const xr_cut *cut)
{
    for (uint32_t i = 0; i < m->side[side].count; i++) {
        const xr_cut *own = m->side[side].step[i].cut;
        if (own && xr_same_cut(m->side, side ? cut : own, side ? own : cut))
            return true;
    }
    return false;
}

/* Parts of one tensor look like each other: the same part is preferred, wherever it stands. */
static void part_cuts(xr_step_match *m)
{
    for (uint32_t i = 0; i < m->side[0].count; i++) {
        uint32_t k = m->mate[0][i];
        const xr_cut *a = m->side[0].step[i].cut, *b = k == EXRAY_NO_INDEX ? NULL : m->side[1].step[k].cut;
        if (a && b && !xr_same_cut(m->side, a, b) && (has_cut(m, 1, a) || has_cut(m, 0, b)))
            m->mate[0][i] = m->mate[1][k] = EXRAY_NO_INDEX;
    }
}

/* Whether a step of side s has its weights, to the last digits, in an unpaired step of the other. */
static bool has_free_twin(xr_step_match *m, int s, uint32_t step)
{
    const uint32_t own = xr_step_largest_constant(&m->side[s], &m->side[s].step[step], FEWEST_WEIGHTS);
    if (own == EXRAY_NO_INDEX || !m->twin[s][own])
        return false;
    const xr_constant_print p = xr_model_constants_print(&m->side[s].constants, own);
    for (uint32_t i = 0; i < m->side[!s].count; i++) {
        const xr_op_step *other = &m->side[!s].step[i];
        const uint32_t tensor = m->mate[!s][i] == EXRAY_NO_INDEX
                                    ? xr_step_largest_constant(&m->side[!s], other, FEWEST_WEIGHTS)
                                    : EXRAY_NO_INDEX;
        if (tensor == EXRAY_NO_INDEX || strcmp(other->word, m->side[s].step[step].word) != 0)
            continue;
        const xr_constant_print q = xr_model_constants_print(&m->side[!s].constants, tensor);
        if (p.known && q.known && close_print(&p, &q))
            return true;
    }
    return false;
}

/* Steps that were paired for want of better, since an engine runs the right one elsewhere. */
static void part_weights(xr_step_match *m)
{
    for (uint32_t i = 0; i < m->side[0].count; i++) {
        const uint32_t k = m->mate[0][i];
        if (k == EXRAY_NO_INDEX || !m->side[0].step[i].constant_count ||
            score_weights(m, &m->side[0].step[i], &m->side[1].step[k]) >= SAME_WEIGHTS)
            continue;
        if (has_free_twin(m, 0, i) || has_free_twin(m, 1, k))
            m->mate[0][i] = m->mate[1][k] = EXRAY_NO_INDEX;
    }
}

/* Where `same_cut`, cuts of the same part alone. */
static void match_by_inputs(const exray_comparison *c, xr_step_match *m, bool same_cut)
{
    for (uint32_t i = 0; i < m->side[0].count; i++) {
        const xr_cut *a = m->side[0].step[i].cut;
        if (m->mate[0][i] != EXRAY_NO_INDEX || (same_cut && !a))
            continue;
        for (uint32_t k = 0; k < m->side[1].count; k++) {
            const xr_cut *b = m->side[1].step[k].cut;
            if (same_cut && (!b || !xr_same_cut(m->side, a, b)))
                continue;
            if (m->mate[1][k] != EXRAY_NO_INDEX ||
                !(same_inputs(m, &m->side[0].step[i], &m->side[1].step[k]) ||
                  same_product(m, &m->side[0].step[i], &m->side[1].step[k])) ||
                score_of(c, m, i, k) <= 0)
                continue;
            m->mate[0][i] = k;
            m->mate[1][k] = i;
            join_outputs(m, i, k);
            break;
        }
    }
}

static void part(xr_step_match *m, uint32_t edge)
{
    const uint32_t reference = m->mate[0][edge], made = m->side[1].step[reference].output;
    m->mate[0][edge] = m->mate[1][reference] = EXRAY_NO_INDEX;
    if (m->tensor_mate[0][m->side[0].step[edge].output] == made)
        m->tensor_mate[0][m->side[0].step[edge].output] = m->tensor_mate[1][made] = EXRAY_NO_INDEX;
}

/* What computes nothing looks like any other of its kind: it is the same only where it reads the same. */
static void part_moves(xr_step_match *m)
{
    for (uint32_t i = 0; i < m->side[0].count; i++) {
        const uint32_t k = m->mate[0][i];
        const xr_op_step *a = &m->side[0].step[i];
        if (k != EXRAY_NO_INDEX && xr_step_moves_alone(a) && !same_inputs(m, a, &m->side[1].step[k]))
            part(m, i);
    }
}

/* ---- All ------------------------------------------------------------------------------------- */

/* Notes which weights have the very mean and deviation of some of the other side: those are no others'. */
static void note_twins(xr_step_match *m)
{
    for (uint32_t i = 0; i < m->side[0].count; i++) {
        const uint32_t x = xr_step_largest_constant(&m->side[0], &m->side[0].step[i], FEWEST_WEIGHTS);
        for (uint32_t k = 0; x != EXRAY_NO_INDEX && k < m->side[1].count; k++) {
            const uint32_t y = xr_step_largest_constant(&m->side[1], &m->side[1].step[k], FEWEST_WEIGHTS);
            if (y == EXRAY_NO_INDEX || xr_tensor_elements(xr_step_graph_info(&m->side[0], x)) !=
                                           xr_tensor_elements(xr_step_graph_info(&m->side[1], y)))
                continue;
            const xr_constant_print p = xr_model_constants_print(&m->side[0].constants, x),
                                    q = xr_model_constants_print(&m->side[1].constants, y);
            if (p.known && q.known && close_print(&p, &q))
                m->twin[0][x] = m->twin[1][y] = true;
        }
    }
}

/* A tensor of a node that a partition hides, or one that the log does not list, is of no pair. */
static void note_layers(const exray_comparison *c, xr_step_match *m)
{
    for (size_t i = exray_comparison_layer_count(c); i-- > 0;) {
        const uint32_t tensor =
            xr_tensor_of_layer(m->side[0].model, exray_comparison_layer(c, i), EXRAY_SIDE_EDGE);
        if (tensor != EXRAY_NO_INDEX)
            m->layer[tensor] = (uint32_t)i;
    }
}

/* The tensor itself, or one with the same numbers, in whatever shape. */
static bool is_like(const xr_step_graph *g, uint32_t tensor, uint32_t other)
{
    return tensor == other || g->tensor[tensor].same_as == g->tensor[other].same_as ||
           xr_step_graph_before_shapes(g, g->tensor[tensor].same_as) ==
               xr_step_graph_before_shapes(g, g->tensor[other].same_as);
}

uint32_t xr_step_match_layer_of(const xr_step_match *m, uint32_t edge)
{
    return xr_step_layer_of(&m->side[0], m->layer, edge);
}

const exray_layer_pair *xr_step_match_layer(const exray_comparison *comparison, const xr_step_match *m,
                                            uint32_t edge, uint32_t reference)
{
    if (edge >= m->side[0].model->tensor_count)
        return NULL;
    uint32_t at = xr_step_match_layer_of(m, edge);
    if (at == EXRAY_NO_INDEX)
        return NULL;
    const exray_layer_pair *layer = exray_comparison_layer(comparison, at);
    const uint32_t tensor = xr_tensor_of_layer(m->side[1].model, layer, EXRAY_SIDE_REFERENCE);
    return tensor != EXRAY_NO_INDEX && is_like(&m->side[1], reference, tensor) ? layer : NULL;
}

static uint32_t *all_absent(size_t count)
{
    uint32_t *list = malloc((count + 1) * sizeof *list);
    for (size_t i = 0; list && i < count; i++)
        list[i] = EXRAY_NO_INDEX;
    return list;
}

static bool make(const exray_comparison *c, xr_step_match *m)
{
    for (int s = 0; s < 2; s++) {
        if (!xr_step_graph_open(exray_comparison_log(c, (exray_side)s),
                                exray_comparison_log(c, (exray_side)!s), &m->side[s]))
            return false;
        m->mate[s] = all_absent(m->side[s].count);
        m->tensor_mate[s] = all_absent(m->side[s].tensor_count);
        m->twin[s] = calloc((size_t)m->side[s].tensor_count + 1, sizeof *m->twin[s]);
        if (!m->mate[s] || !m->tensor_mate[s] || !m->twin[s])
            return false;
    }
    m->layer = all_absent(m->side[0].model->tensor_count);
    if (!m->layer)
        return false;
    note_layers(c, m);
    note_twins(m);
    if (!match_in_order(c, m) || !settle_by_layers(c, m))
        return false;
    uncross(c, m);
    join_inputs(c, m);
    part_cuts(m);
    part_weights(m);
    for (uint32_t i = 0; i < m->side[0].count; i++)
        if (m->mate[0][i] != EXRAY_NO_INDEX)
            join_outputs(m, i, m->mate[0][i]);
    part_moves(m);
    match_by_inputs(c, m, true);
    match_by_inputs(c, m, false);
    return true;
}

bool xr_step_match_make(const exray_comparison *comparison, xr_step_match *out)
{
    *out = (xr_step_match){0};
    if (make(comparison, out))
        return true;
    xr_step_match_free(out);
    return false;
}

void xr_step_match_free(xr_step_match *m)
{
    for (int s = 0; s < 2; s++) {
        xr_step_graph_close(&m->side[s]);
        free(m->mate[s]);
        free(m->tensor_mate[s]);
        free(m->twin[s]);
    }
    free(m->layer);
    *m = (xr_step_match){0};
}

bool xr_step_match_of_others(const xr_step_match *m, const xr_op_step *edge, const xr_op_step *reference)
{
    const xr_op_step *step[2] = {edge, reference};
    uint32_t root[2];
    for (int s = 0; s < 2; s++) {
        const xr_tensor_facts *fact = m->side[s].tensor;
        root[s] = fact[fact[step[s]->output].root].same_as;
    }
    uint32_t mates[2] = {m->tensor_mate[0][root[0]], m->tensor_mate[1][root[1]]};
    return mates[0] != EXRAY_NO_INDEX && mates[1] != EXRAY_NO_INDEX && mates[0] != root[1];
}
