/* The graph that ONNX Runtime makes of the model, and its layers.
 *
 * Making every tensor of the user's model an output would prevent fusions, and another computation would be
 * observed. So ONNX Runtime is asked for the graph that it makes of the model (fused and quantized as it will
 * run; at the level "extended", which keeps the names), and the tensors of that graph are exposed. The log
 * has this graph. The outputs of the two are compared in each frame, and the log says how much they differ.
 */
#define _POSIX_C_SOURCE 200809L
#include "engines/onnxruntime/graph.h"

#include "core/host/taps.h"
#include "engines/onnxruntime/deployed_graph.h"
#include "engines/onnxruntime/exposed_graph.h"
#include "models/model_hash.h"
#include "models/model_load.h"
#include "models/refuse.h"

#include <stdlib.h>
#include <string.h>

/* ---- The graph ---------------------------------------------------------------------- */

const char *xr_ort_fit_name(const char *name, char cut[XR_NAME_MOST + 1])
{
    size_t size = name ? xr_name_size(name) : 0;
    if (!name || !name[size])
        return name;
    memcpy(cut, name, size);
    cut[size] = '\0';
    return cut;
}

uint32_t xr_ort_tensor_named(const xr_ort_observer *o, const char *name)
{
    for (uint32_t t = 0; t < o->file.model.tensor_count; t++)
        if (o->file.model.tensors[t].name && strcmp(o->file.model.tensors[t].name, name) == 0)
            return t;
    return EXRAY_NO_INDEX;
}

/* NULL where it fits, or memory ran out. */
static char *cut_name(const char *name)
{
    char cut[XR_NAME_MOST + 1];
    return xr_ort_fit_name(name, cut) == cut ? strdup(cut) : NULL;
}

static bool copy_model(xr_ort_observer *o)
{
    const exray_model *from = &o->file.model;
    o->tensors = calloc((size_t)from->tensor_count + 1, sizeof *o->tensors);
    o->shapes = calloc((size_t)from->tensor_count + 1, sizeof *o->shapes);
    o->names = calloc((size_t)from->tensor_count + 1, sizeof *o->names);
    o->made = calloc((size_t)from->tensor_count + 1, sizeof *o->made);
    o->nodes = calloc((size_t)from->node_count + 1, sizeof *o->nodes);
    o->node_names = calloc((size_t)from->node_count + 1, sizeof *o->node_names);
    o->latency_most = 2 * (size_t)from->node_count + 16;
    o->latency_node = calloc(o->latency_most, sizeof *o->latency_node);
    o->latency_start = calloc(o->latency_most, sizeof *o->latency_start);
    o->latency_duration = calloc(o->latency_most, sizeof *o->latency_duration);
    if (!o->tensors || !o->shapes || !o->names || !o->made || !o->nodes || !o->node_names ||
        !o->latency_node || !o->latency_start || !o->latency_duration)
        return false;
    for (uint32_t t = 0; t < from->tensor_count; t++) {
        o->tensors[t] = from->tensors[t];
        o->made[t] = (xr_ort_place){EXRAY_NO_INDEX, 0};
        if ((o->names[t] = cut_name(from->tensors[t].name)))
            o->tensors[t].name = o->names[t];
    }
    for (uint32_t n = 0; n < from->node_count; n++) {
        o->nodes[n] = from->nodes[n];
        if ((o->node_names[n] = cut_name(from->nodes[n].name)))
            o->nodes[n].name = o->node_names[n];
        for (uint32_t k = 0; k < from->nodes[n].output_count; k++)
            if (from->nodes[n].outputs[k] < from->tensor_count)
                o->made[from->nodes[n].outputs[k]] = (xr_ort_place){n, k};
    }
    o->model = *from;
    o->model.tensors = o->tensors;
    o->model.nodes = o->nodes;
    return true;
}

/* ---- Exposing it ---------------------------------------------------------------------- */

typedef struct tensor_name {
    const char *name;
    uint32_t tensor;
} tensor_name;

static int by_name(const void *left, const void *right)
{
    return strcmp(((const tensor_name *)left)->name, ((const tensor_name *)right)->name);
}

static tensor_name *sorted_names(const exray_model *model, size_t *count)
{
    tensor_name *list = calloc((size_t)model->tensor_count + 1, sizeof *list);
    *count = 0;
    for (uint32_t t = 0; list && t < model->tensor_count; t++)
        if (model->tensors[t].name && *model->tensors[t].name)
            list[(*count)++] = (tensor_name){model->tensors[t].name, t};
    if (list)
        qsort(list, *count, sizeof *list, by_name);
    return list;
}

/* The exposed model's outputs: their names, and which tensors of the logged graph they are. */
static exray_status list_outputs(xr_ort_observer *o, exray_error *error)
{
    const xr_ort_api *api = o->api;
    size_t count = 0, names;
    OrtAllocator *allocator = NULL;
    exray_status status = xr_ort_check(api, api->SessionGetOutputCount(o->session, &count), "outputs", error);
    if (!status)
        status = xr_ort_check(api, api->GetAllocatorWithDefaultOptions(&allocator), "outputs", error);
    tensor_name *list = sorted_names(&o->file.model, &names);
    o->output_name = calloc(count + 1, sizeof *o->output_name);
    o->output_tensor = calloc(count + 1, sizeof *o->output_tensor);
    o->value = calloc(count + 1, sizeof(OrtValue *));
    if (!status && (!list || !o->output_name || !o->output_tensor || !o->value))
        status = xr_ort_no_memory(error);
    for (size_t i = 0; !status && list && o->output_name && o->output_tensor && i < count; i++) {
        char *name = NULL;
        status =
            xr_ort_check(api, api->SessionGetOutputName(o->session, i, allocator, &name), "names", error);
        if (status)
            break;
        const tensor_name key = {name, 0};
        const tensor_name *found = bsearch(&key, list, names, sizeof *list, by_name);
        if (found) {
            o->output_name[o->output_count] = found->name;
            o->output_tensor[o->output_count++] = found->tensor;
        }
        api->AllocatorFree(allocator, name);
    }
    free(list);
    return status;
}

/* Types and shapes that are not in the file, from a run on zeros.  A model may refuse zeros (a sampling rate
 * of 0 selects a branch for other lengths): then each record tells its own. */
static void learn_shapes(xr_ort_observer *o, const xr_ort_call *zeros)
{
    exray_error ignored = {EXRAY_OK, ""};
    exray_status status = xr_ort_run_exposed(o, zeros, &ignored);
    for (size_t i = 0; !status && i < o->output_count; i++) {
        uint32_t t = o->output_tensor[i];
        exray_tensor_info now = o->tensors[t];
        const void *data;
        size_t size;
        if (!xr_ort_describe(o->api, o->value[i], &now, o->shapes[t], &data, &size))
            continue;
        if (now.dtype != o->tensors[t].dtype)
            now.quantization.count = 0;
        o->tensors[t] = now;
    }
    xr_ort_release_values(o->api, o->value, o->output_count);
}

/* Whether exposing added nothing: the application's model has its layers among its outputs. */
static bool adds_nothing(const xr_ort_observer *o)
{
    xr_model_file file;
    exray_error ignored = {EXRAY_OK, ""};
    if (xr_model_read(o->exposed.data, o->exposed.size, &file, &ignored) != EXRAY_OK)
        return false;
    bool same = file.model.output_count == o->file.model.output_count;
    xr_model_release(&file);
    return same;
}

/* Whether nothing but the inputs decides on the outputs: no random numbers, no kernels of the application's,
 * no inner graphs, whose nodes are not seen. */
static bool depends_on_inputs_alone(const exray_model *model)
{
    static const char *const inner[] = {"If", "Loop", "Scan"};
    for (uint32_t n = 0; n < model->node_count; n++) {
        const exray_node *node = &model->nodes[n];
        if (!xr_serving_trusts(node->op))
            return false;
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
            if (strcmp(node->op, inner[i]) == 0)
                return false;
        for (uint32_t i = 0; i < node->attribute_count; i++)
            if (strcmp(node->attributes[i].key, "domain") == 0 &&
                strncmp(node->attributes[i].value, "com.microsoft", 13) != 0 &&
                strncmp(node->attributes[i].value, "ai.onnx", 7) != 0)
                return false;
    }
    return model->output_count > 0;
}

static exray_status expose(xr_ort_observer *o, const xr_ort_observation *how, exray_error *error)
{
    bool wanted = false;
    for (uint32_t n = 0; n < o->model.node_count && !wanted; n++)
        wanted = exray_recorder_wants(o->recorder, EXRAY_KIND_LAYER, n, o->nodes[n].name);
    if (!wanted)
        return EXRAY_OK;
    exray_status status = xr_model_expose(&o->file, &o->exposed, error);
    if (status)
        return status;
    o->straight = adds_nothing(o);
    if (o->straight)
        return EXRAY_OK;
    xr_ort_making making = o->making;
    making.level = XR_ORT_LEVEL_NONE;
    status = xr_ort_create(o->api, &making, o->exposed.data, o->exposed.size, &o->session, error);
    if (!status)
        status = list_outputs(o, error);
    if (!status && how->zeros)
        learn_shapes(o, how->zeros);
    bool exact = o->making.level != XR_ORT_LEVEL_ALL;
    if (!status && how->cheap && !exact && !xr_capture_keeps_order(o->recorder))
        exact = xr_ort_expose_deployed(o, how);
    o->serving.allowed = how->may_serve && exact && depends_on_inputs_alone(&o->file.model);
    return status;
}

/* ---- The log -------------------------------------------------------------------------- */

static void record_constants(const xr_ort_observer *o)
{
    for (uint32_t t = 0; t < o->model.tensor_count; t++) {
        const xr_constant *c = &o->file.constant[t];
        if (!o->tensors[t].constant || !c->data ||
            !exray_recorder_wants(o->recorder, EXRAY_KIND_CONSTANT, t, o->tensors[t].name))
            continue;
        const exray_tensor record = {.kind = EXRAY_KIND_CONSTANT,
                                     .info = o->tensors[t],
                                     .index = t,
                                     .in_model = true,
                                     .model_tensor = t,
                                     .data = c->data,
                                     .size = c->size};
        exray_recorder_log_tensor(o->recorder, &record);
    }
}

static void record_model(xr_ort_observer *o, const xr_ort_observation *how)
{
    uint8_t sha256[32];
    xr_model_hash(how->model_data, how->model_size, sha256);
    const char *name = xr_model_base_name(how->model_path);
    exray_model model = o->model;
    model.name = name ? name : "";
    model.sha256 = sha256;
    model.engine = "onnxruntime";
    model.engine_version = o->api->version;
    model.kernels = how->kernels ? how->kernels : "default";
    model.threads = how->making.threads ? how->making.threads : 1;
    exray_recorder_log_model(o->recorder, &model);
}

static exray_status take_own_values(xr_ort_observer *o, exray_error *error)
{
    o->own_count = o->file.model.output_count;
    o->own_value = calloc(o->own_count + 1, sizeof(OrtValue *));
    return o->own_value ? EXRAY_OK : xr_ort_no_memory(error);
}

exray_status xr_ort_observe(xr_ort_observer **out, const xr_ort_observation *how, exray_error *error)
{
    xr_ort_observer *o = *out = calloc(1, sizeof *o);
    if (!o)
        return xr_ort_no_memory(error);
    o->api = how->api;
    o->recorder = how->recorder;
    o->making = how->making;
    o->no_latency = how->no_latency;
    o->cheap = how->cheap;
    exray_status status = EXRAY_OK;
    if (o->making.level != XR_ORT_LEVEL_NONE)
        status = xr_ort_save_graph(how, XR_ORT_LEVEL_EXTENDED, &o->saved, &o->saved_size, error);
    if (!status)
        status = xr_model_read(o->saved ? o->saved : how->model_data,
                               o->saved ? o->saved_size : how->model_size, &o->file, error);
    if (!status && !copy_model(o))
        status = xr_ort_no_memory(error);
    if (!status)
        status = take_own_values(o, error);
    if (!status)
        status = expose(o, how, error);
    if (status)
        return status;
    record_model(o, how);
    if (!how->no_constants)
        record_constants(o);
    return xr_refuse_as_recorder(error, o->recorder);
}

void xr_ort_unobserve(xr_ort_observer *o)
{
    if (!o)
        return;
    xr_ort_release_values(o->api, o->value, o->output_count);
    if (o->session)
        o->api->ReleaseSession(o->session);
    for (uint32_t t = 0; o->names && t < o->file.model.tensor_count; t++)
        free(o->names[t]);
    for (uint32_t n = 0; o->node_names && n < o->file.model.node_count; n++)
        free(o->node_names[n]);
    for (size_t i = 0; o->deployed_name && i < o->output_count; i++)
        free(o->deployed_name[i]);
    for (size_t i = 0; i < o->kernel_count; i++)
        free(o->kernel[i].name);
    xr_model_release(&o->file);
    void *blocks[] = {o->saved,  o->tensors,   o->shapes,       o->names,         o->node_names,
                      o->nodes,  o->made,      o->exposed.data, o->output_name,   o->output_tensor,
                      o->value,  o->own_value, o->latency_node, o->latency_start, o->latency_duration,
                      o->layout, o->kernel,    o->scratch,      o->deployed_name};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(o);
}
