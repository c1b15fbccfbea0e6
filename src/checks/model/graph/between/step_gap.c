#include "checks/model/graph/between/step_gap.h"

#include <string.h>

static void add_entry(xr_step_gap *gap, uint32_t tensor)
{
    uint32_t kept = gap->entries < 4 ? gap->entries : 4;
    for (uint32_t i = 0; i < kept; i++)
        if (gap->entry[i] == tensor)
            return;
    if (gap->entries < 4)
        gap->entry[gap->entries] = tensor;
    gap->entries++;
}

/* ONNX has weights of three dimensions as the inputs 1 and 2, other engines matrices, which have more rows
 * than there are directions; biases, of which engines have one or two, and initial states do not count. */
static bool is_weight(const xr_step_graph *g, const exray_node *node, uint32_t tensor)
{
    enum { MOST_DIRECTIONS = 2 };
    const exray_tensor_info *info = xr_step_graph_info(g, tensor);
    if (!info || info->rank != 3)
        return info && info->rank == 2 && info->shape[0] > MOST_DIRECTIONS;
    return node->input_count > 2 && (node->inputs[1] == tensor || node->inputs[2] == tensor);
}

/* The numbers in the weights of a side's recurrent steps of one word. */
static uint64_t recurrent_weights(const xr_step_graph *g, const char *word)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < g->count; i++)
        for (uint32_t k = 0; k < g->step[i].constant_count && strcmp(g->step[i].word, word) == 0; k++)
            if (is_weight(g, g->step[i].node, g->step[i].constant[k]))
                sum += xr_tensor_elements(xr_step_graph_info(g, g->step[i].constant[k]));
    return sum;
}

/* A recurrent layer that the other engine has in one node with the next (PyTorch's `num_layers`): all have
 * the same number of weights on both sides. */
static bool is_of_stack(const xr_step_match *m, const xr_op_step *step)
{
    return xr_is_recurrent_word(step->word) &&
           recurrent_weights(&m->side[0], step->word) == recurrent_weights(&m->side[1], step->word);
}

/* Not only another shape, or another order that the formats differ in. */
static bool computes(const xr_step_match *m, const xr_op_step *step)
{
    return !xr_step_moves_alone(step) && !is_of_stack(m, step);
}

/* How many of a step's inputs it has its values of: what one that only gives them another shape, or repeats
 * them, reads besides is computed from the shapes of tensors, where a file of fixed dimensions has constants.
 */
static uint32_t value_inputs(const xr_op_step *step)
{
    const bool shapes = step->kind == XR_STEP_SHAPE || xr_is_repeating_word(step->word);
    return shapes && step->input_count > 1 ? 1 : step->input_count;
}

void xr_step_gap_of(const xr_step_match *m, int side, uint32_t tensor, bool *seen, xr_step_gap *out)
{
    const xr_step_graph *g = &m->side[side];
    *out = (xr_step_gap){.first = EXRAY_NO_INDEX, .last = EXRAY_NO_INDEX};
    tensor = g->tensor[tensor].same_as;
    uint32_t maker = g->tensor[tensor].maker;
    if (maker == EXRAY_NO_INDEX || m->mate[side][maker] != EXRAY_NO_INDEX) {
        add_entry(out, tensor);
        return;
    }
    memset(seen, 0, g->count * sizeof *seen);
    seen[maker] = true;
    for (uint32_t i = maker + 1; i-- > 0;) { /* steps run in order: makers come before */
        if (!seen[i])
            continue;
        const xr_op_step *step = &g->step[i];
        if (computes(m, step)) {
            out->count++;
            out->first = i;
            out->last = out->last == EXRAY_NO_INDEX ? i : out->last;
        }
        for (uint32_t k = 0; k < value_inputs(step); k++) {
            uint32_t before = g->tensor[step->input[k]].maker;
            if (before != EXRAY_NO_INDEX && before < i && m->mate[side][before] == EXRAY_NO_INDEX)
                seen[before] = true;
            else
                add_entry(out, step->input[k]);
        }
    }
}
