/* Reading a .tflite file. */
#include "models/tflite.h"

#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

static bool is_good(const xr_tflite_file *file)
{
    return !file->flat.damaged && !file->problem && !file->no_memory;
}

/* ---- Nodes --------------------------------------------------------------------------- */

/* A subgraph's tensor indices as positions in the model. */
static const uint32_t *read_positions(xr_tflite_file *file, const xr_flat_vector *from, uint32_t first,
                                      uint32_t count)
{
    uint32_t *positions = xr_tflite_take(file, from->count, sizeof *positions);
    for (uint32_t i = 0; positions && i < from->count; i++) {
        int32_t index = xr_flat_i32_at(&file->flat, from, i);
        if (index >= 0 && (uint32_t)index >= count)
            file->problem = "a node or the graph names a tensor that is not there";
        positions[i] = index < 0 || (uint32_t)index >= count ? EXRAY_NO_INDEX : first + (uint32_t)index;
    }
    return positions;
}

static const char *read_op(xr_tflite_file *file, const xr_flat_table *op)
{
    enum { CUSTOM = 32 };
    uint32_t index = xr_flat_u32(&file->flat, op, XR_OPERATOR_CODE);
    if (index >= file->codes.count) {
        file->problem = "a node names an operator that is not there";
        return "";
    }
    xr_flat_table code = xr_flat_table_at(&file->flat, &file->codes, index);
    /* Codes over 127 did not fit the first field; the larger one holds. */
    int32_t deprecated = xr_flat_i8(&file->flat, &code, XR_CODE_DEPRECATED, 0);
    int32_t builtin = xr_flat_i32(&file->flat, &code, XR_CODE_BUILTIN, 0);
    if (deprecated > builtin)
        builtin = deprecated;
    uint32_t length;
    const char *custom = xr_flat_string(&file->flat, &code, XR_CODE_CUSTOM, &length);
    return builtin == CUSTOM && custom ? xr_tflite_text(file, custom, length) : xr_tflite_op_name(builtin);
}

static void read_node(xr_tflite_file *file, const xr_flat_table *op, exray_node *node, uint32_t first,
                      uint32_t count)
{
    xr_flat_vector inputs = xr_flat_children(&file->flat, op, XR_OPERATOR_INPUTS, 4);
    xr_flat_vector outputs = xr_flat_children(&file->flat, op, XR_OPERATOR_OUTPUTS, 4);
    node->op = read_op(file, op);
    node->inputs = read_positions(file, &inputs, first, count);
    node->outputs = read_positions(file, &outputs, first, count);
    if (!node->inputs || !node->outputs)
        return;
    node->input_count = inputs.count;
    node->output_count = outputs.count;
    /* Nodes have no names in this format; they go by their first output's. */
    node->name = "";
    if (outputs.count && node->outputs[0] != EXRAY_NO_INDEX)
        node->name = file->tensors[node->outputs[0]].name;
    xr_tflite_read_attributes(file, op, node);
}

/* ---- Subgraphs ------------------------------------------------------------------------ */

/* Counts, and takes the memory. */
static bool measure(xr_tflite_file *file)
{
    uint64_t tensors = 0, nodes = 0;
    for (uint32_t i = 0; i < file->subgraphs.count && is_good(file); i++) {
        xr_flat_table subgraph = xr_flat_table_at(&file->flat, &file->subgraphs, i);
        tensors += xr_flat_children(&file->flat, &subgraph, XR_SUBGRAPH_TENSORS, 4).count;
        nodes += xr_flat_children(&file->flat, &subgraph, XR_SUBGRAPH_OPERATORS, 4).count;
        if (i == 0) {
            file->main_tensors = (uint32_t)tensors;
            file->main_nodes = (uint32_t)nodes;
        }
    }
    if (tensors >= EXRAY_NO_INDEX || nodes >= EXRAY_NO_INDEX)
        file->problem = "it has more tensors or nodes than can be numbered";
    if (!is_good(file))
        return false;
    file->tensor_count = (uint32_t)tensors;
    file->node_count = (uint32_t)nodes;
    file->tensors = xr_tflite_take(file, tensors, sizeof *file->tensors);
    file->constants = xr_tflite_take(file, tensors, sizeof *file->constants);
    file->details = xr_tflite_take(file, tensors, sizeof *file->details);
    file->nodes = xr_tflite_take(file, nodes, sizeof *file->nodes);
    return is_good(file);
}

static void read_subgraph(xr_tflite_file *file, uint32_t index, uint32_t *next_tensor, uint32_t *next_node)
{
    xr_flat_table subgraph = xr_flat_table_at(&file->flat, &file->subgraphs, index);
    xr_flat_vector tensors = xr_flat_children(&file->flat, &subgraph, XR_SUBGRAPH_TENSORS, 4);
    xr_flat_vector nodes = xr_flat_children(&file->flat, &subgraph, XR_SUBGRAPH_OPERATORS, 4);
    uint32_t first = *next_tensor;
    for (uint32_t i = 0; i < tensors.count && is_good(file); i++) {
        xr_flat_table tensor = xr_flat_table_at(&file->flat, &tensors, i);
        xr_tflite_read_tensor(file, &tensor, (*next_tensor)++);
    }
    for (uint32_t i = 0; i < nodes.count && is_good(file); i++) {
        xr_flat_table op = xr_flat_table_at(&file->flat, &nodes, i);
        exray_node *node = &file->nodes[(*next_node)++];
        node->subgraph = index;
        read_node(file, &op, node, first, tensors.count);
    }
}

static void read_ends(xr_tflite_file *file, exray_model *model)
{
    xr_flat_table main = xr_flat_table_at(&file->flat, &file->subgraphs, 0);
    xr_flat_vector inputs = xr_flat_children(&file->flat, &main, XR_SUBGRAPH_INPUTS, 4);
    xr_flat_vector outputs = xr_flat_children(&file->flat, &main, XR_SUBGRAPH_OUTPUTS, 4);
    model->inputs = read_positions(file, &inputs, 0, file->main_tensors);
    model->outputs = read_positions(file, &outputs, 0, file->main_tensors);
    model->input_count = inputs.count;
    model->output_count = outputs.count;
}

/* ---- The format --------------------------------------------------------------------------- */

static bool recognize(const void *data, size_t size)
{
    return size >= 8 && memcmp((const char *)data + 4, "TFL3", 4) == 0;
}

static void release(xr_model_file *model)
{
    if (model->memory)
        xr_tflite_free(model->memory);
    model->memory = NULL;
}

static exray_status judge(const xr_tflite_file *file, exray_error *error)
{
    if (is_good(file))
        return EXRAY_OK;
    if (file->no_memory)
        return xr_refuse(error, EXRAY_E_MEMORY, "out of memory");
    return xr_refuse(error, EXRAY_E_FORMAT, "it is no sound TensorFlow Lite model: %s",
                     file->problem ? file->problem : "it is damaged or cut short");
}

/* Parts of a FlatBuffer may be shared, so a small file can describe very much;
 * real ones need a fraction of this. */
static uint64_t memory_limit(uint64_t file_size)
{
    return (1u << 20) + 64 * file_size;
}

static exray_status read(xr_model_file *model, exray_error *error)
{
    xr_tflite_file *file = calloc(1, sizeof *file);
    if (!file) {
        return xr_refuse(error, EXRAY_E_MEMORY, "out of memory");
    }
    model->memory = file;
    file->flat = (xr_flat){.data = model->data, .size = model->size};
    file->room = memory_limit(model->size);
    file->root = xr_flat_root(&file->flat);
    file->subgraphs = xr_flat_children(&file->flat, &file->root, XR_MODEL_SUBGRAPHS, 4);
    file->buffers = xr_flat_children(&file->flat, &file->root, XR_MODEL_BUFFERS, 4);
    file->codes = xr_flat_children(&file->flat, &file->root, XR_MODEL_OPERATOR_CODES, 4);
    if (!file->flat.damaged && !file->subgraphs.count)
        file->problem = "it holds no graph";
    uint32_t tensor = 0, node = 0;
    if (is_good(file) && measure(file)) {
        for (uint32_t i = 0; i < file->subgraphs.count && is_good(file); i++)
            read_subgraph(file, i, &tensor, &node);
        if (is_good(file))
            read_ends(file, &model->model);
    }
    model->model.tensors = file->tensors;
    model->model.tensor_count = file->tensor_count;
    model->model.nodes = file->nodes;
    model->model.node_count = file->node_count;
    model->constant = file->constants;
    return judge(file, error);
}

uint32_t xr_tflite_subgraph_count(const void *data, size_t size)
{
    if (!recognize(data, size))
        return 0;
    xr_flat flat = {.data = data, .size = size};
    xr_flat_table root = xr_flat_root(&flat);
    return xr_flat_children(&flat, &root, XR_MODEL_SUBGRAPHS, 4).count;
}

const xr_model_format xr_model_format_tflite = {
    .name = "tflite",
    .recognize = recognize,
    .read = read,
    .release = release,
    .expose = xr_tflite_expose,
    .cut = xr_tflite_cut,
};
