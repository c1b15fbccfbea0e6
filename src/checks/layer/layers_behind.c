#include "checks/layer/layers_behind.h"

#include "checks/layer/value_evidence.h"
#include "checks/model/channel_order.h"
#include "checks/op_name.h"
#include "checks/place_of.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

bool xr_reads_more(const exray_node *node)
{
    static const char *const ops[] = {"If", "Loop", "Scan", "READ_VARIABLE"};
    for (size_t i = 0; node->op && i < sizeof ops / sizeof *ops; i++)
        if (strcmp(node->op, ops[i]) == 0)
            return true;
    return node->subgraph != 0;
}

static bool reads_marked(const exray_model *model, const exray_node *node, const bool *tensor)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < model->tensor_count && tensor[node->inputs[i]])
            return true;
    return false;
}

/* Nodes are listed in the order in which they run. */
static void walk(const exray_comparison *comparison, const exray_model *model, bool *tensor, bool *layer)
{
    size_t at = 0, layers = exray_comparison_layer_count(comparison);
    bool any = false;
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        bool behind = reads_marked(model, node, tensor) || (any && xr_reads_more(node));
        for (; at < layers && exray_comparison_layer(comparison, at)->node[EXRAY_SIDE_EDGE] == n; at++) {
            any = any || layer[at];
            layer[at] = layer[at] || behind;
            behind = layer[at];
        }
        for (uint32_t k = 0; behind && k < node->output_count; k++)
            if (node->outputs[k] < model->tensor_count)
                tensor[node->outputs[k]] = true;
    }
}

bool xr_mark_behind(const exray_comparison *comparison, bool *layer)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    if (!model) {
        for (size_t i = 1; i < exray_comparison_layer_count(comparison); i++)
            layer[i] = layer[i] || layer[i - 1];
        return true;
    }
    bool *tensor = calloc((size_t)model->tensor_count + 1, sizeof *tensor);
    if (tensor)
        walk(comparison, model, tensor, layer);
    free(tensor);
    return tensor != NULL;
}

bool xr_mark_behind_node(const exray_comparison *comparison, uint32_t node, bool *layer)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    bool *tensor = calloc((size_t)model->tensor_count + 1, sizeof *tensor);
    if (!tensor)
        return false;
    for (uint32_t k = 0; k < model->nodes[node].output_count; k++)
        if (model->nodes[node].outputs[k] < model->tensor_count)
            tensor[model->nodes[node].outputs[k]] = true;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++)
        layer[i] = layer[i] || exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE] == node;
    walk(comparison, model, tensor, layer);
    free(tensor);
    return true;
}

/* ---- The nearest compared layers before one ----------------------------------------------------- */

enum { MOST_READ = 16, MOST_VISITED = 64 };

/* The compared layers that a layer is computed from, straight or through nodes that were not compared. */
typedef struct read_list {
    size_t layer[MOST_READ];
    size_t count;
    unsigned visited;
    unsigned turned; /* of what lies between, how many put values in another order */
    bool lost;       /* there are more than can be followed */
} read_list;

static int ascending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

static bool is_in_any_order(const exray_node *node)
{
    return xr_is_op(node->op, "add") || xr_is_op(node->op, "mul") || xr_is_op(node->op, "minimum") ||
           xr_is_op(node->op, "maximum") || xr_is_op(node->op, "min") || xr_is_op(node->op, "max");
}

static void list_read(const exray_comparison *comparison, exray_side side, const exray_node *node,
                      read_list *list)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    const size_t first = list->count;
    list->lost = list->lost || ++list->visited > MOST_VISITED || xr_reads_more(node) || node->inner_count;
    for (uint32_t i = 0; i < node->input_count && !list->lost; i++) {
        uint32_t tensor = node->inputs[i];
        if (tensor >= model->tensor_count || model->tensors[tensor].constant)
            continue;
        size_t layer = xr_layer_that_makes(comparison, side, tensor);
        uint32_t maker, output;
        if (layer == SIZE_MAX) {
            if (xr_place_of(model, tensor, &maker, &output)) {
                const char *op = model->nodes[maker].op;
                list->turned += xr_is_op(op, "transpose") || xr_is_op(op, "permute");
                list_read(comparison, side, &model->nodes[maker], list);
            }
            continue;
        }
        list->lost = list->count == MOST_READ;
        if (!list->lost)
            list->layer[list->count++] = layer;
    }
    if (is_in_any_order(node))
        qsort(list->layer + first, list->count - first, sizeof *list->layer, ascending);
}

/* Whether a layer's values agree only where dimensions of one size are exchanged: then, place by place, they
 * are others. */
static bool is_turned(const exray_comparison *comparison, size_t layer, exray_slot *const slot[2])
{
    static const double far = 10;
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    const uint32_t output[2] = {pair->output, pair->reference_output};
    exray_tensor_view view[2];
    const float *values[2];
    exray_error ignored;
    for (int s = 0; s < 2; s++) { /* as recorded: a comparison's values are turned already */
        const exray_log *log = exray_comparison_log(comparison, (exray_side)s);
        const exray_record *record = exray_log_find(log, exray_comparison_frame(comparison, 0).frame[s],
                                                    EXRAY_KIND_LAYER, pair->node[s], output[s], NULL);
        if (!slot[s] || !record || !record->has_data ||
            exray_log_read_values(log, record, slot[s], &view[s], &values[s], &ignored) != EXRAY_OK)
            return false;
    }
    if (!xr_same_shape(&view[0].info, &view[1].info) || view[0].count != view[1].count)
        return false;
    double apart = 0, sum = 0, square = 0;
    const double n = (double)view[1].count;
    for (uint64_t i = 0; i < view[1].count; i++) {
        double a = values[0][i], b = values[1][i];
        apart += (a - b) * (a - b);
        sum += b;
        square += b * b;
    }
    return sqrt(apart / fmax(square - sum * sum / n, 1e-300)) > far * fmax(pair->error, pair->noise);
}

/* Whether what a layer reads agrees only when it is turned, though its own values are compared as they are.
 */
static bool reads_turned(const exray_comparison *comparison, size_t layer, const read_list *list)
{
    const exray_model *model[2];
    for (int s = 0; s < 2; s++)
        model[s] = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
    if (exray_comparison_frame_count(comparison) == 0 ||
        xr_has_channels_last(model[0]) != xr_has_channels_last(model[1]))
        return false;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    bool any = false;
    for (size_t i = 0; i < list->count; i++)
        any = any || is_turned(comparison, list->layer[i], slot);
    any = any && !is_turned(comparison, layer, slot);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return any;
}

/* Whether one side alone puts values in another order before a layer, though both have one layout. */
static bool is_turned_before(const exray_comparison *comparison, const read_list list[2])
{
    const exray_model *model[2];
    for (int s = 0; s < 2; s++)
        model[s] = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
    return (list[0].turned == 0) != (list[1].turned == 0) && xr_has_channels_last(model[0]) &&
           xr_has_channels_last(model[1]);
}

bool xr_reads_alike(const exray_comparison *comparison, size_t layer)
{
    const exray_layer_pair *pair = exray_comparison_layer(comparison, layer);
    read_list list[2] = {{.count = 0}, {.count = 0}};
    for (int s = 0; s < 2; s++) {
        const exray_model *model = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
        if (!model || pair->node[s] >= model->node_count)
            return true;
        list_read(comparison, (exray_side)s, &model->nodes[pair->node[s]], &list[s]);
    }
    if (list[0].lost || list[1].lost || list[0].count != list[1].count)
        return true;
    return memcmp(list[0].layer, list[1].layer, list[0].count * sizeof *list[0].layer) == 0 &&
           !is_turned_before(comparison, list) && !reads_turned(comparison, layer, &list[0]);
}
