/* Constants are paired by what they make: a compared tensor of the edge is made, out of the compared tensors
 * before it, with some constants, and the reference's counterpart with some of its own, whatever nodes lie
 * between (a layer that an engine fused, weights that are unpacked first).  Among several of one size the
 * order decides where the values agree, else the values. */
#include "checks/model/weight_match.h"

#include "checks/model/gates.h"
#include "checks/model/weights/weight_pair.h"
#include "checks/place_of.h"

#include <stdlib.h>
#include <string.h>

static void take(xr_constant_table *c, const xr_node_constant *constant)
{
    bool halves = constant->joined == XR_JOINED_SUM && !constant->joined_count;
    c->taken[constant->tensor] |= (uint8_t)((halves ? 3u : 1u) << (halves ? 2 : 1) * constant->part);
    for (uint32_t i = 0; i < constant->joined_count; i++)
        c->taken[constant->also[i]] |= 1;
}

static exray_status keep(xr_weight_matcher *m, const xr_weight_pair *pair, const xr_node_constant of[2])
{
    xr_weight_pair *grown = realloc(m->pair, (m->count + 1) * sizeof *grown);
    if (!grown)
        return EXRAY_E_MEMORY;
    m->pair = grown;
    m->pair[m->count++] = *pair;
    for (int s = 0; s < 2; s++)
        take(&m->side[s], &of[s]);
    return EXRAY_OK;
}

/* ---- Layers --------------------------------------------------------------------------------- */

static bool is_free(const xr_constant_table *c, const xr_node_constant *constant)
{
    for (uint32_t i = 0; i < constant->joined_count; i++)
        if (!c->recorded[constant->also[i]] || c->taken[constant->also[i]])
            return false;
    bool halves = constant->joined == XR_JOINED_SUM && !constant->joined_count;
    unsigned bit = (halves ? 2 : 1) * constant->part;
    return c->recorded[constant->tensor] && !(c->taken[constant->tensor] >> bit & 1) &&
           xr_weight_count(c->model, constant) >= xr_fewest_weights(constant) &&
           !(c->is_folded && xr_weight_fold_part(&c->folds, constant) == XR_FOLD_USED);
}

static bool are_of_one_size(const xr_weight_matcher *m, const xr_node_constant *a, const xr_node_constant *b)
{
    return xr_weight_count(m->side[0].model, a) == xr_weight_count(m->side[1].model, b) &&
           (xr_weight_dimensions(m->side[0].model, a) > 1) == (xr_weight_dimensions(m->side[1].model, b) > 1);
}

/* Whether the other side has a constant of the same name and the same values: then this one was not changed,
 * whatever layer it was found at (a layer that was left out moves all others). */
static exray_status has_equal_namesake(xr_weight_matcher *m, int side, const xr_node_constant *constant,
                                       bool *yes)
{
    const exray_model *model = m->side[!side].model;
    const char *name = m->side[side].model->tensors[constant->tensor].name;
    *yes = false;
    for (uint32_t t = 0; name && *name && !*yes && t < model->tensor_count; t++) {
        const xr_node_constant other = {.tensor = t};
        if (!model->tensors[t].name || strcmp(name, model->tensors[t].name) != 0 ||
            !m->side[!side].recorded[t])
            continue;
        xr_node_constant pair[2];
        pair[side] = *constant;
        pair[!side] = other;
        xr_weight_pair apart;
        exray_status status = are_of_one_size(m, &pair[0], &pair[1])
                                  ? xr_compare_weights(m, SIZE_MAX, pair, &apart, yes)
                                  : EXRAY_OK;
        if (status != EXRAY_OK)
            return status;
        *yes = *yes && !apart.differs && !apart.transposed;
    }
    return EXRAY_OK;
}

/* A pair of different constants that each have another, equal counterpart by name is none. */
static exray_status is_misplaced(xr_weight_matcher *m, const xr_weight_pair *pair, bool *yes)
{
    *yes = false;
    for (int s = 0; s < 2 && !*yes; s++) {
        exray_status status =
            has_equal_namesake(m, s, &(xr_node_constant){.tensor = pair->of[s].tensor}, yes);
        if (status != EXRAY_OK)
            return status;
    }
    return EXRAY_OK;
}

/* The place of the first constant of that name; of none, where it would be. */
static size_t first_named(const xr_constant_table *c, const char *name)
{
    size_t low = 0, high = c->named_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (strcmp(c->named[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool is_named(const xr_constant_table *c, size_t place, const char *name)
{
    return place < c->named_count && strcmp(c->named[place].name, name) == 0;
}

/* The reference's constant of that name and size that has no counterpart yet. */
static bool find_namesake(const xr_weight_matcher *m, const xr_node_constant *edge, xr_node_constant *out)
{
    const xr_constant_table *other = &m->side[1];
    const char *name = m->side[0].model->tensors[edge->tensor].name;
    if (!name || !*name || edge->joined)
        return false;
    for (size_t i = first_named(other, name); is_named(other, i, name); i++) {
        *out = *edge; /* of the same part of a node of the same kind, if of any */
        out->tensor = other->named[i].tensor;
        if (is_free(other, out) && are_of_one_size(m, edge, out))
            return true;
    }
    return false;
}

/* The counterpart of one constant, while candidates are tried. */
typedef struct candidate {
    xr_weight_pair best;
    xr_node_constant of[2];
    size_t candidates;
    bool agrees;
} candidate;

/* Takes the candidate if it is the first, or the first that agrees. */
static exray_status try_pair(xr_weight_matcher *m, size_t layer, const xr_node_constant *edge,
                             const xr_node_constant *reference, candidate *c)
{
    xr_weight_pair pair;
    bool found;
    exray_status status =
        xr_compare_weights(m, layer, (xr_node_constant[]){*edge, *reference}, &pair, &found);
    if (status != EXRAY_OK || !found)
        return status;
    if (c->candidates++ == 0 || !pair.differs) {
        c->best = pair;
        c->of[0] = *edge;
        c->of[1] = *reference;
    }
    c->agrees = !pair.differs;
    return EXRAY_OK;
}

/* ---- At one place ------------------------------------------------------------------------------- */

/* The one constant that a walk found at that input of that operator, or NULL. */
static const xr_node_constant *at_place(const xr_weight_graph *g, const xr_node_constant *like)
{
    const xr_node_constant *found = NULL;
    for (size_t i = 0; i < g->found_count; i++) {
        const xr_node_constant *c = &g->found[i];
        if (!c->node || !c->node->op || strcmp(c->node->op, like->node->op) != 0 || c->input != like->input)
            continue;
        if (found || c->parts || c->joined)
            return NULL;
        found = c;
    }
    return found;
}

/* The reference's constant at the place of the edge's, where a layer is wrong and the two are of other names:
 * that the edge's has a namesake, elsewhere, or the reference's has a counterpart at another layer that
 * shares it, does not make this layer right.  NULL: nothing speaks for another one. */
static const xr_node_constant *read_instead(const xr_weight_matcher *m, const exray_layer_pair *layer,
                                            const xr_node_constant *edge)
{
    if (layer->role != EXRAY_LAYER_ROLE_ORIGINATES || !edge->node || !edge->node->op || edge->parts ||
        edge->joined || at_place(&m->side[0].graph, edge) != edge)
        return NULL;
    const xr_node_constant *there = at_place(&m->side[1].graph, edge);
    const char *name = m->side[0].model->tensors[edge->tensor].name;
    const char *other = there ? m->side[1].model->tensors[there->tensor].name : NULL;
    if (!there || !m->side[1].recorded[there->tensor] || !are_of_one_size(m, edge, there) || !name ||
        !other || !*name || strcmp(name, other) == 0)
        return NULL;
    return m->side[1].taken[there->tensor] || is_named(&m->side[1], first_named(&m->side[1], name), name)
               ? there
               : NULL;
}

/* Pairs a constant of the edge with the one of its name; where that does not agree (exporters number
 * constants), with the first of the layer that does; where none does, with the first, unless it must agree.
 */
static exray_status match_constant(xr_weight_matcher *m, size_t layer, const xr_node_constant *edge,
                                   bool must_agree)
{
    const xr_weight_graph *g = &m->side[1].graph;
    candidate c = {.candidates = 0};
    xr_node_constant namesake;
    const xr_node_constant *instead = read_instead(m, exray_comparison_layer(m->comparison, layer), edge);
    if (instead) {
        exray_status tried = try_pair(m, layer, edge, instead, &c);
        if (tried != EXRAY_OK || (c.candidates && c.best.differs))
            return tried == EXRAY_OK ? keep(m, &c.best, c.of) : tried;
        c = (candidate){.candidates = 0};
    }
    bool named = find_namesake(m, edge, &namesake);
    exray_status status = named ? try_pair(m, layer, edge, &namesake, &c) : EXRAY_OK;
    for (size_t k = 0; status == EXRAY_OK && !c.agrees && k < g->found_count; k++)
        if (is_free(&m->side[1], &g->found[k]) && are_of_one_size(m, edge, &g->found[k]))
            status = try_pair(m, layer, edge, &g->found[k], &c);
    bool misplaced = must_agree && !c.agrees;
    if (status == EXRAY_OK && c.candidates && c.best.differs && !misplaced)
        status = is_misplaced(m, &c.best, &misplaced);
    if (status != EXRAY_OK || c.candidates == 0 || misplaced)
        return status;
    c.best.doubtful = !c.agrees && !named && c.candidates > 1;
    return keep(m, &c.best, c.of);
}

/* A constant that another layer has as well, in the place of one that the reference has for this layer alone.
 */
static exray_status match_shared(xr_weight_matcher *m, size_t layer, const xr_node_constant *edge)
{
    const exray_layer_pair *pair = exray_comparison_layer(m->comparison, layer);
    const xr_node_constant *instead = read_instead(m, pair, edge);
    candidate c = {.candidates = 0};
    if (!instead || m->side[1].taken[instead->tensor])
        return EXRAY_OK;
    exray_status status = try_pair(m, layer, edge, instead, &c);
    return status == EXRAY_OK && c.candidates && c.best.differs ? keep(m, &c.best, c.of) : status;
}

/* A layer whose weights the other side has as they are has nothing folded into it. */
static exray_status drop_unfolded(xr_weight_matcher *m, int s)
{
    const xr_weight_graph *own = &m->side[s].graph, *other = &m->side[!s].graph;
    for (size_t i = 0; i < own->found_count; i++) {
        if (xr_weight_fold_part(&m->side[s].folds, &own->found[i]) != XR_FOLD_WEIGHTS)
            continue;
        bool same = false;
        for (size_t k = 0; k < other->found_count && !same; k++) {
            xr_node_constant pair[2];
            xr_weight_pair apart;
            pair[s] = own->found[i];
            pair[!s] = other->found[k];
            if (!are_of_one_size(m, &pair[0], &pair[1]))
                continue;
            exray_status status = xr_compare_weights(m, SIZE_MAX, pair, &apart, &same);
            if (status != EXRAY_OK)
                return status;
            same = same && !apart.differs;
        }
        if (same)
            xr_weight_folds_drop(&m->side[s].folds, &own->found[i]);
    }
    return EXRAY_OK;
}

/* Where one side alone has normalizations, what the other side has folded them into is compared. */
static exray_status note_folds(xr_weight_matcher *m)
{
    bool normed[2] = {false, false};
    exray_status status = EXRAY_OK;
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < m->side[s].graph.found_count; i++)
            normed[s] = normed[s] || xr_weight_is_normed(&m->side[s].folds, &m->side[s].graph.found[i]);
    for (int s = 0; s < 2 && status == EXRAY_OK; s++) {
        if (!normed[s] || normed[!s])
            continue;
        status = drop_unfolded(m, s);
        m->side[s].is_folded = true;
        xr_weight_folds_add(&m->side[s].folds, &m->side[s].graph);
    }
    return status;
}

/* Whether another constant of the layer, without a counterpart yet, has the size of this one. */
static bool has_rival(const xr_weight_matcher *m, const xr_node_constant *edge)
{
    const xr_weight_graph *g = &m->side[0].graph;
    for (size_t i = 0; i < g->found_count; i++)
        if (&g->found[i] != edge && is_free(&m->side[0], &g->found[i]) &&
            xr_weight_count(g->model, &g->found[i]) == xr_weight_count(g->model, edge))
            return true;
    return false;
}

/* Pairs the constants of the layer at hand: among several of one size first those that agree, lest one that
 * was changed takes the counterpart of another. */
static exray_status match_constants(xr_weight_matcher *m, size_t layer)
{
    const xr_weight_graph *edge = &m->side[0].graph;
    exray_status status = EXRAY_OK;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; status == EXRAY_OK && i < edge->found_count; i++) {
            const xr_node_constant *constant = &edge->found[i];
            bool free = is_free(&m->side[0], constant);
            if (free && (pass || has_rival(m, constant)))
                status = match_constant(m, layer, constant, !pass);
            else if (!free && pass && m->side[0].recorded[constant->tensor])
                status = match_shared(m, layer, constant);
        }
    return status;
}

static const xr_node_constant *constant_of(const xr_weight_graph *g, uint32_t tensor, uint32_t part)
{
    for (size_t i = 0; i < g->found_count; i++)
        if (g->found[i].tensor == tensor && g->found[i].part == part)
            return &g->found[i];
    return NULL;
}

/* Where the weights of a pair lie in their recurrent nodes, by side. */
typedef struct crossing_place {
    xr_weight_pair *pair;
    const exray_node *node[2];
    xr_gate_place at[2];
} crossing_place;

/* False: the pair's values are not equal, or it is no recurrent node's weight. */
static bool place_of(const xr_weight_matcher *m, xr_weight_pair *pair, crossing_place *out)
{
    if (pair->differs && !pair->crossed)
        return false;
    out->pair = pair;
    for (int s = 0; s < 2; s++) {
        const xr_weight_graph *g = &m->side[s].graph;
        const xr_node_constant *constant = constant_of(g, pair->of[s].tensor, pair->of[s].part);
        if (!constant || !xr_gate_place_of(g->model, constant, &out->at[s]))
            return false;
        out->node[s] = constant->node;
    }
    return true;
}

/* Whether two pairs of one recurrent layer, each of equal values, lie crosswise: the weights of one direction
 * in the other's place, or those of the state in the place of the inputs'. */
static bool are_crossed(const crossing_place *a, const crossing_place *b)
{
    bool turned[2], moved[2], directions = true, roles = true;
    for (int s = 0; s < 2; s++) {
        if (a->node[s] != b->node[s])
            return false;
        turned[s] = a->at[s].direction > b->at[s].direction;
        moved[s] = a->at[s].of_state && !b->at[s].of_state;
        directions = directions && a->at[s].direction != b->at[s].direction;
        roles = roles && a->at[s].of_state != b->at[s].of_state;
    }
    return (directions && turned[0] != turned[1]) || (roles && moved[0] != moved[1]);
}

static bool is_recurrent(const char *op)
{
    return strstr(op, "LSTM") || strstr(op, "GRU") || strstr(op, "RNN");
}

/* Whether a pair of equal values lies at another input of the same operator on the two sides: the mean of a
 * normalization in the place of its variance.  Recurrent operators of two engines number theirs otherwise:
 * their weights are held against each other above. */
static bool is_at_other_input(const xr_weight_matcher *m, const xr_weight_pair *pair)
{
    enum { FEWEST_INPUTS = 3 };
    const xr_node_constant *at[2];
    for (int s = 0; s < 2; s++) {
        at[s] = constant_of(&m->side[s].graph, pair->of[s].tensor, pair->of[s].part);
        if (!at[s] || !at[s]->node || !at[s]->node->op || at[s]->joined || is_recurrent(at[s]->node->op) ||
            at[s]->node->input_count < FEWEST_INPUTS)
            return false;
    }
    return !pair->differs && pair->layer != SIZE_MAX && strcmp(at[0]->node->op, at[1]->node->op) == 0 &&
           at[0]->input != at[1]->input &&
           exray_comparison_layer(m->comparison, pair->layer)->role == EXRAY_LAYER_ROLE_ORIGINATES;
}

static exray_status note_crossed(xr_weight_matcher *m, size_t first)
{
    crossing_place *place = malloc((m->count - first + 1) * sizeof *place);
    size_t count = 0;
    if (!place)
        return EXRAY_E_MEMORY;
    for (size_t i = first; i < m->count; i++)
        if (is_at_other_input(m, &m->pair[i]))
            m->pair[i].crossed = m->pair[i].differs = true;
    for (size_t i = first; i < m->count; i++)
        count += place_of(m, &m->pair[i], &place[count]);
    for (size_t i = 0; i < count; i++)
        for (size_t k = i + 1; k < count; k++)
            if (are_crossed(&place[i], &place[k])) {
                xr_weight_pair *both[2] = {place[i].pair, place[k].pair};
                for (int p = 0; p < 2; p++)
                    both[p]->crossed = both[p]->differs = true;
            }
    free(place);
    return EXRAY_OK;
}

/* How many weights of more than one dimension make what the layer at hand returns. */
static size_t matrices_of(const xr_constant_table *c)
{
    size_t count = 0;
    for (size_t i = 0; i < c->graph.found_count; i++)
        count += c->recorded[c->graph.found[i].tensor] &&
                 xr_weight_count(c->model, &c->graph.found[i]) >= XR_FEWEST_WEIGHTS &&
                 xr_weight_dimensions(c->model, &c->graph.found[i]) > 1;
    return count;
}

static exray_status match_layer(xr_weight_matcher *m, size_t layer, const exray_layer_pair *pair)
{
    size_t first = m->count;
    for (int s = 0; s < 2; s++)
        xr_weight_graph_walk(&m->side[s].graph, xr_tensor_of_layer(m->side[s].model, pair, (exray_side)s));
    exray_status status = note_folds(m);
    if (status == EXRAY_OK)
        status = match_constants(m, layer);
    if (status == EXRAY_OK)
        status = note_crossed(m, first);
    const bool of_more = matrices_of(&m->side[0]) != matrices_of(&m->side[1]);
    for (size_t i = first; i < m->count; i++)
        m->pair[i].of_more = of_more;
    for (int s = 0; s < 2; s++)
        m->side[s].is_folded = false;
    return status;
}

/* ---- Names ------------------------------------------------------------------------------------- */

/* Pairs by name the constants that no aligned layer reads (of a partition that runs as one
 * node). */
static exray_status match_names(xr_weight_matcher *m)
{
    exray_status status = EXRAY_OK;
    for (uint32_t t = 0; status == EXRAY_OK && t < m->side[0].model->tensor_count; t++) {
        const xr_node_constant edge = {.tensor = t};
        xr_node_constant namesake;
        candidate c = {.candidates = 0};
        if (!is_free(&m->side[0], &edge) || !find_namesake(m, &edge, &namesake))
            continue;
        status = try_pair(m, SIZE_MAX, &edge, &namesake, &c);
        if (status == EXRAY_OK && c.candidates)
            status = keep(m, &c.best, c.of);
    }
    return status;
}

exray_status xr_match_weights(const exray_comparison *comparison, xr_weight_matcher *m)
{
    exray_status status = EXRAY_OK;
    for (size_t i = 0; status == EXRAY_OK && i < exray_comparison_layer_count(comparison); i++)
        status = match_layer(m, i, exray_comparison_layer(comparison, i));
    return status == EXRAY_OK ? match_names(m) : status;
}
