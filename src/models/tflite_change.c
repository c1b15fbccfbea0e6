/* Two changes of a .tflite file.  Both leave its bytes where they are: what is
 * new is appended, and the fields that should refer to it are re-pointed, which
 * distances that lead forward allow.  The result is read again before anybody
 * gets it. */
#include "models/tflite.h"

#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

/* Distances are 32 bits, signed ones among them. */
#define MOST_BYTES ((uint64_t)INT32_MAX)

typedef struct change {
    const xr_model_format *format;
    xr_tflite_file *file;
    uint8_t *data;
    uint64_t size, capacity;
    const char *problem; /* NULL: none */
} change;

static exray_status refuse(exray_error *error, exray_status status, const char *why)
{
    return xr_refuse(error, status, "%s", why);
}

/* A copy of the file with room for `extra` 4-byte words. */
static exray_status begin(change *c, const xr_model_file *model, uint64_t extra, exray_error *error)
{
    *c = (change){.format = model->format, .file = model->memory};
    c->capacity = model->size + 4 * extra + 64;
    if (c->capacity > MOST_BYTES)
        return refuse(error, EXRAY_E_LIMIT,
                      "the model is larger than 2 GiB: its distances have no room to grow");
    c->data = malloc((size_t)c->capacity);
    if (!c->data)
        return refuse(error, EXRAY_E_MEMORY, "out of memory");
    memcpy(c->data, model->data, model->size);
    memset(c->data + model->size, 0, (size_t)(c->capacity - model->size));
    c->size = (model->size + 3) & ~(uint64_t)3;
    return EXRAY_OK;
}

static void write_u32(change *c, uint64_t at, uint32_t value)
{
    for (int i = 0; i < 4; i++)
        c->data[at + (uint64_t)i] = (uint8_t)(value >> 8 * i);
}

static void append_u32(change *c, uint32_t value)
{
    if (c->size + 4 > c->capacity) {
        c->problem = "the change needs more room than was reckoned";
        return;
    }
    write_u32(c, c->size, value);
    c->size += 4;
}

/* Points a table's field at what will be appended, or is, at `target`. */
static void point(change *c, const xr_flat_table *table, unsigned field, uint64_t target, const char *missing)
{
    uint64_t at = xr_flat_field(&c->file->flat, table, field, 4);
    if (!at || target <= at)
        c->problem = missing;
    else
        write_u32(c, at, (uint32_t)(target - at));
}

static void append_vector(change *c, const xr_flat_table *table, unsigned field, const uint32_t *values,
                          uint32_t count, const char *missing)
{
    point(c, table, field, c->size, missing);
    append_u32(c, count);
    for (uint32_t i = 0; i < count; i++)
        append_u32(c, values[i]);
}

/* Signatures name inputs and outputs that are not the graph's any more; without
 * them, engines go by the graph's own. */
static void empty_vector(change *c, unsigned field)
{
    xr_flat_vector vector = xr_flat_children(&c->file->flat, &c->file->root, field, 4);
    if (vector.count)
        write_u32(c, vector.at - 4, 0);
}

static xr_flat_table main_graph(const change *c)
{
    return xr_flat_table_at(&c->file->flat, &c->file->subgraphs, 0);
}

/* Returns the bytes if they are a sound model with the expected inputs, outputs and nodes. */
static exray_status finish(change *c, uint32_t inputs, uint32_t outputs, uint32_t nodes, xr_model_bytes *out,
                           exray_error *error)
{
    xr_model_file again = {.format = c->format, .data = c->data, .size = (size_t)c->size};
    exray_error broken = {EXRAY_OK, ""};
    bool good = !c->problem && c->format->read(&again, &broken) == EXRAY_OK;
    if (good) {
        const xr_tflite_file *file = again.memory;
        good = again.model.input_count == inputs && again.model.output_count == outputs &&
               file->main_nodes == nodes;
    }
    c->format->release(&again);
    if (good) {
        *out = (xr_model_bytes){c->data, (size_t)c->size};
        return EXRAY_OK;
    }
    free(c->data);
    return refuse(error, EXRAY_E_FORMAT,
                  c->problem ? c->problem : "the model's parts overlap: it cannot be changed in place");
}

/* ---- Expose ------------------------------------------------------------------------ */

exray_status xr_tflite_expose(const xr_model_file *model, xr_model_bytes *out, exray_error *error)
{
    const xr_tflite_file *file = model->memory;
    uint32_t *outputs =
        malloc(((size_t)model->model.output_count + file->main_tensors + 1) * sizeof *outputs);
    bool *listed = calloc((size_t)file->main_tensors + 1, sizeof *listed);
    if (!outputs || !listed) {
        free(outputs);
        free(listed);
        return refuse(error, EXRAY_E_MEMORY, "out of memory");
    }
    uint32_t count = 0;
    for (uint32_t i = 0; i < model->model.output_count; i++) {
        uint32_t tensor = model->model.outputs[i];
        outputs[count++] = tensor;
        if (tensor != EXRAY_NO_INDEX)
            listed[tensor] = true;
    }
    for (uint32_t n = 0; n < file->main_nodes; n++) {
        const exray_node *node = &file->nodes[n];
        for (uint32_t k = 0; k < node->output_count; k++) {
            uint32_t tensor = node->outputs[k];
            if (tensor == EXRAY_NO_INDEX || listed[tensor] || file->details[tensor].handle ||
                file->details[tensor].variable || file->tensors[tensor].constant)
                continue;
            listed[tensor] = true;
            outputs[count++] = tensor;
        }
    }
    free(listed);
    change c;
    exray_status status = begin(&c, model, (uint64_t)count + 1, error);
    if (status == EXRAY_OK) {
        xr_flat_table graph = main_graph(&c);
        append_vector(&c, &graph, XR_SUBGRAPH_OUTPUTS, outputs, count, "the graph has no list of outputs");
        empty_vector(&c, XR_MODEL_SIGNATURES);
        status = finish(&c, model->model.input_count, count, file->main_nodes, out, error);
    }
    free(outputs);
    return status;
}

/* ---- Cut ----------------------------------------------------------------------------- */

typedef struct ends {
    uint8_t *role; /* [main_tensors] READ | MADE | WANTED */
    uint32_t *inputs, *outputs;
    uint32_t input_count, output_count;
} ends;

enum { READ = 1, MADE = 2, WANTED = 4 };

static void mark(uint8_t *role, const uint32_t *tensors, uint32_t count, uint8_t as)
{
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] != EXRAY_NO_INDEX)
            role[tensors[i]] |= as;
}

/* What the nodes from `first` on read from outside, and which of their outputs are needed. */
static void find_ends(const xr_model_file *model, uint32_t first, uint32_t count, ends *e)
{
    const xr_tflite_file *file = model->memory;
    for (uint32_t n = 0; n < file->main_nodes; n++) {
        const exray_node *node = &file->nodes[n];
        bool kept = n >= first && n - first < count;
        mark(e->role, node->inputs, node->input_count, kept ? READ : WANTED);
        if (kept)
            mark(e->role, node->outputs, node->output_count, MADE);
    }
    mark(e->role, model->model.outputs, model->model.output_count, WANTED);
    uint32_t made = 0;
    for (uint32_t t = 0; t < file->main_tensors; t++) {
        if ((e->role[t] & (READ | MADE)) == READ && !file->tensors[t].constant && !file->details[t].variable)
            e->inputs[e->input_count++] = t;
        if ((e->role[t] & (MADE | WANTED)) == (MADE | WANTED))
            e->outputs[e->output_count++] = t;
        made += (e->role[t] & MADE) != 0;
    }
    /* Nodes whose outputs are not needed still return them. */
    for (uint32_t t = 0; e->output_count == 0 && made && t < file->main_tensors; t++)
        if (e->role[t] & MADE)
            e->outputs[e->output_count++] = t;
}

/* In place: the length goes into the slot before the first one that stays. */
static void cut_operators(change *c, uint32_t first, uint32_t count)
{
    xr_flat_table graph = main_graph(c);
    xr_flat_vector operators = xr_flat_children(&c->file->flat, &graph, XR_SUBGRAPH_OPERATORS, 4);
    uint64_t length_at = operators.at + 4 * (uint64_t)first - 4;
    write_u32(c, length_at, count);
    point(c, &graph, XR_SUBGRAPH_OPERATORS, length_at, "the graph has no list of nodes");
}

/* An input whose shape is known by now gets it; the file may have left it open. */
static void declare_shape(change *c, const xr_flat_vector *tensors, uint32_t tensor,
                          const exray_tensor_info *known)
{
    xr_flat_table table = xr_flat_table_at(&c->file->flat, tensors, tensor);
    xr_flat_vector shape = xr_flat_children(&c->file->flat, &table, XR_TENSOR_SHAPE, 4);
    if (known->dtype == EXRAY_DTYPE_UNSPECIFIED || !known->rank || known->rank != shape.count)
        return;
    uint32_t dims[EXRAY_MAX_RANK];
    bool differs = false;
    for (uint32_t i = 0; i < known->rank; i++) {
        if (known->shape[i] < 0 || known->shape[i] > INT32_MAX)
            return;
        dims[i] = (uint32_t)known->shape[i];
        differs |= xr_flat_i32_at(&c->file->flat, &shape, i) != (int32_t)dims[i];
    }
    if (differs)
        append_vector(c, &table, XR_TENSOR_SHAPE, dims, known->rank, "a tensor has no shape");
}

static void mark_buffers(const xr_tflite_file *file, uint32_t begin_at, uint32_t end_at, bool *kept)
{
    for (uint32_t t = begin_at; t < end_at; t++)
        if (file->details[t].buffer < file->buffers.count)
            kept[file->details[t].buffer] = true;
}

/* Nodes that run other subgraphs have options that say which. */
static bool runs_subgraphs(const exray_node *node)
{
    static const char *const ops[] = {"CALL", "IF", "WHILE", "CALL_ONCE"};
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        if (strcmp(node->op, ops[i]) == 0)
            return true;
    return strncmp(node->op, "STABLEHLO_", 10) == 0;
}

/* Constants that no node reads any more become zeros, so that the file compresses well.  Buffers may share
 * bytes, so what stays is restored. */
static exray_status zero_buffers(change *c, const xr_model_file *model, uint32_t first, uint32_t count)
{
    xr_tflite_file *file = c->file;
    bool *kept = calloc((size_t)file->buffers.count + 1, sizeof *kept);
    if (!kept)
        return EXRAY_E_MEMORY;
    bool others = false;
    for (uint32_t n = first; n < first + count; n++) {
        const exray_node *node = &file->nodes[n];
        others |= runs_subgraphs(node);
        for (uint32_t i = 0; i < node->input_count; i++)
            if (node->inputs[i] != EXRAY_NO_INDEX)
                mark_buffers(file, node->inputs[i], node->inputs[i] + 1, kept);
    }
    if (others)
        mark_buffers(file, file->main_tensors, file->tensor_count, kept);
    /* Only buffers of tensors: metadata is not one. */
    bool *used = calloc((size_t)file->buffers.count + 1, sizeof *used);
    uint64_t total = 0;
    if (used)
        mark_buffers(file, 0, file->tensor_count, used);
    for (uint32_t b = 0; used && b < file->buffers.count; b++)
        total += used[b] ? xr_tflite_buffer(file, b).size : 0;
    /* Many buffers over the same bytes: not worth the work that it could be. */
    bool worth_it = used && total <= 4 * (uint64_t)model->size;
    for (int round = 0; worth_it && round < 2; round++)
        for (uint32_t b = 0; b < file->buffers.count; b++) {
            xr_constant bytes = xr_tflite_buffer(file, b);
            if (!used[b] || !bytes.size || kept[b] != (round == 1))
                continue;
            uint8_t *to = c->data + ((const uint8_t *)bytes.data - (const uint8_t *)model->data);
            if (round == 0)
                memset(to, 0, bytes.size);
            else
                memcpy(to, bytes.data, bytes.size);
        }
    free(kept);
    free(used);
    return used ? EXRAY_OK : EXRAY_E_MEMORY;
}

static exray_status check_nodes(const xr_model_file *model, const uint32_t *nodes, uint32_t count,
                                exray_error *error)
{
    const xr_tflite_file *file = model->memory;
    if (!count)
        return refuse(error, EXRAY_E_ARGUMENT, "no node to cut out was named");
    for (uint32_t i = 0; i < count; i++) {
        if (nodes[i] >= file->main_nodes)
            return refuse(error, EXRAY_E_ARGUMENT,
                          "the main graph has no such node; others cannot be cut out");
        if (i && nodes[i] != nodes[i - 1] + 1)
            return refuse(error, EXRAY_E_ARGUMENT,
                          "only nodes that follow each other can be cut out of a .tflite");
    }
    return EXRAY_OK;
}

static exray_status cut(const xr_model_file *model, uint32_t first, uint32_t count, const ends *e,
                        const exray_tensor_info *known, xr_model_bytes *out, exray_error *error)
{
    change c;
    uint64_t extra = (uint64_t)e->input_count * (known ? EXRAY_MAX_RANK + 2 : 1) + e->output_count + 2;
    exray_status status = begin(&c, model, extra, error);
    if (status != EXRAY_OK)
        return status;
    xr_flat_table graph = main_graph(&c);
    xr_flat_vector tensors = xr_flat_children(&c.file->flat, &graph, XR_SUBGRAPH_TENSORS, 4);
    if (zero_buffers(&c, model, first, count) != EXRAY_OK) {
        free(c.data);
        return refuse(error, EXRAY_E_MEMORY, "out of memory");
    }
    cut_operators(&c, first, count);
    for (uint32_t i = 0; known && i < e->input_count; i++)
        declare_shape(&c, &tensors, e->inputs[i], &known[e->inputs[i]]);
    append_vector(&c, &graph, XR_SUBGRAPH_INPUTS, e->inputs, e->input_count,
                  "the graph has no list of inputs");
    append_vector(&c, &graph, XR_SUBGRAPH_OUTPUTS, e->outputs, e->output_count,
                  "the graph has no list of outputs");
    empty_vector(&c, XR_MODEL_SIGNATURES);
    return finish(&c, e->input_count, e->output_count, count, out, error);
}

exray_status xr_tflite_cut(const xr_model_file *model, const uint32_t *nodes, uint32_t count,
                           const exray_tensor_info *known, xr_model_bytes *out, exray_error *error)
{
    exray_status status = check_nodes(model, nodes, count, error);
    if (status != EXRAY_OK)
        return status;
    const xr_tflite_file *file = model->memory;
    size_t room = (size_t)file->main_tensors + 1;
    ends e = {.role = calloc(room, 1),
              .inputs = malloc(room * sizeof *e.inputs),
              .outputs = malloc(room * sizeof *e.outputs)};
    if (e.role && e.inputs && e.outputs) {
        find_ends(model, nodes[0], count, &e);
        status = cut(model, nodes[0], count, &e, known, out, error);
    } else {
        status = refuse(error, EXRAY_E_MEMORY, "out of memory");
    }
    free(e.role);
    free(e.inputs);
    free(e.outputs);
    return status;
}
