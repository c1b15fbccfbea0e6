#include "checks/model/graph/between/step_fold.h"

#include <math.h>
#include <string.h>

static bool is_of_floats(const xr_step_graph *g, uint32_t tensor)
{
    return g->model->tensors[tensor].quantization.count == 0 &&
           g->model->tensors[tensor].dtype == EXRAY_DTYPE_FLOAT32;
}

/* Whether two layers have the same weights, in whatever order: a folded normalization gives each channel a
 * factor, which moves their deviation. */
static bool have_same_weights(xr_step_match *m, const xr_op_step *step[2])
{
    uint32_t tensor[2];
    xr_constant_print print[2];
    for (int s = 0; s < 2; s++) {
        tensor[s] = xr_step_largest_constant(&m->side[s], step[s], 1);
        if (tensor[s] == EXRAY_NO_INDEX)
            return false;
        print[s] = xr_model_constants_print(&m->side[s].constants, tensor[s]);
    }
    bool floats = is_of_floats(&m->side[0], tensor[0]) && is_of_floats(&m->side[1], tensor[1]);
    double most = (floats ? 1e-4 : 0.02) * print[1].deviation;
    return print[0].known && print[1].known && print[0].count == print[1].count &&
           fabs(print[0].mean - print[1].mean) <= most &&
           fabs(print[0].deviation - print[1].deviation) <= most;
}

bool xr_step_gap_is_folded(xr_step_match *m, const xr_step_gap gap[2])
{
    int s = gap[0].count ? 0 : 1;
    if (gap[s].count != 1 || gap[!s].count != 0 || gap[s].entries != 1)
        return false;
    const xr_step_graph *g = &m->side[s];
    uint32_t maker = g->tensor[gap[s].entry[0]].maker;
    uint32_t mate = maker == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : m->mate[s][maker];
    if (strcmp(g->step[gap[s].first].word, "batch norm") != 0 || mate == EXRAY_NO_INDEX)
        return false;
    const xr_op_step *step[2];
    step[s] = &g->step[maker];
    step[!s] = &m->side[!s].step[mate];
    xr_op_step_kind kind = step[s]->kind;
    return (kind == XR_STEP_CONV || kind == XR_STEP_TRANSPOSED_CONV || kind == XR_STEP_PRODUCT) &&
           !have_same_weights(m, step);
}
