/* The main graph of an ONNX model.  A file may hold it in several pieces: the
 * pieces of a message that occurs again are merged, which is how outputs are
 * added to it. */
#include "models/onnx/onnx.h"

#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

/* ModelProto, GraphProto, NodeProto */
enum { MODEL_GRAPH = 7 };
enum {
    GRAPH_NODE = 1,
    GRAPH_INITIALIZER = 5,
    GRAPH_INPUT = 11,
    GRAPH_OUTPUT = 12,
    GRAPH_VALUE_INFO = 13,
    GRAPH_SPARSE = 15
};
enum { NODE_INPUT = 1, NODE_OUTPUT = 2, NODE_NAME = 3, NODE_OP = 4, NODE_ATTRIBUTE = 5, NODE_DOMAIN = 7 };

static bool damaged(xr_onnx *onnx)
{
    return xr_onnx_fail(onnx, EXRAY_E_FORMAT, "the file is damaged or cut short");
}

/* A field of a message that holds the name of what the message is. */
static xr_span find_name(const xr_pb_field *message, uint32_t number)
{
    xr_span name = {0};
    xr_pb pb = xr_pb_begin(message->data, message->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (xr_pb_is(&f, number, XR_PB_BYTES))
            name = (xr_span){f.data, f.size};
    return name;
}

/* ---- Nodes -------------------------------------------------------------------------- */

static bool append_position(xr_onnx *onnx, xr_onnx_list *list, const xr_pb_field *name, uint32_t *position)
{
    if (!xr_onnx_tensor_named(onnx, (xr_span){name->data, name->size}, position))
        return false;
    uint32_t *item = xr_onnx_add(onnx, list, sizeof *item);
    if (item)
        *item = *position;
    return item != NULL;
}

static bool read_node_field(xr_onnx *onnx, const xr_pb_field *f, uint32_t index, xr_onnx_list lists[3],
                            xr_span *name)
{
    uint32_t position;
    switch (f->number) {
    case NODE_INPUT:
        return append_position(onnx, &lists[0], f, &position);
    case NODE_OUTPUT:
        if (!append_position(onnx, &lists[1], f, &position))
            return false;
        if (position != EXRAY_NO_INDEX)
            xr_onnx_at(onnx, position)->maker = index;
        return true;
    case NODE_NAME:
        *name = (xr_span){f->data, f->size};
        return true;
    case NODE_OP:
        xr_onnx_extra(onnx, index)->op = (xr_span){f->data, f->size};
        return true;
    case NODE_DOMAIN:
        xr_onnx_extra(onnx, index)->domain = (xr_span){f->data, f->size};
        return true;
    case NODE_ATTRIBUTE: {
        exray_key_value *pair = xr_onnx_add(onnx, &lists[2], sizeof *pair);
        return pair && xr_onnx_attribute(onnx, (xr_span){f->data, f->size}, pair);
    }
    default:
        return true;
    }
}

static bool read_node(xr_onnx *onnx, const xr_pb_field *message)
{
    uint32_t index = (uint32_t)onnx->nodes.count;
    xr_onnx_node *extra = NULL;
    if (xr_onnx_add(onnx, &onnx->nodes, sizeof(exray_node)))
        extra = xr_onnx_add(onnx, &onnx->extra, sizeof *extra);
    if (!extra)
        return false;
    extra->message = (xr_span){message->data, message->size};
    xr_onnx_list lists[3] = {{0}};
    xr_span name = {0};
    xr_pb pb = xr_pb_begin(message->data, message->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (f.type == XR_PB_BYTES && !read_node_field(onnx, &f, index, lists, &name))
            return false;
    if (pb.bad)
        return damaged(onnx);
    extra = xr_onnx_extra(onnx, index);
    if (extra->domain.size && !xr_onnx_is(extra->domain, "ai.onnx")) {
        exray_key_value *pair = xr_onnx_add(onnx, &lists[2], sizeof *pair);
        if (!pair || !(pair->value = xr_onnx_text(onnx, extra->domain)))
            return false;
        pair->key = "domain";
    }
    exray_node *node = xr_onnx_node_at(onnx, index);
    node->op = xr_onnx_text(onnx, extra->op);
    node->name = xr_onnx_text(onnx, name);
    node->inputs = lists[0].items;
    node->input_count = (uint32_t)lists[0].count;
    node->outputs = lists[1].items;
    node->output_count = (uint32_t)lists[1].count;
    node->attributes = lists[2].items;
    node->attribute_count = (uint32_t)lists[2].count;
    return node->op && node->name;
}

/* ---- Tensors ------------------------------------------------------------------------- */

static bool read_value_info(xr_onnx *onnx, const xr_pb_field *f)
{
    uint32_t position;
    if (!xr_onnx_tensor_named(onnx, find_name(f, 1), &position))
        return false;
    if (position == EXRAY_NO_INDEX)
        return true;
    xr_onnx_tensor *tensor = xr_onnx_at(onnx, position);
    bool is_output = f->number == GRAPH_OUTPUT;
    xr_onnx_list *list = is_output ? &onnx->outputs : &onnx->inputs;
    if (f->number == GRAPH_INPUT)
        tensor->is_input = true;
    if (f->number != GRAPH_VALUE_INFO) {
        uint32_t *item = xr_onnx_add(onnx, list, sizeof *item);
        if (!item)
            return false;
        *item = position;
    }
    exray_tensor_info info = {0};
    bool tensor_type = false;
    if (!xr_onnx_read_type(onnx, (xr_span){f->data, f->size}, &info, &tensor_type))
        return false;
    exray_tensor_info *known = xr_onnx_info(onnx, position);
    if (!tensor_type || tensor->initializer.data)
        return true;
    if (tensor->tensor_type && !info.shape) /* an exposed output has no type of its own */
        return true;
    tensor->value_info = (xr_span){f->data, f->size};
    tensor->tensor_type = true;
    info.name = known->name;
    *known = info;
    return true;
}

static bool read_initializer(xr_onnx *onnx, const xr_pb_field *f)
{
    bool sparse = f->number == GRAPH_SPARSE;
    xr_pb_field values = *f;
    xr_pb pb = xr_pb_begin(f->data, sparse ? f->size : 0);
    for (xr_pb_field v; xr_pb_next(&pb, &v);)
        if (xr_pb_is(&v, 1, XR_PB_BYTES))
            values = v;
    uint32_t position;
    if (!xr_onnx_tensor_named(onnx, find_name(&values, 8), &position))
        return false;
    if (position == EXRAY_NO_INDEX)
        return true;
    xr_onnx_tensor *tensor = xr_onnx_at(onnx, position);
    exray_tensor_info *info = xr_onnx_info(onnx, position);
    tensor->initializer = (xr_span){f->data, f->size};
    tensor->sparse = sparse;
    info->constant = true;
    return sparse || xr_onnx_read_tensor(onnx, tensor->initializer, info, xr_onnx_constant(onnx, position));
}

static bool read_graph(xr_onnx *onnx, const xr_pb_field *graph)
{
    xr_pb pb = xr_pb_begin(graph->data, graph->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);) {
        bool ok = true;
        if (f.type != XR_PB_BYTES)
            continue;
        if (f.number == GRAPH_NODE)
            ok = read_node(onnx, &f);
        else if (f.number == GRAPH_INITIALIZER || f.number == GRAPH_SPARSE)
            ok = read_initializer(onnx, &f);
        else if (f.number == GRAPH_INPUT || f.number == GRAPH_OUTPUT || f.number == GRAPH_VALUE_INFO)
            ok = read_value_info(onnx, &f);
        else if (f.number == 2)
            onnx->graph_name = (xr_span){f.data, f.size};
        if (!ok)
            return false;
    }
    return !pb.bad || damaged(onnx);
}

/* ---- The whole -------------------------------------------------------------------------- */

static bool read_constant_nodes(xr_onnx *onnx)
{
    for (size_t i = 0; i < onnx->nodes.count; i++) {
        exray_node *node = xr_onnx_node_at(onnx, i);
        if (strcmp(node->op, "Constant") != 0 || node->output_count != 1 ||
            node->outputs[0] == EXRAY_NO_INDEX)
            continue;
        uint32_t at = node->outputs[0];
        xr_onnx_info(onnx, at)->constant = true;
        xr_span message = xr_onnx_extra(onnx, i)->message;
        xr_pb pb = xr_pb_begin(message.data, message.size);
        for (xr_pb_field f; xr_pb_next(&pb, &f);)
            if (xr_pb_is(&f, NODE_ATTRIBUTE, XR_PB_BYTES) &&
                !xr_onnx_constant_value(onnx, (xr_span){f.data, f.size}, xr_onnx_info(onnx, at),
                                        xr_onnx_constant(onnx, at)))
                return false;
    }
    return true;
}

/* A node also reads what the bodies of its branches and loops take from outside: after the inputs that it
 * lists. */
static bool add_captured(xr_onnx *onnx, size_t i)
{
    xr_onnx_node *extra = xr_onnx_extra(onnx, i);
    exray_node *node = xr_onnx_node_at(onnx, i);
    if (!xr_onnx_implicit(onnx, extra))
        return false;
    if (!extra->implicit_count)
        return true;
    uint32_t *inputs = xr_onnx_alloc(onnx, (size_t)node->input_count + extra->implicit_count, sizeof *inputs);
    if (!inputs)
        return false;
    if (node->input_count)
        memcpy(inputs, node->inputs, node->input_count * sizeof *inputs);
    memcpy(inputs + node->input_count, extra->implicit, extra->implicit_count * sizeof *inputs);
    node->inputs = inputs;
    node->input_count += extra->implicit_count;
    return true;
}

/* Older files list initializers among the inputs. */
static void drop_initialized_inputs(xr_onnx *onnx)
{
    uint32_t *inputs = onnx->inputs.items;
    size_t kept = 0;
    for (size_t i = 0; i < onnx->inputs.count; i++)
        if (!xr_onnx_at(onnx, inputs[i])->initializer.data)
            inputs[kept++] = inputs[i];
    onnx->inputs.count = kept;
}

static bool read_model(xr_onnx *onnx, const xr_model_file *file)
{
    bool graph = false;
    xr_pb pb = xr_pb_begin(file->data, file->size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        if (xr_pb_is(&f, MODEL_GRAPH, XR_PB_BYTES)) {
            graph = true;
            if (!read_graph(onnx, &f))
                return false;
        }
    if (pb.bad)
        return damaged(onnx);
    if (!graph)
        return xr_onnx_fail(onnx, EXRAY_E_FORMAT, "it is an ONNX model without a graph");
    for (size_t i = 0; i < onnx->nodes.count; i++)
        if (!add_captured(onnx, i))
            return false;
    drop_initialized_inputs(onnx);
    return xr_onnx_sort(onnx) && read_constant_nodes(onnx) && xr_onnx_interpret(onnx) &&
           xr_onnx_note_opset(onnx, file->data, file->size);
}

static exray_status onnx_read(xr_model_file *file, exray_error *error)
{
    xr_onnx *onnx = calloc(1, sizeof *onnx);
    *error = (exray_error){EXRAY_OK, ""};
    if (!onnx)
        return xr_refuse(error, EXRAY_E_MEMORY, "out of memory");
    file->memory = onnx;
    onnx->error = error;
    bool ok = read_model(onnx, file);
    onnx->error = NULL;
    if (!ok)
        return error->status;
    const char *name = xr_onnx_text(onnx, onnx->graph_name);
    file->model = (exray_model){
        .name = name ? name : "",
        .tensors = onnx->infos.items,
        .tensor_count = (uint32_t)onnx->infos.count,
        .nodes = onnx->nodes.items,
        .node_count = (uint32_t)onnx->nodes.count,
        .inputs = onnx->inputs.items,
        .input_count = (uint32_t)onnx->inputs.count,
        .outputs = onnx->outputs.items,
        .output_count = (uint32_t)onnx->outputs.count,
    };
    file->constant = onnx->constants.items;
    return EXRAY_OK;
}

static void onnx_release(xr_model_file *file)
{
    if (file->memory)
        xr_onnx_free(file->memory);
    free(file->memory);
    file->memory = NULL;
}

/* ONNX has no magic number: a ModelProto begins, as every writer has it, with
 * ir_version, or it is one as a whole. */
static bool onnx_recognize(const void *data, size_t size)
{
    const uint8_t *bytes = data;
    if (size < 2 || (size >= 8 && memcmp(bytes + 4, "TFL3", 4) == 0))
        return false;
    if (bytes[0] == 0x08 && bytes[1] > 0 && bytes[1] < 0x80)
        return true;
    bool graph = false;
    xr_pb pb = xr_pb_begin(data, size);
    for (xr_pb_field f; xr_pb_next(&pb, &f);)
        graph |= xr_pb_is(&f, MODEL_GRAPH, XR_PB_BYTES);
    return graph && !pb.bad;
}

const xr_model_format xr_model_format_onnx = {
    .name = "onnx",
    .recognize = onnx_recognize,
    .read = onnx_read,
    .release = onnx_release,
    .expose = xr_onnx_expose,
    .cut = xr_onnx_cut,
};
