#include "checks/model/weights/weight_pair.h"

#include "checks/ascending.h"
#include "checks/model/channel_order.h"
#include "checks/model/gates.h"
#include "checks/model/partition.h"
#include "checks/model/weights/weight_layout.h"
#include "checks/model/weights/weight_order.h"
#include "checks/op_name.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

/* The order in which a matrix's rows are that a Gather before its layer puts its input in: rows that were
 * sorted before they were quantized.  False: there is none.  order: [rows]. */
static bool read_gathered(const xr_weight_matcher *m, int side, const xr_node_constant *c, uint64_t rows,
                          uint32_t *order, exray_slot *slot)
{
    const exray_model *model = m->side[side].model;
    const exray_node *gather = c->node && c->node->input_count && c->node->inputs[0] < model->tensor_count
                                   ? xr_maker_within(model, c->node->inputs[0])
                                   : NULL;
    if (!gather || !xr_is_op(gather->op, "gather") || gather->input_count < 2 ||
        gather->inputs[1] >= model->tensor_count || gather->inputs[0] >= model->tensor_count)
        return false;
    const char *axis = exray_node_attribute(gather, "axis");
    const uint32_t rank = model->tensors[gather->inputs[0]].rank;
    const exray_record *record =
        exray_log_find(m->side[side].log, 0, EXRAY_KIND_CONSTANT, gather->inputs[1], 0, NULL);
    exray_tensor_view view;
    const float *value;
    exray_error ignored;
    if (!axis || (strcmp(axis, "-1") != 0 && (rank == 0 || strtol(axis, NULL, 10) != (long)rank - 1)) ||
        !record || !record->has_data ||
        exray_log_read_values(m->side[side].log, record, slot, &view, &value, &ignored) != EXRAY_OK ||
        !value || view.count != rows)
        return false;
    for (uint64_t i = 0; i < rows; i++) {
        if (!(value[i] >= 0 && value[i] < (float)rows))
            return false;
        order[i] = (uint32_t)value[i];
    }
    return true;
}

/* A matrix with its rows where those of its input were before a Gather; NULL: none sorts them, or memory is
 * short (*status). */
static float *ungathered(const xr_weight_matcher *m, int side, const xr_node_constant *c,
                         exray_status *status)
{
    const exray_tensor_view *view = &m->values[side].view;
    const uint64_t rows = view->info.rank == 2 && view->info.shape[0] > 0 ? (uint64_t)view->info.shape[0] : 0;
    const bool multiplies =
        c->node && (xr_is_op(c->node->op, "matmul") || xr_is_op(c->node->op, "matmulnbits"));
    if (!rows || !multiplies || view->count % rows)
        return NULL;
    const uint64_t columns = view->count / rows;
    uint32_t *order = malloc(rows * sizeof *order);
    float *out = calloc(view->count + 1, sizeof *out);
    exray_slot *slot = exray_slot_new();
    bool found = order && out && slot && read_gathered(m, side, c, rows, order, slot);
    if (!order || !out || !slot)
        *status = EXRAY_E_MEMORY;
    for (uint64_t i = 0; found && i < rows; i++)
        memcpy(out + order[i] * columns, m->values[side].value + i * columns, columns * sizeof *out);
    exray_slot_free(slot);
    free(order);
    if (!found) {
        free(out);
        out = NULL;
    }
    return out;
}

/* Compares weights that differ once more, in the order in which the input was before it was sorted. */
static exray_status compare_ungathered(const xr_weight_matcher *m, const xr_node_constant pair[2],
                                       const exray_tensor_view view[2], const float *const values[2],
                                       xr_weight_pair *out)
{
    exray_status status = EXRAY_OK;
    float *made[2] = {NULL, NULL};
    for (int s = 0; s < 2 && status == EXRAY_OK; s++)
        made[s] = ungathered(m, s, &pair[s], &status);
    xr_weight_pair again = *out;
    if (status == EXRAY_OK && (made[0] || made[1]) &&
        xr_weight_difference(
            view, (const float *const[]){made[0] ? made[0] : values[0], made[1] ? made[1] : values[1]},
            (const double[]){m->values[0].rounding, m->values[1].rounding}, m->factor, &again) &&
        !again.differs && !again.transposed)
        *out = again;
    free(made[0]);
    free(made[1]);
    return status;
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
        qsort(sorted[s], count, sizeof *sorted[s], xr_ascending_floats);
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

/* Compares two constants, each read as one that `as` describes. */
static exray_status compare_as(xr_weight_matcher *m, size_t layer, const xr_node_constant pair[2],
                               const xr_node_constant as[2], xr_weight_pair *out, bool *found)
{
    *found = false;
    for (int s = 0; s < 2; s++) {
        exray_status status = xr_weight_values_read(m->side[s].log, &as[s], &m->values[s], m->error);
        if (status == EXRAY_E_UNSUPPORTED || status == EXRAY_E_STATE)
            return m->error->status = EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        if (m->side[s].is_folded)
            status = xr_weight_fold(&m->side[s].folds, &pair[s], &m->values[s], m->error);
        if (status != EXRAY_OK)
            return status;
        if (m->values[s].value && m->values[s].view.count < xr_fewest_weights(&pair[s]))
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
        if (status == EXRAY_OK && out->differs)
            status = compare_ungathered(m, pair, view, values, out);
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

/* The side whose node alone is a recurrent operator, all of whose gates the constant has; else -1. */
static int side_with_gates(const xr_weight_matcher *m, const xr_node_constant pair[2])
{
    int found = -1;
    for (int s = 0; s < 2; s++) {
        xr_gate_layout gates;
        if (!xr_gate_layout_of(m->side[s].model, &pair[s], &gates))
            continue;
        if (found >= 0 || pair[s].parts || pair[s].joined)
            return -1;
        found = s;
    }
    return found;
}

/* Compares weights of which one side's were folded once more, with the epsilons that frameworks have: where
 * one of them makes them the same, it is what differs. */
static exray_status compare_epsilons(xr_weight_matcher *m, size_t layer, const xr_node_constant pair[2],
                                     xr_weight_pair *out)
{
    static const double known[] = {1e-5, 1e-3, 1e-6, 1e-4, 2e-5, 1e-2, 1e-7, 1e-8, 1e-12};
    const int s = m->side[0].is_folded ? 0 : 1;
    const double own = xr_weight_fold_epsilon(&m->side[s].folds, &pair[s]);
    exray_status status = EXRAY_OK;
    for (size_t i = 0; status == EXRAY_OK && i < sizeof known / sizeof *known && out->differs; i++) {
        xr_weight_pair other;
        bool found;
        if (!(fabs(known[i] - own) > 1e-3 * own))
            continue;
        m->side[s].folds.epsilon = known[i];
        status = compare_as(m, layer, pair, pair, &other, &found);
        m->side[s].folds.epsilon = 0;
        if (status != EXRAY_OK || !found || other.differs)
            continue;
        *out = other;
        out->epsilon[s] = own;
        out->epsilon[!s] = known[i];
    }
    return status;
}

exray_status xr_compare_weights(xr_weight_matcher *m, size_t layer, const xr_node_constant pair[2],
                                xr_weight_pair *out, bool *found)
{
    exray_status status = compare_as(m, layer, pair, pair, out, found);
    const bool one_folds = m->side[0].is_folded != m->side[1].is_folded;
    if (status == EXRAY_OK && *found && out->differs && one_folds && (out->bias || out->rescaled) &&
        layer != SIZE_MAX)
        status = compare_epsilons(m, layer, pair, out);
    if (status != EXRAY_OK || !*found || !out->differs)
        return status;
    const int s = side_with_gates(m, pair);
    if (s < 0)
        return status;
    /* A loop that an exporter wrote out reads the gates in the order in which the framework has them. */
    xr_node_constant as[2] = {pair[0], pair[1]};
    xr_weight_pair stored;
    bool known;
    as[s].node = NULL;
    status = compare_as(m, layer, pair, as, &stored, &known);
    if (status == EXRAY_OK && known && !stored.differs)
        *out = stored;
    return status;
}

exray_status xr_weights_are_equal(xr_weight_matcher *m, const xr_node_constant *edge,
                                  const xr_node_constant *reference, bool *equal)
{
    xr_weight_pair apart;
    exray_status status =
        xr_compare_weights(m, SIZE_MAX, (const xr_node_constant[]){*edge, *reference}, &apart, equal);
    if (status != EXRAY_OK || !*equal || apart.differs || apart.from_stats) {
        *equal = false;
        return status;
    }
    const exray_model *const model[2] = {m->side[0].model, m->side[1].model};
    *equal = !apart.transposed || xr_matrix_layout_of(model, apart.of) == XR_MATRICES_TURNED;
    return status;
}
