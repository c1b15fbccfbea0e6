/* What is recorded of a run of ONNX Runtime. Only ONNX Runtime itself allocates here: each query about a
 * value makes an object; and strings, which do not lie side by side, are gathered. */
#include "engines/onnxruntime/observe.h"

#include "engines/onnxruntime/exposed_graph.h"
#include "engines/onnxruntime/profile.h"
#include "engines/onnxruntime/serve.h"
#include "engines/onnxruntime/strings.h"

#include "core/dtype.h"
#include "core/host/taps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Values ---------------------------------------------------------------------------- */

static bool same_as_described(const exray_tensor_info *a, const exray_tensor_info *b)
{
    if (a->dtype != b->dtype || a->rank != b->rank || !b->shape)
        return false;
    for (uint32_t i = 0; i < a->rank; i++)
        if (a->shape[i] != b->shape[i])
            return false;
    return true;
}

static void record_value(const xr_ort_observer *o, exray_kind kind, uint32_t tensor, const char *name,
                         const OrtValue *value)
{
    exray_tensor record = {.kind = kind};
    int64_t shape[EXRAY_MAX_RANK];
    if (tensor != EXRAY_NO_INDEX) {
        record.info = o->tensors[tensor];
        record.in_model = true;
        record.model_tensor = tensor;
        if (kind == EXRAY_KIND_LAYER) {
            record.index = o->made[tensor].node;
            record.output = o->made[tensor].output;
        }
    }
    if (name)
        record.info.name = name;
    exray_tensor_info now = record.info;
    void *strings = NULL;
    if (!xr_ort_describe(o->api, value, &now, shape, &record.data, &record.size)) {
        if (!value || now.dtype != EXRAY_DTYPE_STRING)
            return;
        strings = xr_ort_strings(o->api, value, &now, &record.size);
        if (!strings)
            return;
        record.data = strings;
    }
    if (record.in_model && now.dtype != o->tensors[tensor].dtype)
        now.quantization.count = 0;
    record.info_differs = !record.in_model || !same_as_described(&now, &o->tensors[tensor]);
    record.info = now;
    exray_recorder_log_tensor(o->recorder, &record);
    free(strings);
}

static void record_ports(const xr_ort_observer *o, exray_kind kind, const char *const *names,
                         const OrtValue *const *values, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char cut[XR_NAME_MOST + 1];
        const char *name = xr_ort_fit_name(names[i], cut);
        if (exray_recorder_wants(o->recorder, kind, EXRAY_NO_INDEX, name))
            record_value(o, kind, xr_ort_tensor_named(o, names[i]), name, values[i]);
    }
}

/* ---- Layers ------------------------------------------------------------------------------ */

static bool wants_node(const xr_ort_observer *o, uint32_t node)
{
    return node < o->model.node_count &&
           exray_recorder_wants(o->recorder, EXRAY_KIND_LAYER, node, o->nodes[node].name);
}

static bool wants_layers(const xr_ort_observer *o)
{
    for (uint32_t n = 0; n < o->model.node_count; n++)
        if (wants_node(o, n))
            return true;
    return false;
}

/* The value in the order that is described, or, where no order is needed, without its padding: as the
 * scratch holds it.  NULL: it does not fit there. */
static const void *reordered(const xr_ort_observer *o, const xr_ort_layout *layout,
                             const exray_tensor_info *info, size_t size, const void *stored)
{
    size_t element = exray_dtype_bits(info->dtype) / 8;
    bool keeps_order = xr_frame_keeps_order(o->recorder) || info->quantization.count > 1;
    if (!keeps_order && !xr_ort_is_padded(layout))
        return stored;
    if (size > o->scratch_size || element == 0)
        return NULL;
    if (keeps_order)
        xr_ort_reorder(layout, info->shape, info->rank, size / element, element, stored, o->scratch);
    else
        xr_ort_drop_padding(layout, info->shape, info->rank, element, stored, o->scratch);
    return o->scratch;
}

/* A layer that the deployed graph has in another layout. */
static void record_deployed(xr_ort_observer *o, uint32_t tensor, const xr_ort_layout *layout,
                            const OrtValue *value)
{
    int64_t stored[EXRAY_MAX_RANK], shape[EXRAY_MAX_RANK];
    const void *data;
    size_t size;
    uint64_t count = 0;
    exray_tensor_info now = o->tensors[tensor];
    if (!xr_ort_describe(o->api, value, &now, stored, &data, &size))
        return;
    xr_ort_described_shape(layout, stored, now.rank, shape);
    now.shape = shape;
    if (now.dtype != o->tensors[tensor].dtype)
        now.quantization.count = 0;
    size = xr_shape_count(shape, now.rank, &count) ? (size_t)xr_dtype_bytes(now.dtype, count) : 0;
    data = size ? reordered(o, layout, &now, size, data) : NULL;
    if (!data) {
        o->unordered++;
        return;
    }
    const exray_tensor record = {.kind = EXRAY_KIND_LAYER,
                                 .info = now,
                                 .index = o->made[tensor].node,
                                 .output = o->made[tensor].output,
                                 .in_model = true,
                                 .model_tensor = tensor,
                                 .info_differs = !same_as_described(&now, &o->tensors[tensor]),
                                 .data = data,
                                 .size = size};
    exray_recorder_log_tensor(o->recorder, &record);
}

static void record_layers(xr_ort_observer *o)
{
    /* In the order of the nodes, whatever the order of the outputs. */
    for (uint32_t n = 0; n < o->model.node_count; n++) {
        if (!wants_node(o, n))
            continue;
        for (size_t i = 0; i < o->output_count; i++) {
            uint32_t tensor = o->output_tensor[i];
            if (o->made[tensor].node != n)
                continue;
            if (o->layout && o->layout[i].order != XR_ORT_AS_DESCRIBED)
                record_deployed(o, tensor, &o->layout[i], o->value[i]);
            else
                record_value(o, EXRAY_KIND_LAYER, tensor, NULL, o->value[i]);
        }
    }
}

/* Of a model that has its layers among its outputs. */
static void record_own_layers(const xr_ort_observer *o, const xr_ort_call *call)
{
    for (size_t i = 0; i < call->output_count; i++) {
        uint32_t tensor = xr_ort_tensor_named(o, call->output_name[i]);
        if (tensor != EXRAY_NO_INDEX && wants_node(o, o->made[tensor].node))
            record_value(o, EXRAY_KIND_LAYER, tensor, NULL, call->output[i]);
    }
}

/* The outputs of what is deployed against those of what is observed. */
static bool compare_output(xr_ort_observer *o, const char *name, const OrtValue *deployed,
                           const OrtValue *observed)
{
    uint64_t frame = exray_recorder_frame_index(o->recorder);
    exray_tensor_info a = {.name = name}, b = {.name = name};
    int64_t shape[2][EXRAY_MAX_RANK];
    const void *x, *y;
    size_t n, m;
    if (!xr_ort_describe(o->api, deployed, &a, shape[0], &x, &n))
        return false; /* no value that could be compared */
    if (!xr_ort_describe(o->api, observed, &b, shape[1], &y, &m) || a.dtype != b.dtype || n != m)
        xr_agreement_add_misfit(&o->agreement, frame, name);
    else
        xr_agreement_add(&o->agreement, frame, &a, x, y, n);
    return true;
}

static void compare_outputs(xr_ort_observer *o, const xr_ort_call *call)
{
    size_t compared = 0;
    o->agreement.frames++;
    for (size_t i = 0; i < call->output_count; i++)
        for (size_t k = 0; k < o->output_count; k++)
            if (strcmp(o->output_name[k], call->output_name[i]) == 0)
                compared += compare_output(o, call->output_name[i], call->output[i], o->value[k]);
    if (compared == call->output_count)
        xr_serving_compared(&o->serving, o->recorder, o->agreement.output[0] == '\0');
    else
        xr_serving_give_up(&o->serving, o->recorder, "an output is no tensor of numbers in memory");
}

/* Whether the run overwrites its inputs: they are lost then before the layers are computed. */
static bool is_in_place(const xr_ort_observer *o, const xr_ort_call *call)
{
    for (size_t k = 0; k < call->output_count; k++) {
        exray_tensor_info info = {0};
        int64_t shape[EXRAY_MAX_RANK];
        const void *out, *in;
        size_t out_size, in_size;
        if (!call->output[k] || !xr_ort_describe(o->api, call->output[k], &info, shape, &out, &out_size))
            continue;
        for (size_t i = 0; i < call->input_count; i++)
            if (xr_ort_describe(o->api, call->input[i], &info, shape, &in, &in_size) &&
                (const char *)in < (const char *)out + out_size &&
                (const char *)out < (const char *)in + in_size)
                return true;
    }
    return false;
}

static exray_status observe_layers(xr_ort_observer *o, const xr_ort_call *call, bool in_place,
                                   exray_error *error)
{
    if ((!o->straight && !o->session) || !wants_layers(o))
        return EXRAY_OK;
    if (o->straight)
        record_own_layers(o, call);
    else if (in_place)
        o->in_place++;
    else {
        if (xr_ort_run_exposed(o, call, error) != EXRAY_OK)
            return error->status;
        record_layers(o);
        compare_outputs(o, call);
        xr_ort_release_values(o->api, o->value, o->output_count);
    }
    return EXRAY_OK;
}

/* ---- Latencies ---------------------------------------------------------------------------- */

/* By the node's name, or by that of what it makes. */
static uint32_t node_of_event(const xr_ort_observer *o, const char *name)
{
    for (uint32_t n = 0; n < o->file.model.node_count; n++)
        if (o->file.model.nodes[n].name &&
            strncmp(o->file.model.nodes[n].name, name, sizeof((xr_ort_event *)0)->name - 1) == 0)
            return n;
    for (size_t i = 0; i < o->kernel_count; i++)
        if (strncmp(o->kernel[i].name, name, sizeof((xr_ort_event *)0)->name - 1) == 0)
            return o->kernel[i].node;
    uint32_t t = xr_ort_tensor_named(o, name);
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

/* Of an application few runs are profiled: the first ones, and a sample of the rest.  A profile takes as long
 * as several runs. */
static bool is_profiled(xr_ort_observer *o)
{
    enum { FIRST = 3, EVERY = 2 * XR_SERVING_EVERY };
    uint64_t run = o->runs - 1;
    if (!o->cheap)
        return true;
    if (run < o->next_profile)
        return false;
    o->next_profile = run + 1 < FIRST ? run + 1 : run - run % EVERY + EVERY;
    return true;
}

static exray_status observe_latency(xr_ort_observer *o, const xr_ort_call *call, bool in_place,
                                    exray_error *error)
{
    if (o->no_latency || in_place || call->output_count > o->own_count || !xr_is_recording(o->recorder) ||
        !is_profiled(o))
        return EXRAY_OK;
    o->latency_count = 0;
    if (xr_ort_profile(o->api, call, o->own_value, note_event, o, error) != EXRAY_OK)
        return error->status;
    if (o->latency_count)
        exray_recorder_log_latency(o->recorder, o->latency_node, o->latency_start, o->latency_duration,
                                   o->latency_count);
    return EXRAY_OK;
}

/* ---- Runs ----------------------------------------------------------------------------------- */

static OrtStatus *run_deployed(xr_ort_observer *o, const xr_ort_call *call)
{
    o->frame_offset = exray_recorder_frame_elapsed(o->recorder);
    uint64_t begin = exray_recorder_now(o->recorder);
    OrtStatus *ran = xr_ort_run(o->api, call);
    uint64_t duration = exray_recorder_now(o->recorder) - begin;
    if (!ran)
        exray_recorder_frame_inference(o->recorder, duration);
    return ran;
}

OrtStatus *xr_ort_observed_run(xr_ort_observer *o, const xr_ort_call *call, exray_error *error)
{
    if (!o->recorder)
        return xr_ort_run(o->api, call);
    exray_recorder_frame_elapsed(o->recorder); /* begins a frame where none is open */
    if (xr_frame_is_filtered(o->recorder))
        return run_deployed(o, call);
    o->runs++;
    record_ports(o, EXRAY_KIND_INPUT, call->input_name, call->input, call->input_count);
    bool in_place = is_in_place(o, call);
    if (o->session && !in_place && wants_layers(o) && xr_serving_begin(&o->serving) &&
        xr_ort_serve(o, call)) {
        record_layers(o);
        xr_ort_serve_end(o, call);
        record_ports(o, EXRAY_KIND_OUTPUT, call->output_name, (const OrtValue *const *)call->output,
                     call->output_count);
        return NULL;
    }
    OrtStatus *ran = run_deployed(o, call);
    if (ran)
        return ran;
    exray_status status = observe_layers(o, call, in_place, error);
    record_ports(o, EXRAY_KIND_OUTPUT, call->output_name, (const OrtValue *const *)call->output,
                 call->output_count);
    if (!status)
        observe_latency(o, call, in_place, error);
    return NULL;
}

static const char *source_of_layers(const xr_ort_observer *o)
{
    if (o->straight)
        return "the model's own outputs";
    if (o->layout)
        return "the graph as deployed, every tensor an output";
    return o->making.level == XR_ORT_LEVEL_NONE ? "the model, every tensor an output"
                                                : "the graph as optimized (extended), every tensor an output";
}

void xr_ort_conclude(xr_ort_observer *o)
{
    if (!o || !o->recorder)
        return;
    char unplaced[32], in_place[32], within[32];
    snprintf(unplaced, sizeof unplaced, "%llu", (unsigned long long)o->unplaced);
    snprintf(in_place, sizeof in_place, "%llu", (unsigned long long)o->in_place);
    snprintf(within, sizeof within, "%u", (unsigned)o->within_kernels);
    exray_key_value more[4] = {{"kernels_without_a_node", unplaced}, xr_serving_pair(&o->serving)};
    size_t count = 2;
    if (o->in_place)
        more[count++] = (exray_key_value){"runs_over_their_inputs", in_place};
    if (o->within_kernels)
        more[count++] = (exray_key_value){"layers_within_fused_kernels", within};
    xr_agreement_record(&o->agreement, o->recorder, source_of_layers(o), more, count);
    o->recorder = NULL;
}
