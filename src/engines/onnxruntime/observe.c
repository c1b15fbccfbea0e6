/* What ONNX Runtime made of the model, and its layers.
 *
 * To make every tensor of the user's model an output would stop fusions, and another
 * computation would be observed.  So ONNX Runtime is asked for the graph that it makes of
 * the model (fused and quantized as it will run; at the level "extended", which keeps the
 * names), and *that* graph's tensors are exposed and run as they are.  The log has this
 * graph.  The outputs of the two are compared in each frame, and the log says how far they
 * are apart. */
#define _POSIX_C_SOURCE 200809L
#include "session.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_NAME = 1000 }; /* of the recorder */

/* A tensor of the logged graph. */
typedef struct place {
    uint32_t node, output; /* that make it; EXRAY_NO_INDEX: none */
} place;

struct xr_ort_observer {
    void *saved; /* the graph's bytes, where they are not the model's */
    size_t saved_size;
    xr_model_file file;
    exray_model model; /* file.model with what a run showed */
    exray_tensor_info *tensors;
    exray_node *nodes;
    int64_t (*shapes)[EXRAY_MAX_RANK];
    char **names; /* cut to what the recorder takes; NULL where they fit */
    char **node_names;
    place *made;
    uint8_t sha256[32];

    bool layers; /* some are wanted */
    xr_model_bytes exposed;
    OrtSession *session;
    size_t output_count; /* of the exposed model */
    const char **output_name;
    uint32_t *output_tensor; /* in the model's tensors */
    OrtValue **value;

    uint32_t *latency_node;
    uint64_t *latency_start, *latency_duration;
    size_t latency_count, latency_most;
    uint64_t frame_offset;
    uint64_t unplaced; /* profiled kernels that are no node of the logged graph */

    size_t compared;
    double worst; /* difference of the outputs of both sessions */
};

static exray_status no_memory(exray_error *error)
{
    error->status = EXRAY_E_MEMORY;
    snprintf(error->message, sizeof error->message, "ONNX Runtime: out of memory");
    return error->status;
}

/* ---- The graph ---------------------------------------------------------------------- */

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    long length = file && fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    void *data = length > 0 && fseek(file, 0, SEEK_SET) == 0 ? malloc((size_t)length) : NULL;
    bool ok = data && fread(data, 1, (size_t)length, file) == (size_t)length;
    if (file)
        fclose(file);
    *size = ok ? (size_t)length : 0;
    if (!ok)
        free(data);
    return ok ? data : NULL;
}

/* The graph that ONNX Runtime makes of the model, by way of a file: it writes no other. */
static exray_status save_graph(xr_session *s, const xr_session_config *config, exray_error *error)
{
    xr_ort_observer *o = s->observer;
    const char *root = getenv("TMPDIR");
    char path[2048];
    snprintf(path, sizeof path, "%.2000s/exray-graph-XXXXXX", root && *root ? root : "/tmp");
    int file = mkstemp(path);
    if (file < 0) {
        error->status = EXRAY_E_IO;
        snprintf(error->message, sizeof error->message, "cannot make the file %.200s: %.100s; set TMPDIR",
                 path, strerror(errno));
        return error->status;
    }
    close(file);
    OrtSession *session = NULL;
    exray_status status = xr_ort_create(s, config->model_data, config->model_size, XR_ORT_LEVEL_EXTENDED,
                                        path, &session, error);
    if (session)
        s->api.ReleaseSession(session);
    if (!status && !(o->saved = read_file(path, &o->saved_size))) {
        status = error->status = EXRAY_E_ENGINE;
        snprintf(error->message, sizeof error->message,
                 "ONNX Runtime did not write the graph it runs to %.200s", path);
    }
    unlink(path);
    return status;
}

static char *cut_name(const char *name)
{
    size_t length = MAX_NAME;
    if (!name || strlen(name) <= length)
        return NULL;
    while (length && ((unsigned char)name[length] & 0xC0) == 0x80) /* within a UTF-8 character */
        length--;
    char *copy = malloc(length + 1);
    if (copy) {
        memcpy(copy, name, length);
        copy[length] = '\0';
    }
    return copy;
}

static const char *base_name(const char *path)
{
    const char *slash = path ? strrchr(path, '/') : NULL;
    return slash ? slash + 1 : path ? path : "";
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
        o->made[t] = (place){EXRAY_NO_INDEX, 0};
        if ((o->names[t] = cut_name(from->tensors[t].name)))
            o->tensors[t].name = o->names[t];
    }
    for (uint32_t n = 0; n < from->node_count; n++) {
        o->nodes[n] = from->nodes[n];
        if ((o->node_names[n] = cut_name(from->nodes[n].name)))
            o->nodes[n].name = o->node_names[n];
        for (uint32_t k = 0; k < from->nodes[n].output_count; k++)
            if (from->nodes[n].outputs[k] < from->tensor_count)
                o->made[from->nodes[n].outputs[k]] = (place){n, k};
    }
    o->model = *from;
    o->model.tensors = o->tensors;
    o->model.nodes = o->nodes;
    return true;
}

/* ---- Exposing it ---------------------------------------------------------------------- */

typedef struct named {
    const char *name;
    uint32_t tensor;
} named;

static int by_name(const void *left, const void *right)
{
    return strcmp(((const named *)left)->name, ((const named *)right)->name);
}

static named *sorted_names(const exray_model *model, size_t *count)
{
    named *list = calloc((size_t)model->tensor_count + 1, sizeof *list);
    *count = 0;
    for (uint32_t t = 0; list && t < model->tensor_count; t++)
        if (model->tensors[t].name && *model->tensors[t].name)
            list[(*count)++] = (named){model->tensors[t].name, t};
    if (list)
        qsort(list, *count, sizeof *list, by_name);
    return list;
}

/* The exposed model's outputs: their names, and which tensors of the logged graph they are. */
static exray_status list_outputs(xr_session *s, exray_error *error)
{
    xr_ort_observer *o = s->observer;
    size_t count = 0, names;
    exray_status status =
        xr_ort_check(&s->api, s->api.SessionGetOutputCount(o->session, &count), "outputs", error);
    named *list = sorted_names(&o->file.model, &names);
    o->output_name = calloc(count + 1, sizeof *o->output_name);
    o->output_tensor = calloc(count + 1, sizeof *o->output_tensor);
    o->value = calloc(count + 1, sizeof(OrtValue *));
    if (!status && (!list || !o->output_name || !o->output_tensor || !o->value))
        status = no_memory(error);
    for (size_t i = 0; !status && list && o->output_name && o->output_tensor && i < count; i++) {
        char *name = NULL;
        status = xr_ort_check(&s->api, s->api.SessionGetOutputName(o->session, i, s->allocator, &name),
                              "names", error);
        if (status)
            break;
        const named key = {name, 0};
        const named *found = bsearch(&key, list, names, sizeof *list, by_name);
        if (found) {
            o->output_name[o->output_count] = found->name;
            o->output_tensor[o->output_count++] = found->tensor;
        }
        s->api.AllocatorFree(s->allocator, name);
    }
    free(list);
    return status;
}

static void release_values(xr_session *s)
{
    xr_ort_observer *o = s->observer;
    for (size_t i = 0; o->value && i < o->output_count; i++) {
        if (o->value[i])
            s->api.ReleaseValue(o->value[i]);
        o->value[i] = NULL;
    }
}

static exray_status run_exposed(xr_session *s, exray_error *error)
{
    enum { MOST = 256 };
    const char *in[MOST];
    xr_ort_observer *o = s->observer;
    for (size_t i = 0; i < s->input_count && i < MOST; i++)
        in[i] = s->input[i].name;
    release_values(s);
    return xr_ort_check(&s->api,
                        s->api.Run(o->session, NULL, in, (const OrtValue *const *)s->input_value,
                                   s->input_count, o->output_name, o->output_count, o->value),
                        "the run for the layers failed", error);
}

/* Types and shapes that the file does not tell, from a run on zeros. */
static exray_status learn_shapes(xr_session *s, exray_error *error)
{
    xr_ort_observer *o = s->observer;
    exray_status status = run_exposed(s, error);
    for (size_t i = 0; !status && i < o->output_count; i++) {
        uint32_t t = o->output_tensor[i];
        exray_tensor_info now = o->tensors[t];
        const void *data;
        size_t size;
        if (!xr_ort_describe(&s->api, o->value[i], &now, o->shapes[t], &data, &size))
            continue;
        if (now.dtype != o->tensors[t].dtype)
            now.quantization.count = 0;
        o->tensors[t] = now;
    }
    release_values(s);
    return status;
}

static exray_status expose(xr_session *s, exray_error *error)
{
    xr_ort_observer *o = s->observer;
    for (uint32_t n = 0; n < o->model.node_count && !o->layers; n++)
        o->layers = exray_wants(s->recorder, EXRAY_LAYER, n, o->nodes[n].name);
    if (!o->layers)
        return EXRAY_OK;
    exray_status status = xr_model_expose(&o->file, &o->exposed, error);
    if (!status)
        status =
            xr_ort_create(s, o->exposed.data, o->exposed.size, XR_ORT_LEVEL_NONE, NULL, &o->session, error);
    if (!status)
        status = list_outputs(s, error);
    return status ? status : learn_shapes(s, error);
}

/* ---- The log -------------------------------------------------------------------------- */

static void record_constants(xr_session *s)
{
    xr_ort_observer *o = s->observer;
    for (uint32_t t = 0; t < o->model.tensor_count; t++) {
        const xr_constant *c = &o->file.constant[t];
        if (!o->tensors[t].constant || !c->data ||
            !exray_wants(s->recorder, EXRAY_CONSTANT, t, o->tensors[t].name))
            continue;
        const exray_tensor record = {.kind = EXRAY_CONSTANT,
                                     .info = o->tensors[t],
                                     .index = t,
                                     .in_model = true,
                                     .model_tensor = t,
                                     .data = c->data,
                                     .size = c->size};
        exray_record_tensor(s->recorder, &record);
    }
}

/* At close: how far what was observed is from what is deployed. */
static void say_difference(void *user)
{
    xr_session *s = user;
    xr_ort_observer *o = s->observer;
    if (!o)
        return;
    char worst[32], frames[32], unplaced[32];
    snprintf(worst, sizeof worst, "%.6g", o->worst);
    snprintf(frames, sizeof frames, "%zu", o->compared);
    snprintf(unplaced, sizeof unplaced, "%llu", (unsigned long long)o->unplaced);
    const exray_key_value pairs[] = {
        {"layers_from", s->level == XR_ORT_LEVEL_NONE
                            ? "the model, every tensor an output"
                            : "the graph as optimized (extended), every tensor an output"},
        {"frames_compared", frames},
        {"outputs_max_abs", worst},
        {"kernels_without_a_node", unplaced},
    };
    exray_record_metadata(s->recorder, "exray.observation", pairs, sizeof pairs / sizeof *pairs);
    s->recorder = NULL;
}

exray_status xr_ort_observe(xr_session *s, const xr_session_config *config, exray_error *error)
{
    xr_ort_observer *o = s->observer = calloc(1, sizeof *o);
    if (!o)
        return no_memory(error);
    exray_status status = EXRAY_OK;
    if (s->level != XR_ORT_LEVEL_NONE)
        status = save_graph(s, config, error);
    const void *graph = o->saved ? o->saved : config->model_data;
    if (!status)
        status = xr_model_read(graph, o->saved ? o->saved_size : config->model_size, &o->file, error);
    if (!status && !copy_model(o))
        status = no_memory(error);
    if (!status)
        status = expose(s, error);
    if (status)
        return status;
    exray_sha256(config->model_data, config->model_size, o->sha256);
    o->model.name = base_name(config->model_path);
    o->model.sha256 = o->sha256;
    o->model.engine = "onnxruntime";
    o->model.engine_version = s->api.version;
    o->model.kernels = config->kernels ? config->kernels : "default";
    o->model.threads = s->threads;
    exray_record_model(s->recorder, &o->model);
    record_constants(s);
    status = exray_on_close(s->recorder, say_difference, s);
    if (status || (status = exray_error_status(s->recorder))) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "%s", exray_error_message(s->recorder));
    }
    return status;
}

void xr_ort_unobserve(xr_session *s)
{
    xr_ort_observer *o = s->observer;
    if (!o)
        return;
    release_values(s);
    if (o->session)
        s->api.ReleaseSession(o->session);
    for (uint32_t t = 0; o->names && t < o->file.model.tensor_count; t++)
        free(o->names[t]);
    for (uint32_t n = 0; o->node_names && n < o->file.model.node_count; n++)
        free(o->node_names[n]);
    xr_model_release(&o->file);
    void *blocks[] = {o->saved, o->tensors,      o->shapes,        o->names,           o->node_names,
                      o->nodes, o->made,         o->exposed.data,  o->output_name,     o->output_tensor,
                      o->value, o->latency_node, o->latency_start, o->latency_duration};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++)
        free(blocks[i]);
    free(o);
    s->observer = NULL;
}

/* ---- A run's records --------------------------------------------------------------------- */

static bool same_as_described(const exray_tensor_info *a, const exray_tensor_info *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank || !b->shape)
        return false;
    for (uint32_t i = 0; i < a->rank; i++)
        if (a->shape[i] != b->shape[i])
            return false;
    return true;
}

static uint32_t tensor_named(const xr_ort_observer *o, const char *name)
{
    for (uint32_t t = 0; t < o->file.model.tensor_count; t++)
        if (o->file.model.tensors[t].name && strcmp(o->file.model.tensors[t].name, name) == 0)
            return t;
    return EXRAY_NO_INDEX;
}

static void record_value(xr_session *s, exray_kind kind, uint32_t tensor, const char *name,
                         const OrtValue *value)
{
    const xr_ort_observer *o = s->observer;
    exray_tensor record = {.kind = kind};
    int64_t shape[EXRAY_MAX_RANK];
    if (tensor != EXRAY_NO_INDEX) {
        record.info = o->tensors[tensor];
        record.in_model = true;
        record.model_tensor = tensor;
        if (kind == EXRAY_LAYER) {
            record.index = o->made[tensor].node;
            record.output = o->made[tensor].output;
        }
    }
    if (name)
        record.info.name = name;
    exray_tensor_info now = record.info;
    if (!xr_ort_describe(&s->api, value, &now, shape, &record.data, &record.size))
        return;
    if (record.in_model && now.dtype != o->tensors[tensor].dtype)
        now.quantization.count = 0;
    record.info_differs = !record.in_model || !same_as_described(&now, &o->tensors[tensor]);
    record.info = now;
    exray_record_tensor(s->recorder, &record);
}

static void record_ports(xr_session *s, exray_kind kind, const xr_ort_port *ports, size_t count,
                         OrtValue **values)
{
    for (size_t i = 0; i < count; i++) {
        char *cut = cut_name(ports[i].name);
        const char *name = cut ? cut : ports[i].name;
        if (exray_wants(s->recorder, kind, EXRAY_NO_INDEX, name))
            record_value(s, kind, tensor_named(s->observer, ports[i].name), name, values[i]);
        free(cut);
    }
}

static void record_layers(xr_session *s)
{
    const xr_ort_observer *o = s->observer;
    /* In the order of the nodes, whatever the order of the outputs. */
    for (uint32_t n = 0; n < o->model.node_count; n++) {
        if (!exray_wants(s->recorder, EXRAY_LAYER, n, o->nodes[n].name))
            continue;
        for (size_t i = 0; i < o->output_count; i++)
            if (o->made[o->output_tensor[i]].node == n)
                record_value(s, EXRAY_LAYER, o->output_tensor[i], NULL, o->value[i]);
    }
}

/* The outputs of what is deployed against those of what is observed. */
static void compare_outputs(xr_session *s)
{
    xr_ort_observer *o = s->observer;
    o->compared++;
    for (size_t i = 0; i < s->output_count; i++)
        for (size_t k = 0; k < o->output_count; k++) {
            if (strcmp(o->output_name[k], s->output[i].name) != 0)
                continue;
            exray_tensor_info a = {0}, b = {0};
            int64_t shape[2][EXRAY_MAX_RANK];
            const void *x, *y;
            size_t n, m;
            if (!xr_ort_describe(&s->api, s->output_value[i], &a, shape[0], &x, &n) ||
                !xr_ort_describe(&s->api, o->value[k], &b, shape[1], &y, &m) || a.dtype != b.dtype || n != m)
                continue;
            if (a.dtype != EXRAY_FLOAT32) {
                o->worst = memcmp(x, y, n) != 0 ? fmax(o->worst, 1) : o->worst;
                continue;
            }
            const float *p = x, *q = y;
            for (size_t e = 0; e < n / sizeof *p; e++)
                o->worst = fmax(o->worst, fabs((double)p[e] - q[e]));
        }
}

/* By the node's name, or by that of what it makes. */
static uint32_t node_of_event(const xr_ort_observer *o, const char *name)
{
    for (uint32_t n = 0; n < o->file.model.node_count; n++)
        if (o->file.model.nodes[n].name && strncmp(o->file.model.nodes[n].name, name, MAX_NAME - 1) == 0)
            return n;
    uint32_t t = tensor_named(o, name);
    return t == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : o->made[t].node;
}

static void note_event(void *user, const xr_ort_event *event)
{
    xr_ort_observer *o = user;
    uint32_t node = node_of_event(o, event->name);
    if (node == EXRAY_NO_INDEX || o->latency_count == o->latency_most) {
        o->unplaced++;
        return;
    }
    size_t i = o->latency_count++;
    o->latency_node[i] = node;
    o->latency_start[i] = o->frame_offset + event->start_ns;
    o->latency_duration[i] = event->duration_ns;
}

exray_status xr_ort_record(xr_session *s, exray_error *error)
{
    xr_ort_observer *o = s->observer;
    if (!s->recorder)
        return EXRAY_OK;
    o->frame_offset = exray_frame_elapsed(s->recorder);
    o->latency_count = 0;
    record_ports(s, EXRAY_INPUT, s->input, s->input_count, s->input_value);
    exray_status status = EXRAY_OK;
    if (o->layers)
        status = run_exposed(s, error);
    if (!status && o->layers) {
        record_layers(s);
        compare_outputs(s);
        release_values(s);
    }
    record_ports(s, EXRAY_OUTPUT, s->output, s->output_count, s->output_value);
    if (!status)
        status = xr_ort_profile(s, note_event, o, error);
    if (!status)
        exray_record_latency(s->recorder, o->latency_node, o->latency_start, o->latency_duration,
                             o->latency_count);
    return status;
}
