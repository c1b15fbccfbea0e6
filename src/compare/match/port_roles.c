/* Two kinds of evidence, each of which counts only where it singles out one port on either side.
 *
 * Structure: a label of a tensor is a hash of the nodes that read it (that make it), with their kinds, the
 * sizes of their weights and which of their inputs it is, and of the labels behind those, up to a depth.
 * What engines and converters add or fuse (conversions, changes of shape, activations, biases, constant
 * factors) is passed over.  Of equal labels the deepest count.  The two branches of a network that compares
 * two pictures differ at its subtraction: one is its first input, the other its second.
 *
 * Names: the tensors and constants that only one port reaches, and that have the same name on both sides.
 * Names that only count ("Conv_12") say nothing. */
#include "compare/match/port_roles.h"

#include "base/tensor.h"
#include "compare/match/ops.h"
#include "compare/match/port_names.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_PORTS = 64, DEEPEST = 64 };
enum { FEWEST_WEIGHTS = 16 }; /* smaller constants are axes, sizes, factors: engines write them differently */

/* ---- The graph as a list of nodes ------------------------------------------------------ */

/* A node, of a partition the ones that it lists. */
typedef struct step {
    const exray_node *node;
    xr_op_kind kind;
    uint64_t weights; /* elements of its largest constant */
    bool passes;      /* what it returns is its only changing input, for this purpose */
} step;

typedef struct role_graph {
    const exray_model *model;
    step *step;
    size_t count;
    bool *constant;     /* [tensors]: fixed, or computed from what is fixed */
    uint64_t *elements; /* [tensors]: of what a fixed tensor is computed from */
} role_graph;

static bool known(const role_graph *g, uint32_t tensor)
{
    return tensor < g->model->tensor_count;
}

static bool changes(const role_graph *g, uint32_t tensor)
{
    return known(g, tensor) && !g->constant[tensor];
}

static bool passes_on(xr_op_kind kind, size_t changing)
{
    switch (kind) {
    case XR_OP_ACTIVATION:
    case XR_OP_NORMALIZATION:
    case XR_OP_CONVERSION:
    case XR_OP_SHAPE:
    case XR_OP_ADD:
    case XR_OP_SUB:
    case XR_OP_MUL:
    case XR_OP_DIV:
    case XR_OP_PAD:
        return changing == 1;
    default:
        return false;
    }
}

static void add_step(role_graph *g, const exray_node *node)
{
    step *s = &g->step[g->count++];
    *s = (step){.node = node, .kind = xr_op_of(node).kind};
    size_t changing = 0;
    for (uint32_t i = 0; i < node->input_count; i++) {
        uint32_t t = node->inputs[i];
        changing += changes(g, t);
        if (known(g, t) && g->constant[t] && g->elements[t] > s->weights)
            s->weights = g->elements[t];
    }
    uint64_t weights = s->weights;
    s->weights = weights < FEWEST_WEIGHTS ? 0 : weights;
    s->passes = passes_on(s->kind, changing);
    for (uint32_t k = 0; k < node->output_count; k++)
        if (known(g, node->outputs[k])) {
            g->constant[node->outputs[k]] = changing == 0;
            g->elements[node->outputs[k]] = changing == 0 ? weights : 0;
        }
}

static bool graph_of(const exray_model *model, role_graph *g)
{
    size_t nodes = 1;
    for (uint32_t n = 0; n < model->node_count; n++)
        nodes += 1 + (size_t)model->nodes[n].inner_count;
    *g = (role_graph){.model = model};
    g->step = calloc(nodes, sizeof *g->step);
    g->constant = calloc((size_t)model->tensor_count + 1, sizeof *g->constant);
    g->elements = calloc((size_t)model->tensor_count + 1, sizeof *g->elements);
    if (!g->step || !g->constant || !g->elements)
        return false;
    for (uint32_t t = 0; t < model->tensor_count; t++) {
        g->constant[t] = model->tensors[t].constant;
        g->elements[t] = model->tensors[t].constant ? xr_elements(&model->tensors[t]) : 0;
    }
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        for (uint32_t i = 0; i < node->inner_count; i++)
            add_step(g, &node->inner[i]);
        if (node->inner_count == 0)
            add_step(g, node);
    }
    return true;
}

static void graph_free(role_graph *g)
{
    free(g->step);
    free(g->constant);
    free(g->elements);
}

/* ---- Structure ---------------------------------------------------------------------------- */

static uint64_t mix(uint64_t a, uint64_t b)
{
    uint64_t x = (a ^ (b + 0x9e3779b97f4a7c15u + (a << 6) + (a >> 2))) * 0xbf58476d1ce4e5b9u;
    return x ^ (x >> 29);
}

/* Kinds by their number, other operators by their name. */
static uint64_t label_of_op(const step *s)
{
    uint64_t h = mix(17, (uint64_t)s->kind);
    for (const char *c = s->kind == XR_OP_OTHER ? s->node->op : NULL; c && *c; c++)
        if (*c != '_')
            h = mix(h, (uint64_t)(unsigned char)(*c | 0x20));
    return mix(h, s->weights);
}

static bool commutes(xr_op_kind kind)
{
    return kind == XR_OP_ADD || kind == XR_OP_MUL;
}

/* One more node of depth towards the outputs; labels[] are of the depth before, and next[] of this one. */
static void deepen_forward(const role_graph *g, const uint64_t *labels, uint64_t *next)
{
    memset(next, 0, g->model->tensor_count * sizeof *next);
    for (size_t n = g->count; n-- > 0;) {
        const step *s = &g->step[n];
        uint64_t behind = 0, through = 0, slot = 0;
        for (uint32_t k = 0; k < s->node->output_count; k++)
            if (known(g, s->node->outputs[k])) {
                behind += mix(k + 1, labels[s->node->outputs[k]]);
                through += next[s->node->outputs[k]];
            }
        for (uint32_t i = 0; i < s->node->input_count; i++) {
            if (!changes(g, s->node->inputs[i]))
                continue;
            slot += !commutes(s->kind);
            next[s->node->inputs[i]] += s->passes ? through : mix(mix(label_of_op(s), slot), behind);
        }
    }
}

static void deepen_backward(const role_graph *g, const uint64_t *labels, uint64_t *next)
{
    memset(next, 0, g->model->tensor_count * sizeof *next);
    for (size_t n = 0; n < g->count; n++) {
        const step *s = &g->step[n];
        uint64_t before = 0, through = 0, slot = 0;
        for (uint32_t i = 0; i < s->node->input_count; i++) {
            if (!changes(g, s->node->inputs[i]))
                continue;
            slot += !commutes(s->kind);
            before += mix(slot + 1, labels[s->node->inputs[i]]);
            through = next[s->node->inputs[i]];
        }
        for (uint32_t k = 0; k < s->node->output_count; k++)
            if (changes(g, s->node->outputs[k]))
                next[s->node->outputs[k]] =
                    s->passes ? through : mix(mix(label_of_op(s), (uint64_t)k + 1), before);
    }
}

typedef struct labels {
    uint64_t *now, *next; /* [tensors] */
} labels;

static size_t alone(const uint64_t *label, size_t count, uint64_t value)
{
    size_t found = SIZE_MAX;
    for (size_t i = 0; i < count; i++)
        if (label[i] == value) {
            if (found != SIZE_MAX)
                return SIZE_MAX;
            found = i;
        }
    return found;
}

/* Ports whose labels are equal, and unlike those of all other ports. */
static void single_out(const labels side[2], const uint32_t *const tensor[2], const size_t count[2],
                       const exray_model *const model[2], size_t *same)
{
    uint64_t label[2][MOST_PORTS];
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < count[s]; i++)
            label[s][i] = tensor[s][i] < model[s]->tensor_count ? side[s].now[tensor[s][i]] : 0;
    for (size_t i = 0; i < count[0]; i++) {
        size_t j = label[0][i] ? alone(label[1], count[1], label[0][i]) : SIZE_MAX;
        if (j != SIZE_MAX && alone(label[0], count[0], label[0][i]) == i)
            same[i] = j;
    }
}

static bool by_structure(const role_graph g[2], exray_kind kind, const uint32_t *const tensor[2],
                         const size_t count[2], size_t *same)
{
    labels side[2] = {{0}};
    bool ok = true;
    const exray_model *model[2] = {g[0].model, g[1].model};
    for (int s = 0; s < 2; s++) {
        side[s].now = calloc((size_t)model[s]->tensor_count + 1, sizeof *side[s].now);
        side[s].next = calloc((size_t)model[s]->tensor_count + 1, sizeof *side[s].next);
        ok = ok && side[s].now && side[s].next;
    }
    for (size_t depth = 1; ok && depth <= DEEPEST; depth++) {
        for (int s = 0; s < 2; s++) {
            (kind == EXRAY_KIND_INPUT ? deepen_forward : deepen_backward)(&g[s], side[s].now, side[s].next);
            uint64_t *swap = side[s].now;
            side[s].now = side[s].next;
            side[s].next = swap;
        }
        single_out(side, tensor, count, model, same);
    }
    for (int s = 0; s < 2; s++) {
        free(side[s].now);
        free(side[s].next);
    }
    return ok;
}

/* ---- Names ---------------------------------------------------------------------------------- */

/* The ports that reach each tensor, a bit for each. */
static void reach(const role_graph *g, exray_kind kind, const uint32_t *tensor, size_t count, uint64_t *ports)
{
    for (size_t i = 0; i < count; i++)
        if (known(g, tensor[i]))
            ports[tensor[i]] |= (uint64_t)1 << i;
    for (size_t m = 0; m < g->count; m++) {
        const exray_node *node = g->step[kind == EXRAY_KIND_INPUT ? m : g->count - 1 - m].node;
        uint64_t all = 0;
        for (uint32_t i = 0; kind == EXRAY_KIND_INPUT && i < node->input_count; i++)
            all |= changes(g, node->inputs[i]) ? ports[node->inputs[i]] : 0;
        for (uint32_t k = 0; kind == EXRAY_KIND_OUTPUT && k < node->output_count; k++)
            all |= known(g, node->outputs[k]) ? ports[node->outputs[k]] : 0;
        for (uint32_t k = 0; kind == EXRAY_KIND_INPUT && k < node->output_count; k++)
            if (known(g, node->outputs[k]))
                ports[node->outputs[k]] |= all;
        for (uint32_t i = 0; i < node->input_count; i++)
            if (known(g, node->inputs[i]) && (kind == EXRAY_KIND_OUTPUT || g->constant[node->inputs[i]]))
                ports[node->inputs[i]] |= all;
    }
}

typedef struct named {
    const char *name;
    size_t port;
} named;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const named *)a)->name, ((const named *)b)->name);
}

/* Whether a name is an operator's and a number, or a number. */
static bool only_counts(const char *name)
{
    char op[64];
    size_t n = strlen(name);
    while (n > 0 && (isdigit((unsigned char)name[n - 1]) || strchr("_:.", name[n - 1])))
        n--;
    if (n == 0 || xr_is_numbering(name))
        return true;
    if (n >= sizeof op || n == strlen(name))
        return false;
    memcpy(op, name, n);
    op[n] = '\0';
    return xr_op_of(&(exray_node){.op = op}).kind != XR_OP_OTHER;
}

/* The names of all tensors that one port alone reaches, sorted.  NULL: out of memory. */
static named *exclusive_names(const role_graph *g, const uint64_t *ports, const uint32_t *tensor,
                              size_t count, size_t *out)
{
    named *list = calloc((size_t)g->model->tensor_count + 1, sizeof *list);
    *out = 0;
    for (uint32_t t = 0; list && t < g->model->tensor_count; t++) {
        const char *name = g->model->tensors[t].name;
        size_t port = 0;
        if (!name || !*name || !ports[t] || (ports[t] & (ports[t] - 1)) || only_counts(name))
            continue;
        while (!(ports[t] >> port & 1))
            port++;
        bool itself = false; /* a port's own name is judged by itself */
        for (size_t i = 0; i < count; i++)
            itself = itself || tensor[i] == t;
        if (!itself)
            list[(*out)++] = (named){name, port};
    }
    if (list)
        qsort(list, *out, sizeof *list, by_name);
    return list;
}

/* Most of the names that a port shares with the other side must be one port's there, and the other way
 * round. */
static void settle_names(const size_t *shared, const size_t count[2], size_t *same)
{
    for (size_t i = 0; i < count[0]; i++) {
        size_t total = 0, best = 0, other = 0;
        for (size_t j = 0; j < count[1]; j++) {
            total += shared[i * count[1] + j];
            best = shared[i * count[1] + j] > shared[i * count[1] + best] ? j : best;
        }
        size_t most = count[1] ? shared[i * count[1] + best] : 0;
        for (size_t k = 0; k < count[0]; k++)
            other += k == i ? 0 : shared[k * count[1] + best];
        if (most > 0 && most * 5 >= total * 4 && most > 4 * other)
            same[i] = best;
    }
}

static bool by_names(const role_graph g[2], exray_kind kind, const uint32_t *const tensor[2],
                     const size_t count[2], size_t *same)
{
    named *list[2] = {NULL, NULL};
    size_t names[2] = {0, 0}, *shared = calloc(count[0] * count[1] + 1, sizeof *shared);
    bool ok = shared != NULL;
    for (int s = 0; s < 2 && ok; s++) {
        uint64_t *ports = calloc((size_t)g[s].model->tensor_count + 1, sizeof *ports);
        if (ports)
            reach(&g[s], kind, tensor[s], count[s], ports);
        list[s] = ports ? exclusive_names(&g[s], ports, tensor[s], count[s], &names[s]) : NULL;
        ok = list[s] != NULL;
        free(ports);
    }
    for (size_t a = 0, b = 0; ok && a < names[0] && b < names[1];) {
        int order = by_name(&list[0][a], &list[1][b]);
        if (order == 0)
            shared[list[0][a].port * count[1] + list[1][b].port]++;
        a += order <= 0;
        b += order >= 0;
    }
    if (ok)
        settle_names(shared, count, same);
    free(list[0]);
    free(list[1]);
    free(shared);
    return ok;
}

/* ---- Both --------------------------------------------------------------------------------------- */

bool xr_match_roles(const exray_model *const model[2], exray_kind kind, const uint32_t *const tensor[2],
                    const size_t count[2], size_t *same)
{
    for (size_t i = 0; i < count[0]; i++)
        same[i] = SIZE_MAX;
    if (!model[0] || !model[1] || count[0] < 2 || count[1] < 2 || count[0] > MOST_PORTS ||
        count[1] > MOST_PORTS)
        return true;
    role_graph g[2] = {{0}};
    size_t structure[MOST_PORTS];
    for (size_t i = 0; i < MOST_PORTS; i++)
        structure[i] = SIZE_MAX;
    bool ok = graph_of(model[0], &g[0]) && graph_of(model[1], &g[1]) &&
              by_names(g, kind, tensor, count, same) && by_structure(g, kind, tensor, count, structure);
    for (size_t i = 0; ok && i < count[0]; i++) {
        if (same[i] == SIZE_MAX)
            same[i] = structure[i];
        else if (structure[i] != SIZE_MAX && structure[i] != same[i])
            same[i] = SIZE_MAX; /* they contradict each other */
    }
    graph_free(&g[0]);
    graph_free(&g[1]);
    return ok;
}
