#include "align.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

size_t xr_layer_count(const exray_model *model)
{
    size_t count = 0;
    for (uint32_t n = 0; model && n < model->node_count; n++)
        count += model->nodes[n].output_count;
    return count;
}

const exray_tensor_info *xr_layer_tensor(const exray_model *model, uint32_t node, uint32_t output)
{
    if (!model || node >= model->node_count || output >= model->nodes[node].output_count)
        return NULL;
    uint32_t tensor = model->nodes[node].outputs[output];
    return tensor < model->tensor_count ? &model->tensors[tensor] : NULL;
}

uint64_t xr_shape_elements(const exray_tensor_info *info)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] <= 0 || info->shape[i] > (int64_t)1 << 40)
            return 0;
        count *= (uint64_t)info->shape[i];
        if (count > (uint64_t)1 << 40)
            return 0;
    }
    return count;
}

/* ---- Names ----------------------------------------------------------------- */

typedef struct named {
    const char *name;
    size_t length; /* without what exporters add */
    uint32_t node, output;
} named;

/* Exporters and quantizers add to a tensor's name what it is stored as. */
static size_t bare_length(const char *name)
{
    static const char *const endings[] = {"_quantized", "_dequantized", "_int8", "_uint8", ":0"};
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
        size_t n = strlen(endings[i]);
        if (length > n && memcmp(name + length - n, endings[i], n) == 0)
            return length - n;
    }
    return length;
}

static int by_name(const void *left, const void *right)
{
    const named *a = left, *b = right;
    size_t shorter = a->length < b->length ? a->length : b->length;
    int order = memcmp(a->name, b->name, shorter);
    return order ? order : (a->length > b->length) - (a->length < b->length);
}

/* Sorts and drops every name that stands twice: it tells nothing. */
static size_t keep_unique(named *list, size_t count)
{
    qsort(list, count, sizeof *list, by_name);
    size_t kept = 0;
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && by_name(&list[i], &list[next]) == 0; next++)
            ;
        if (next == i + 1)
            list[kept++] = list[i];
    }
    return kept;
}

typedef enum naming { BY_TENSOR, BY_BARE_TENSOR, BY_NODE, NAMINGS } naming;

static size_t list_names(const exray_model *model, naming how, const bool *taken, named *list)
{
    size_t count = 0, layer = 0;
    for (uint32_t n = 0; n < model->node_count; n++) {
        for (uint32_t k = 0; k < model->nodes[n].output_count; k++, layer++) {
            const exray_tensor_info *tensor = xr_layer_tensor(model, n, k);
            const char *name = how == BY_NODE ? model->nodes[n].name : tensor ? tensor->name : NULL;
            if (taken[layer] || !name || !*name || (how == BY_NODE && k > 0))
                continue;
            size_t length = how == BY_BARE_TENSOR ? bare_length(name) : strlen(name);
            list[count++] = (named){name, length, n, k};
        }
    }
    return keep_unique(list, count);
}

/* ---- The work -------------------------------------------------------------- */

typedef struct side {
    const exray_model *model;
    size_t *first; /* [node]: its first layer's number */
    bool *taken;   /* [layer] */
    named *names;  /* [layer] */
    size_t layers;
} side;

typedef struct work {
    side side[2];
    xr_layer_match *by_layer; /* [edge layer]; node[1] EXRAY_NO_INDEX: none yet */
} work;

static bool side_init(side *s, const exray_model *model)
{
    s->model = model;
    s->layers = xr_layer_count(model);
    s->first = calloc(model->node_count + 1, sizeof *s->first);
    s->taken = calloc(s->layers + 1, sizeof *s->taken);
    s->names = calloc(s->layers + 1, sizeof *s->names);
    if (!s->first || !s->taken || !s->names)
        return false;
    for (uint32_t n = 0; n < model->node_count; n++)
        s->first[n + 1] = s->first[n] + model->nodes[n].output_count;
    return true;
}

static void side_free(side *s)
{
    free(s->first);
    free(s->taken);
    free(s->names);
}

static void take(work *w, uint32_t edge, uint32_t reference, uint32_t output, uint32_t reference_output,
                 xr_match how)
{
    if (output >= w->side[0].model->nodes[edge].output_count ||
        reference_output >= w->side[1].model->nodes[reference].output_count)
        return;
    size_t a = w->side[0].first[edge] + output, b = w->side[1].first[reference] + reference_output;
    /* One output number has to do for both sides. */
    if (w->side[0].taken[a] || w->side[1].taken[b] || output != reference_output)
        return;
    w->side[0].taken[a] = w->side[1].taken[b] = true;
    w->by_layer[a] = (xr_layer_match){{edge, reference}, output, how};
}

static void match_names(work *w, naming how)
{
    size_t counts[2];
    for (int s = 0; s < 2; s++)
        counts[s] = list_names(w->side[s].model, how, w->side[s].taken, w->side[s].names);
    const named *a = w->side[0].names, *b = w->side[1].names;
    for (size_t i = 0, j = 0; i < counts[0] && j < counts[1];) {
        int order = by_name(&a[i], &b[j]);
        if (order == 0) {
            take(w, a[i].node, b[j].node, a[i].output, b[j].output,
                 how == BY_NODE ? XR_MATCH_NODE_NAME : XR_MATCH_TENSOR_NAME);
            i++, j++;
        } else if (order < 0)
            i++;
        else
            j++;
    }
}

static uint32_t node_match(const work *w, uint32_t edge)
{
    if (w->side[0].model->nodes[edge].output_count == 0)
        return EXRAY_NO_INDEX;
    return w->by_layer[w->side[0].first[edge]].node[1];
}

static bool alike(const work *w, uint32_t edge, uint32_t reference)
{
    const exray_node *a = &w->side[0].model->nodes[edge], *b = &w->side[1].model->nodes[reference];
    if (!a->op || !b->op || strcasecmp(a->op, b->op) != 0 || a->output_count != b->output_count ||
        a->output_count == 0)
        return false;
    const exray_tensor_info *x = xr_layer_tensor(w->side[0].model, edge, 0);
    const exray_tensor_info *y = xr_layer_tensor(w->side[1].model, reference, 0);
    return x && y && xr_shape_elements(x) == xr_shape_elements(y) &&
           !w->side[0].taken[w->side[0].first[edge]] && !w->side[1].taken[w->side[1].first[reference]];
}

static void take_node(work *w, uint32_t edge, uint32_t reference, xr_match how)
{
    for (uint32_t k = 0; k < w->side[0].model->nodes[edge].output_count; k++)
        take(w, edge, reference, k, k, how);
}

/* The longest common sequence of like nodes between two matched neighbours: edge
 * nodes [a0, a1), reference nodes [b0, b1). */
static bool match_segment(work *w, uint32_t a0, uint32_t a1, uint32_t b0, uint32_t b1)
{
    size_t rows = (size_t)a1 - a0 + 1, columns = (size_t)b1 - b0 + 1;
    if (rows == 1 || columns == 1)
        return true;
    if (rows > ((size_t)1 << 22) / columns)
        return true; /* too much to search without a name to hold on to */
    uint32_t *length = calloc(rows * columns, sizeof *length);
    if (!length)
        return false;
    for (size_t i = rows - 1; i-- > 0;)
        for (size_t j = columns - 1; j-- > 0;) {
            uint32_t best = length[(i + 1) * columns + j];
            if (length[i * columns + j + 1] > best)
                best = length[i * columns + j + 1];
            if (alike(w, a0 + (uint32_t)i, b0 + (uint32_t)j) && length[(i + 1) * columns + j + 1] + 1 > best)
                best = length[(i + 1) * columns + j + 1] + 1;
            length[i * columns + j] = best;
        }
    for (size_t i = 0, j = 0; i + 1 < rows && j + 1 < columns;) {
        uint32_t here = length[i * columns + j];
        if (here == length[(i + 1) * columns + j])
            i++;
        else if (here == length[i * columns + j + 1])
            j++;
        else {
            take_node(w, a0 + (uint32_t)i, b0 + (uint32_t)j, XR_MATCH_POSITION);
            i++, j++;
        }
    }
    free(length);
    return true;
}

static bool match_positions(work *w)
{
    uint32_t nodes[2] = {w->side[0].model->node_count, w->side[1].model->node_count};
    uint32_t a0 = 0, b0 = 0;
    for (uint32_t a = 0; a < nodes[0]; a++) {
        uint32_t b = node_match(w, a);
        if (b == EXRAY_NO_INDEX || b < b0)
            continue; /* none, or a name that runs against the order: no hold */
        if (!match_segment(w, a0, a, b0, b))
            return false;
        a0 = a + 1;
        b0 = b + 1;
    }
    return match_segment(w, a0, nodes[0], b0, nodes[1]);
}

/* ---- Conversions -------------------------------------------------------------- */

static bool is_conversion(const exray_node *node)
{
    static const char *const ops[] = {"QUANTIZE", "DEQUANTIZE", "CAST", "QuantizeLinear", "DequantizeLinear"};
    for (size_t i = 0; node->op && i < sizeof ops / sizeof *ops; i++)
        if (strcasecmp(node->op, ops[i]) == 0)
            return true;
    return false;
}

/* The node that writes a node's first input, or EXRAY_NO_INDEX. */
static uint32_t producer(const exray_model *model, uint32_t node)
{
    if (model->nodes[node].input_count == 0)
        return EXRAY_NO_INDEX;
    uint32_t tensor = model->nodes[node].inputs[0];
    for (uint32_t n = node; n-- > 0;)
        if (model->nodes[n].output_count && model->nodes[n].outputs[0] == tensor)
            return n;
    return EXRAY_NO_INDEX;
}

/* A quantizer gives the model's output name to the conversion behind the last layer:
 * that layer is the counterpart, not the conversion. */
static void skip_conversions(work *w)
{
    const exray_model *edge = w->side[0].model, *reference = w->side[1].model;
    for (uint32_t a = 0; a < edge->node_count; a++) {
        uint32_t b = node_match(w, a);
        if (b == EXRAY_NO_INDEX || is_conversion(&edge->nodes[a]) == is_conversion(&reference->nodes[b]))
            continue;
        bool on_edge = is_conversion(&edge->nodes[a]);
        uint32_t other = on_edge ? producer(edge, a) : producer(reference, b);
        if (other == EXRAY_NO_INDEX)
            continue;
        uint32_t x = on_edge ? other : a, y = on_edge ? b : other;
        const exray_node *p = &edge->nodes[x], *q = &reference->nodes[y];
        bool *free_x = &w->side[0].taken[w->side[0].first[x]],
             *free_y = &w->side[1].taken[w->side[1].first[y]];
        if ((on_edge ? *free_x : *free_y) || !p->op || !q->op || strcasecmp(p->op, q->op) != 0)
            continue;
        size_t layer = w->side[0].first[a];
        w->side[0].taken[layer] = w->side[1].taken[w->side[1].first[b]] = false;
        w->by_layer[layer].node[1] = EXRAY_NO_INDEX;
        take(w, x, y, 0, 0, XR_MATCH_TENSOR_NAME);
    }
}

static size_t lone_conversions(const side *s)
{
    size_t count = 0;
    for (uint32_t n = 0; n < s->model->node_count; n++)
        for (size_t layer = s->first[n]; is_conversion(&s->model->nodes[n]) && layer < s->first[n + 1];
             layer++)
            count += !s->taken[layer];
    return count;
}

/* A delegate runs many of the model's nodes as one. */
static bool is_partition(const exray_node *node)
{
    return node->inner_count > 0 || (node->op && strstr(node->op, "elegate"));
}

/* Edge layers before a matched partition that found nothing are inside it: the
 * reference computes them there, out of sight. */
static void match_partitions(work *w)
{
    const exray_model *edge = w->side[0].model, *reference = w->side[1].model;
    uint32_t begin = 0;
    for (uint32_t a = 0; a < edge->node_count; a++) {
        uint32_t b = node_match(w, a);
        if (b == EXRAY_NO_INDEX)
            continue;
        if (is_partition(&reference->nodes[b]) && !is_partition(&edge->nodes[a]))
            for (uint32_t n = begin; n < a; n++)
                for (uint32_t k = 0; k < edge->nodes[n].output_count; k++) {
                    size_t layer = w->side[0].first[n] + k;
                    if (w->by_layer[layer].node[1] == EXRAY_NO_INDEX && !is_conversion(&edge->nodes[n]))
                        w->by_layer[layer] = (xr_layer_match){{n, b}, k, XR_MATCH_INSIDE};
                }
        begin = a + 1;
    }
}

bool xr_align(const exray_model *edge, const exray_model *reference, xr_alignment *out)
{
    *out = (xr_alignment){0};
    work w = {0};
    bool ok = side_init(&w.side[0], edge) && side_init(&w.side[1], reference);
    size_t layers = w.side[0].layers;
    w.by_layer = calloc(layers + 1, sizeof *w.by_layer);
    ok = ok && w.by_layer;
    if (ok) {
        for (size_t i = 0; i < layers; i++)
            w.by_layer[i].node[1] = EXRAY_NO_INDEX;
        for (int how = 0; how < NAMINGS; how++)
            match_names(&w, (naming)how);
        skip_conversions(&w);
        ok = match_positions(&w);
    }
    if (ok) {
        match_partitions(&w);
        for (int s = 0; s < 2; s++)
            out->conversions[s] = lone_conversions(&w.side[s]);
        for (size_t i = 0; i < layers; i++)
            if (w.by_layer[i].node[1] != EXRAY_NO_INDEX)
                w.by_layer[out->count++] = w.by_layer[i];
        out->match = w.by_layer;
        w.by_layer = NULL;
    }
    free(w.by_layer);
    side_free(&w.side[0]);
    side_free(&w.side[1]);
    return ok;
}

void xr_alignment_free(xr_alignment *alignment)
{
    free(alignment->match);
    *alignment = (xr_alignment){0};
}
