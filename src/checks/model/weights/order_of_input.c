#include "checks/model/weights/order_of_input.h"

#include "checks/layer/value_evidence.h"

/* The pair of layers that makes what a side's node reads first; SIZE_MAX: none does. */
static size_t read_by(const exray_comparison *comparison, const exray_layer_pair *pair, exray_side side)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, side));
    const exray_node *node =
        model && pair->node[side] < model->node_count ? &model->nodes[pair->node[side]] : NULL;
    return node && node->input_count ? xr_layer_that_makes(comparison, side, node->inputs[0]) : SIZE_MAX;
}

bool xr_is_in_order_of_input(const exray_comparison *comparison, size_t layer, double difference)
{
    static const double little = 0.1;
    const exray_layer_pair *pair = layer == SIZE_MAX ? NULL : exray_comparison_layer(comparison, layer);
    return pair && pair->role == EXRAY_LAYER_ROLE_CLEAN && pair->error < little * difference &&
           xr_layer_has_data(pair) &&
           read_by(comparison, pair, EXRAY_SIDE_EDGE) != read_by(comparison, pair, EXRAY_SIDE_REFERENCE);
}
