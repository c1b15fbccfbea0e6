/* Constants are paired by what they make: a compared tensor of the edge is made, out of the compared tensors
 * before it, with some constants, and the reference's counterpart with some of its own, whatever nodes lie
 * between (a layer that an engine fused, weights that are unpacked first).  Among several of one size the
 * order decides where the values agree, else the values. */
#include "checks/model/weight_match.h"

#include "checks/findings.h"
#include "checks/model/channel_order.h"
#include "checks/model/gates.h"
#include "checks/model/partition.h"
#include "checks/model/weights/weight_order.h"
#include "checks/op_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Numbers in weights: fewer say nothing about the training, but for biases of few classes. */
enum { FEWEST = 8, FEWEST_IN_SUM = 2 };

static bool contains(const char *op, const char *const *part, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strstr(op, part[i]))
            return true;
    return false;
}

static uint64_t fewest(const xr_node_constant *c)
{
    static const char *const with_bias[] = {"Conv", "CONV", "Gemm", "FULLY_CONNECTED", "Linear"};
    const char *op = c->node && c->node->op ? c->node->op : "";
    if (strcmp(op, "Add") == 0 || strcmp(op, "ADD") == 0)
        return FEWEST_IN_SUM;
    bool bias = c->input == 2 && contains(op, with_bias, sizeof with_bias / sizeof *with_bias);
    return bias ? 1 : FEWEST;
}

static int by_name(const void *left, const void *right)
{
    const struct xr_constant_name *a = left, *b = right;
    int order = strcmp(a->name, b->name);
    return order ? order : (a->tensor > b->tensor) - (a->tensor < b->tensor);
}

static bool list_names(xr_constant_table *c)
{
    c->named = calloc((size_t)c->model->tensor_count + 1, sizeof *c->named);
    for (uint32_t t = 0; c->named && t < c->model->tensor_count; t++) {
        const char *name = c->model->tensors[t].name;
        if (c->recorded[t] && !c->graph.parameter[t] && name && *name)
            c->named[c->named_count++] = (struct xr_constant_name){name, t};
    }
    if (c->named)
        qsort(c->named, c->named_count, sizeof *c->named, by_name);
    return c->named != NULL;
}

static bool collect(const exray_comparison *comparison, exray_side side, xr_constant_table *c)
{
    c->log = exray_comparison_log(comparison, side);
    c->model = exray_log_model(c->log);
    if (!c->model)
        return true;
    c->recorded = calloc((size_t)c->model->tensor_count + 1, sizeof *c->recorded);
    c->taken = calloc((size_t)c->model->tensor_count + 1, sizeof *c->taken);
    if (!c->recorded || !c->taken || !xr_weight_graph_make(comparison, side, &c->graph) ||
        !xr_weight_folds_make(c->log, &c->folds))
        return false;
    size_t count;
    const exray_record *record = exray_log_constants(c->log, &count);
    for (size_t i = 0; i < count; i++)
        if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_CONSTANT &&
            record[i].index < c->model->tensor_count)
            c->recorded[record[i].index] = true;
    return list_names(c);
}

bool xr_weight_matcher_make(const exray_comparison *comparison, xr_weight_matcher *m)
{
    bool ok = true;
    m->comparison = comparison;
    for (int s = 0; s < 2; s++)
        ok = xr_weight_values_make(&m->values[s]) && ok;
    for (int s = 0; s < 2 && ok; s++)
        ok = collect(comparison, (exray_side)s, &m->side[s]);
    return ok;
}

void xr_weight_matcher_free(xr_weight_matcher *m)
{
    for (int s = 0; s < 2; s++) {
        xr_weight_values_free(&m->values[s]);
        xr_weight_graph_free(&m->side[s].graph);
        xr_weight_folds_free(&m->side[s].folds);
        free(m->side[s].recorded);
        free(m->side[s].taken);
        free(m->side[s].named);
    }
    free(m->pair);
}

/* ---- One pair -------------------------------------------------------------------------------- */

/* The slopes of a PRelu are a vector, but nothing that converters correct or fold. */
static bool are_slopes(const xr_node_constant pair[2])
{
    return pair[0].node && pair[1].node && xr_is_op(pair[0].node->op, "prelu") &&
           xr_is_op(pair[1].node->op, "prelu");
}

/* Statistics of values, to compare a log that has data with one that has not. */
static void add_stats(exray_tensor_view *view, const float *values)
{
    double sum = 0, square = 0;
    for (uint64_t i = 0; i < view->count; i++) {
        sum += values[i];
        square += (double)values[i] * values[i];
    }
    double n = (double)view->count;
    view->has_stats = true;
    view->stats = (exray_stats){
        .count = view->count, .mean = sum / n, .variance = fmax(square / n - sum / n * (sum / n), 0)};
}

/* What was recorded may be less than the model says. */
static bool has_all_gates(const xr_gate_layout *l, uint64_t count)
{
    return l->gates * l->hidden * l->columns <= count;
}

/* Whether the layer, or the partition that runs it, is right or given what is wrong: then weights in another
 * order belong to it. */
static bool may_be_reordered(const xr_weight_matcher *m, size_t layer, uint32_t tensor)
{
    const exray_model *model = m->side[0].model;
    for (size_t i = 0; i < exray_comparison_layer_count(m->comparison); i++) {
        const exray_layer_pair *pair = exray_comparison_layer(m->comparison, i);
        bool reads = layer == SIZE_MAX ? pair->node[0] < model->node_count &&
                                             xr_partition_reads(&model->nodes[pair->node[0]], tensor)
                                       : i == layer;
        if (reads && pair->role == EXRAY_LAYER_ROLE_ORIGINATES)
            return false;
    }
    return true;
}

/* The edge's weights of a dense layer with the columns of a flattened picture in the reference's order, where
 * one engine flattens it pixel by pixel and the other channel by channel.  *made: NULL: no such layer. */
static exray_status reorder_columns(const xr_weight_matcher *m, const xr_node_constant pair[2], float **made)
{
    const exray_tensor_view *view = &m->values[0].view;
    const float *value = m->values[0].value;
    xr_flat_picture edge, reference;
    const exray_node *node[2];
    *made = NULL;
    if (!value)
        return EXRAY_OK;
    for (int s = 0; s < 2; s++)
        node[s] = pair[s].node ? pair[s].node : xr_reader_within(m->side[s].model, pair[s].tensor);
    if (view->info.rank != 2 || !xr_reads_flattened(m->side[0].model, node[0], &edge) ||
        !xr_reads_flattened(m->side[1].model, node[1], &reference) ||
        edge.channels_last == reference.channels_last)
        return EXRAY_OK;
    const uint64_t columns = edge.size[0] * edge.size[1] * edge.size[2];
    const uint64_t shape[2] = {(uint64_t)view->info.shape[0], (uint64_t)view->info.shape[1]};
    if (columns > view->count || shape[0] * shape[1] != view->count ||
        (shape[0] != columns && shape[1] != columns))
        return EXRAY_OK;
    float *out = malloc((view->count + 1) * sizeof *out);
    if (!out)
        return EXRAY_E_MEMORY;
    /* Of a square matrix the rows are the layer's, but where it multiplies from the right. */
    bool along_rows = shape[1] != columns || xr_is_op(node[0]->op, "matmul");
    for (uint64_t i = 0; i < view->count; i++) {
        uint64_t row = i / shape[1], column = i % shape[1];
        if (along_rows)
            row = xr_place_in_other_order(&edge, row);
        else
            column = xr_place_in_other_order(&edge, column);
        out[row * shape[1] + column] = value[i];
    }
    *made = out;
    return EXRAY_OK;
}

/* Compares weights that differ as they are once more, in the order of the other side's picture. */
static exray_status compare_reordered(const xr_weight_matcher *m, const xr_node_constant pair[2],
                                      const exray_tensor_view view[2], const float *reference,
                                      xr_weight_pair *out)
{
    float *reordered;
    exray_status status = reorder_columns(m, pair, &reordered);
    if (status != EXRAY_OK || !reordered)
        return status;
    xr_weight_pair again = *out;
    bool found = xr_weight_difference(view, (const float *const[]){reordered, reference},
                                      (const double[]){m->values[0].rounding, m->values[1].rounding},
                                      m->factor, &again);
    if (found && !again.differs && !again.transposed)
        *out = again;
    free(reordered);
    return EXRAY_OK;
}

/* Whether what a layer reads was moved to other places before it, in another way on the two sides. */
static bool reads_moved(const xr_weight_matcher *m, const xr_node_constant pair[2])
{
    enum { FURTHEST = 6, LONGEST = 160 };
    char moves[2][LONGEST] = {"", ""};
    for (int s = 0; s < 2; s++) {
        const exray_model *model = m->side[s].model;
        const exray_node *node = pair[s].node;
        size_t used = 0;
        for (int i = 0; node && i < FURTHEST && node->input_count; i++) {
            uint32_t tensor = node->inputs[0];
            node = tensor < model->tensor_count ? xr_maker_within(model, tensor) : NULL;
            const char *perm = node ? exray_node_attribute(node, "perm") : NULL;
            bool transposes = node && xr_is_op(node->op, "transpose");
            bool keeps = node && (xr_is_op(node->op, "reshape") || xr_is_op(node->op, "flatten") ||
                                  xr_is_op(node->op, "squeeze") || xr_is_op(node->op, "unsqueeze") ||
                                  xr_is_op(node->op, "identity") || xr_is_op(node->op, "dropout"));
            if (!transposes && !keeps)
                break;
            if (transposes && used < LONGEST)
                used += (size_t)snprintf(moves[s] + used, LONGEST - used, "(%s)", perm ? perm : "");
        }
    }
    return strcmp(moves[0], moves[1]) != 0;
}

static int by_value(const void *left, const void *right)
{
    float a = *(const float *)left, b = *(const float *)right;
    return (a > b) - (a < b);
}

/* Whether the weights are the same numbers in another order, up to `within`.  *yes stays false for those of
 * which one is not finite. */
static exray_status are_permuted(const float *const values[2], uint64_t count, double within, bool *yes)
{
    float *sorted[2];
    *yes = false;
    for (int s = 0; s < 2; s++) {
        sorted[s] = malloc((count + 1) * sizeof *sorted[s]);
        if (!sorted[s]) {
            free(s ? sorted[0] : NULL);
            return EXRAY_E_MEMORY;
        }
        memcpy(sorted[s], values[s], count * sizeof *sorted[s]);
        qsort(sorted[s], count, sizeof *sorted[s], by_value);
    }
    *yes = true;
    for (uint64_t i = 0; i < count; i++)
        *yes = *yes && fabs((double)sorted[0][i] - sorted[1][i]) <= within;
    free(sorted[0]);
    free(sorted[1]);
    return EXRAY_OK;
}

/* Weights in another order belong to a layer that makes the same of values in another order. */
static exray_status compare_permuted(const xr_weight_matcher *m, size_t layer, const xr_node_constant pair[2],
                                     const float *const values[2], uint64_t count, xr_weight_pair *out)
{
    bool permuted;
    if (layer == SIZE_MAX || exray_comparison_layer(m->comparison, layer)->role != EXRAY_LAYER_ROLE_CLEAN ||
        !reads_moved(m, pair))
        return EXRAY_OK;
    exray_status status = are_permuted(values, count, m->factor * out->rounding * out->unit, &permuted);
    if (status == EXRAY_OK && permuted)
        out->differs = out->moved = out->transposed = false;
    return status;
}

/* Compares two constants; *found: they can be compared. */
static exray_status compare_pair(xr_weight_matcher *m, size_t layer, const xr_node_constant pair[2],
                                 xr_weight_pair *out, bool *found)
{
    *found = false;
    for (int s = 0; s < 2; s++) {
        exray_status status = xr_weight_values_read(m->side[s].log, &pair[s], &m->values[s], m->error);
        if (status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_STATE)
            return m->error->status = EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        if (m->side[s].is_folded)
            status = xr_weight_fold(&m->side[s].folds, &pair[s], &m->values[s], m->error);
        if (status != EXRAY_OK)
            return status;
        if (m->values[s].value && m->values[s].view.count < fewest(&pair[s]))
            return EXRAY_OK;
    }
    exray_tensor_view view[2] = {m->values[0].view, m->values[1].view};
    const float *values[2] = {m->values[0].value, m->values[1].value};
    for (int s = 0; s < 2; s++)
        if (values[s] && !values[!s])
            add_stats(&view[s], values[s]);
    if (values[0] && values[1] && view[0].count != view[1].count)
        return EXRAY_OK;
    *out = (xr_weight_pair){.layer = layer,
                            .tensor = {pair[0].tensor, pair[1].tensor},
                            .part = {pair[0].part, pair[1].part},
                            .of = {pair[0], pair[1]},
                            .from = SIZE_MAX,
                            .name = m->side[0].model->tensors[pair[0].tensor].name,
                            .bias = xr_weight_dimensions(m->side[1].model, &pair[1]) <= 1};
    *found = xr_weight_difference(
        view, values, (const double[]){m->values[0].rounding, m->values[1].rounding}, m->factor, out);
    if (are_slopes(pair))
        out->bias = out->rescaled = false;
    if (*found && out->differs && values[0] && values[1] && may_be_reordered(m, layer, pair[0].tensor)) {
        exray_status status = compare_reordered(m, pair, view, values[1], out);
        if (status != EXRAY_OK)
            return status;
    }
    if (*found && out->differs && values[0] && values[1]) {
        exray_status status = compare_permuted(m, layer, pair, values, view[0].count, out);
        if (status != EXRAY_OK)
            return status;
    }
    if (*found && out->differs && values[0] && values[1]) {
        exray_status status = xr_weight_find_order(view, values, m->factor, out);
        if (status != EXRAY_OK)
            return status;
    }
    xr_gate_layout gates, other;
    if (*found && out->differs && values[0] && values[1] &&
        xr_gate_layout_of(m->side[0].model, &pair[0], &gates) &&
        xr_gate_layout_of(m->side[1].model, &pair[1], &other) && gates.gates == other.gates &&
        has_all_gates(&gates, view[0].count) && has_all_gates(&other, view[1].count)) {
        double within = m->factor * out->rounding * out->unit;
        out->gates = gates.sorted;
        out->gates_differ = xr_gates_that_differ(&gates, values, within);
        out->gates_exchanged = xr_gates_are_exchanged(&gates, values, within);
    }
    return EXRAY_OK;
}

static void take(xr_constant_table *c, const xr_node_constant *constant)
{
    bool halves = constant->joined == XR_JOINED_SUM && !constant->joined_count;
    c->taken[constant->tensor] |= (uint8_t)((halves ? 3u : 1u) << (halves ? 2 : 1) * constant->part);
    for (uint32_t i = 0; i < constant->joined_count; i++)
        c->taken[constant->also[i]] |= 1;
}

static exray_status keep(xr_weight_matcher *m, const xr_weight_pair *pair, const xr_node_constant of[2])
{
    xr_weight_pair *grown = realloc(m->pair, (m->count + 1) * sizeof *grown);
    if (!grown)
        return EXRAY_E_MEMORY;
    m->pair = grown;
    m->pair[m->count++] = *pair;
    for (int s = 0; s < 2; s++)
        take(&m->side[s], &of[s]);
    return EXRAY_OK;
}

/* ---- Layers --------------------------------------------------------------------------------- */

static bool is_free(const xr_constant_table *c, const xr_node_constant *constant)
{
    for (uint32_t i = 0; i < constant->joined_count; i++)
        if (!c->recorded[constant->also[i]] || c->taken[constant->also[i]])
            return false;
    bool halves = constant->joined == XR_JOINED_SUM && !constant->joined_count;
    unsigned bit = (halves ? 2 : 1) * constant->part;
    return c->recorded[constant->tensor] && !(c->taken[constant->tensor] >> bit & 1) &&
           xr_weight_count(c->model, constant) >= fewest(constant) &&
           !(c->is_folded && xr_weight_fold_part(&c->folds, constant) == XR_FOLD_USED);
}

static bool are_of_one_size(const xr_weight_matcher *m, const xr_node_constant *a, const xr_node_constant *b)
{
    return xr_weight_count(m->side[0].model, a) == xr_weight_count(m->side[1].model, b) &&
           (xr_weight_dimensions(m->side[0].model, a) > 1) == (xr_weight_dimensions(m->side[1].model, b) > 1);
}

/* Whether the other side has a constant of the same name and the same values: then this one was not changed,
 * whatever layer it was found at (a layer that was left out moves all others). */
static exray_status has_equal_namesake(xr_weight_matcher *m, int side, const xr_node_constant *constant,
                                       bool *yes)
{
    const exray_model *model = m->side[!side].model;
    const char *name = m->side[side].model->tensors[constant->tensor].name;
    *yes = false;
    for (uint32_t t = 0; name && *name && !*yes && t < model->tensor_count; t++) {
        const xr_node_constant other = {.tensor = t};
        if (!model->tensors[t].name || strcmp(name, model->tensors[t].name) != 0 ||
            !m->side[!side].recorded[t])
            continue;
        xr_node_constant pair[2];
        pair[side] = *constant;
        pair[!side] = other;
        xr_weight_pair apart;
        exray_status status =
            are_of_one_size(m, &pair[0], &pair[1]) ? compare_pair(m, SIZE_MAX, pair, &apart, yes) : EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        *yes = *yes && !apart.differs && !apart.transposed;
    }
    return EXRAY_OK;
}

/* A pair of different constants that each have another, equal counterpart by name is none. */
static exray_status is_misplaced(xr_weight_matcher *m, const xr_weight_pair *pair, bool *yes)
{
    *yes = false;
    for (int s = 0; s < 2 && !*yes; s++) {
        exray_status status = has_equal_namesake(m, s, &(xr_node_constant){.tensor = pair->tensor[s]}, yes);
        if (status != EXRAY_OK)
            return status;
    }
    return EXRAY_OK;
}

/* The place of the first constant of that name; of none, where it would be. */
static size_t first_named(const xr_constant_table *c, const char *name)
{
    size_t low = 0, high = c->named_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(c->named[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_named(const xr_constant_table *c, size_t place, const char *name)
{
    return place < c->named_count && strcmp(c->named[place].name, name) == 0;
}

/* The reference's constant of that name and size that has no counterpart yet. */
static bool find_namesake(const xr_weight_matcher *m, const xr_node_constant *edge, xr_node_constant *out)
{
    const xr_constant_table *other = &m->side[1];
    const char *name = m->side[0].model->tensors[edge->tensor].name;
    if (!name || !*name || edge->joined)
        return false;
    for (size_t i = first_named(other, name); is_named(other, i, name); i++) {
        *out = *edge; /* of the same part of a node of the same kind, if of any */
        out->tensor = other->named[i].tensor;
        if (is_free(other, out) && are_of_one_size(m, edge, out))
            return true;
    }
    return false;
}

/* The counterpart of one constant, while candidates are tried. */
typedef struct candidate {
    xr_weight_pair best;
    xr_node_constant of[2];
    size_t candidates;
    bool agrees;
} candidate;

/* Takes the candidate if it is the first, or the first that agrees. */
static exray_status try_pair(xr_weight_matcher *m, size_t layer, const xr_node_constant *edge,
                             const xr_node_constant *reference, candidate *c)
{
    xr_weight_pair pair;
    bool found;
    exray_status status = compare_pair(m, layer, (xr_node_constant[]){*edge, *reference}, &pair, &found);
    if (status != EXRAY_OK || !found)
        return status;
    if (c->candidates++ == 0 || !pair.differs) {
        c->best = pair;
        c->of[0] = *edge;
        c->of[1] = *reference;
    }
    c->agrees = !pair.differs;
    return EXRAY_OK;
}

/* ---- At one place ------------------------------------------------------------------------------- */

/* The one constant that a walk found at that input of that operator, or NULL. */
static const xr_node_constant *at_place(const xr_weight_graph *g, const xr_node_constant *like)
{
    const xr_node_constant *found = NULL;
    for (size_t i = 0; i < g->found_count; i++) {
        const xr_node_constant *c = &g->found[i];
        if (!c->node || !c->node->op || strcmp(c->node->op, like->node->op) != 0 || c->input != like->input)
            continue;
        if (found || c->parts || c->joined)
            return NULL;
        found = c;
    }
    return found;
}

/* The reference's constant at the place of the edge's, where a layer is wrong and the two are of other names:
 * that the edge's has a namesake, elsewhere, or the reference's has a counterpart at another layer that
 * shares it, does not make this layer right.  NULL: nothing speaks for another one. */
static const xr_node_constant *read_instead(const xr_weight_matcher *m, const exray_layer_pair *layer,
                                            const xr_node_constant *edge)
{
    if (layer->role != EXRAY_LAYER_ROLE_ORIGINATES || !edge->node || !edge->node->op || edge->parts ||
        edge->joined || at_place(&m->side[0].graph, edge) != edge)
        return NULL;
    const xr_node_constant *there = at_place(&m->side[1].graph, edge);
    const char *name = m->side[0].model->tensors[edge->tensor].name;
    const char *other = there ? m->side[1].model->tensors[there->tensor].name : NULL;
    if (!there || !m->side[1].recorded[there->tensor] || !are_of_one_size(m, edge, there) || !name ||
        !other || !*name || strcmp(name, other) == 0)
        return NULL;
    return m->side[1].taken[there->tensor] || is_named(&m->side[1], first_named(&m->side[1], name), name)
               ? there
               : NULL;
}

/* Pairs a constant of the edge with the one of its name; where that does not agree (exporters number
 * constants), with the first of the layer that does; where none does, with the first, unless it must agree.
 */
static exray_status match_constant(xr_weight_matcher *m, size_t layer, const xr_node_constant *edge,
                                   bool must_agree)
{
    const xr_weight_graph *g = &m->side[1].graph;
    candidate c = {.candidates = 0};
    xr_node_constant namesake;
    const xr_node_constant *instead = read_instead(m, exray_comparison_layer(m->comparison, layer), edge);
    if (instead) {
        exray_status tried = try_pair(m, layer, edge, instead, &c);
        if (tried != EXRAY_OK || (c.candidates && c.best.differs))
            return tried == EXRAY_OK ? keep(m, &c.best, c.of) : tried;
        c = (candidate){.candidates = 0};
    }
    bool named = find_namesake(m, edge, &namesake);
    exray_status status = named ? try_pair(m, layer, edge, &namesake, &c) : EXRAY_OK;
    for (size_t k = 0; status == EXRAY_OK && !c.agrees && k < g->found_count; k++)
        if (is_free(&m->side[1], &g->found[k]) && are_of_one_size(m, edge, &g->found[k]))
            status = try_pair(m, layer, edge, &g->found[k], &c);
    bool misplaced = must_agree && !c.agrees;
    if (status == EXRAY_OK && c.candidates && c.best.differs && !misplaced)
        status = is_misplaced(m, &c.best, &misplaced);
    if (status != EXRAY_OK || c.candidates == 0 || misplaced)
        return status;
    c.best.doubtful = !c.agrees && !named && c.candidates > 1;
    return keep(m, &c.best, c.of);
}

/* A constant that another layer has as well, in the place of one that the reference has for this layer alone.
 */
static exray_status match_shared(xr_weight_matcher *m, size_t layer, const xr_node_constant *edge)
{
    const exray_layer_pair *pair = exray_comparison_layer(m->comparison, layer);
    const xr_node_constant *instead = read_instead(m, pair, edge);
    candidate c = {.candidates = 0};
    if (!instead || m->side[1].taken[instead->tensor])
        return EXRAY_OK;
    exray_status status = try_pair(m, layer, edge, instead, &c);
    return status == EXRAY_OK && c.candidates && c.best.differs ? keep(m, &c.best, c.of) : status;
}

static uint32_t output_tensor(const exray_model *model, uint32_t node, uint32_t output)
{
    bool known = node < model->node_count && output < model->nodes[node].output_count;
    return known ? model->nodes[node].outputs[output] : EXRAY_NO_INDEX;
}

/* A layer whose weights the other side has as they are has nothing folded into it. */
static exray_status drop_unfolded(xr_weight_matcher *m, int s)
{
    const xr_weight_graph *own = &m->side[s].graph, *other = &m->side[!s].graph;
    for (size_t i = 0; i < own->found_count; i++) {
        if (xr_weight_fold_part(&m->side[s].folds, &own->found[i]) != XR_FOLD_WEIGHTS)
            continue;
        bool same = false;
        for (size_t k = 0; k < other->found_count && !same; k++) {
            xr_node_constant pair[2];
            xr_weight_pair apart;
            pair[s] = own->found[i];
            pair[!s] = other->found[k];
            if (!are_of_one_size(m, &pair[0], &pair[1]))
                continue;
            exray_status status = compare_pair(m, SIZE_MAX, pair, &apart, &same);
            if (status != EXRAY_OK)
                return status;
            same = same && !apart.differs;
        }
        if (same)
            xr_weight_folds_drop(&m->side[s].folds, &own->found[i]);
    }
    return EXRAY_OK;
}

/* Where one side alone has normalizations, what the other side has folded them into is compared. */
static exray_status note_folds(xr_weight_matcher *m)
{
    bool normed[2] = {false, false};
    exray_status status = EXRAY_OK;
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < m->side[s].graph.found_count; i++)
            normed[s] = normed[s] || xr_weight_is_normed(&m->side[s].folds, &m->side[s].graph.found[i]);
    for (int s = 0; s < 2 && status == EXRAY_OK; s++) {
        if (!normed[s] || normed[!s])
            continue;
        status = drop_unfolded(m, s);
        m->side[s].is_folded = true;
        xr_weight_folds_add(&m->side[s].folds, &m->side[s].graph);
    }
    return status;
}

/* Whether another constant of the layer, without a counterpart yet, has the size of this one. */
static bool has_rival(const xr_weight_matcher *m, const xr_node_constant *edge)
{
    const xr_weight_graph *g = &m->side[0].graph;
    for (size_t i = 0; i < g->found_count; i++)
        if (&g->found[i] != edge && is_free(&m->side[0], &g->found[i]) &&
            xr_weight_count(g->model, &g->found[i]) == xr_weight_count(g->model, edge))
            return true;
    return false;
}

/* Pairs the constants of the layer at hand: among several of one size first those that agree, lest one that
 * was changed takes the counterpart of another. */
static exray_status match_constants(xr_weight_matcher *m, size_t layer)
{
    const xr_weight_graph *edge = &m->side[0].graph;
    exray_status status = EXRAY_OK;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; status == EXRAY_OK && i < edge->found_count; i++) {
            const xr_node_constant *constant = &edge->found[i];
            bool free = is_free(&m->side[0], constant);
            if (free && (pass || has_rival(m, constant)))
                status = match_constant(m, layer, constant, !pass);
            else if (!free && pass && m->side[0].recorded[constant->tensor])
                status = match_shared(m, layer, constant);
        }
    return status;
}

static const xr_node_constant *constant_of(const xr_weight_graph *g, uint32_t tensor, uint32_t part)
{
    for (size_t i = 0; i < g->found_count; i++)
        if (g->found[i].tensor == tensor && g->found[i].part == part)
            return &g->found[i];
    return NULL;
}

/* Where the weights of a pair lie in their recurrent nodes, by side. */
typedef struct crossing_place {
    xr_weight_pair *pair;
    const exray_node *node[2];
    xr_gate_place at[2];
} crossing_place;

/* False: the pair's values are not equal, or it is no recurrent node's weight. */
static bool place_of(const xr_weight_matcher *m, xr_weight_pair *pair, crossing_place *out)
{
    if (pair->differs && !pair->crossed)
        return false;
    out->pair = pair;
    for (int s = 0; s < 2; s++) {
        const xr_weight_graph *g = &m->side[s].graph;
        const xr_node_constant *constant = constant_of(g, pair->tensor[s], pair->part[s]);
        if (!constant || !xr_gate_place_of(g->model, constant, &out->at[s]))
            return false;
        out->node[s] = constant->node;
    }
    return true;
}

/* Whether two pairs of one recurrent layer, each of equal values, lie crosswise: the weights of one direction
 * in the other's place, or those of the state in the place of the inputs'. */
static bool are_crossed(const crossing_place *a, const crossing_place *b)
{
    bool turned[2], moved[2], directions = true, roles = true;
    for (int s = 0; s < 2; s++) {
        if (a->node[s] != b->node[s])
            return false;
        turned[s] = a->at[s].direction > b->at[s].direction;
        moved[s] = a->at[s].of_state && !b->at[s].of_state;
        directions = directions && a->at[s].direction != b->at[s].direction;
        roles = roles && a->at[s].of_state != b->at[s].of_state;
    }
    return (directions && turned[0] != turned[1]) || (roles && moved[0] != moved[1]);
}

static bool is_recurrent(const char *op)
{
    static const char *const parts[] = {"LSTM", "GRU", "RNN"};
    return contains(op, parts, sizeof parts / sizeof *parts);
}

/* Whether a pair of equal values lies at another input of the same operator on the two sides: the mean of a
 * normalization in the place of its variance.  Recurrent operators of two engines number theirs otherwise:
 * their weights are held against each other above. */
static bool is_at_other_input(const xr_weight_matcher *m, const xr_weight_pair *pair)
{
    enum { FEWEST_INPUTS = 3 };
    const xr_node_constant *at[2];
    for (int s = 0; s < 2; s++) {
        at[s] = constant_of(&m->side[s].graph, pair->tensor[s], pair->part[s]);
        if (!at[s] || !at[s]->node || !at[s]->node->op || at[s]->joined || is_recurrent(at[s]->node->op) ||
            at[s]->node->input_count < FEWEST_INPUTS)
            return false;
    }
    return !pair->differs && pair->layer != SIZE_MAX && strcmp(at[0]->node->op, at[1]->node->op) == 0 &&
           at[0]->input != at[1]->input &&
           exray_comparison_layer(m->comparison, pair->layer)->role == EXRAY_LAYER_ROLE_ORIGINATES;
}

static exray_status note_crossed(xr_weight_matcher *m, size_t first)
{
    crossing_place *place = malloc((m->count - first + 1) * sizeof *place);
    size_t count = 0;
    if (!place)
        return EXRAY_E_MEMORY;
    for (size_t i = first; i < m->count; i++)
        if (is_at_other_input(m, &m->pair[i]))
            m->pair[i].crossed = m->pair[i].differs = true;
    for (size_t i = first; i < m->count; i++)
        count += place_of(m, &m->pair[i], &place[count]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (are_crossed(&place[i], &place[k])) {
                xr_weight_pair *both[2] = {place[i].pair, place[k].pair};
                for (int p = 0; p < 2; p++)
                    both[p]->crossed = both[p]->differs = true;
            }
    free(place);
    return EXRAY_OK;
}

/* How many weights of more than one dimension make what the layer at hand returns. */
static size_t matrices_of(const xr_constant_table *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->graph.found_count; i++)
        count += c->recorded[c->graph.found[i].tensor] &&
                 xr_weight_count(c->model, &c->graph.found[i]) >= FEWEST &&
                 xr_weight_dimensions(c->model, &c->graph.found[i]) > 1;
    return count;
}

static exray_status match_layer(xr_weight_matcher *m, size_t layer, const exray_layer_pair *pair)
{
    size_t first = m->count;
    uint32_t output[2] = {pair->output, pair->reference_output};
    for (int s = 0; s < 2; s++)
        xr_weight_graph_walk(&m->side[s].graph, output_tensor(m->side[s].model, pair->node[s], output[s]));
    exray_status status = note_folds(m);
    if (status == EXRAY_OK)
        status = match_constants(m, layer);
    if (status == EXRAY_OK)
        status = note_crossed(m, first);
    const bool of_more = matrices_of(&m->side[0]) != matrices_of(&m->side[1]);
    for (size_t i = first; i < m->count; i++)
        m->pair[i].of_more = of_more;
    for (int s = 0; s < 2; s++)
        m->side[s].is_folded = false;
    return status;
}

/* ---- Names ------------------------------------------------------------------------------------- */

/* Pairs by name the constants that no aligned layer reads (of a partition that runs as one
 * node). */
static exray_status match_names(xr_weight_matcher *m)
{
    exray_status status = EXRAY_OK;
    for (uint32_t t = 0; status == EXRAY_OK && t < m->side[0].model->tensor_count; t++) {
        const xr_node_constant edge = {.tensor = t};
        xr_node_constant namesake;
        candidate c = {.candidates = 0};
        if (!is_free(&m->side[0], &edge) || !find_namesake(m, &edge, &namesake))
            continue;
        status = try_pair(m, SIZE_MAX, &edge, &namesake, &c);
        if (status == EXRAY_OK && c.candidates)
            status = keep(m, &c.best, c.of);
    }
    return status;
}

exray_status xr_weights_are_equal(xr_weight_matcher *m, const xr_node_constant *edge,
                                  const xr_node_constant *reference, bool *equal)
{
    xr_weight_pair apart;
    exray_status status =
        compare_pair(m, SIZE_MAX, (const xr_node_constant[]){*edge, *reference}, &apart, equal);
    *equal = status == EXRAY_OK && *equal && !apart.differs && !apart.transposed && !apart.from_stats;
    return status;
}

exray_status xr_match_weights(const exray_comparison *comparison, xr_weight_matcher *m)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; status == EXRAY_OK && i < exray_comparison_layer_count(comparison); i++)
        status = match_layer(m, i, exray_comparison_layer(comparison, i));
    return status == EXRAY_OK ? match_names(m) : status;
}
