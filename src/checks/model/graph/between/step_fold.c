#include "checks/model/graph/between/step_fold.h"

#include "checks/model/graph/between/step_range.h"

#include <math.h>
#include <string.h>

static bool is_of_floats(const xr_step_graph *g, uint32_t tensor)
{
    return g->model->tensors[tensor].quantization.count == 0 &&
           g->model->tensors[tensor].dtype == EXRAY_DTYPE_FLOAT32;
}

/* Whether two layers have the same weights, in whatever order: a folded normalization gives each channel a
 * factor, which moves their moments, in one or another. */
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
           fabs(print[0].deviation - print[1].deviation) <= most &&
           fabs(print[0].most - print[1].most) <= most && !(fabs(print[0].size - print[1].size) > most);
}

/* A number for each place along one dimension at most. */
static bool is_row(const exray_tensor_info *info)
{
    uint32_t longer = 0;
    for (uint32_t i = 0; info && i < info->rank; i++)
        longer += info->shape[i] != 1;
    return info && longer <= 1;
}

/* Something for each channel, which the layer before can have within its weights and its bias. */
static bool is_of_channels(const xr_step_graph *g, const xr_op_step *step, bool *scales)
{
    bool norm = strcmp(step->word, "batch norm") == 0;
    bool factor = strcmp(step->word, "mul") == 0 || strcmp(step->word, "div") == 0;
    bool shift = strcmp(step->word, "add") == 0 || strcmp(step->word, "sub") == 0;
    *scales = *scales || norm || factor;
    return step->input_count == 1 &&
           (norm || ((factor || shift) && step->kind == XR_STEP_COMBINE && step->constant_count == 1 &&
                     is_row(xr_step_graph_info(g, step->constant[0]))));
}

/* Whether all steps of a gap are such, one behind another. */
static bool is_chain(const xr_step_graph *g, const xr_step_gap *gap, bool *scales)
{
    uint32_t at = gap->last;
    for (uint32_t i = 0; i < gap->count; i++) {
        if (at >= g->count || !is_of_channels(g, &g->step[at], scales))
            return false;
        at = g->tensor[g->step[at].input[0]].maker;
    }
    return true;
}

/* Whether all that a side has there is a normalization, or factors and offsets of channels, that the other
 * side has folded into the weights and the bias before, or may have: they are others on the two sides, or
 * unknown.  Where they are the same, it was left out. */
static bool is_folded(xr_step_match *m, int s, const xr_step_gap *gap)
{
    const xr_step_graph *g = &m->side[s];
    bool scales = false;
    if (gap->count == 0 || gap->entries != 1 || !is_chain(g, gap, &scales))
        return false;
    uint32_t maker = g->tensor[gap->entry[0]].maker;
    uint32_t mate = maker == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : m->mate[s][maker];
    if (mate == EXRAY_NO_INDEX)
        return false;
    const xr_op_step *step[2];
    step[s] = &g->step[maker];
    step[!s] = &m->side[!s].step[mate];
    xr_op_step_kind kind = step[s]->kind;
    return (kind == XR_STEP_CONV || kind == XR_STEP_TRANSPOSED_CONV || kind == XR_STEP_PRODUCT) &&
           (scales ? !have_same_weights(m, step) : step[!s]->constant_count > step[s]->constant_count);
}

/* Whether all that side s has there is a function that the range of the other side's integers is instead: a
 * ReLU, a ReLU6, a clip.  `other`: the other side's tensor. */
static bool is_by_range(const xr_step_match *m, int s, const xr_step_gap *gap, uint32_t other)
{
    if (gap->count != 1)
        return false;
    const xr_op_step *step = &m->side[s].step[gap->first];
    return step->kind == XR_STEP_FUNCTION && step->value &&
           xr_step_is_by_range(&m->side[!s], other, step->value);
}

/* Whether one side has a batch normalization where the other has a factor and an offset for each channel: one
 * thing in two forms, whose numbers are no counterparts of each other. */
static bool is_norm_in_parts(const xr_step_match *m, const xr_step_gap gap[2])
{
    bool norm[2], scales = false;
    for (int s = 0; s < 2; s++) {
        const xr_step_graph *g = &m->side[s];
        if (gap[s].count == 0 || gap[s].entries != 1 || !is_chain(g, &gap[s], &scales))
            return false;
        norm[s] = gap[s].count == 1 && strcmp(g->step[gap[s].last].word, "batch norm") == 0;
    }
    return norm[0] != norm[1] && gap[norm[0] ? 1 : 0].count > 1;
}

bool xr_step_gap_is_within(xr_step_match *m, const xr_step_gap gap[2], const uint32_t tensor[2])
{
    if (is_norm_in_parts(m, gap))
        return true;
    bool all = gap[0].count || gap[1].count;
    for (int s = 0; s < 2 && all; s++)
        all = gap[s].count == 0 || is_by_range(m, s, &gap[s], tensor[!s]) || is_folded(m, s, &gap[s]);
    return all;
}
