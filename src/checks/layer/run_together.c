#include "checks/layer/run_together.h"

#include "checks/findings.h"

#include <math.h>
#include <string.h>

enum { FURTHEST = 4 }; /* layers before it: an isolated block is short */

/* The pair of the layer whose node makes the edge's tensor, or SIZE_MAX. */
static size_t maker_of(const exray_comparison *comparison, const exray_model *model, uint32_t tensor)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const uint32_t node = exray_comparison_layer(comparison, i)->node[EXRAY_SIDE_EDGE];
        for (uint32_t k = 0; node < model->node_count && k < model->nodes[node].output_count; k++)
            if (model->nodes[node].outputs[k] == tensor)
                return i;
    }
    return SIZE_MAX;
}

static bool is_run_with(const exray_comparison *comparison, const exray_model *model,
                        const exray_finding *finding, size_t layer, int left)
{
    const uint32_t node = exray_comparison_layer(comparison, layer)->node[EXRAY_SIDE_EDGE];
    for (uint32_t i = 0; left > 0 && node < model->node_count && i < model->nodes[node].input_count; i++) {
        const size_t before = maker_of(comparison, model, model->nodes[node].inputs[i]);
        if (before != SIZE_MAX && isnan(exray_comparison_layer(comparison, before)->isolated_error) &&
            (xr_is_about_layer(comparison, finding, before) ||
             is_run_with(comparison, model, finding, before, left - 1)))
            return true;
    }
    return false;
}

bool xr_is_about_layer_or_run_with(const exray_comparison *comparison, const exray_finding *finding,
                                   size_t layer)
{
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    return xr_is_about_layer(comparison, finding, layer) ||
           (model && isfinite(exray_comparison_layer(comparison, layer)->isolated_error) &&
            is_run_with(comparison, model, finding, layer, FURTHEST));
}
