/* Which nodes of the reference's file compute a layer, from what the edge recorded. */
#include "isolate/plan.h"

#include "base/sort.h"
#include "compare/match/layers.h"
#include "compare/noise/noise.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- The log's tensors in the file -------------------------------------------------- */

static bool same_name(const exray_tensor_info *a, const exray_tensor_info *b)
{
    return a->name && b->name && *a->name && strcmp(a->name, b->name) == 0;
}

/* Engines number tensors as the file does; where they do not, names tell. */
uint32_t xr_find_tensor(const exray_model *file, const exray_model *log, uint32_t t)
{
    if (t < file->tensor_count && same_name(&log->tensors[t], &file->tensors[t]))
        return t;
    uint32_t found = EXRAY_NO_INDEX;
    for (uint32_t i = 0; i < file->tensor_count; i++) {
        if (!same_name(&log->tensors[t], &file->tensors[i]))
            continue;
        if (found != EXRAY_NO_INDEX)
            return EXRAY_NO_INDEX; /* a name that occurs twice */
        found = i;
    }
    return found;
}

static void note_source(xr_plan *p, uint32_t log_tensor, exray_kind kind, size_t pair)
{
    const exray_model *log = exray_log_model(exray_comparison_log(p->comparison, EXRAY_SIDE_REFERENCE));
    if (log_tensor >= log->tensor_count)
        return;
    uint32_t t = p->tensor_of[log_tensor];
    if (t != EXRAY_NO_INDEX && !p->source[t].known)
        p->source[t] = (xr_source){true, kind, pair};
}

static uint32_t layer_tensor(const exray_model *model, const exray_layer_pair *layer)
{
    uint32_t node = layer->node[EXRAY_SIDE_REFERENCE], output = layer->reference_output;
    return node < model->node_count && output < model->nodes[node].output_count
               ? model->nodes[node].outputs[output]
               : EXRAY_NO_INDEX;
}

/* Whether the edge's tensor of a pair surely is the reference's: by more than its place, or by its values. */
static bool is_certain(const exray_layer_pair *layer)
{
    return strcmp(layer->matched_by, "position") != 0 || layer->role == EXRAY_LAYER_ROLE_CLEAN;
}

/* Whether numbers of this type are in a unit: integers without quantization are not. */
static bool has_unit(const exray_tensor_info *info)
{
    return !xr_is_integer(info->dtype) || info->quantization.count > 0;
}

/* Whether one of two types is an integer with a scale and the other is none, and the values are of other
 * sizes: what one model dequantizes, the other may be given as it is stored, and make up for it. */
static bool is_perhaps_stored(const exray_metrics *m, const exray_tensor_info *edge,
                              const exray_tensor_info *to)
{
    static const double most = 1.5; /* times larger */
    const double size[2] = {m->std[EXRAY_SIDE_EDGE], m->std[EXRAY_SIDE_REFERENCE]};
    return xr_is_integer(edge->dtype) != xr_is_integer(to->dtype) &&
           fmax(size[0], size[1]) > most * fmin(size[0], size[1]);
}

/* Whether an input of the edge's model has values of the same unit as the reference's tensor: bytes are no
 * floats of 0 to 1. */
static bool is_same_unit(const exray_comparison *c, const exray_io_pair *input, const exray_tensor_info *to)
{
    const exray_model *edge = exray_log_model(exray_comparison_log(c, EXRAY_SIDE_EDGE));
    for (uint32_t i = 0; edge && i < edge->input_count; i++) {
        const exray_tensor_info *t =
            edge->inputs[i] < edge->tensor_count ? &edge->tensors[edge->inputs[i]] : NULL;
        if (t && (edge->input_count == 1 || (t->name && strcmp(t->name, input->name[EXRAY_SIDE_EDGE]) == 0)))
            return has_unit(t) == has_unit(to) && !is_perhaps_stored(&input->metrics, t, to);
    }
    return true;
}

/* Whether the reference's model is given what exray_comparison_values returns of its input. */
static bool is_given_as_compared(const exray_io_pair *input)
{
    return input->unit_gain[EXRAY_SIDE_REFERENCE] == 1 && input->unit_offset[EXRAY_SIDE_REFERENCE] == 0;
}

static void note_sources(xr_plan *p, const exray_model *log)
{
    const exray_comparison *c = p->comparison;
    for (size_t i = 0; i < exray_comparison_input_count(c); i++) {
        const exray_io_pair *input = exray_comparison_input(c, i);
        for (uint32_t k = 0; input->comparable && is_given_as_compared(input) && k < log->input_count; k++)
            if (log->inputs[k] < log->tensor_count && is_same_unit(c, input, &log->tensors[log->inputs[k]]) &&
                (log->input_count == 1 || (log->tensors[log->inputs[k]].name &&
                                           strcmp(log->tensors[log->inputs[k]].name, input->name[1]) == 0)))
                note_source(p, log->inputs[k], EXRAY_KIND_INPUT, i);
    }
    for (size_t i = 0; i < exray_comparison_layer_count(c); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(c, i);
        if (!layer->problem && !layer->from_stats && !layer->from_sketch && layer->metrics.count &&
            is_certain(layer))
            note_source(p, layer_tensor(log, layer), EXRAY_KIND_LAYER, i);
    }
}

bool xr_plan_init(xr_plan *p, const exray_comparison *comparison, const xr_model_file *file)
{
    const exray_model *log = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE));
    const exray_model *model = &file->model;
    *p = (xr_plan){.comparison = comparison, .file = file};
    p->tensor_of = calloc((size_t)log->tensor_count + 1, sizeof *p->tensor_of);
    p->source = calloc((size_t)model->tensor_count + 1, sizeof *p->source);
    p->producer = calloc((size_t)model->tensor_count + 1, sizeof *p->producer);
    p->known = calloc((size_t)model->tensor_count + 1, sizeof *p->known);
    p->shape = calloc((size_t)model->tensor_count + 1, sizeof *p->shape);
    if (!p->tensor_of || !p->source || !p->producer || !p->known || !p->shape)
        return false;
    for (uint32_t t = 0; t < model->tensor_count; t++) {
        p->producer[t] = EXRAY_NO_INDEX;
        p->known[t] = model->tensors[t];
    }
    for (uint32_t n = 0; n < model->node_count; n++)
        for (uint32_t k = 0; model->nodes[n].subgraph == 0 && k < model->nodes[n].output_count; k++)
            if (model->nodes[n].outputs[k] < model->tensor_count)
                p->producer[model->nodes[n].outputs[k]] = n;
    for (uint32_t t = 0; t < log->tensor_count; t++) {
        uint32_t in_file = p->tensor_of[t] = xr_find_tensor(model, log, t);
        if (in_file != EXRAY_NO_INDEX)
            p->known[in_file] = log->tensors[t];
    }
    note_sources(p, log);
    return true;
}

void xr_plan_free(xr_plan *p)
{
    free(p->tensor_of);
    free(p->source);
    free(p->producer);
    free(p->known);
    free(p->shape);
}

bool xr_plan_is_open(const xr_plan *p, uint32_t tensor)
{
    const exray_tensor_info *info = &p->known[tensor];
    bool open = info->rank == 0 || !info->shape;
    for (uint32_t i = 0; i < info->rank && !open; i++)
        open = info->shape[i] < 0;
    return open;
}

void xr_plan_settle(xr_plan *p, uint32_t tensor, const exray_tensor_info *record)
{
    exray_tensor_info *known = &p->known[tensor];
    if (record->rank > EXRAY_MAX_RANK || (known->rank && known->rank != record->rank))
        return;
    for (uint32_t i = 0; i < record->rank; i++)
        p->shape[tensor][i] = record->shape[i];
    known->rank = record->rank;
    known->shape = p->shape[tensor];
    if (known->dtype == EXRAY_DTYPE_UNSPECIFIED)
        known->dtype = record->dtype;
}

bool xr_plan_keeps_state(const xr_plan *p, const uint32_t *nodes, uint32_t count)
{
    /* Of TensorFlow Lite; ONNX passes every state as a tensor. */
    static const char *const parts[] = {"LSTM", "RNN", "GRU", "SVDF", "VARIABLE", "VAR_HANDLE", "CALL_ONCE"};
    for (uint32_t i = 0; i < count && strcmp(p->file->format->name, "tflite") == 0; i++)
        for (size_t k = 0; k < sizeof parts / sizeof *parts; k++)
            if (p->file->model.nodes[nodes[i]].op && strstr(p->file->model.nodes[nodes[i]].op, parts[k]))
                return true;
    return false;
}

/* Why nothing in the file computes a tensor that a block needs. */
static const char *why_not_made(const xr_plan *p, uint32_t tensor)
{
    const exray_model *model = &p->file->model;
    const char *name = model->tensors[tensor].name;
    bool input = false;
    for (uint32_t i = 0; i < model->input_count; i++)
        input = input || model->inputs[i] == tensor;
    if (!input)
        return "it reads a variable, whose value is not in the log";
    for (size_t i = 0; i < exray_comparison_input_count(p->comparison); i++) {
        const exray_io_pair *io = exray_comparison_input(p->comparison, i);
        bool same = name && strcmp(io->name[EXRAY_SIDE_REFERENCE], name) == 0;
        if ((same || model->input_count == 1) && !io->comparable)
            return "the values of the model's input that it reads are not in both logs in one shape";
    }
    return "the model's input that it reads has no counterpart among what the edge recorded";
}

/* ---- Blocks ----------------------------------------------------------------------------- */

typedef struct node_block {
    uint32_t *nodes;
    uint32_t count;
    uint32_t layers; /* of the edge, computed in it */
} node_block;

static bool add_node(node_block *b, uint32_t node)
{
    for (uint32_t i = 0; i < b->count; i++)
        if (b->nodes[i] == node)
            return true;
    if (b->count == XR_BLOCK_MOST)
        return false;
    b->nodes[b->count++] = node;
    return true;
}

/* What the model file itself contains needs no node. */
static bool is_given(const xr_plan *p, uint32_t tensor)
{
    return tensor >= p->file->model.tensor_count || p->file->model.tensors[tensor].constant ||
           p->file->constant[tensor].data;
}

/* A TensorFlow Lite cut is a contiguous range of nodes. */
static bool fill_gaps(const xr_plan *p, node_block *b)
{
    qsort(b->nodes, b->count, sizeof *b->nodes, xr_by_u32);
    if (strcmp(p->file->format->name, "tflite") != 0)
        return true;
    uint32_t first = b->nodes[0], last = b->nodes[b->count - 1];
    if (last - first >= XR_BLOCK_MOST)
        return false;
    b->count = last - first + 1;
    for (uint32_t i = 0; i < b->count; i++)
        b->nodes[i] = first + i;
    return true;
}

uint32_t xr_plan_block(const xr_plan *p, size_t layer, uint32_t least, uint32_t nodes[XR_BLOCK_MOST],
                       const char **why)
{
    const exray_model *log = exray_log_model(exray_comparison_log(p->comparison, EXRAY_SIDE_REFERENCE));
    const exray_model *model = &p->file->model;
    uint32_t logged = layer_tensor(log, exray_comparison_layer(p->comparison, layer));
    uint32_t target = logged < log->tensor_count ? p->tensor_of[logged] : EXRAY_NO_INDEX;
    *why = "its tensor is not in the model file";
    if (target == EXRAY_NO_INDEX)
        return 0;
    *why = "it is computed within a branch or a loop";
    if (p->producer[target] == EXRAY_NO_INDEX)
        return 0;
    node_block b = {nodes, 0, 1};
    add_node(&b, p->producer[target]);
    *why = "it would take too many nodes to begin with what the edge recorded";
    for (uint32_t i = 0; i < b.count; i++) {
        const exray_node *node = &model->nodes[b.nodes[i]];
        for (uint32_t k = 0; k < node->input_count; k++) {
            uint32_t t = node->inputs[k];
            if (is_given(p, t))
                continue;
            bool recorded = p->source[t].known;
            if (recorded && (b.layers >= least || p->source[t].kind == EXRAY_KIND_INPUT))
                continue;
            if (p->producer[t] == EXRAY_NO_INDEX) {
                *why = why_not_made(p, t);
                return 0;
            }
            b.layers += recorded;
            if (!add_node(&b, p->producer[t]))
                return 0;
        }
    }
    return fill_gaps(p, &b) ? b.count : 0;
}

/* ---- The same on the edge ------------------------------------------------------------------- */

static bool is_source(const xr_plan *p, const exray_model *edge, const xr_source *sources, uint32_t count,
                      uint32_t tensor)
{
    for (uint32_t i = 0; i < count; i++) {
        if (sources[i].kind != EXRAY_KIND_LAYER)
            continue;
        const exray_layer_pair *layer = exray_comparison_layer(p->comparison, sources[i].pair);
        uint32_t node = layer->node[EXRAY_SIDE_EDGE];
        if (node < edge->node_count && layer->output < edge->nodes[node].output_count &&
            edge->nodes[node].outputs[layer->output] == tensor)
            return true;
    }
    return false;
}

uint32_t xr_plan_edge_nodes(const xr_plan *p, size_t layer, const xr_source *sources, uint32_t count,
                            uint32_t nodes[XR_BLOCK_MOST])
{
    const exray_model *edge = exray_log_model(exray_comparison_log(p->comparison, EXRAY_SIDE_EDGE));
    uint32_t own = exray_comparison_layer(p->comparison, layer)->node[EXRAY_SIDE_EDGE];
    if (!edge || own >= edge->node_count)
        return 0;
    node_block b = {nodes, 0, 0};
    add_node(&b, own);
    for (uint32_t i = 0; i < b.count; i++) {
        const exray_node *node = &edge->nodes[b.nodes[i]];
        for (uint32_t k = 0; k < node->input_count; k++) {
            uint32_t t = node->inputs[k];
            if (t >= edge->tensor_count || edge->tensors[t].constant || is_source(p, edge, sources, count, t))
                continue;
            uint32_t made_by = xr_maker_of(edge, t);
            if (made_by != EXRAY_NO_INDEX && !add_node(&b, made_by))
                break;
        }
    }
    memmove(nodes, nodes + 1, (b.count - 1) * sizeof *nodes);
    return b.count - 1;
}
