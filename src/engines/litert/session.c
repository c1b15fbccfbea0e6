/* The engine "litert": what `record` and `replay` drive.
 *
 * LiteRT shows a model's outputs only.  Where layers are wanted, a second compiled
 * model runs beside the deployed one, on the same input: the same file with every
 * tensor among its outputs.  Outputs and latencies are the deployed model's. */
#include "litert.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct xr_session {
    xr_litert_api api;
    LiteRtEnvironment environment;
    xr_model_file file;
    xr_litert_program deployed;
    uint8_t **inputs;  /* [input_count] as they were set */
    uint8_t **outputs; /* [output_count] of the last run */
    bool observed;     /* there is a recorder */
    xr_litert_log log;
    xr_model_bytes exposed_bytes; /* data NULL: no layers */
    xr_model_file exposed_file;
    xr_litert_program exposed;
    uint32_t *exposed_output; /* [model.tensor_count] which of its outputs a tensor is, or EXRAY_NO_INDEX */
};

/* ---- Open ------------------------------------------------------------------------ */

static exray_status read_model(xr_session *session, const xr_session_config *config, exray_error *error)
{
    const char *name = config->model_path ? config->model_path : "the model";
    exray_error why = {EXRAY_E_FORMAT, "it is empty"};
    if (config->model_data && config->model_size > 0) {
        if (!xr_model_format_tflite.recognize(config->model_data, config->model_size))
            snprintf(why.message, sizeof why.message, "it lacks the identifier TFL3");
        else if (xr_model_read(config->model_data, config->model_size, &session->file, &why) == EXRAY_OK)
            return EXRAY_OK;
    }
    error->status = why.status;
    snprintf(error->message, sizeof error->message,
             "%.200s is not a model that LiteRT runs: %.200s; give a .tflite file", name, why.message);
    return error->status;
}

static exray_status choose_kernels(const xr_session_config *config, const char **mode, const char **kernels,
                                   exray_error *error)
{
    const char *wanted = config->kernels ? config->kernels : "default";
    *kernels = "xnnpack";
    *mode = NULL;
    if (strcmp(wanted, "builtin") == 0)
        *mode = *kernels = "builtin";
    else if (strcmp(wanted, "xnnpack") == 0)
        *mode = "delegate";
    else if (strcmp(wanted, "default") != 0) {
        error->status = EXRAY_E_ARGUMENT;
        snprintf(error->message, sizeof error->message,
                 "LiteRT has no kernels \"%.100s\": use default, xnnpack or builtin", wanted);
        return error->status;
    }
    if (config->delegate) {
        error->status = EXRAY_E_UNSUPPORTED;
        snprintf(error->message, sizeof error->message,
                 "LiteRT takes no external delegate here: use --engine tflite with --delegate");
        return error->status;
    }
    return EXRAY_OK;
}

static exray_status make_environment(xr_session *session, exray_error *error)
{
    /* The processor alone, and no chatter: LiteRT would look for drivers of GPUs
     * and NPUs, and report each that it does not find. */
    const LiteRtEnvOption options[] = {
        {XR_LITERT_ENV_ACCELERATORS, {XR_LITERT_ANY_INT, {.as_int = XR_LITERT_CPU}}},
        {XR_LITERT_ENV_LOGGER, {XR_LITERT_ANY_INT, {.as_int = XR_LITERT_SEVERITY_ERROR}}},
    };
    LiteRtStatus status =
        session->api.CreateEnvironment(sizeof options / sizeof options[0], options, &session->environment);
    return status == 0 ? EXRAY_OK : xr_litert_fail(error, "cannot create an environment", status);
}

static uint8_t **take_values(const xr_litert_port *ports, uint32_t count)
{
    uint8_t **values = calloc((size_t)count + 1, sizeof *values);
    for (uint32_t i = 0; values && i < count; i++)
        values[i] = calloc(ports[i].size + 1, 1); /* a NULL ends a table that is not whole */
    return values;
}

static void free_values(uint8_t **values, uint32_t count)
{
    for (uint32_t i = 0; values && i < count; i++)
        free(values[i]);
    free(values);
}

static bool has_all(uint8_t *const *values, uint32_t count)
{
    for (uint32_t i = 0; values && i < count; i++)
        if (!values[i])
            return false;
    return values;
}

/* The second compiled model.  Where it cannot be had, the log says why, and has
 * everything but layers. */
static exray_status open_exposed(xr_session *session, const xr_litert_config *config, exray_error *error)
{
    exray_error why = {EXRAY_OK, ""};
    uint32_t tensors = session->file.model.tensor_count;
    xr_litert_config plain = *config;
    plain.profile = false;
    session->exposed_output = malloc(((size_t)tensors + 1) * sizeof *session->exposed_output);
    if (!session->exposed_output)
        return xr_litert_no_memory(error);
    for (uint32_t i = 0; i < tensors; i++)
        session->exposed_output[i] = EXRAY_NO_INDEX;
    if (xr_model_expose(&session->file, &session->exposed_bytes, &why) == EXRAY_OK &&
        xr_model_read(session->exposed_bytes.data, session->exposed_bytes.size, &session->exposed_file,
                      &why) == EXRAY_OK &&
        xr_litert_program_open(&session->exposed, &plain, &session->exposed_file, &why) == EXRAY_OK) {
        const exray_model *model = &session->exposed_file.model;
        for (uint32_t i = 0; i < model->output_count; i++)
            if (model->outputs[i] < tensors)
                session->exposed_output[model->outputs[i]] = i;
        return EXRAY_OK;
    }
    xr_litert_log_unobserved(&session->log, why.message);
    xr_litert_program_close(&session->exposed);
    xr_model_release(&session->exposed_file);
    free(session->exposed_bytes.data);
    memset(&session->exposed_file, 0, sizeof session->exposed_file);
    session->exposed_bytes = (xr_model_bytes){0};
    return EXRAY_OK;
}

static void session_close(xr_session *session)
{
    if (!session)
        return;
    free_values(session->inputs, session->deployed.input_count);
    free_values(session->outputs, session->deployed.output_count);
    if (session->exposed.api)
        xr_litert_program_close(&session->exposed);
    if (session->deployed.api)
        xr_litert_program_close(&session->deployed);
    xr_litert_log_close(&session->log);
    if (session->environment)
        session->api.DestroyEnvironment(session->environment);
    xr_model_release(&session->exposed_file);
    xr_model_release(&session->file);
    free(session->exposed_bytes.data);
    free(session->exposed_output);
    /* The library stays loaded: what it sets up once for the process would be lost. */
    free(session);
}

static exray_status start(xr_session *session, const xr_session_config *config, exray_error *error)
{
    char version[32];
    const char *kernels;
    xr_litert_config program = {.api = &session->api, .threads = config->threads ? config->threads : 1};
    session->observed = config->recorder != NULL;
    program.profile = session->observed;
    if (choose_kernels(config, &program.kernel_mode, &kernels, error) != EXRAY_OK ||
        read_model(session, config, error) != EXRAY_OK)
        return error->status;
    if (!xr_litert_open(config->library, &session->api, version, error) ||
        make_environment(session, error) != EXRAY_OK)
        return error->status;
    program.environment = session->environment;
    if (xr_litert_program_open(&session->deployed, &program, &session->file, error) != EXRAY_OK)
        return error->status;
    session->inputs = take_values(session->deployed.inputs, session->deployed.input_count);
    session->outputs = take_values(session->deployed.outputs, session->deployed.output_count);
    if (!has_all(session->inputs, session->deployed.input_count) ||
        !has_all(session->outputs, session->deployed.output_count))
        return xr_litert_no_memory(error);
    if (!session->observed)
        return EXRAY_OK;
    if (xr_litert_log_open(&session->log, config, &session->file, version, kernels, error) != EXRAY_OK)
        return error->status;
    return xr_litert_wants_layers(&session->log) ? open_exposed(session, &program, error) : EXRAY_OK;
}

static xr_session *session_open(const xr_session_config *config, exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    xr_session *session = calloc(1, sizeof *session);
    if (!session) {
        xr_litert_no_memory(error);
        return NULL;
    }
    if (start(session, config, error) == EXRAY_OK)
        return session;
    session_close(session);
    return NULL;
}

/* ---- Inputs and outputs -------------------------------------------------------------- */

static const exray_tensor_info *session_input(xr_session *session, uint32_t i)
{
    return i < session->deployed.input_count ? &session->deployed.inputs[i].info : NULL;
}

static const exray_tensor_info *session_output(xr_session *session, uint32_t i)
{
    return i < session->deployed.output_count ? &session->deployed.outputs[i].info : NULL;
}

static exray_status session_set_input(xr_session *session, uint32_t i, const void *data, size_t size,
                                      exray_error *error)
{
    *error = (exray_error){EXRAY_E_ARGUMENT, ""};
    if (i >= session->deployed.input_count) {
        snprintf(error->message, sizeof error->message, "the model has %u inputs, none numbered %u",
                 (unsigned)session->deployed.input_count, (unsigned)i);
        return error->status;
    }
    const xr_litert_port *port = &session->deployed.inputs[i];
    if (size != port->size) {
        snprintf(error->message, sizeof error->message, "input %u (%.200s) takes %zu bytes, given %zu",
                 (unsigned)i, port->info.name ? port->info.name : "", port->size, size);
        return error->status;
    }
    error->status = xr_litert_write(&session->deployed, i, data, error);
    if (error->status == EXRAY_OK && session->exposed_bytes.data)
        error->status = xr_litert_write(&session->exposed, i, data, error);
    if (error->status == EXRAY_OK)
        memcpy(session->inputs[i], data, size);
    return error->status;
}

static const void *session_output_data(xr_session *session, uint32_t i, size_t *size)
{
    if (i >= session->deployed.output_count)
        return NULL;
    *size = session->deployed.outputs[i].size;
    return session->outputs[i];
}

/* ---- Run -------------------------------------------------------------------------------- */

static void record_values(xr_session *session, exray_kind kind)
{
    bool in = kind == EXRAY_INPUT;
    const exray_model *model = &session->file.model;
    const uint32_t *positions = in ? model->inputs : model->outputs;
    const char **names = in ? session->log.input_names : session->log.output_names;
    const xr_litert_port *ports = in ? session->deployed.inputs : session->deployed.outputs;
    uint8_t **values = in ? session->inputs : session->outputs;
    uint32_t count = in ? model->input_count : model->output_count;
    for (uint32_t i = 0; i < count; i++) {
        if (positions[i] == EXRAY_NO_INDEX || !exray_wants(session->log.recorder, kind, i, names[i]))
            continue;
        exray_tensor record = {.kind = kind, .index = i};
        xr_litert_log_value(&session->log, &record, positions[i], &ports[i], values[i]);
    }
}

static exray_status keep_outputs(xr_session *session, exray_error *error)
{
    for (uint32_t i = 0; i < session->deployed.output_count; i++) {
        const void *data = xr_litert_look(&session->deployed, i);
        if (!data)
            return xr_litert_fail(error, "cannot read an output", -1);
        memcpy(session->outputs[i], data, session->deployed.outputs[i].size);
        xr_litert_look_end(&session->deployed, i);
    }
    return EXRAY_OK;
}

/* The exposed model's first outputs are the deployed one's. */
static void compare_outputs(xr_session *session)
{
    for (uint32_t i = 0; i < session->deployed.output_count; i++) {
        size_t size = session->deployed.outputs[i].size;
        const void *data = xr_litert_look(&session->exposed, i);
        if (!data || session->exposed.outputs[i].size != size || memcmp(data, session->outputs[i], size) != 0)
            xr_litert_log_difference(&session->log, session->log.output_names[i]);
        if (data)
            xr_litert_look_end(&session->exposed, i);
    }
}

static void record_layer(xr_session *session, uint32_t node)
{
    const exray_node *described = &session->file.model.nodes[node];
    for (uint32_t k = 0; k < described->output_count; k++) {
        uint32_t position = described->outputs[k];
        uint32_t output = position == EXRAY_NO_INDEX ? EXRAY_NO_INDEX : session->exposed_output[position];
        if (output == EXRAY_NO_INDEX)
            continue; /* state, or nothing: no value that LiteRT returns */
        const void *data = xr_litert_look(&session->exposed, output);
        exray_tensor record = {.kind = EXRAY_LAYER, .index = node, .output = k};
        xr_litert_log_value(&session->log, &record, position, &session->exposed.outputs[output], data);
        if (data)
            xr_litert_look_end(&session->exposed, output);
    }
}

static exray_status record_layers(xr_session *session, exray_error *error)
{
    if (!session->exposed_bytes.data)
        return EXRAY_OK;
    if (xr_litert_program_run(&session->exposed, error) != EXRAY_OK)
        return error->status;
    compare_outputs(session);
    for (uint32_t i = 0; i < session->log.main_nodes; i++)
        if (exray_wants(session->log.recorder, EXRAY_LAYER, i, session->file.model.nodes[i].name))
            record_layer(session, i);
    return EXRAY_OK;
}

static exray_status observed_run(xr_session *session, exray_error *error)
{
    exray_recorder *recorder = session->log.recorder;
    LiteRtProfiler profiler = session->deployed.profiler;
    uint64_t offset_ns = exray_frame_elapsed(recorder);
    session->api.ResetProfiler(profiler);
    session->api.StartProfiler(profiler);
    uint64_t begin_ns = exray_now(recorder);
    exray_status status = xr_litert_program_run(&session->deployed, error);
    uint64_t end_ns = exray_now(recorder);
    session->api.StopProfiler(profiler);
    if (status != EXRAY_OK || keep_outputs(session, error) != EXRAY_OK)
        return error->status;
    record_values(session, EXRAY_INPUT);
    status = record_layers(session, error);
    record_values(session, EXRAY_OUTPUT);
    xr_litert_log_latency(&session->log, &session->deployed, offset_ns);
    exray_frame_inference(recorder, end_ns - begin_ns);
    return status;
}

static exray_status session_run(xr_session *session, exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    if (session->observed)
        return observed_run(session, error);
    if (xr_litert_program_run(&session->deployed, error) != EXRAY_OK)
        return error->status;
    return keep_outputs(session, error);
}

static const char *const kernel_names[] = {"default", "xnnpack", "builtin", NULL};

extern const xr_engine xr_engine_litert;
const xr_engine xr_engine_litert = {
    .name = "litert",
    .kernels = kernel_names,
    .probe = xr_litert_probe,
    .open = session_open,
    .input = session_input,
    .output = session_output,
    .set_input = session_set_input,
    .run = session_run,
    .output_data = session_output_data,
    .close = session_close,
};
