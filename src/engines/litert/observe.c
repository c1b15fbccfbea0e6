/* A run, observed.
 *
 * LiteRT gives access to a model's outputs only. Where layers are wanted, a second compiled
 * model runs beside the deployed one, on the same input: the same file with every
 * tensor among its outputs.  Outputs and latencies are the deployed model's. */
#include "core/host/taps.h"
#include "engines/litert/litert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- The exposed model ------------------------------------------------------------- */

static void find_layers(xr_litert_observer *o)
{
    const exray_model *model = o->straight ? &o->file->model : &o->exposed_file.model;
    for (uint32_t i = 0; i < model->output_count; i++)
        if (model->outputs[i] < o->file->model.tensor_count)
            o->layer_output[model->outputs[i]] = i;
}

/* Whether nothing but the inputs decides on the outputs: then it does not matter which of the two models
 * runs. */
static bool can_serve(const xr_litert_observer *o)
{
    const exray_model *model = &o->file->model;
    for (uint32_t i = 0; i < model->node_count; i++)
        if (!xr_serving_trusts(model->nodes[i].op))
            return false;
    return !o->has_state && model->output_count > 0;
}

/* Drops the exposed model and records why; the log then has everything except layers. */
static void do_without(xr_litert_observer *o, const char *why)
{
    xr_litert_log_unobserved(&o->log, "layers", why);
    xr_litert_program_close(&o->exposed);
    xr_model_release(&o->exposed_file);
    free(o->exposed_bytes.data);
    memset(&o->exposed_file, 0, sizeof o->exposed_file);
    o->exposed_bytes = (xr_model_bytes){0};
}

static exray_status expose(xr_litert_observer *o, const xr_litert_config *program, exray_error *error)
{
    exray_error why = {EXRAY_OK, ""};
    uint32_t tensors = o->file->model.tensor_count;
    xr_litert_config plain = *program;
    plain.profile = false;
    o->layer_output = malloc(((size_t)tensors + 1) * sizeof *o->layer_output);
    if (!o->layer_output)
        return xr_litert_no_memory(error);
    for (uint32_t i = 0; i < tensors; i++)
        o->layer_output[i] = EXRAY_NO_INDEX;
    if (xr_model_expose(o->file, &o->exposed_bytes, &why) != EXRAY_OK ||
        xr_model_read(o->exposed_bytes.data, o->exposed_bytes.size, &o->exposed_file, &why) != EXRAY_OK) {
        do_without(o, why.message);
        return EXRAY_OK;
    }
    o->straight = o->exposed_file.model.output_count == o->file->model.output_count;
    if (!o->straight && xr_litert_program_open(&o->exposed, &plain, &o->exposed_file, &why) != EXRAY_OK) {
        do_without(o, why.message);
        return EXRAY_OK;
    }
    find_layers(o);
    return EXRAY_OK;
}

exray_status xr_litert_observe(xr_litert_observer *o, const xr_litert_logging *how,
                               const xr_litert_config *program, exray_error *error)
{
    o->file = how->file;
    o->has_state = xr_tflite_keeps_state(how->file);
    o->serving.allowed = how->may_serve && can_serve(o);
    if (xr_litert_log_open(&o->log, how, error) != EXRAY_OK)
        return error->status;
    return xr_litert_wants_layers(&o->log) ? expose(o, program, error) : EXRAY_OK;
}

exray_status xr_litert_observed_reset(xr_litert_observer *o, const xr_litert_config *program,
                                      exray_error *error)
{
    xr_litert_config plain = *program;
    plain.profile = false;
    if (!o->exposed.compiled)
        return EXRAY_OK;
    xr_litert_program_close(&o->exposed);
    return xr_litert_program_open(&o->exposed, &plain, &o->exposed_file, error);
}

void xr_litert_unobserve(xr_litert_observer *o)
{
    xr_litert_program_close(&o->exposed);
    xr_litert_log_close(&o->log);
    xr_model_release(&o->exposed_file);
    free(o->exposed_bytes.data);
    free(o->layer_output);
    memset(o, 0, sizeof *o);
}

/* ---- Values -------------------------------------------------------------------------- */

static bool same_port(const xr_litert_port *a, const xr_litert_port *b)
{
    return a->info.dtype == b->info.dtype && a->info.rank == b->info.rank && a->size == b->size &&
           memcmp(a->shape, b->shape, a->info.rank * sizeof *a->shape) == 0;
}

/* Records the inputs, and gives them to the exposed model: before the run, which may overwrite them. */
static exray_status take_inputs(xr_litert_observer *o, xr_litert_program *deployed, bool feed,
                                exray_error *error)
{
    const exray_model *model = &o->file->model;
    o->fed = feed;
    for (uint32_t i = 0; i < model->input_count; i++) {
        const xr_litert_port *port = &deployed->inputs[i];
        bool fits = feed && same_port(port, &o->exposed.inputs[i]);
        bool wanted = model->inputs[i] != EXRAY_NO_INDEX &&
                      exray_recorder_wants(o->log.recorder, EXRAY_KIND_INPUT, i, o->log.input_names[i]);
        o->fed = o->fed && fits;
        if (!wanted && !fits)
            continue;
        const void *data = xr_litert_look_input(deployed, i);
        if (!data)
            return xr_litert_fail(error, "cannot read an input", -1);
        exray_tensor record = {.kind = EXRAY_KIND_INPUT, .index = i};
        if (wanted)
            xr_litert_log_value(&o->log, &record, model->inputs[i], port, data);
        exray_status status = fits ? xr_litert_write(&o->exposed, i, data, error) : EXRAY_OK;
        xr_litert_look_input_end(deployed, i);
        if (status)
            return status;
    }
    o->misfits += feed && !o->fed;
    return EXRAY_OK;
}

static exray_status record_outputs(xr_litert_observer *o, xr_litert_program *deployed, exray_error *error)
{
    const exray_model *model = &o->file->model;
    for (uint32_t i = 0; i < model->output_count; i++) {
        if (model->outputs[i] == EXRAY_NO_INDEX ||
            !exray_recorder_wants(o->log.recorder, EXRAY_KIND_OUTPUT, i, o->log.output_names[i]))
            continue;
        const void *data = xr_litert_look(deployed, i);
        if (!data)
            return xr_litert_fail(error, "cannot read an output", -1);
        exray_tensor record = {.kind = EXRAY_KIND_OUTPUT, .index = i};
        xr_litert_log_value(&o->log, &record, model->outputs[i], &deployed->outputs[i], data);
        xr_litert_look_end(deployed, i);
    }
    return EXRAY_OK;
}

static bool same_outputs(const xr_litert_observer *o, const xr_litert_program *deployed)
{
    for (uint32_t i = 0; i < deployed->output_count; i++)
        if (!same_port(&deployed->outputs[i], &o->exposed.outputs[i]))
            return false;
    return true;
}

/* The exposed model's first outputs are the deployed one's. */
static void compare_outputs(xr_litert_observer *o, xr_litert_program *deployed)
{
    uint64_t frame = exray_recorder_frame_index(o->log.recorder);
    o->agreement.frames++;
    for (uint32_t i = 0; i < deployed->output_count; i++) {
        const xr_litert_port *port = &deployed->outputs[i];
        exray_tensor_info info = port->info;
        info.name = o->log.output_names[i];
        const void *ours = xr_litert_look(&o->exposed, i), *theirs = xr_litert_look(deployed, i);
        if (ours && theirs && same_port(port, &o->exposed.outputs[i]))
            xr_agreement_add(&o->agreement, frame, &info, theirs, ours, port->size);
        else
            xr_agreement_add_misfit(&o->agreement, frame, info.name);
        if (ours)
            xr_litert_look_end(&o->exposed, i);
        if (theirs)
            xr_litert_look_end(deployed, i);
    }
    xr_serving_compared(&o->serving, o->log.recorder, o->agreement.output[0] == '\0');
}

static void record_layer(const xr_litert_observer *o, xr_litert_program *from, uint32_t node)
{
    const exray_node *described = &o->file->model.nodes[node];
    for (uint32_t k = 0; k < described->output_count; k++) {
        uint32_t position = described->outputs[k];
        uint32_t output = position == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : o->layer_output[position];
        if (output == EXRAY_NO_INDEX)
            continue; /* state, or nothing: no value that LiteRT returns */
        const void *data = xr_litert_look(from, output);
        exray_tensor record = {.kind = EXRAY_KIND_LAYER, .index = node, .output = k};
        xr_litert_log_value(&o->log, &record, position, &from->outputs[output], data);
        if (data)
            xr_litert_look_end(from, output);
    }
}

static void record_layers(const xr_litert_observer *o, xr_litert_program *from)
{
    for (uint32_t i = 0; i < o->log.main_nodes; i++)
        if (exray_recorder_wants(o->log.recorder, EXRAY_KIND_LAYER, i, o->file->model.nodes[i].name))
            record_layer(o, from, i);
}

static exray_status observe_layers(xr_litert_observer *o, xr_litert_program *deployed, exray_error *error)
{
    if (o->straight)
        record_layers(o, deployed);
    if (!o->fed)
        return EXRAY_OK;
    LiteRtStatus ran = xr_litert_program_run(&o->exposed);
    if (ran != 0)
        return xr_litert_fail(error, "the run for the layers failed", ran);
    compare_outputs(o, deployed);
    record_layers(o, &o->exposed);
    return EXRAY_OK;
}

/* ---- Serving ----------------------------------------------------------------------------- */

/* The application may use one buffer for two things: then an output that is copied changes an input. */
static bool has_own_outputs(const xr_litert_program *deployed)
{
    for (uint32_t i = 0; i < deployed->output_count; i++) {
        for (uint32_t k = 0; k < deployed->input_count; k++)
            if (deployed->output_buffers[i] == deployed->input_buffers[k])
                return false;
        for (uint32_t k = 0; k < i; k++)
            if (deployed->output_buffers[i] == deployed->output_buffers[k])
                return false;
    }
    return true;
}

static exray_status hand_over(xr_litert_observer *o, xr_litert_program *deployed, exray_error *error)
{
    exray_status status = EXRAY_OK;
    for (uint32_t i = 0; !status && i < deployed->output_count; i++) {
        const void *data = xr_litert_look(&o->exposed, i);
        if (!data)
            return xr_litert_fail(error, "cannot read an output", -1);
        status = xr_litert_write_output(deployed, i, data, error);
        xr_litert_look_end(&o->exposed, i);
    }
    return status;
}

/* The exposed model's run in place of the deployed one's.  false: nothing came of it, the deployed one is to
 * run; its inputs are as they were. */
static bool serve(xr_litert_observer *o, xr_litert_program *deployed)
{
    exray_error why = {EXRAY_OK, ""};
    LiteRtStatus ran = xr_litert_program_run(&o->exposed);
    if (ran != 0)
        xr_litert_fail(&why, "its run failed", ran);
    else
        hand_over(o, deployed, &why);
    if (why.status) {
        xr_serving_give_up(&o->serving, o->log.recorder, why.message);
        return false;
    }
    o->serving.served++;
    record_layers(o, &o->exposed);
    return true;
}

/* ---- Runs -------------------------------------------------------------------------------- */

static LiteRtStatus timed_run(xr_litert_observer *o, xr_litert_program *deployed, bool profile)
{
    const xr_litert_api *api = deployed->api;
    o->offset_ns = exray_recorder_frame_elapsed(o->log.recorder);
    if (profile) {
        api->ResetProfiler(deployed->profiler);
        api->StartProfiler(deployed->profiler);
    }
    uint64_t begin_ns = exray_recorder_now(o->log.recorder);
    LiteRtStatus ran = xr_litert_program_run(deployed);
    uint64_t end_ns = exray_recorder_now(o->log.recorder);
    if (profile)
        api->StopProfiler(deployed->profiler);
    if (ran == 0)
        exray_recorder_frame_inference(o->log.recorder, end_ns - begin_ns);
    return ran;
}

/* LiteRT tells of a compiled model what its buffers hold, and nothing else. */
static void compare_with_file(xr_litert_observer *o, const xr_litert_program *deployed)
{
    const exray_model *model = &o->file->model;
    const xr_litert_port *odd = NULL;
    o->compared = true;
    for (uint32_t pass = 0; pass < 2; pass++) {
        const xr_litert_port *ports = pass ? deployed->outputs : deployed->inputs;
        const uint32_t *positions = pass ? model->outputs : model->inputs;
        for (uint32_t i = 0; !odd && i < (pass ? deployed->output_count : deployed->input_count); i++) {
            const exray_tensor_info *info =
                positions[i] < model->tensor_count ? &model->tensors[positions[i]] : NULL;
            if (info && (info->dtype != ports[i].info.dtype || info->rank != ports[i].info.rank))
                odd = &ports[i];
        }
    }
    if (!odd)
        return;
    char text[300];
    snprintf(text, sizeof text,
             "the model file that the tap was given is not that of the compiled model: its %.120s has "
             "another type "
             "or rank; give the tap the model's own file",
             odd->info.name && *odd->info.name ? odd->info.name : "input or output");
    xr_say_event(o->log.recorder, EXRAY_EVENT_ERROR, text);
}

LiteRtStatus xr_litert_observed_run(xr_litert_observer *o, xr_litert_program *deployed, exray_error *error)
{
    if (!o->log.recorder)
        return xr_litert_program_run(deployed);
    exray_recorder_frame_elapsed(o->log.recorder); /* begins a frame where none is open */
    if (!o->compared)
        compare_with_file(o, deployed);
    if (xr_frame_is_filtered(o->log.recorder) && !o->has_state)
        return timed_run(o, deployed, false);
    bool feed = o->exposed_bytes.data && !o->straight && (o->has_state || xr_litert_wants_layers(&o->log));
    exray_status status = take_inputs(o, deployed, feed, error);
    if (!status && o->fed && xr_serving_begin(&o->serving) && same_outputs(o, deployed) &&
        has_own_outputs(deployed) && serve(o, deployed)) {
        record_outputs(o, deployed, error);
        return 0;
    }
    LiteRtStatus ran = timed_run(o, deployed, deployed->profiler != NULL);
    if (ran != 0 || status)
        return ran;
    if (observe_layers(o, deployed, error) == EXRAY_OK)
        record_outputs(o, deployed, error);
    if (deployed->profiler)
        xr_litert_log_latency(&o->log, deployed, o->offset_ns);
    else
        o->no_profiler = true;
    return ran;
}

void xr_litert_conclude(xr_litert_observer *o)
{
    if (!o->log.recorder)
        return;
    char misfits[24];
    snprintf(misfits, sizeof misfits, "%llu", (unsigned long long)o->misfits);
    const exray_key_value more[] = {xr_serving_pair(&o->serving), {"runs_on_other_shapes", misfits}};
    xr_litert_log_delegation(&o->log);
    xr_litert_log_difference(&o->log, &o->agreement);
    if (o->no_profiler)
        xr_litert_log_unobserved(&o->log, "latencies",
                                 "the compiled model has no profiler: give exray_litert_attach its options");
    if (o->straight || o->exposed_bytes.data)
        xr_agreement_record(&o->agreement, o->log.recorder,
                            o->straight ? "the model's own outputs" : "the model, every tensor an output",
                            more, o->misfits ? 2 : 1);
    o->log.recorder = NULL;
}
