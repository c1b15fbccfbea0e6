/* Alignment: each candidate pair gets a score that sums up the evidence (kind of operator, shape, size of
 * the weights, activation, names, values), and the alignment is the monotone one with the largest total
 * (Needleman and Wunsch, 1970, with free gaps).  Layers in another order are matched afterwards, by unique
 * names and by the layers that feed them; matches that contradict the graph are dropped.  Where both sides
 * have the names of one graph (naming.h), a name that both have decides, and what else remains is matched
 * only by equal values. */
#include "compare/match/align.h"
#include "compare/match/align_score.h"
#include "compare/match/similarity.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Share of the variance that 8 bits leave unexplained at most. */
#define LEFT_IN_8_BITS 0.05

/* By so many times less of the variance is left of what a folded layer makes than of its namesake's. */
#define FOLDED 1e3

/* Of the variance of a layer that values alone pair with another so much may be left; of all others so many
 * times more is. */
#define LEFT_BY_VALUES 0.01
#define STANDS_OUT     3.0

/* Cells of the table of one search; larger models are cut into parts at unique names. */
#define MOST_CELLS ((size_t)1 << 26)

const char *xr_match_name(xr_match how)
{
    static const char *const names[] = {"name", "values", "position", "producers", "inside"};
    return names[how];
}

typedef struct work {
    xr_scorer scorer;
    const xr_layers *side[2];
    uint32_t *partner[2]; /* [layers of that side]: its counterpart's number, or EXRAY_NO_INDEX */
    xr_match *how;        /* [edge layers] */
    uint32_t *core; /* [edge layers]: of a core, the reference's core that its layers are matched with */
} work;

static const xr_layer *layer_of(const work *w, int side, uint32_t i)
{
    return &w->side[side]->layer[i];
}

static void join(work *w, uint32_t edge, uint32_t reference, xr_match how)
{
    w->partner[0][edge] = reference;
    w->partner[1][reference] = edge;
    w->how[edge] = how;
}

/* Nothing happens to one that has no partner. */
static void part(work *w, uint32_t edge)
{
    if (w->partner[0][edge] == EXRAY_NO_INDEX)
        return;
    w->partner[1][w->partner[0][edge]] = EXRAY_NO_INDEX;
    w->partner[0][edge] = EXRAY_NO_INDEX;
}

static void forget(work *w)
{
    for (int s = 0; s < 2; s++)
        for (uint32_t i = 0; i < w->side[s]->count; i++)
            w->partner[s][i] = EXRAY_NO_INDEX;
}

/* ---- In order -------------------------------------------------------------------- */

enum { STEP_EDGE, STEP_REFERENCE, STEP_MATCH };

/* Edge layers [a0, a1), reference layers [b0, b1). */
static bool match_range(work *w, uint32_t a0, uint32_t a1, uint32_t b0, uint32_t b1)
{
    size_t rows = (size_t)a1 - a0, columns = (size_t)b1 - b0;
    if (rows == 0 || columns == 0)
        return true;
    if (rows > MOST_CELLS / columns)
        return true; /* too much to search, and no unique name to cut it */
    uint8_t *step = malloc(rows * columns);
    double *below = calloc(columns + 1, sizeof *below), *row = calloc(columns + 1, sizeof *row);
    bool ok = step && below && row;
    for (size_t i = rows; ok && i-- > 0;) {
        row[columns] = 0;
        for (size_t j = columns; j-- > 0;) {
            double skip = below[j], jump = row[j + 1], best = skip > jump ? skip : jump;
            uint8_t how = skip > jump ? STEP_EDGE : STEP_REFERENCE;
            double score = xr_score(&w->scorer, a0 + (uint32_t)i, b0 + (uint32_t)j);
            if (score > 0 && score + below[j + 1] > best) {
                best = score + below[j + 1];
                how = STEP_MATCH;
            }
            row[j] = best;
            step[i * columns + j] = how;
        }
        double *swap = below;
        below = row;
        row = swap;
    }
    for (size_t i = 0, j = 0; ok && i < rows && j < columns;) {
        uint8_t how = step[i * columns + j];
        if (how == STEP_MATCH)
            join(w, a0 + (uint32_t)i, b0 + (uint32_t)j, XR_MATCH_POSITION);
        i += how != STEP_REFERENCE;
        j += how != STEP_EDGE;
    }
    free(step);
    free(below);
    free(row);
    return ok;
}

static bool match_in_order(work *w)
{
    uint32_t counts[2] = {w->side[0]->count, w->side[1]->count};
    if (counts[0] == 0 || counts[1] <= MOST_CELLS / counts[0])
        return match_range(w, 0, counts[0], 0, counts[1]);
    uint32_t a0 = 0, b0 = 0;
    for (uint32_t a = 0; a < counts[0]; a++) {
        uint32_t b = w->scorer.naming.namesake[a];
        if (b == EXRAY_NO_INDEX || b < b0 || xr_score(&w->scorer, a, b) <= 0)
            continue;
        if (!match_range(w, a0, a, b0, b))
            return false;
        join(w, a, b, XR_MATCH_POSITION);
        a0 = a + 1;
        b0 = b + 1;
    }
    return match_range(w, a0, counts[0], b0, counts[1]);
}

/* ---- Out of order ------------------------------------------------------------------ */

static bool is_proven(const work *w, uint32_t a)
{
    return xr_naming_proves(&w->scorer.naming, a, w->partner[0][a]);
}

/* Layers of one core are not matched with layers of two, unless their names are proof. */
static void drop_split_cores(work *w)
{
    for (uint32_t a = 0; a < w->side[0]->count; a++) {
        if (w->partner[0][a] == EXRAY_NO_INDEX)
            continue;
        uint32_t core = layer_of(w, 0, a)->core, other = layer_of(w, 1, w->partner[0][a])->core;
        for (uint32_t x = a + 1; x < w->side[0]->count; x++) {
            uint32_t y = w->partner[0][x];
            if (y == EXRAY_NO_INDEX || (is_proven(w, a) && is_proven(w, x)))
                continue;
            if ((layer_of(w, 0, x)->core == core) == (layer_of(w, 1, y)->core == other))
                continue;
            bool weaker = xr_score(&w->scorer, x, y) < xr_score(&w->scorer, a, w->partner[0][a]);
            part(w, weaker ? x : a);
            if (!weaker)
                break;
        }
    }
}

static void match_names(work *w, const uint32_t *namesake)
{
    for (uint32_t a = 0; a < w->side[0]->count; a++) {
        uint32_t b = namesake[a];
        if (b == EXRAY_NO_INDEX || w->partner[0][a] != EXRAY_NO_INDEX || w->partner[1][b] != EXRAY_NO_INDEX)
            continue;
        if (xr_score(&w->scorer, a, b) > 0)
            join(w, a, b, XR_MATCH_NAME);
    }
}

/* Of the reference's layers with exactly the values of edge layer `a`, the first that is not matched yet, or
 * only with a layer that computes nothing; of the same kind of operator, or of any. */
static uint32_t equal_layer(const work *w, uint32_t a, bool any_kind)
{
    for (uint32_t b = 0; b < w->side[1]->count; b++) {
        const xr_layer *x = layer_of(w, 0, a), *y = layer_of(w, 1, b);
        uint32_t partner = w->partner[1][b];
        bool taken = partner != EXRAY_NO_INDEX &&
                     (is_proven(w, partner) || !xr_layer_is_free(layer_of(w, 0, partner)));
        if (taken || y->constant || x->elements != y->elements ||
            xr_naming_forbids(&w->scorer.naming, a, b) || !xr_values_twins(&w->scorer, a, b))
            continue;
        if (any_kind || x->kind == y->kind)
            return b;
    }
    return EXRAY_NO_INDEX;
}

/* Of the edge's layers with exactly the values of reference layer `b`, the last that is not matched: behind
 * what only changes its shape. */
static uint32_t equal_layer_of_edge(const work *w, uint32_t b)
{
    uint32_t best = EXRAY_NO_INDEX;
    for (uint32_t a = 0; a < w->side[0]->count; a++)
        if (w->partner[0][a] == EXRAY_NO_INDEX && !layer_of(w, 0, a)->constant &&
            layer_of(w, 0, a)->elements == layer_of(w, 1, b)->elements &&
            !xr_naming_forbids(&w->scorer.naming, a, b) && xr_values_twins(&w->scorer, a, b))
            best = a;
    return best;
}

enum { FEWEST_EQUAL = 8 }; /* elements: few numbers are equal by chance */

static void match_equal(work *w, bool any_kind)
{
    for (uint32_t a = 0; w->scorer.similarities && a < w->side[0]->count; a++) {
        const xr_layer *layer = layer_of(w, 0, a);
        if (w->partner[0][a] != EXRAY_NO_INDEX || layer->constant || layer->elements < FEWEST_EQUAL ||
            xr_layer_is_free(layer))
            continue;
        uint32_t b = equal_layer(w, a, any_kind);
        if (b == EXRAY_NO_INDEX)
            continue;
        if (w->partner[1][b] != EXRAY_NO_INDEX)
            part(w, w->partner[1][b]);
        join(w, a, b, XR_MATCH_VALUES);
    }
}

/* Equal values are proof enough, in another order and of operators of other kinds, too (a SPLIT for two
 * slices); of several layers with the same values, those of one kind belong together. */
static void match_by_values(work *w)
{
    match_equal(w, false);
    match_equal(w, true);
    /* What the reference computes and the edge has only in another shape (a recurrent layer's directions). */
    for (uint32_t b = 0; w->scorer.similarities && b < w->side[1]->count; b++) {
        const xr_layer *layer = layer_of(w, 1, b);
        if (w->partner[1][b] != EXRAY_NO_INDEX || layer->constant || layer->elements < FEWEST_EQUAL ||
            xr_layer_is_free(layer))
            continue;
        uint32_t a = equal_layer_of_edge(w, b);
        if (a != EXRAY_NO_INDEX)
            join(w, a, b, XR_MATCH_VALUES);
    }
}

/* The layer whose values a conversion or a change of shape passes on, or EXRAY_NO_INDEX. */
static uint32_t passed_on(const work *w, int side, uint32_t i)
{
    const xr_layer *layer = layer_of(w, side, i);
    while (xr_layer_is_free(layer) && layer->source != EXRAY_NO_INDEX) {
        i = layer->source;
        layer = layer_of(w, side, i);
    }
    return xr_layer_is_free(layer) ? EXRAY_NO_INDEX : i;
}

static double determination(const work *w, uint32_t a, uint32_t b)
{
    return a == EXRAY_NO_INDEX || b == EXRAY_NO_INDEX ? -1 : xr_values_determination(&w->scorer, a, b);
}

/* Where a mere conversion stands for what it converts, that takes its place: the values are the same, and
 * whatever it is matched with itself resembles it less. */
static void match_what_is_passed_on(work *w)
{
    for (uint32_t f = 0; w->scorer.similarities && f < w->side[0]->count; f++) {
        uint32_t b = w->partner[0][f];
        if (b == EXRAY_NO_INDEX || is_proven(w, f))
            continue;
        uint32_t a = passed_on(w, 0, f), c = passed_on(w, 1, b);
        if (a == EXRAY_NO_INDEX || c == EXRAY_NO_INDEX || (a == f) == (c == b))
            continue;
        uint32_t other = w->partner[0][a], another = w->partner[1][c];
        double now = fmax(determination(w, a, other), another == f ? -1 : determination(w, another, c));
        bool proven = (other != EXRAY_NO_INDEX && is_proven(w, a)) ||
                      (another != EXRAY_NO_INDEX && is_proven(w, another)) ||
                      xr_naming_forbids(&w->scorer.naming, a, c);
        /* Quantizing clips, too: then what is converted is not what the conversion makes. */
        double left = 1 - determination(w, a, c), found = 1 - determination(w, f, b);
        if (proven || 1 - left <= now || left > 3 * found + 1e-6)
            continue;
        part(w, f); /* one of a and c is of this pair itself */
        part(w, a);
        if (w->partner[1][c] != EXRAY_NO_INDEX)
            part(w, w->partner[1][c]);
        join(w, a, c, XR_MATCH_VALUES);
    }
}

/* Of the layers of side `s` that have the core of layer `i` and are not matched, the one that resembles
 * layer `other` of the other side most; at least three times less of it may be left unexplained than by `i`.
 */
static uint32_t nearer(const work *w, int s, uint32_t i, uint32_t other)
{
    const xr_layers *layers = w->side[s];
    double left = (1 - (s ? determination(w, other, i) : determination(w, i, other))) / 3;
    uint32_t core = layers->layer[i].core, best = i;
    for (uint32_t x = core; x < layers->count; x++) {
        if (layers->layer[x].core != core || w->partner[s][x] != EXRAY_NO_INDEX)
            continue;
        double found = s ? determination(w, other, x) : determination(w, x, other);
        if (found < 0 || 1 - found >= left)
            continue;
        left = 1 - found;
        best = x;
    }
    return best;
}

/* The layer behind layer `i` of side `s` that is cut at zero, too, and has no counterpart; else `i`. */
static uint32_t cut_behind(const work *w, int s, uint32_t i)
{
    const xr_layers *layers = w->side[s];
    for (uint32_t x = i + 1; x < layers->count; x++) {
        const xr_layer *layer = &layers->layer[x];
        bool cuts = layer->activation == XR_ACTIVATION_RELU || layer->activation == XR_ACTIVATION_CLIP;
        if (layer->source == i)
            return cuts && layer->kind == XR_OP_ACTIVATION && w->partner[s][x] == EXRAY_NO_INDEX ? x : i;
    }
    return i;
}

/* Integer layers do not tell whether they apply an activation (by the range of their type): the values do,
 * and where those are wrong, a range that begins at zero. */
static void match_hidden_activations(work *w)
{
    for (uint32_t a = 0; w->scorer.similarities && a < w->side[0]->count; a++) {
        uint32_t b = w->partner[0][a];
        if (b == EXRAY_NO_INDEX || is_proven(w, a) || determination(w, a, b) < 0)
            continue;
        bool hidden[2] = {layer_of(w, 0, a)->activation == XR_ACTIVATION_UNKNOWN,
                          layer_of(w, 1, b)->activation == XR_ACTIVATION_UNKNOWN};
        uint32_t x = hidden[1] ? nearer(w, 0, a, b) : a, y = hidden[0] && x == a ? nearer(w, 1, b, a) : b;
        bool wrong = x == a && y == b && 1 - determination(w, a, b) > LEFT_IN_8_BITS;
        if (wrong && hidden[1] && xr_layer_is_cut_at_zero(layer_of(w, 1, b)))
            x = cut_behind(w, 0, a);
        else if (wrong && hidden[0] && xr_layer_is_cut_at_zero(layer_of(w, 0, a)))
            y = cut_behind(w, 1, b);
        if ((x == a && y == b) || xr_naming_forbids(&w->scorer.naming, x, y))
            continue;
        part(w, a);
        join(w, x, y, XR_MATCH_VALUES);
    }
}

/* A batch normalization, a bias or an activation that one side folded into the layer before: that layer keeps
 * its name, but makes what the last of the other's layers does.  The values say so: they are those of a layer
 * of the namesake's core that has no counterpart. */
static void match_folded(work *w)
{
    for (uint32_t a = 0; w->scorer.similarities && a < w->side[0]->count; a++) {
        uint32_t b = w->partner[0][a];
        if (b == EXRAY_NO_INDEX || w->scorer.naming.one_file || !is_proven(w, a))
            continue;
        uint32_t y = nearer(w, 1, b, a), x = y == b ? nearer(w, 0, a, b) : a;
        double left = 1 - determination(w, a, b), found = 1 - determination(w, x, y);
        if ((x == a && y == b) || found > left / FOLDED)
            continue;
        part(w, a);
        join(w, x, y, XR_MATCH_VALUES);
    }
}

/* ---- By values that are near ---------------------------------------------------------------- */

/* The share of the variance that is left of a reference layer by an edge layer; 1: their values may not be
 * compared, or are no samples. */
static double left_of(const work *w, uint32_t a, uint32_t b)
{
    const xr_layer *x = layer_of(w, 0, a), *y = layer_of(w, 1, b);
    if (x->constant || y->constant || xr_layer_is_free(x) || xr_layer_is_free(y) || x->raw != y->raw ||
        x->elements < FEWEST_EQUAL || x->elements != y->elements ||
        xr_naming_forbids(&w->scorer.naming, a, b))
        return 1;
    const xr_similarity values = xr_similarity_of(w->scorer.similarities, a, b);
    return values.known && !values.from_stats ? 1 - values.determination : 1;
}

/* Whether a layer may be given a counterpart by near values alone: it has none, or stands for a layer of
 * unknown content that begins with it. */
static bool is_open(const work *w, int s, uint32_t i)
{
    const uint32_t other = w->partner[s][i];
    if (other == EXRAY_NO_INDEX)
        return true;
    const uint32_t a = s ? other : i, b = s ? i : other;
    const xr_op_kind kind[2] = {layer_of(w, 0, a)->kind, layer_of(w, 1, b)->kind};
    return !is_proven(w, a) && kind[0] != kind[1] && (kind[0] == XR_OP_OTHER || kind[1] == XR_OP_OTHER);
}

/* Of side `s`, the open layer of which least is left by layer `i` of the other; EXRAY_NO_INDEX: none stands
 * out. */
static uint32_t nearest_open(const work *w, int s, uint32_t i)
{
    uint32_t best = EXRAY_NO_INDEX;
    double least = 1, second = 1;
    for (uint32_t x = 0; x < w->side[s]->count; x++) {
        const double left = is_open(w, s, x) ? s ? left_of(w, i, x) : left_of(w, x, i) : 1;
        if (left < least) {
            second = least;
            least = left;
            best = x;
        } else if (left < second)
            second = left;
    }
    return least < LEFT_BY_VALUES && least < second / STANDS_OUT ? best : EXRAY_NO_INDEX;
}

/* A layer of a framework (a normalization, a block of one's own) is several operators of an engine: the last
 * makes what it returns, in other types not exactly. */
static void match_near(work *w)
{
    for (uint32_t b = 0; w->scorer.similarities && b < w->side[1]->count; b++) {
        const uint32_t a = is_open(w, 1, b) ? nearest_open(w, 0, b) : EXRAY_NO_INDEX;
        if (a == EXRAY_NO_INDEX || w->partner[0][a] == b || nearest_open(w, 1, a) != b)
            continue;
        part(w, a);
        if (w->partner[1][b] != EXRAY_NO_INDEX)
            part(w, w->partner[1][b]);
        join(w, a, b, XR_MATCH_VALUES);
    }
}

/* ---- By what reads them ------------------------------------------------------------------- */

/* Of each tensor of a side the layer that computes it, or EXRAY_NO_INDEX.  NULL: out of memory. */
static uint32_t *makers_of(const xr_layers *layers)
{
    const uint32_t count = layers->model->tensor_count;
    uint32_t *maker = malloc(((size_t)count + 1) * sizeof *maker);
    for (uint32_t t = 0; maker && t < count; t++)
        maker[t] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; maker && i < layers->count; i++)
        if (layers->layer[i].tensor && !layers->layer[i].constant)
            maker[layers->layer[i].tensor - layers->model->tensors] = i;
    return maker;
}

/* The layer that makes the only input of a core that is not constant; EXRAY_NO_INDEX: there is no such. */
static uint32_t fed_by(const xr_layers *layers, const uint32_t *maker, uint32_t core)
{
    const exray_node *node = layers->layer[core].op;
    uint32_t found = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < node->input_count; i++) {
        const uint32_t tensor = node->inputs[i];
        const uint32_t from = tensor < layers->model->tensor_count ? maker[tensor] : EXRAY_NO_INDEX;
        if (from == EXRAY_NO_INDEX)
            continue;
        if (found != EXRAY_NO_INDEX)
            return EXRAY_NO_INDEX;
        found = from;
    }
    return found;
}

/* The layer whose values that layer only has in another type: integers that are stored between two
 * convolutions. */
static uint32_t before_conversions(const xr_layers *layers, const uint32_t *maker, uint32_t layer)
{
    while (layer != EXRAY_NO_INDEX && layers->layer[layer].kind == XR_OP_CONVERSION) {
        const uint32_t from = fed_by(layers, maker, layer);
        if (from == EXRAY_NO_INDEX || from >= layer)
            break;
        layer = from;
    }
    return layer;
}

static bool has_weights(const xr_layer *core)
{
    return core->weights &&
           (core->kind == XR_OP_CONV || core->kind == XR_OP_DEPTHWISE || core->kind == XR_OP_DENSE);
}

/* Joins two layers that are read at the same place, where one of them was joined with another layer of the
 * other's core: an optimizer folds what follows a convolution into it and leaves it the node's name, and
 * wrong values do not show which of the layers it ends in. */
static void join_read(work *w, uint32_t edge, uint32_t reference)
{
    const uint32_t other = w->partner[0][edge], another = w->partner[1][reference];
    const bool late[2] = {another != EXRAY_NO_INDEX && another < edge && other == EXRAY_NO_INDEX &&
                              layer_of(w, 0, another)->core == layer_of(w, 0, edge)->core,
                          other != EXRAY_NO_INDEX && other < reference && another == EXRAY_NO_INDEX &&
                              layer_of(w, 1, other)->core == layer_of(w, 1, reference)->core};
    const uint32_t joined = late[0] ? another : edge;
    if (late[0] == late[1] || is_proven(w, joined) ||
        determination(w, joined, w->partner[0][joined]) > 1 - LEFT_IN_8_BITS ||
        xr_naming_forbids(&w->scorer.naming, edge, reference) ||
        layer_of(w, 0, edge)->elements != layer_of(w, 1, reference)->elements)
        return;
    part(w, joined);
    join(w, edge, reference, XR_MATCH_PRODUCERS);
}

/* What two convolutions read that are one by their name is one, too.  False: out of memory. */
static bool match_by_readers(work *w)
{
    uint32_t *maker[2] = {makers_of(w->side[0]), makers_of(w->side[1])};
    const bool ok = maker[0] && maker[1];
    for (uint32_t a = 0; ok && a < w->side[0]->count; a++) {
        const uint32_t b = w->partner[0][a];
        if (b == EXRAY_NO_INDEX || (!is_proven(w, a) && w->scorer.naming.namesake[a] != b))
            continue;
        const uint32_t core[2] = {layer_of(w, 0, a)->core, layer_of(w, 1, b)->core};
        const xr_layer *x = layer_of(w, 0, core[0]), *y = layer_of(w, 1, core[1]);
        if (!has_weights(x) || !has_weights(y) || x->weights != y->weights)
            continue;
        uint32_t from[2];
        for (int s = 0; s < 2; s++)
            from[s] = before_conversions(w->side[s], maker[s], fed_by(w->side[s], maker[s], core[s]));
        if (from[0] != EXRAY_NO_INDEX && from[1] != EXRAY_NO_INDEX)
            join_read(w, from[0], from[1]);
    }
    free(maker[0]);
    free(maker[1]);
    return ok;
}

static void note_core(work *w, uint32_t edge)
{
    w->core[layer_of(w, 0, edge)->core] = layer_of(w, 1, w->partner[0][edge])->core;
}

static void note_cores(work *w)
{
    for (uint32_t a = 0; a < w->side[0]->count; a++)
        w->core[a] = EXRAY_NO_INDEX;
    for (uint32_t a = 0; a < w->side[0]->count; a++)
        if (w->partner[0][a] != EXRAY_NO_INDEX)
            note_core(w, a);
}

static bool feeds(const xr_layer *layer, uint32_t core)
{
    for (size_t k = 0; k < 4; k++)
        if (layer->producers[k] == core)
            return true;
    return false;
}

/* Whether the same matched layers feed both: all that are known, and at least one. */
static bool same_producers(const work *w, uint32_t a, uint32_t b)
{
    size_t matched = 0;
    for (size_t k = 0; k < 4; k++) {
        uint32_t core = layer_of(w, 0, a)->producers[k];
        if (core == EXRAY_NO_INDEX)
            continue;
        uint32_t other = w->core[core];
        if (other == EXRAY_NO_INDEX || !feeds(layer_of(w, 1, b), other))
            return false;
        matched++;
    }
    return matched > 0;
}

/* Whether another layer of the core of one of the two is matched with a layer of a third core. */
static bool is_split(const work *w, uint32_t a, uint32_t b)
{
    const uint32_t core = layer_of(w, 0, a)->core, other = layer_of(w, 1, b)->core;
    if (w->core[core] != EXRAY_NO_INDEX && w->core[core] != other)
        return true;
    for (uint32_t y = other; y < w->side[1]->count; y++) {
        const uint32_t x = layer_of(w, 1, y)->core == other ? w->partner[1][y] : EXRAY_NO_INDEX;
        if (x != EXRAY_NO_INDEX && layer_of(w, 0, x)->core != core)
            return true;
    }
    return false;
}

/* A single candidate, or one that stands out by its values. */
static uint32_t same_inputs_as(const work *w, uint32_t a)
{
    uint32_t best = EXRAY_NO_INDEX;
    double score = 0, second = 0;
    for (uint32_t b = 0; b < w->side[1]->count; b++) {
        if (w->partner[1][b] != EXRAY_NO_INDEX)
            continue;
        double s = xr_score(&w->scorer, a, b);
        if (s <= second || !same_producers(w, a, b) || is_split(w, a, b))
            continue;
        if (s > score) {
            second = score;
            score = s;
            best = b;
        } else
            second = s;
    }
    return score > second + 0.5 ? best : EXRAY_NO_INDEX;
}

static void match_by_producers(work *w)
{
    for (uint32_t a = 0; a < w->side[0]->count; a++) {
        const xr_layer *layer = layer_of(w, 0, a);
        if (w->partner[0][a] != EXRAY_NO_INDEX || layer->core != a || xr_layer_is_free(layer))
            continue;
        uint32_t b = same_inputs_as(w, a);
        if (b == EXRAY_NO_INDEX)
            continue;
        join(w, a, b, XR_MATCH_PRODUCERS);
        note_core(w, a);
    }
}

/* Whether `core` is among the ancestors of a reference layer that are reached through
 * layers without a counterpart. */
static bool is_ancestor(const work *w, uint32_t layer, uint32_t core, uint32_t depth)
{
    if (depth == 0)
        return true; /* too far to tell */
    for (size_t k = 0; k < 4; k++) {
        uint32_t p = layer_of(w, 1, layer)->producers[k];
        if (p == core)
            return true;
        if (p != EXRAY_NO_INDEX && p < layer && is_ancestor(w, p, core, depth - 1))
            return true;
    }
    return false;
}

/* A layer that other layers feed than its counterpart is another layer, unless name or values say
 * otherwise. */
static void drop_contradicted(work *w)
{
    enum { DEPTH = 4 };
    for (uint32_t a = 0; a < w->side[0]->count; a++) {
        uint32_t b = w->partner[0][a];
        if (b == EXRAY_NO_INDEX || w->scorer.naming.namesake[a] == b || xr_values_agree(&w->scorer, a, b))
            continue;
        for (size_t k = 0; k < 4; k++) {
            uint32_t core = layer_of(w, 0, a)->producers[k];
            uint32_t other = core == EXRAY_NO_INDEX ? core : w->core[core];
            if (other == EXRAY_NO_INDEX || is_ancestor(w, layer_of(w, 1, b)->core, other, DEPTH))
                continue;
            part(w, a);
            break;
        }
    }
}

/* ---- Judging --------------------------------------------------------------------------- */

/* The same graph under the same names: values could only confirm it. */
static bool is_plain(const work *w)
{
    for (uint32_t a = 0; a < w->side[0]->count; a++) {
        const xr_layer *x = layer_of(w, 0, a);
        uint32_t b = w->partner[0][a];
        if (b == EXRAY_NO_INDEX) {
            if (!xr_layer_is_free(x))
                return false;
            continue;
        }
        const xr_layer *y = layer_of(w, 1, b);
        if (w->scorer.naming.namesake[a] != b || !xr_same_op_name(x->op->op, y->op->op))
            return false;
    }
    for (uint32_t b = 0; b < w->side[1]->count; b++)
        if (w->partner[1][b] == EXRAY_NO_INDEX && !xr_layer_is_free(layer_of(w, 1, b)))
            return false;
    return true;
}

static bool match_all(work *w)
{
    forget(w);
    if (!match_in_order(w))
        return false;
    drop_split_cores(w);
    match_names(w, w->scorer.naming.same[0]);
    match_names(w, w->scorer.naming.namesake);
    match_by_values(w);
    match_what_is_passed_on(w);
    match_hidden_activations(w);
    match_folded(w);
    match_near(w);
    if (!match_by_readers(w))
        return false;
    note_cores(w);
    match_by_producers(w);
    drop_contradicted(w);
    for (uint32_t a = 0; a < w->side[0]->count; a++) {
        uint32_t b = w->partner[0][a];
        if (b == EXRAY_NO_INDEX || w->how[a] == XR_MATCH_PRODUCERS)
            continue;
        w->how[a] = w->scorer.naming.namesake[a] == b   ? XR_MATCH_NAME
                    : xr_values_agree(&w->scorer, a, b) ? XR_MATCH_VALUES
                                                        : XR_MATCH_POSITION;
    }
    return true;
}

/* ---- The result -------------------------------------------------------------------------- */

/* A node of the reference that computes an edge layer without exposing it: one that fuses the layers of a
 * core, or a partition of unknown content whose output is matched next.  EXRAY_NO_INDEX: none. */
static uint32_t computed_within(const work *w, uint32_t a)
{
    const xr_layer *layer = layer_of(w, 0, a);
    for (uint32_t x = layer->core; x < w->side[0]->count; x++)
        if (layer_of(w, 0, x)->core == layer->core && w->partner[0][x] != EXRAY_NO_INDEX)
            return layer_of(w, 1, w->partner[0][x])->node;
    for (uint32_t x = a + 1; x < w->side[0]->count; x++) {
        if (w->partner[0][x] == EXRAY_NO_INDEX)
            continue;
        const xr_layer *next = layer_of(w, 1, w->partner[0][x]);
        return next->kind == XR_OP_PARTITION && layer_of(w, 0, x)->kind != XR_OP_PARTITION ? next->node
                                                                                           : EXRAY_NO_INDEX;
    }
    return EXRAY_NO_INDEX;
}

static void add_match(const work *w, uint32_t a, xr_alignment *out)
{
    const xr_layer *x = layer_of(w, 0, a);
    uint32_t b = w->partner[0][a];
    const xr_layer *y = b == EXRAY_NO_INDEX ? NULL : layer_of(w, 1, b);
    xr_layer_match match = {{x->node, EXRAY_NO_INDEX}, {x->output, 0}, XR_MATCH_INSIDE, false};
    if (y && y->output != EXRAY_NO_INDEX) {
        match.node[1] = y->node;
        match.output[1] = y->output;
        match.how = w->how[a];
        match.proven = is_proven(w, a) && !xr_naming_is_by_number(&w->scorer.naming, x, y);
    } else if (y)
        match.node[1] = y->node;
    else if (!xr_layer_is_free(x))
        match.node[1] = computed_within(w, a);
    if (match.node[1] != EXRAY_NO_INDEX)
        out->match[out->count++] = match;
    else
        out->free[0] += xr_layer_is_free(x);
}

static bool collect(const work *w, xr_alignment *out)
{
    out->match = calloc((size_t)w->side[0]->count + 1, sizeof *out->match);
    if (!out->match)
        return false;
    for (uint32_t a = 0; a < w->side[0]->count; a++)
        if (layer_of(w, 0, a)->output != EXRAY_NO_INDEX)
            add_match(w, a, out);
    for (uint32_t b = 0; b < w->side[1]->count; b++)
        if (layer_of(w, 1, b)->output != EXRAY_NO_INDEX && w->partner[1][b] == EXRAY_NO_INDEX)
            out->free[1] += xr_layer_is_free(layer_of(w, 1, b));
    return true;
}

static bool align_layers(work *w, const exray_comparison *comparison, xr_alignment *out)
{
    if (!match_all(w))
        return false;
    if (comparison && !is_plain(w)) {
        if (!xr_scorer_read_values(&w->scorer, comparison) || !match_all(w))
            return false;
    }
    return collect(w, out);
}

bool xr_align(const exray_model *edge, const exray_model *reference, const exray_comparison *comparison,
              xr_alignment *out)
{
    *out = (xr_alignment){0};
    work w = {0};
    xr_layers layers[2] = {{0}};
    bool ok = xr_layers_of(edge, &layers[0]) && xr_layers_of(reference, &layers[1]) &&
              xr_scorer_init(&w.scorer, layers);
    for (int s = 0; s < 2; s++) {
        w.side[s] = &layers[s];
        w.partner[s] = calloc((size_t)layers[s].count + 1, sizeof *w.partner[s]);
        ok = ok && w.partner[s];
    }
    w.how = calloc((size_t)layers[0].count + 1, sizeof *w.how);
    w.core = calloc((size_t)layers[0].count + 1, sizeof *w.core);
    ok = ok && w.how && w.core && align_layers(&w, comparison, out);
    xr_scorer_free(&w.scorer);
    for (int s = 0; s < 2; s++) {
        free(w.partner[s]);
        xr_layers_free(&layers[s]);
    }
    free(w.how);
    free(w.core);
    return ok;
}

void xr_alignment_free(xr_alignment *alignment)
{
    free(alignment->match);
    *alignment = (xr_alignment){0};
}
