/* What goes to the recorder: the model as its file has it, and values. */
#include "engines/litert/litert.h"
#include "models/model_hash.h"
#include "models/model_load.h"
#include "models/refuse.h"
#include "models/topic_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The model ------------------------------------------------------------------ */

static void record_model(const xr_litert_logging *how)
{
    uint8_t sha256[32];
    xr_model_hash(how->file->data, how->file->size, sha256);
    exray_model model = how->file->model;
    model.name = xr_model_base_name(how->model_path);
    model.sha256 = sha256;
    model.engine = "litert";
    model.engine_version = how->version;
    model.kernels = how->kernels;
    model.threads = how->threads ? how->threads : 1;
    exray_recorder_log_model(how->recorder, &model);
}

static void record_constants(const xr_litert_log *log)
{
    const exray_model *model = &log->file->model;
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        const exray_tensor_info *info = &model->tensors[i];
        if (!info->constant || !exray_recorder_wants(log->recorder, EXRAY_KIND_CONSTANT, i, info->name))
            continue;
        const exray_tensor record = {.kind = EXRAY_KIND_CONSTANT,
                                     .info = *info,
                                     .index = i,
                                     .in_model = true,
                                     .model_tensor = i,
                                     .data = log->file->constant[i].data,
                                     .size = log->file->constant[i].size};
        exray_recorder_log_tensor(log->recorder, &record);
    }
}

static void name_topics(const exray_model *model, const uint32_t *positions, uint32_t count,
                        const char **names, char (*numbers)[12])
{
    for (uint32_t i = 0; i < count; i++) {
        const char *name = xr_topic_name(model->tensors, positions, count, i);
        snprintf(numbers[i], sizeof numbers[i], "%u", (unsigned)i);
        names[i] = name ? name : numbers[i];
    }
}

static bool take_memory(xr_litert_log *log)
{
    const exray_model *model = &log->file->model;
    while (log->main_nodes < model->node_count && model->nodes[log->main_nodes].subgraph == 0)
        log->main_nodes++;
    size_t nodes = (size_t)log->main_nodes + 1;
    /* A node's own event, its operators within a delegate, and the run's. */
    log->event_capacity = (uint32_t)(4 * (size_t)model->node_count + 1024);
    log->input_names = calloc((size_t)model->input_count + 1, sizeof *log->input_names);
    log->output_names = calloc((size_t)model->output_count + 1, sizeof *log->output_names);
    log->numbers = calloc((size_t)model->input_count + model->output_count + 1, sizeof *log->numbers);
    log->events = calloc(log->event_capacity, sizeof *log->events);
    log->latency_node = calloc(nodes, sizeof *log->latency_node);
    log->latency_start = calloc(nodes, sizeof *log->latency_start);
    log->latency_duration = calloc(nodes, sizeof *log->latency_duration);
    log->ran = calloc(nodes, sizeof *log->ran);
    return log->input_names && log->output_names && log->numbers && log->events && log->latency_node &&
           log->latency_start && log->latency_duration && log->ran;
}

exray_status xr_litert_log_open(xr_litert_log *log, const xr_litert_logging *how, exray_error *error)
{
    const exray_model *model = &how->file->model;
    log->recorder = how->recorder;
    log->file = how->file;
    if (!take_memory(log))
        return xr_litert_no_memory(error);
    name_topics(model, model->inputs, model->input_count, log->input_names, log->numbers);
    name_topics(model, model->outputs, model->output_count, log->output_names,
                log->numbers + model->input_count);
    record_model(how);
    if (!how->no_constants)
        record_constants(log);
    return xr_refuse_as_recorder(error, log->recorder);
}

void xr_litert_log_close(xr_litert_log *log)
{
    free(log->input_names);
    free(log->output_names);
    free(log->numbers);
    free(log->events);
    free(log->latency_node);
    free(log->latency_start);
    free(log->latency_duration);
    free(log->ran);
    memset(log, 0, sizeof *log);
}

/* ---- Values ------------------------------------------------------------------------ */

bool xr_litert_wants_layers(const xr_litert_log *log)
{
    for (uint32_t i = 0; i < log->main_nodes; i++)
        if (exray_recorder_wants(log->recorder, EXRAY_KIND_LAYER, i, log->file->model.nodes[i].name))
            return true;
    return false;
}

static bool same_shape(const exray_tensor_info *a, const exray_tensor_info *b)
{
    return a->dtype == b->dtype && a->rank == b->rank &&
           (a->rank == 0 || memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0);
}

void xr_litert_log_value(const xr_litert_log *log, exray_tensor *record, uint32_t position,
                         const xr_litert_port *port, const void *data)
{
    const exray_tensor_info *described = &log->file->model.tensors[position];
    const exray_quantization *q = &port->info.quantization;
    record->info = port->info;
    if (record->kind == EXRAY_KIND_INPUT)
        record->info.name = log->input_names[record->index];
    else if (record->kind == EXRAY_KIND_OUTPUT)
        record->info.name = log->output_names[record->index];
    /* Per-axis quantization must have one entry for each slice. */
    if (q->count > 1 && (q->axis >= port->info.rank || (uint64_t)port->shape[q->axis] != q->count))
        record->info.quantization.count = 0;
    record->in_model = true;
    record->model_tensor = position;
    record->info_differs = !same_shape(described, &port->info);
    record->data = data;
    record->size = data ? port->size : 0;
    exray_recorder_log_tensor(log->recorder, record);
}

/* ---- Remarks ------------------------------------------------------------------------------ */

void xr_litert_log_delegation(const xr_litert_log *log)
{
    if (log->delegate_operators == 0)
        return;
    char nodes[16], operator_count[16];
    snprintf(nodes, sizeof nodes, "%u", (unsigned)log->delegated);
    snprintf(operator_count, sizeof operator_count, "%u", (unsigned)log->delegate_operators);
    const exray_key_value pairs[] = {
        {"delegate", "TfLiteXNNPackDelegate"},
        {"delegated_nodes", nodes},
        {"delegate_operators", operator_count},
        {"remark",
         log->delegate_sound
             ? "latencies of the delegate's nodes are those of its operators, matched by kind and order"
             : "the delegate's operators do not match its nodes: those have no latencies"},
    };
    exray_recorder_log_metadata(log->recorder, "exray.delegation", pairs, sizeof pairs / sizeof pairs[0]);
}

void xr_litert_log_difference(const xr_litert_log *log, const xr_agreement *agreement)
{
    if (!agreement->output[0])
        return;
    char frame[24];
    snprintf(frame, sizeof frame, "%llu", (unsigned long long)agreement->first);
    const exray_key_value pairs[] = {
        {"output", agreement->output},
        {"frame", frame},
        {"remark",
         "the model with its layers exposed returned something else than the deployed one from this "
         "frame on: the layers are those of the exposed one"},
    };
    exray_recorder_log_metadata(log->recorder, "exray.exposed_differs", pairs,
                                sizeof pairs / sizeof pairs[0]);
}

void xr_litert_log_unobserved(const xr_litert_log *log, const char *what, const char *why)
{
    const exray_key_value pairs[] = {{what, why}};
    exray_recorder_log_metadata(log->recorder, "exray.unobserved", pairs, 1);
}
