/* Exposing an ONNX model's tensors, and cutting nodes out of it. */
#include "models/onnx/byte_writer.h"
#include "models/onnx/onnx.h"

#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

/* ---- Writing ------------------------------------------------------------------------ */

static exray_status finish(xr_byte_writer *w, xr_model_bytes *out, exray_error *error)
{
    if (w->failed) {
        free(w->data);
        return xr_refuse(error, EXRAY_E_MEMORY, "out of memory for the changed model");
    }
    /* Unknown fields may put another format's mark where it is looked for. */
    if (w->size >= 8 && memcmp(w->data + 4, "TFL3", 4) == 0) {
        free(w->data);
        return xr_refuse(
            error, EXRAY_E_FORMAT,
            "the changed model would be taken for TensorFlow Lite's: unknown fields lead the file");
    }
    *out = (xr_model_bytes){w->data, w->size};
    *error = (exray_error){EXRAY_OK, ""};
    return EXRAY_OK;
}

static void put_name(xr_byte_writer *graph, uint32_t number, const char *name)
{
    xr_byte_writer info = {0};
    xr_byte_writer_bytes(&info, 1, name, strlen(name));
    xr_byte_writer_message(graph, number, &info);
}

/* ---- Expose ---------------------------------------------------------------------------- */

exray_status xr_onnx_expose(const xr_model_file *file, xr_model_bytes *out, exray_error *error)
{
    const exray_model *model = &file->model;
    xr_byte_writer graph = {0}, w = {0};
    bool *done = calloc((size_t)model->tensor_count + 1, sizeof *done);
    graph.failed = !done;
    for (uint32_t i = 0; done && i < model->output_count; i++)
        done[model->outputs[i]] = true;
    for (uint32_t i = 0; done && i < model->node_count; i++)
        for (uint32_t k = 0; k < model->nodes[i].output_count; k++) {
            uint32_t tensor = model->nodes[i].outputs[k];
            if (tensor == EXRAY_NO_INDEX || done[tensor])
                continue;
            done[tensor] = true;
            put_name(&graph, 12, model->tensors[tensor].name);
        }
    free(done);
    xr_byte_writer_put(&w, file->data, file->size);
    if (graph.size || graph.failed)
        xr_byte_writer_message(&w, 7, &graph);
    return finish(&w, out, error);
}

/* ---- Cut --------------------------------------------------------------------------------- */

/* The role of a tensor in the part that is cut out. */
typedef struct fate {
    bool made, read; /* by one of the chosen nodes */
    bool needed;     /* by another node, or by the graph's outputs */
} fate;

static void mark_read(fate *fates, const uint32_t *tensors, uint32_t count, bool chosen)
{
    for (uint32_t i = 0; i < count; i++)
        if (tensors[i] != EXRAY_NO_INDEX)
            *(chosen ? &fates[tensors[i]].read : &fates[tensors[i]].needed) = true;
}

static void decide(const xr_model_file *file, const uint32_t *nodes, uint32_t count, fate *fates)
{
    const exray_model *model = &file->model;
    uint32_t next = 0;
    for (uint32_t i = 0; i < model->node_count; i++) {
        bool chosen = next < count && nodes[next] == i;
        next += chosen;
        const exray_node *node = &model->nodes[i];
        const xr_onnx_node *extra = xr_onnx_extra(file->memory, i);
        mark_read(fates, node->inputs, node->input_count, chosen);
        mark_read(fates, extra->implicit, extra->implicit_count, chosen);
        for (uint32_t k = 0; chosen && k < node->output_count; k++)
            if (node->outputs[k] != EXRAY_NO_INDEX)
                fates[node->outputs[k]].made = true;
    }
    for (uint32_t i = 0; i < model->output_count; i++)
        fates[model->outputs[i]].needed = true;
}

/* ValueInfoProto of a type and shape that the file does not have. */
static void put_declared(xr_byte_writer *graph, uint32_t number, const char *name,
                         const exray_tensor_info *info)
{
    xr_byte_writer shape = {0}, tensor = {0}, type = {0}, value = {0};
    for (uint32_t i = 0; i < info->rank; i++) {
        xr_byte_writer dimension = {0};
        if (info->shape[i] >= 0)
            xr_byte_writer_number(&dimension, 1, (uint64_t)info->shape[i]);
        xr_byte_writer_message(&shape, 1, &dimension);
    }
    xr_byte_writer_number(&tensor, 1, xr_onnx_data_type(info->dtype));
    xr_byte_writer_message(&tensor, 2, &shape);
    xr_byte_writer_message(&type, 1, &tensor);
    xr_byte_writer_bytes(&value, 1, name, strlen(name));
    xr_byte_writer_message(&value, 2, &type);
    xr_byte_writer_message(graph, number, &value);
}

/* Whether the file leaves dimensions open that are known by now. */
static bool is_settled(const exray_tensor_info *file, const exray_tensor_info *known)
{
    bool open = false, settled = known->rank == file->rank && known->dtype == file->dtype;
    for (uint32_t i = 0; settled && i < file->rank; i++) {
        open = open || file->shape[i] < 0;
        settled = known->shape && known->shape[i] >= 0;
    }
    return open && settled;
}

static bool put_input(const xr_model_file *file, uint32_t i, const exray_tensor_info *known,
                      xr_byte_writer *graph)
{
    const xr_onnx_tensor *tensor = xr_onnx_at(file->memory, i);
    const exray_tensor_info *info = &file->model.tensors[i];
    if (known && info->shape && xr_onnx_data_type(info->dtype) && is_settled(info, &known[i]))
        put_declared(graph, 11, info->name, &known[i]);
    else if (tensor->value_info.data && xr_onnx_data_type(info->dtype) && info->shape)
        xr_byte_writer_bytes(graph, 11, tensor->value_info.data, tensor->value_info.size);
    else if (known && xr_onnx_data_type(known[i].dtype))
        put_declared(graph, 11, info->name, &known[i]);
    else if (xr_onnx_data_type(info->dtype) && info->shape)
        put_declared(graph, 11, info->name, info);
    else
        return false;
    return true;
}

static exray_status refuse(exray_error *error, exray_status status, const char *why, const char *name)
{
    return xr_refuse(error, status, "cannot cut nodes out of the model: %s%.200s", why, name);
}

/* A name that no output may be without: the checker of ONNX wants types, too,
 * where they are known. */
static void put_output(const xr_model_file *file, uint32_t i, xr_byte_writer *graph)
{
    const xr_onnx_tensor *tensor = xr_onnx_at(file->memory, i);
    if (tensor->value_info.data)
        xr_byte_writer_bytes(graph, 12, tensor->value_info.data, tensor->value_info.size);
    else
        put_name(graph, 12, file->model.tensors[i].name);
}

static exray_status put_graph(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                              const exray_tensor_info *known, const fate *fates, xr_byte_writer *graph,
                              exray_error *error)
{
    const xr_onnx *onnx = file->memory;
    bool any = false;
    for (uint32_t i = 0; i < count; i++) {
        xr_span node = xr_onnx_extra(onnx, nodes[i])->message;
        xr_byte_writer_bytes(graph, 1, node.data, node.size);
    }
    xr_byte_writer_bytes(graph, 2, file->model.name, strlen(file->model.name));
    for (uint32_t i = 0; i < file->model.tensor_count; i++) {
        const xr_onnx_tensor *tensor = xr_onnx_at(onnx, i);
        if (fates[i].made && fates[i].needed) {
            put_output(file, i, graph);
            any = true;
        }
        if (!fates[i].read || fates[i].made)
            continue;
        if (tensor->initializer.data)
            xr_byte_writer_bytes(graph, tensor->sparse ? 15 : 5, tensor->initializer.data,
                                 tensor->initializer.size);
        else if (file->constant[i].data) { /* of a Constant node that was not chosen */
            xr_span maker = xr_onnx_extra(onnx, tensor->maker)->message;
            xr_byte_writer_bytes(graph, 1, maker.data, maker.size);
        } else if (!put_input(file, i, known, graph))
            return refuse(error, EXRAY_E_UNSUPPORTED, "type and shape are not known of the tensor ",
                          file->model.tensors[i].name);
    }
    return any ? EXRAY_OK : refuse(error, EXRAY_E_ARGUMENT, "nothing uses what they make", "");
}

exray_status xr_onnx_cut(const xr_model_file *file, const uint32_t *nodes, uint32_t count,
                         const exray_tensor_info *known, xr_model_bytes *out, exray_error *error)
{
    for (uint32_t i = 0; i < count; i++)
        if (nodes[i] >= file->model.node_count || (i && nodes[i] <= nodes[i - 1]))
            return refuse(error, EXRAY_E_ARGUMENT,
                          "their positions are not ascending, or none of the model's", "");
    fate *fates = calloc((size_t)file->model.tensor_count + 1, sizeof *fates);
    if (!fates)
        return refuse(error, EXRAY_E_MEMORY, "out of memory", "");
    decide(file, nodes, count, fates);
    xr_byte_writer graph = {0}, w = {0};
    exray_status status = put_graph(file, nodes, count, known, fates, &graph, error);
    free(fates);
    if (status) {
        free(graph.data);
        return status;
    }
    /* All that is not the graph stays: versions, operator sets, functions. */
    xr_pb pb = xr_pb_begin(file->data, file->size);
    const uint8_t *begin = pb.at;
    for (xr_pb_field f; xr_pb_next(&pb, &f); begin = pb.at)
        if (f.number != 7 && f.number != 20)
            xr_byte_writer_put(&w, begin, (size_t)(pb.at - begin));
    xr_byte_writer_message(&w, 7, &graph);
    return finish(&w, out, error);
}
