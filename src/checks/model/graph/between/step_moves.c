#include "checks/model/graph/between/step_moves.h"

#include "checks/model/graph/node_facts.h"

#include <stdio.h>
#include <string.h>

/* Values that are followed back, spread over all. */
enum { MOST_FOLLOWED = 4096 };

/* Blocks of channels, whose order the engine does not tell. */
static bool is_reorder(const xr_op_step *step)
{
    return step->node->op && strncmp(step->node->op, "Reorder", 7) == 0;
}

static const exray_tensor_info *known_shape(const xr_step_graph *g, uint32_t tensor)
{
    const exray_tensor_info *info = xr_step_graph_info(g, tensor);
    return info && info->rank && info->rank <= EXRAY_MAX_RANK && xr_tensor_elements(info) ? info : NULL;
}

/* The order of dimensions that a transpose makes; false: unknown. */
static bool order_of(xr_step_graph *g, const xr_op_step *step, uint32_t rank, uint32_t order[EXRAY_MAX_RANK])
{
    double found[EXRAY_MAX_RANK];
    size_t count = xr_attribute_numbers(step->node, "perm", found, EXRAY_MAX_RANK);
    if (!count && step->constant_count == 1)
        count = xr_model_constants_values(&g->constants, step->constant[0], found, EXRAY_MAX_RANK);
    if (count != rank)
        return false;
    for (uint32_t i = 0; i < rank; i++) {
        if (!(found[i] >= 0 && found[i] < rank))
            return false;
        order[i] = (uint32_t)found[i];
    }
    return true;
}

static bool collect(const xr_step_graph *g, uint32_t tensor, xr_moves *out)
{
    out->count = 0;
    for (tensor = g->tensor[tensor].same_as;; tensor = g->tensor[tensor].same_as) {
        uint32_t maker = g->tensor[tensor].maker;
        const xr_op_step *step = maker == EXRAY_NO_INDEX ? NULL : &g->step[maker];
        out->entry = tensor;
        if (!step || !xr_step_moves_alone(step))
            return true;
        if (out->count == XR_MOVES || step->input_count == 0 || is_reorder(step))
            return false;
        out->step[out->count++] = maker;
        tensor = step->input[0];
    }
}

/* Once, as every value is followed through them. */
static void find_orders(xr_step_graph *g, xr_moves *out)
{
    for (uint32_t i = 0; i < out->count; i++) {
        const xr_op_step *step = &g->step[out->step[i]];
        const exray_tensor_info *from = known_shape(g, step->input[0]);
        out->known[i] =
            step->kind == XR_STEP_TRANSPOSE && from && order_of(g, step, from->rank, out->order[i]);
    }
}

/* Where the value at `at` behind the step of a move lies before it; UINT64_MAX: unknown. */
static uint64_t before(const xr_step_graph *g, const xr_moves *moves, uint32_t move, uint64_t at)
{
    const xr_op_step *step = &g->step[moves->step[move]];
    const uint32_t *order = moves->order[move];
    const exray_tensor_info *to = known_shape(g, step->output), *from = known_shape(g, step->input[0]);
    if (!to || !from || xr_tensor_elements(to) != xr_tensor_elements(from))
        return UINT64_MAX;
    if (step->kind == XR_STEP_SHAPE)
        return at;
    if (to->rank != from->rank || !moves->known[move])
        return UINT64_MAX;
    uint64_t place[EXRAY_MAX_RANK] = {0}, found = 0;
    for (uint32_t d = to->rank; d-- > 0;) {
        place[order[d]] = at % (uint64_t)to->shape[d];
        at /= (uint64_t)to->shape[d];
    }
    for (uint32_t d = 0; d < from->rank; d++) {
        if (place[d] >= (uint64_t)from->shape[d])
            return UINT64_MAX;
        found = found * (uint64_t)from->shape[d] + place[d];
    }
    return found;
}

static uint64_t origin_of(const xr_step_graph *g, const xr_moves *moves, uint64_t at)
{
    for (uint32_t i = 0; i < moves->count && at != UINT64_MAX; i++)
        at = before(g, moves, i, at);
    return at;
}

bool xr_moves_differ(xr_step_match *m, uint32_t edge, uint32_t reference, xr_moves out[2])
{
    xr_step_graph *g = m->side;
    if (!collect(&g[0], edge, &out[0]) || !collect(&g[1], reference, &out[1]) ||
        out[0].count + out[1].count == 0 || m->tensor_mate[0][out[0].entry] != out[1].entry)
        return false;
    const exray_tensor_info *end = known_shape(&g[0], edge);
    if (!xr_same_shape(end, known_shape(&g[1], reference)) ||
        !xr_same_shape(known_shape(&g[0], out[0].entry), known_shape(&g[1], out[1].entry)))
        return false;
    for (int s = 0; s < 2; s++)
        find_orders(&g[s], &out[s]);
    uint64_t count = xr_tensor_elements(end), apart = count / MOST_FOLLOWED + 1;
    bool differ = false;
    for (uint64_t i = 0; i < count; i += apart) {
        uint64_t a = origin_of(&g[0], &out[0], i), b = origin_of(&g[1], &out[1], i);
        if (a == UINT64_MAX || b == UINT64_MAX)
            return false;
        differ = differ || a != b;
    }
    return differ;
}

void xr_moves_words(const xr_step_graph *g, const xr_moves *moves, char *text, size_t size)
{
    size_t used = 0;
    snprintf(text, size, "no Transpose");
    for (uint32_t i = moves->count; i-- > 0 && used + 120 < size;) {
        const xr_op_step *step = &g->step[moves->step[i]];
        const exray_tensor_info *from = known_shape(g, step->input[0]);
        if (!from || !moves->known[i])
            continue;
        used += (size_t)snprintf(text + used, size - used, "%sTranspose ", used ? ", " : "");
        for (uint32_t d = 0; d < from->rank; d++)
            used += (size_t)snprintf(text + used, size - used, "%s%u", d ? "," : "",
                                     (unsigned)moves->order[i][d]);
        used += (size_t)snprintf(text + used, size - used, " of ");
        for (uint32_t d = 0; d < from->rank && used + 24 < size; d++)
            used +=
                (size_t)snprintf(text + used, size - used, "%s%lld", d ? "x" : "", (long long)from->shape[d]);
    }
}
