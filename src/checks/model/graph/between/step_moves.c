#include "checks/model/graph/between/step_moves.h"

#include "checks/model/channel_order.h"
#include "checks/model/graph/node_facts.h"
#include "checks/port/both_sides.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of their energy: what storing weights in 8 bits costs is less, another order far more. */
#define SAME_WEIGHTS 0.01

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
    out->channels = NULL;
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

/* Whether a tensor is a picture as its engine stores it, and not one that was transposed before. */
static bool is_of_pictures(const xr_step_graph *g, uint32_t tensor)
{
    uint32_t root = g->tensor[g->tensor[tensor].root].same_as, maker = g->tensor[root].maker;
    xr_op_step_kind kind = maker == EXRAY_NO_INDEX ? XR_STEP_OTHER : g->step[maker].kind;
    return kind == XR_STEP_CONV || kind == XR_STEP_TRANSPOSED_CONV || kind == XR_STEP_POOL;
}

/* Whether the two sides begin at one picture, stored in the two orders of channels.  *out: the reference's.
 */
static bool begins_in_two_orders(const xr_step_match *m, const xr_moves moves[2], xr_flat_picture *out)
{
    const xr_step_graph *g = m->side;
    const exray_tensor_info *info[2];
    bool last[2];
    for (int s = 0; s < 2; s++) {
        info[s] = known_shape(&g[s], moves[s].entry);
        last[s] = xr_has_channels_last(g[s].model);
        if (!info[s] || info[s]->rank != 4 || info[s]->shape[0] != 1 ||
            !is_of_pictures(&g[s], moves[s].entry))
            return false;
    }
    *out = (xr_flat_picture){.channels_last = last[1]};
    for (int i = 0; i < 3; i++) {
        out->size[i] = (uint64_t)info[1]->shape[i + 1];
        if (info[0]->shape[i + 1] != info[1]->shape[(last[0] ? (i + 1) % 3 : (i + 2) % 3) + 1])
            return false;
    }
    return last[0] != last[1];
}

bool xr_moves_differ(xr_step_match *m, uint32_t edge, uint32_t reference, xr_moves out[2])
{
    xr_step_graph *g = m->side;
    if (!collect(&g[0], edge, &out[0]) || !collect(&g[1], reference, &out[1]) ||
        out[0].count + out[1].count == 0 || m->tensor_mate[0][out[0].entry] != out[1].entry)
        return false;
    const exray_tensor_info *end = known_shape(&g[0], edge);
    xr_flat_picture picture;
    bool turned = begins_in_two_orders(m, out, &picture);
    for (int s = 0; turned && s < 2; s++)
        out[s].channels = xr_has_channels_last(g[s].model) ? "last" : "first";
    if (!xr_same_shape(end, known_shape(&g[1], reference)) ||
        (!turned && !xr_same_shape(known_shape(&g[0], out[0].entry), known_shape(&g[1], out[1].entry))))
        return false;
    for (int s = 0; s < 2; s++)
        find_orders(&g[s], &out[s]);
    uint64_t count = xr_tensor_elements(end), apart = count / MOST_FOLLOWED + 1;
    bool differ = false;
    for (uint64_t i = 0; i < count; i += apart) {
        uint64_t a = origin_of(&g[0], &out[0], i), b = origin_of(&g[1], &out[1], i);
        if (a == UINT64_MAX || b == UINT64_MAX)
            return false;
        differ = differ || a != (turned ? xr_place_in_other_order(&picture, b) : b);
    }
    return differ;
}

/* "1x8x16"; how long that is. */
static size_t shape_words(const exray_tensor_info *info, char *text, size_t size)
{
    size_t used = 0;
    for (uint32_t d = 0; d < info->rank && used + 24 < size; d++)
        used += (size_t)snprintf(text + used, size - used, "%s%lld", d ? "x" : "", (long long)info->shape[d]);
    return used;
}

void xr_moves_words(const xr_step_graph *g, const xr_moves *moves, char *text, size_t size)
{
    size_t used = 0;
    size_t begin = 0;
    if (moves->channels)
        begin = (size_t)snprintf(text, size, "channels %s, ", moves->channels);
    text += begin;
    size -= begin;
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
        used += shape_words(from, text + used, size - used);
    }
}

bool xr_transposes_others(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b)
{
    if (a->kind != XR_STEP_TRANSPOSE || !a->input_count || !b->input_count)
        return false;
    const exray_tensor_info *x = xr_step_graph_info(&side[0], a->input[0]),
                            *y = xr_step_graph_info(&side[1], b->input[0]);
    return x && y && x->rank && x->rank == y->rank &&
           memcmp(x->shape, y->shape, x->rank * sizeof *x->shape) != 0;
}

/* Whether a Transpose is one of several in a row. */
static bool is_in_a_row(const xr_step_graph *g, const xr_op_step *step)
{
    const uint32_t maker = g->tensor[g->tensor[step->input[0]].same_as].maker,
                   made = g->tensor[step->output].same_as;
    if (maker != EXRAY_NO_INDEX && g->step[maker].kind == XR_STEP_TRANSPOSE)
        return true;
    for (uint32_t i = 0; i < g->count; i++)
        if (g->step[i].kind == XR_STEP_TRANSPOSE && g->step[i].input_count &&
            g->tensor[g->step[i].input[0]].same_as == made)
            return true;
    return false;
}

bool xr_transposes_in_a_row(const xr_step_graph side[2], const xr_op_step *a, const xr_op_step *b)
{
    return a->kind == XR_STEP_TRANSPOSE && b->kind == XR_STEP_TRANSPOSE && a->input_count && b->input_count &&
           is_in_a_row(&side[0], a) != is_in_a_row(&side[1], b);
}

bool xr_have_equal_weights(xr_step_match *match, uint32_t edge, uint32_t reference)
{
    enum { FEWEST = 8, MOST = 1 << 24 };
    xr_step_graph *g = match->side;
    const uint32_t step[2] = {edge, reference};
    const exray_tensor_info *info[2] = {NULL, NULL};
    double *values[2] = {NULL, NULL};
    size_t count[2] = {0, 0};
    for (int s = 0; s < 2; s++) {
        uint32_t tensor = xr_step_largest_constant(&g[s], &g[s].step[step[s]], FEWEST);
        info[s] = tensor == EXRAY_NO_INDEX ? NULL : xr_step_graph_info(&g[s], tensor);
        uint64_t room = info[s] && info[s]->rank == 2 ? xr_tensor_elements(info[s]) : 0;
        values[s] = room && room < MOST ? malloc(room * sizeof *values[s]) : NULL;
        if (values[s])
            count[s] = xr_model_constants_values(&g[s].constants, tensor, values[s], room);
    }
    bool known = count[0] && count[0] == count[1];
    double apart[2] = {0, 0}, square = 0;
    for (size_t i = 0; known && i < count[0]; i++) {
        size_t rows = (size_t)info[1]->shape[0], columns = (size_t)info[1]->shape[1];
        double d = values[0][i] - values[1][i],
               t = values[0][i % columns * rows + i / columns] - values[1][i];
        apart[0] += d * d;
        apart[1] += t * t;
        square += values[1][i] * values[1][i];
    }
    free(values[0]);
    free(values[1]);
    return known && fmin(apart[0], apart[1]) <= SAME_WEIGHTS * square;
}

bool xr_repeats_otherwise(const xr_step_graph side[2], const xr_op_step *edge, const xr_op_step *reference,
                          char text[2][XR_REPEATED_WORDS])
{
    const xr_op_step *step[2] = {edge, reference};
    const exray_tensor_info *given[2], *made[2];
    for (int s = 0; s < 2; s++) {
        if (strcmp(step[s]->word, "expand") != 0 || step[s]->input_count == 0)
            return false;
        given[s] = known_shape(&side[s], step[s]->input[0]);
        made[s] = known_shape(&side[s], step[s]->output);
    }
    if (!given[0] || !given[1] || given[0]->rank != given[1]->rank || xr_same_shape(given[0], given[1]) ||
        !xr_same_shape(made[0], made[1]) || xr_tensor_elements(given[0]) != xr_tensor_elements(given[1]))
        return false;
    for (int s = 0; s < 2; s++)
        shape_words(given[s], text[s], XR_REPEATED_WORDS);
    return true;
}
