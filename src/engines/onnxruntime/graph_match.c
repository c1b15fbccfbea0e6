#include "engines/onnxruntime/graph_match.h"

#include "core/dtype.h"
#include "core/summary/dtypes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* How many nodes of the described graph one deployed node may stand for, how many tensors are looked at. */
enum { NODES_MOST = 24, CANDIDATES_MOST = 32, SAMPLES = 2048 };

typedef struct matcher {
    const xr_ort_graph *described, *deployed;
    xr_ort_match *match;
    uint32_t *anchor; /* [deployed tensors] the described tensor to look behind */
    bool *taken;      /* [described tensors] */
} matcher;

/* A described tensor that may be the deployed one, and the node that makes it. */
typedef struct likeness {
    uint32_t tensor, node;
    xr_ort_layout layout;
} likeness;

/* ---- Values ------------------------------------------------------------------------------ */

static bool shape_fits(const xr_ort_seen *described, const xr_ort_seen *stored, const xr_ort_layout *layout)
{
    int64_t shape[EXRAY_MAX_RANK];
    if (described->dtype != stored->dtype || described->rank != stored->rank)
        return false;
    if (layout->order == XR_ORT_BLOCKED) {
        if (stored->rank != 4 || stored->shape[1] % layout->block != 0 ||
            layout->channels > stored->shape[1] || stored->shape[1] - layout->channels >= layout->block)
            return false;
    } else if (layout->order == XR_ORT_CHANNELS_LAST && stored->rank < 3) {
        return false;
    }
    xr_ort_described_shape(layout, stored->shape, stored->rank, shape);
    return memcmp(shape, described->shape, described->rank * sizeof *shape) == 0;
}

/* The largest error, as a share of the spread, that other kernels of the same function make. */
static double tolerance(exray_dtype dtype)
{
    return xr_dtype_is_integer(dtype)                                      ? 0.03
           : dtype == EXRAY_DTYPE_FLOAT16 || dtype == EXRAY_DTYPE_BFLOAT16 ? 0.02
                                                                           : 1e-3;
}

/* Whether elements all over the tensor are the same.  Of a tensor whose values are all one, nothing is known.
 */
static bool values_fit(const xr_ort_seen *described, const xr_ort_seen *stored, const xr_ort_layout *layout)
{
    uint64_t step = described->count > SAMPLES ? described->count / SAMPLES | 1 : 1;
    double error = 0, sum = 0, squares = 0, n = 0;
    for (uint64_t i = 0; i < described->count; i += step) {
        float a, b;
        xr_dtype_to_float(described->dtype, described->data, i, 1, &a);
        xr_dtype_to_float(stored->dtype, stored->data,
                          xr_ort_stored_element(layout, described->shape, described->rank, i), 1, &b);
        if (!isfinite(a) || !isfinite(b)) {
            if (isnan(a) != isnan(b) || (isinf(a) && a != b))
                return false;
            continue;
        }
        error += ((double)a - b) * ((double)a - b);
        sum += a;
        squares += (double)a * a;
        n++;
    }
    double variance = n > 1 ? squares / n - sum / n * (sum / n) : 0, limit = tolerance(described->dtype);
    return variance > 0 && error / n <= limit * limit * variance;
}

static bool find_layout(const xr_ort_seen *described, const xr_ort_seen *stored, xr_ort_layout *found)
{
    const xr_ort_layout layouts[] = {{XR_ORT_AS_DESCRIBED, 0, 0},
                                     {XR_ORT_CHANNELS_LAST, 0, 0},
                                     {XR_ORT_BLOCKED, 16, described->rank > 1 ? described->shape[1] : 0},
                                     {XR_ORT_BLOCKED, 8, described->rank > 1 ? described->shape[1] : 0},
                                     {XR_ORT_BLOCKED, 4, described->rank > 1 ? described->shape[1] : 0}};
    if (!described->data || !stored->data || !described->count || !xr_dtype_is_numeric(described->dtype))
        return false;
    for (size_t i = 0; i < sizeof layouts / sizeof *layouts; i++)
        if (shape_fits(described, stored, &layouts[i]) && values_fit(described, stored, &layouts[i])) {
            *found = layouts[i];
            return true;
        }
    return false;
}

/* ---- Topology ------------------------------------------------------------------------------ */

static bool reads(const exray_node *node, uint32_t tensor)
{
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] == tensor)
            return true;
    return false;
}

/* The operator without what fusing and quantizing put in front: FusedConv, QLinearConv are Conv. */
static const char *bare_op(const char *op)
{
    static const char *const prefixes[] = {"Fused", "QLinear", "Q"};
    for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
        size_t size = strlen(prefixes[i]);
        if (strncmp(op, prefixes[i], size) == 0 && op[size] >= 'A' && op[size] <= 'Z')
            return op + size;
    }
    return op;
}

static bool is_same_op(const char *a, const char *b)
{
    return a && b && strcmp(bare_op(a), bare_op(b)) == 0;
}

static void add_tensor(uint32_t *list, size_t *count, uint32_t tensor)
{
    for (size_t i = 0; i < *count; i++)
        if (list[i] == tensor)
            return;
    if (*count < CANDIDATES_MOST)
        list[(*count)++] = tensor;
}

/* What the described graph makes of the tensors that the node reads, the nearest first; those that fit. */
static size_t find_candidates(const matcher *m, const exray_node *node, const xr_ort_seen *stored,
                              likeness found[CANDIDATES_MOST])
{
    const exray_model *graph = m->described->model;
    uint32_t reached[CANDIDATES_MOST], used[NODES_MOST];
    size_t count = 0, nodes = 0, fitting = 0;
    for (uint32_t i = 0; i < node->input_count; i++)
        if (node->inputs[i] < m->deployed->model->tensor_count &&
            m->anchor[node->inputs[i]] != EXRAY_NO_INDEX)
            add_tensor(reached, &count, m->anchor[node->inputs[i]]);
    for (size_t next = 0; next < count; next++) {
        for (uint32_t k = 0; k < graph->node_count && nodes < NODES_MOST; k++) {
            if (!reads(&graph->nodes[k], reached[next]))
                continue;
            bool known = false;
            for (size_t i = 0; i < nodes && !known; i++)
                known = used[i] == k;
            if (known)
                continue;
            used[nodes++] = k;
            for (uint32_t o = 0; o < graph->nodes[k].output_count; o++) {
                uint32_t tensor = graph->nodes[k].outputs[o];
                if (tensor >= graph->tensor_count)
                    continue;
                add_tensor(reached, &count, tensor);
                likeness c = {.tensor = tensor, .node = k};
                if (!m->taken[tensor] && fitting < CANDIDATES_MOST &&
                    find_layout(&m->described->seen[tensor], stored, &c.layout))
                    found[fitting++] = c;
            }
        }
    }
    return fitting;
}

static const likeness *choose(const matcher *m, const exray_node *node, const likeness *found, size_t count)
{
    const likeness *chosen = NULL;
    if (count == 1)
        return found;
    for (size_t i = 0; i < count; i++) {
        if (!is_same_op(node->op, m->described->model->nodes[found[i].node].op))
            continue;
        if (chosen)
            return NULL; /* the values cannot tell which */
        chosen = &found[i];
    }
    return chosen;
}

static void match_node(matcher *m, const exray_node *node)
{
    uint32_t tensors = m->deployed->model->tensor_count, behind = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < node->input_count && behind == EXRAY_NO_INDEX; i++)
        if (node->inputs[i] < tensors)
            behind = m->anchor[node->inputs[i]];
    for (uint32_t o = 0; o < node->output_count; o++) {
        uint32_t tensor = node->outputs[o];
        if (tensor >= tensors)
            continue;
        likeness found[CANDIDATES_MOST];
        xr_ort_match *match = &m->match[tensor];
        if (match->tensor == EXRAY_NO_INDEX) {
            size_t count = find_candidates(m, node, &m->deployed->seen[tensor], found);
            const likeness *chosen = choose(m, node, found, count);
            if (chosen) {
                *match = (xr_ort_match){chosen->tensor, chosen->layout};
                m->taken[chosen->tensor] = true;
            }
        }
        m->anchor[tensor] = match->tensor == EXRAY_NO_INDEX ? behind : match->tensor;
    }
}

static uint32_t tensor_named(const exray_model *model, const char *name)
{
    for (uint32_t t = 0; name && t < model->tensor_count; t++)
        if (model->tensors[t].name && strcmp(model->tensors[t].name, name) == 0)
            return t;
    return EXRAY_NO_INDEX;
}

/* Inputs and outputs keep their names. */
static void match_ports(matcher *m)
{
    const exray_model *deployed = m->deployed->model, *described = m->described->model;
    for (uint32_t i = 0; i < deployed->input_count; i++)
        if (deployed->inputs[i] < deployed->tensor_count)
            m->anchor[deployed->inputs[i]] =
                tensor_named(described, deployed->tensors[deployed->inputs[i]].name);
    for (uint32_t i = 0; i < deployed->output_count; i++) {
        if (deployed->outputs[i] >= deployed->tensor_count)
            continue;
        uint32_t t = tensor_named(described, deployed->tensors[deployed->outputs[i]].name);
        m->match[deployed->outputs[i]].tensor = t;
        if (t != EXRAY_NO_INDEX)
            m->taken[t] = true;
    }
}

bool xr_ort_match_graphs(const xr_ort_graph *described, const xr_ort_graph *deployed, xr_ort_match *match)
{
    matcher m = {.described = described, .deployed = deployed, .match = match};
    uint32_t tensors = deployed->model->tensor_count;
    m.anchor = calloc((size_t)tensors + 1, sizeof *m.anchor);
    m.taken = calloc((size_t)described->model->tensor_count + 1, sizeof *m.taken);
    bool ok = m.anchor && m.taken;
    for (uint32_t t = 0; ok && t < tensors; t++) {
        match[t] = (xr_ort_match){.tensor = EXRAY_NO_INDEX};
        m.anchor[t] = EXRAY_NO_INDEX;
    }
    if (ok)
        match_ports(&m);
    for (uint32_t n = 0; ok && n < deployed->model->node_count; n++)
        match_node(&m, &deployed->model->nodes[n]);
    free(m.anchor);
    free(m.taken);
    return ok;
}

double xr_ort_matched_share(const exray_model *deployed, const xr_ort_match *match)
{
    uint32_t made = 0, matched = 0;
    for (uint32_t n = 0; n < deployed->node_count; n++) {
        const exray_node *node = &deployed->nodes[n];
        if (!node->op || strcmp(node->op, "Transpose") == 0 || strncmp(node->op, "Reorder", 7) == 0)
            continue;
        for (uint32_t o = 0; o < node->output_count; o++)
            if (node->outputs[o] < deployed->tensor_count) {
                made++;
                matched += match[node->outputs[o]].tensor != EXRAY_NO_INDEX;
            }
    }
    return made ? (double)matched / made : 0;
}
