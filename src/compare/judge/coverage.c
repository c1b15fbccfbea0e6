#include "compare/judge/coverage.h"

#include "compare/comparison.h"
#include "compare/match/layers.h"
#include "compare/match/ops.h"
#include "compare/noise/noise.h"

#include <stdlib.h>
#include <string.h>

/* What is known of a layer. */
typedef enum counted_as {
    ALONE,   /* without a counterpart */
    FREE,    /* likewise, and it needs none */
    MATCHED, /* it has one */
    INSIDE,  /* the other side computes it unseen */
} counted_as;

/* One side: layers without a counterpart that feed each other are a region. */
typedef struct counted_side {
    xr_layers layers;
    counted_as *standing;
    uint32_t *region; /* [layers]: a layer that stands for the region; see root */
    uint32_t *size;   /* [layers]: of the region that a layer stands for: its layers that are ALONE */
    uint32_t *steps;  /* [layers]: of those, layers that run step by step what others may have written out */
    bool *mixed;      /* [layers]: of a region: some of it is no function of single elements */
    bool *open;       /* [layers]: of a region: some of it is not computed on to a matched layer */
    uint32_t *maker;  /* [tensor_count]: layer that computes the tensor, or EXRAY_NO_INDEX */
} counted_side;

static uint32_t root(const counted_side *s, uint32_t layer)
{
    while (s->region[layer] != layer) /* and shortens the way: many layers may read one */
        layer = s->region[layer] = s->region[s->region[layer]];
    return layer;
}

static bool is_apart(const counted_side *s, uint32_t layer)
{
    return s->standing[layer] == ALONE || s->standing[layer] == FREE;
}

/* Numbers that are no values of the network: what arithmetic on shapes and comparisons makes. */
static bool is_flag(const exray_tensor_info *tensor)
{
    if (!tensor || tensor->quantization.count)
        return false;
    return tensor->dtype == EXRAY_DTYPE_BOOL || tensor->dtype == EXRAY_DTYPE_INT64 ||
           tensor->dtype == EXRAY_DTYPE_INT32;
}

/* What holds no numbers: strings, and lists and maps, which no record has. */
static bool is_no_number(const xr_layer *layer)
{
    static const char *const lists[] = {"zipmap",         "sequenceconstruct", "sequenceempty",
                                        "sequenceinsert", "sequenceerase",     "splittosequence",
                                        "sequencemap",    "optional"};
    char plain[32]; /* longer than any of them */
    if (layer->tensor && layer->tensor->dtype == EXRAY_DTYPE_STRING)
        return true;
    exray_node_plain_op(layer->op->op, plain, sizeof plain);
    for (size_t i = 0; i < sizeof lists / sizeof *lists; i++)
        if (strcmp(plain, lists[i]) == 0)
            return true;
    return false;
}

/* The layer that is an output of a node, or EXRAY_NO_INDEX.  Layers are in the order of nodes. */
static uint32_t find_layer(const xr_layers *layers, uint32_t node, uint32_t output)
{
    for (uint32_t low = 0, high = layers->count; low < high;) {
        uint32_t i = low + (high - low) / 2;
        if (layers->layer[i].node < node) {
            low = i + 1;
            continue;
        }
        if (layers->layer[i].node > node) {
            high = i;
            continue;
        }
        while (i > 0 && layers->layer[i - 1].node == node)
            i--;
        for (; i < layers->count && layers->layer[i].node == node; i++)
            if (layers->layer[i].output == output)
                return i;
        return EXRAY_NO_INDEX;
    }
    return EXRAY_NO_INDEX;
}

/* ---- Regions ------------------------------------------------------------------------ */

static uint32_t maker_of(const counted_side *s, const exray_node *node, uint32_t input)
{
    uint32_t tensor = node->inputs[input];
    return tensor < s->layers.model->tensor_count ? s->maker[tensor] : EXRAY_NO_INDEX;
}

/* Whether a layer computes each element of its own: an activation, a sum, a product, a power. */
static bool is_by_element(const xr_layer *layer)
{
    static const char *const others[] = {"Erf", "Exp", "Log", "Pow", "Sqrt",
                                         "Abs", "Neg", "Min", "Max", "Reciprocal"};
    switch (layer->kind) {
    case XR_OP_ADD:
    case XR_OP_SUB:
    case XR_OP_MUL:
    case XR_OP_DIV:
    case XR_OP_ACTIVATION:
        return true;
    case XR_OP_OTHER:
        for (size_t i = 0; i < sizeof others / sizeof *others; i++)
            if (xr_same_op_name(layer->op->op, others[i]))
                return true;
        return false;
    default:
        return false;
    }
}

static void join_regions(counted_side *s)
{
    for (uint32_t i = 0; i < s->layers.count; i++) {
        const exray_node *node = s->layers.layer[i].op;
        bool first = i == 0 || s->layers.layer[i - 1].op != node;
        for (uint32_t k = 0; is_apart(s, i) && k < node->input_count; k++) {
            uint32_t from = maker_of(s, node, k);
            if (from != EXRAY_NO_INDEX && is_apart(s, from) && !s->layers.layer[from].constant)
                s->region[root(s, from)] = root(s, i);
        }
        if (!first && is_apart(s, i) && is_apart(s, i - 1))
            s->region[root(s, i - 1)] = root(s, i);
    }
    for (uint32_t i = 0; i < s->layers.count; i++)
        if (s->standing[i] == ALONE) {
            const exray_node *node = s->layers.layer[i].op;
            s->size[root(s, i)]++;
            s->mixed[root(s, i)] = s->mixed[root(s, i)] || !is_by_element(&s->layers.layer[i]);
            s->steps[root(s, i)] += xr_keeps_state(node) || xr_has_body(node);
        }
}

/* Whether another output of the same node is read: then nothing depends on one that is not, such as the last
 * state that a recurrent node offers. */
static bool is_offered(const counted_side *s, const bool *read, uint32_t layer)
{
    const xr_layer *all = s->layers.layer;
    uint32_t first = layer, end = layer + 1;
    while (first > 0 && all[first - 1].op == all[layer].op)
        first--;
    while (end < s->layers.count && all[end].op == all[layer].op)
        end++;
    for (uint32_t i = first; i < end; i++)
        if (read[i])
            return true;
    return false;
}

/* A region is open where nothing that is compared reads one of its layers. */
static void note_open(counted_side *s, bool *read)
{
    for (uint32_t i = 0; i < s->layers.count; i++)
        for (uint32_t k = 0; k < s->layers.layer[i].op->input_count; k++) {
            uint32_t from = maker_of(s, s->layers.layer[i].op, k);
            if (from != EXRAY_NO_INDEX)
                read[from] = true;
        }
    const exray_model *model = s->layers.model;
    for (uint32_t i = 0; i < model->output_count; i++)
        if (model->outputs[i] < model->tensor_count && s->maker[model->outputs[i]] != EXRAY_NO_INDEX)
            read[s->maker[model->outputs[i]]] = false;
    for (uint32_t i = 0; i < s->layers.count; i++)
        if (is_apart(s, i) && !read[i] && !s->layers.layer[i].constant && !is_offered(s, read, i))
            s->open[root(s, i)] = true;
}

static bool prepare(counted_side *s, const exray_model *model)
{
    if (!xr_layers_of(model, &s->layers))
        return false;
    size_t count = (size_t)s->layers.count + 1;
    s->standing = calloc(count, sizeof *s->standing);
    s->region = malloc(count * sizeof *s->region);
    s->size = calloc(count, sizeof *s->size);
    s->steps = calloc(count, sizeof *s->steps);
    s->mixed = calloc(count, sizeof *s->mixed);
    s->open = calloc(count, sizeof *s->open);
    s->maker = malloc(((size_t)model->tensor_count + 1) * sizeof *s->maker);
    if (!s->standing || !s->region || !s->size || !s->steps || !s->mixed || !s->open || !s->maker)
        return false;
    for (uint32_t t = 0; t < model->tensor_count; t++)
        s->maker[t] = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < s->layers.count; i++) {
        const xr_layer *layer = &s->layers.layer[i];
        s->region[i] = i;
        s->standing[i] =
            xr_layer_is_free(layer) || is_flag(layer->tensor) || is_no_number(layer) ? FREE : ALONE;
        if (layer->output == EXRAY_NO_INDEX)
            s->standing[i] = INSIDE;
        if (layer->tensor)
            s->maker[layer->tensor - model->tensors] = i;
    }
    return true;
}

static void drop(counted_side *s)
{
    xr_layers_free(&s->layers);
    free(s->standing);
    free(s->region);
    free(s->size);
    free(s->steps);
    free(s->mixed);
    free(s->open);
    free(s->maker);
}

/* ---- Counting -------------------------------------------------------------------------- */

static void note_inside(counted_side *s, const xr_layer_place *place, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const uint32_t layer = find_layer(&s->layers, place[i].node, place[i].output);
        if (layer != EXRAY_NO_INDEX)
            s->standing[layer] = INSIDE;
    }
}

static void note_matches(const exray_comparison *c, counted_side s[2])
{
    for (size_t i = 0; i < c->layers.count; i++)
        for (int k = 0; k < 2; k++) {
            const xr_pair *pair = &c->layers.pair[i];
            uint32_t layer = find_layer(&s[k].layers, pair->index[k], pair->output[k]);
            if (layer != EXRAY_NO_INDEX)
                s[k].standing[layer] = MATCHED;
        }
    note_inside(&s[0], c->inside, c->inside_count);
    /* What was taken out is no counterpart that other layers of the edge could have had. */
    note_inside(&s[1], c->parted, c->parted_count);
}

/* The largest region from which a matched layer is computed, or EXRAY_NO_INDEX. */
static uint32_t region_before(const counted_side *s, uint32_t layer)
{
    const exray_node *node = s->layers.layer[layer].op;
    uint32_t most = EXRAY_NO_INDEX;
    for (uint32_t k = 0; k < node->input_count; k++) {
        uint32_t from = maker_of(s, node, k);
        if (from != EXRAY_NO_INDEX && is_apart(s, from) &&
            (most == EXRAY_NO_INDEX || s->size[root(s, from)] > s->size[most]))
            most = root(s, from);
    }
    return most;
}

/* How many layers of a region of the edge can have had a counterpart in one of the reference: a recurrent
 * layer has none where the other side has its steps written out. */
static uint32_t most_counterparts(const counted_side s[2], uint32_t edge, uint32_t reference)
{
    if (reference == EXRAY_NO_INDEX)
        return 0;
    bool unrolled = (s[0].steps[edge] > 0) != (s[1].steps[reference] > 0);
    uint32_t m = s[1].size[reference], n = s[0].size[edge];
    if (!unrolled)
        return m;
    m -= s[1].steps[reference];
    n -= s[0].steps[edge];
    return m < n ? m : n;
}

/* Whether two regions are one function of single elements, written otherwise (x * relu6(x + 3) / 6, x *
 * clip(x / 6 + 0.5)): what they make is equal, and no layer of one is one of the other. */
static bool is_written_otherwise(const exray_comparison *c, size_t end, const counted_side s[2],
                                 uint32_t edge, uint32_t reference)
{
    enum { MOST = 8 };
    return reference != EXRAY_NO_INDEX && c->layers.pair[end].frames > 0 &&
           c->layer[end].role == EXRAY_LAYER_ROLE_CLEAN && !s[0].mixed[edge] && !s[1].mixed[reference] &&
           s[0].size[edge] <= MOST && s[1].size[reference] <= MOST;
}

/* Between the same two tensors one side may have n layers of its own, and the other m: at most m of the n
 * can have had a counterpart, the others are computed within those of the other side.  Fills other[region of
 * the edge] with m. */
static void count_opposite(const exray_comparison *c, const counted_side s[2], uint32_t *other)
{
    for (size_t i = 0; i < c->layers.count; i++) {
        const xr_pair *pair = &c->layers.pair[i];
        uint32_t end = find_layer(&s[0].layers, pair->index[0], pair->output[0]);
        uint32_t counterpart = find_layer(&s[1].layers, pair->index[1], pair->output[1]);
        if (end == EXRAY_NO_INDEX || counterpart == EXRAY_NO_INDEX)
            continue;
        uint32_t opposite = region_before(&s[1], counterpart);
        const exray_node *node = s[0].layers.layer[end].op;
        for (uint32_t k = 0; k < node->input_count; k++) {
            uint32_t from = maker_of(&s[0], node, k);
            if (from == EXRAY_NO_INDEX || !is_apart(&s[0], from))
                continue;
            uint32_t here = root(&s[0], from);
            uint32_t m =
                is_written_otherwise(c, i, s, here, opposite) ? 0 : most_counterparts(s, here, opposite);
            other[here] = other[here] < m ? m : other[here];
        }
    }
}

static void count(exray_comparison *c, const counted_side s[2], const uint32_t *other)
{
    exray_coverage *v = &c->coverage;
    *v = (exray_coverage){.compared = c->layers.count};
    for (int k = 0; k < 2; k++)
        for (uint32_t i = 0; i < s[k].layers.count; i++)
            v->layers[k] += s[k].layers.layer[i].output != EXRAY_NO_INDEX && s[k].standing[i] != FREE;
    for (uint32_t i = 0; i < s[0].layers.count; i++)
        v->hidden += s[0].layers.layer[i].output == EXRAY_NO_INDEX;
    v->fused = c->inside_count;
    for (uint32_t i = 0; i < s[0].layers.count; i++)
        if (s[0].region[i] == i && !s[0].open[i] && s[0].size[i] > other[i])
            v->fused += s[0].size[i] - other[i];
}

static bool count_layers(exray_comparison *c, counted_side s[2])
{
    note_matches(c, s);
    bool ok = true;
    for (int k = 0; ok && k < 2; k++) {
        bool *read = calloc((size_t)s[k].layers.count + 1, sizeof *read);
        ok = read != NULL;
        if (ok) {
            join_regions(&s[k]);
            note_open(&s[k], read);
        }
        free(read);
    }
    uint32_t *other = calloc((size_t)s[0].layers.count + 1, sizeof *other);
    ok = ok && other;
    if (ok) {
        count_opposite(c, s, other);
        count(c, s, other);
    }
    free(other);
    return ok;
}

/* Layers of a side that were recorded, by the frame that has most of them among the first: filters may have
 * left out others. */
static size_t recorded_layers(const exray_comparison *c, int side)
{
    enum { LOOK_AT = 8 };
    size_t most = 0;
    for (size_t f = 0; f < c->frame_count && f < LOOK_AT; f++) {
        size_t position = c->frame[f].frame[side], here = 0;
        const exray_record *record = exray_log_records(c->log[side], position);
        size_t records = exray_log_frame(c->log[side], position)->record_count;
        for (size_t i = 0; i < records; i++)
            here += record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_LAYER &&
                    record[i].occurrence == 0;
        most = here > most ? here : most;
    }
    return most < c->coverage.layers[side] ? most : c->coverage.layers[side];
}

static void count_values(exray_comparison *c)
{
    for (int side = 0; side < 2; side++)
        c->coverage.recorded[side] = recorded_layers(c, side);
    for (size_t i = 0; i < c->layers.count; i++) {
        c->coverage.with_data += c->layers.pair[i].frames > 0;
        c->coverage.with_sketch += c->layer[i].from_sketch;
        c->coverage.with_stats += c->layer[i].from_stats;
    }
}

bool xr_count_coverage(exray_comparison *c)
{
    const exray_model *model[2] = {exray_log_model(c->log[0]), exray_log_model(c->log[1])};
    bool ok = true;
    if (model[0] && model[1]) { /* else they were counted by number, in pairs.c */
        counted_side s[2] = {{.standing = NULL}, {.standing = NULL}};
        ok = prepare(&s[0], model[0]) && prepare(&s[1], model[1]) && count_layers(c, s);
        drop(&s[0]);
        drop(&s[1]);
    }
    count_values(c);
    return ok;
}
