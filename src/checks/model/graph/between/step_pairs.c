/* What differences between graphs say of pairs of layers. */
#include "checks/model/graph/step_difference.h"

#include "checks/model/graph/between/step_range.h"
#include "checks/model/graph/step_values.h"
#include "checks/place_of.h"
#include "checks/port/both_sides.h"

#include <string.h>

/* The tensors of a pair of layers, or EXRAY_NO_INDEX. */
static bool tensors_of(const xr_differences *differences, const exray_layer_pair *layer, uint32_t tensor[2])
{
    for (int s = 0; s < 2; s++)
        tensor[s] = xr_tensor_of_layer(differences->match.side[s].model, layer, (exray_side)s);
    return tensor[0] != EXRAY_NO_INDEX && tensor[1] != EXRAY_NO_INDEX;
}

/* Of a pair of layers within normalizations that were put together: whether these are not each other's, or
 * differ.  *known: it is one. */
static bool contradicts_within(const xr_differences *differences, const uint32_t tensor[2], bool *known)
{
    const xr_step_match *m = &differences->match;
    uint32_t step[2];
    *known = false;
    for (int s = 0; s < 2; s++) {
        const uint32_t *inside = m->side[s].inside;
        uint32_t whole = inside ? inside[tensor[s]] : EXRAY_NO_INDEX;
        step[s] = whole == EXRAY_NO_INDEX ? whole : m->side[s].tensor[whole].maker;
        *known = *known || whole != EXRAY_NO_INDEX;
    }
    if (step[0] == EXRAY_NO_INDEX || step[1] == EXRAY_NO_INDEX || m->mate[0][step[0]] != step[1])
        return *known;
    for (size_t i = 0; i < differences->count; i++)
        if (differences->list[i].step[0] == step[0])
            return true;
    return false;
}

/* The tensor that a tensor is a function of, element by element; a normalization that the other side may have
 * folded is seen through. */
static uint32_t root_of(const xr_step_match *m, int side, uint32_t tensor)
{
    const xr_step_graph *g = &m->side[side];
    uint32_t root = g->tensor[g->tensor[tensor].root].same_as, maker = g->tensor[root].maker;
    const xr_op_step *step = maker == EXRAY_NO_INDEX ? NULL : &g->step[maker];
    bool folded = step && strcmp(step->word, "batch norm") == 0 && step->input_count == 1 &&
                  m->mate[side][maker] == EXRAY_NO_INDEX;
    return folded ? g->tensor[step->input[0]].same_as : root;
}

/* Whether the graphs differ in what the step reads, whatever the values say to it. */
static bool reads_otherwise(const xr_differences *differences, uint32_t step)
{
    for (size_t i = 0; i < differences->count; i++)
        if (differences->list[i].step[0] == step && differences->list[i].kind >= XR_DIFFERENCE_SOURCE)
            return true;
    return false;
}

/* Whether the two steps were found to be other functions, as the values show. */
static bool are_other_functions(const xr_differences *differences, const uint32_t step[2])
{
    for (size_t i = 0; i < differences->count; i++) {
        const xr_difference *d = &differences->list[i];
        if (d->kind == XR_DIFFERENCE_FUNCTION && d->proof == XR_PROOF_SHOWN && d->step[0] == step[0] &&
            d->step[1] == step[1])
            return true;
    }
    return false;
}

/* Whether both tensors are moved values alone, in other shapes: which is where shows at what reads them. */
static bool are_moved_otherwise(const xr_step_match *m, const uint32_t tensor[2])
{
    for (int s = 0; s < 2; s++) {
        uint32_t maker = m->side[s].tensor[tensor[s]].maker;
        if (maker == EXRAY_NO_INDEX || !xr_step_moves_alone(&m->side[s].step[maker]))
            return false;
    }
    const exray_tensor_info *a = xr_step_graph_info(&m->side[0], tensor[0]),
                            *b = xr_step_graph_info(&m->side[1], tensor[1]);
    return a && b && a->rank && b->rank && !xr_same_shape(a, b);
}

/* Whether two steps without a mate are among those that one graph has in the place of the other's. */
static bool are_replaced(const xr_differences *differences, const uint32_t step[2])
{
    const xr_step_match *m = &differences->match;
    if (m->mate[0][step[0]] != EXRAY_NO_INDEX || m->mate[1][step[1]] != EXRAY_NO_INDEX)
        return false;
    for (size_t i = 0; i < differences->count; i++) {
        const xr_difference *d = &differences->list[i];
        bool within = d->kind == XR_DIFFERENCE_REPLACED;
        for (int s = 0; s < 2 && within; s++)
            within = d->first[s] <= step[s] && step[s] <= d->last[s];
        if (within)
            return true;
    }
    return false;
}

/* The product that both roots are, where its sides apply factors at other places. */
static const xr_product_scale *scale_at(const xr_differences *differences, const uint32_t root[2])
{
    const uint32_t edge = differences->match.side[0].tensor[root[0]].maker,
                   reference = differences->match.side[1].tensor[root[1]].maker;
    const uint32_t at = edge == EXRAY_NO_INDEX ? edge : differences->scales.of[0][edge];
    const xr_product_scale *scale = at == EXRAY_NO_INDEX ? NULL : &differences->scales.list[at];
    return scale && scale->step[0] == edge && scale->step[1] == reference ? scale : NULL;
}

/* Whether the tensors are what the two sides make of such a product in all. */
static bool ends_of(const xr_step_match *m, const xr_product_scale *scale, const uint32_t tensor[2])
{
    for (int s = 0; s < 2; s++)
        if (m->side[s].tensor[tensor[s]].same_as != m->side[s].tensor[scale->end[s]].same_as)
            return false;
    return true;
}

/* Whether one of the tensors lies between such a product and its factors, which the other need not have. */
static bool is_scaled_otherwise(const xr_differences *differences, const uint32_t tensor[2])
{
    for (int s = 0; s < 2; s++) {
        const xr_step_graph *g = &differences->match.side[s];
        const uint32_t maker = g->tensor[g->tensor[tensor[s]].same_as].maker;
        const uint32_t at = maker == EXRAY_NO_INDEX ? maker : differences->scales.of[s][maker];
        if (at != EXRAY_NO_INDEX && differences->scales.list[at].step[s] != maker)
            return true;
    }
    return false;
}

bool xr_differences_contradict(const xr_differences *differences, const exray_layer_pair *layer)
{
    uint32_t tensor[2];
    bool known;
    const xr_step_match *m = &differences->match;
    if (!tensors_of(differences, layer, tensor))
        return false;
    bool within = contradicts_within(differences, tensor, &known);
    if (known)
        return within;
    if (are_moved_otherwise(m, tensor))
        return true;
    const xr_tensor_facts *fact[2];
    for (int s = 0; s < 2; s++)
        fact[s] = &m->side[s].tensor[m->side[s].tensor[tensor[s]].same_as];
    bool both = fact[0]->value && fact[1]->value, one = fact[0]->value || fact[1]->value;
    uint32_t root[2] = {root_of(m, 0, m->side[0].tensor[tensor[0]].same_as),
                        root_of(m, 1, m->side[1].tensor[tensor[1]].same_as)};
    const xr_product_scale *scale = scale_at(differences, root);
    if (scale && ends_of(m, scale, tensor))
        return !scale->equal;
    if (is_scaled_otherwise(differences, tensor))
        return true;
    if (one && m->tensor_mate[0][root[0]] == root[1]) {
        int plain = fact[0]->value ? 1 : 0; /* where not both are: the side without a function */
        bool other = both ? !xr_same_function(fact[0]->value, fact[1]->value, fact[0]->slack, fact[1]->slack)
                          : !xr_step_is_clipped(&m->side[plain], tensor[plain], fact[!plain]->value);
        uint32_t core = m->side[0].tensor[root[0]].maker;
        return other || (core != EXRAY_NO_INDEX && reads_otherwise(differences, core));
    }
    uint32_t maker[2] = {fact[0]->maker, fact[1]->maker};
    if (maker[0] == EXRAY_NO_INDEX || maker[1] == EXRAY_NO_INDEX)
        return false;
    uint32_t mates[2] = {m->mate[0][maker[0]], m->mate[1][maker[1]]};
    if (reads_otherwise(differences, maker[0]) || are_replaced(differences, maker) ||
        are_other_functions(differences, maker))
        return true;
    return mates[0] != mates[1] && (mates[0] != maker[1] || mates[1] != maker[0]) &&
           (mates[0] != EXRAY_NO_INDEX || mates[1] != EXRAY_NO_INDEX);
}

bool xr_differences_absorb(const exray_comparison *comparison, const xr_differences *differences,
                           const exray_layer_pair *layer)
{
    uint32_t tensor[2];
    xr_step_values values;
    const xr_step_graph *g = &differences->match.side[0];
    if (!tensors_of(differences, layer, tensor) ||
        !xr_step_values_open(comparison, &differences->match, &values))
        return false;
    uint32_t step = g->tensor[g->tensor[tensor[0]].same_as].maker;
    bool absorbed = step != EXRAY_NO_INDEX && xr_is_absorbed(&values, step);
    xr_step_values_close(&values);
    return absorbed;
}

bool xr_differences_know(const xr_differences *differences, const exray_layer_pair *layer)
{
    const xr_step_match *m = &differences->match;
    uint32_t tensor[2], step[2];
    if (!tensors_of(differences, layer, tensor))
        return false;
    for (int s = 0; s < 2; s++) {
        const exray_model *model = m->side[s].model;
        const exray_node *node = &model->nodes[layer->node[s]];
        bool tells = node->attribute_count > 0 || (model->engine && strstr(model->engine, "onnx"));
        bool by_range = node->op && strncmp(node->op, "QLinear", 7) == 0; /* it may be its activation */
        step[s] = m->side[s].tensor[m->side[s].tensor[tensor[s]].same_as].maker;
        if (node->inner_count || !tells || by_range || step[s] == EXRAY_NO_INDEX)
            return false;
    }
    return m->mate[0][step[0]] == step[1];
}
