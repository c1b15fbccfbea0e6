/* What an application links: its own session, observed. */
#include "core/host/taps.h"
#include "engines/onnxruntime/observe.h"
#include "engines/run_state.h"
#include "models/refuse.h"

#include <exray/onnxruntime.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct xr_ort_tap {
    xr_run_state state;
    xr_ort_api api;
    OrtEnv *env; /* ONNX Runtime has one per process: this is a reference to it */
    OrtSession *session;
    xr_ort_observer *observer;
} xr_ort_tap;

static void free_tap(xr_ort_tap *tap)
{
    xr_ort_unobserve(tap->observer);
    if (tap->env)
        tap->api.ReleaseEnv(tap->env);
    xr_run_state_close(&tap->state);
    free(tap);
}

static void on_close(void *user)
{
    xr_ort_tap *tap = user;
    xr_ort_conclude(tap->observer);
    free_tap(tap);
}

/* A texture: graphs are told apart by what they compute, and of zeros many compute nothing.  Integers may be
 * indices, they stay 0. */
static void fill_inputs(xr_ort_ports *ports)
{
    for (size_t i = 0; i < ports->input_count; i++) {
        exray_dtype dtype = ports->input[i].info.dtype;
        size_t size = ports->input_bytes[i] ? ports->input_size[i] : 0;
        for (size_t k = 0; dtype == EXRAY_DTYPE_FLOAT32 && k < size / sizeof(float); k++) {
            float value = (float)((uint32_t)(k * 2654435761u) >> 24) / 128.0F - 1.0F;
            memcpy((char *)ports->input_bytes[i] + k * sizeof value, &value, sizeof value);
        }
        for (size_t k = 0; (dtype == EXRAY_DTYPE_UINT8 || dtype == EXRAY_DTYPE_INT8) && k < size; k++)
            ((uint8_t *)ports->input_bytes[i])[k] = (uint8_t)((uint32_t)(k * 2654435761u) >> 24);
    }
}

static bool same_port(const exray_tensor_info *file, const xr_ort_port *port)
{
    if (file->dtype != port->info.dtype || file->rank != port->info.rank)
        return file->dtype == EXRAY_DTYPE_UNSPECIFIED;
    for (uint32_t i = 0; i < file->rank; i++)
        if (file->shape[i] >= 0 && port->declared[i] >= 0 && file->shape[i] != port->declared[i])
            return false;
    return true;
}

/* The first of the session's ports that the model file has not, or has of another type; NULL: none. */
static const char *odd_port(const xr_ort_port *ports, size_t count, const exray_model *model,
                            const uint32_t *positions, uint32_t position_count)
{
    for (size_t i = 0; i < count; i++) {
        bool known = false;
        for (uint32_t k = 0; k < position_count && !known; k++) {
            const exray_tensor_info *info =
                positions[k] < model->tensor_count ? &model->tensors[positions[k]] : NULL;
            known =
                info && info->name && strcmp(info->name, ports[i].name) == 0 && same_port(info, &ports[i]);
        }
        if (!known)
            return ports[i].name;
    }
    return NULL;
}

/* The session tells its inputs and outputs, and nothing else of its model. */
static void compare_with_file(const xr_ort_tap *tap, const xr_ort_ports *ports)
{
    const exray_model *model = &tap->observer->file.model;
    const char *odd = odd_port(ports->input, ports->input_count, model, model->inputs, model->input_count);
    if (!odd)
        odd = odd_port(ports->output, ports->output_count, model, model->outputs, model->output_count);
    if (!odd)
        return;
    char text[400];
    snprintf(text, sizeof text,
             "%.150s is not the session's model: it has no input or output %.100s of the session's type and "
             "shape; "
             "give the tap the session's own file",
             tap->state.model_path ? tap->state.model_path : "the model that the tap was given", odd);
    xr_say_event(tap->state.recorder, EXRAY_EVENT_ERROR, text);
}

/* Each record has its shape where the model leaves it open. */
static exray_status observe(xr_ort_tap *tap, const exray_ort_config *config, const xr_ort_making *making,
                            exray_error *error)
{
    xr_ort_ports ports;
    exray_status status = xr_ort_ports_open(&ports, &tap->api, tap->session, error);
    const xr_ort_call zeros = xr_ort_ports_call(&ports);
    fill_inputs(&ports);
    if (!status || status == EXRAY_E_UNSUPPORTED) {
        *error = (exray_error){EXRAY_OK, ""};
        const xr_ort_observation how = {
            .api = &tap->api,
            .recorder = tap->state.recorder,
            .model_path = tap->state.model_path,
            .model_data = tap->state.model_data,
            .model_size = tap->state.model_size,
            .kernels = config->kernels,
            .making = *making,
            .zeros = status || !xr_ort_ports_are_ready(&ports) ? NULL : &zeros,
            .no_constants = config->no_constants,
            .no_latency = config->no_latency,
            .cheap = true,
            .may_serve = !config->own_model_only,
        };
        bool told = !status;
        status = xr_ort_observe(&tap->observer, &how, error);
        if (told && tap->observer && tap->observer->file.format)
            compare_with_file(tap, &ports);
    }
    xr_ort_ports_close(&ports);
    return status;
}

static exray_status start(xr_ort_tap *tap, const struct OrtApiBase *base, const exray_ort_config *config,
                          exray_error *error)
{
    xr_ort_making making = {.options = config->options, .threads = config->threads};
    if (!xr_ort_level(config->kernels, &making.level))
        return xr_refuse(error, EXRAY_E_ARGUMENT,
                         "exray_ort_attach: kernels are \"default\", \"extended\" or \"none\" (the level of "
                         "graph optimization), not \"%.100s\"",
                         config->kernels);
    if (!making.options && !making.threads)
        making.threads = 1;
    exray_status status = xr_ort_fill(base, &tap->api, error);
    if (!status)
        status = xr_run_state_read_model(&tap->state, config->model_file, config->model_data,
                                         config->model_size, error);
    if (!status)
        status =
            xr_ort_check(&tap->api, tap->api.CreateEnv(XR_ORT_LOG_ERROR, "exray", &tap->env), "start", error);
    making.env = tap->env;
    return status ? status : observe(tap, config, &making, error);
}

exray_status exray_ort_attach(exray_recorder *recorder, const struct OrtApiBase *base,
                              struct OrtSession *session, const exray_ort_config *config)
{
    if (exray_recorder_error_status(recorder) != EXRAY_OK)
        return exray_recorder_error_status(recorder);
    if (!base || !session || !config)
        return exray_recorder_fail(recorder, EXRAY_E_ARGUMENT,
                                   "exray_ort_attach: base, session or config is NULL");
    exray_ort_config known;
    if (xr_tap_config(recorder, &known, sizeof known, config,
                      "exray_ort_attach: config (EXRAY_ORT_CONFIG_INIT): "))
        return exray_recorder_error_status(recorder);
    if (xr_closer_user(recorder, on_close))
        return exray_recorder_fail(
            recorder, EXRAY_E_STATE,
            "exray_ort_attach: the recorder observes a session already; open one for each");
    if (!xr_is_recording(recorder))
        return EXRAY_OK; /* capture level off: nothing is observed */
    exray_error error = {EXRAY_OK, ""};
    xr_ort_tap *tap = calloc(1, sizeof *tap);
    if (!tap)
        return exray_recorder_fail(recorder, EXRAY_E_MEMORY, "cannot attach to ONNX Runtime: out of memory");
    tap->state.recorder = recorder;
    tap->session = session;
    exray_status status = start(tap, base, &known, &error);
    status = xr_run_state_attach(&tap->state, status, &error, on_close, tap);
    if (status)
        free_tap(tap);
    return status;
}

/* The application's own table, whatever its version: Run is in all of them. */
static struct OrtStatus *run_unobserved(const struct OrtApi *api, const xr_ort_call *call)
{
    enum { RUN = 9 };
    xr_ort_api table = {0};
    memcpy(&table.Run, (const char *)api + RUN * sizeof(xr_ort_function), sizeof table.Run);
    return xr_ort_run(&table, call);
}

struct OrtStatus *exray_ort_run(exray_recorder *recorder, const struct OrtApi *api,
                                struct OrtSession *session, const struct OrtRunOptions *options,
                                const char *const *input_names, const struct OrtValue *const *inputs,
                                size_t input_count, const char *const *output_names, size_t output_count,
                                struct OrtValue **outputs)
{
    const xr_ort_call call = {.session = session,
                              .options = options,
                              .input_name = input_names,
                              .input = inputs,
                              .input_count = input_count,
                              .output_name = output_names,
                              .output_count = output_count,
                              .output = outputs};
    xr_ort_tap *tap = xr_closer_user(recorder, on_close);
    bool ours = tap && tap->session == session;
    if (!ours || !tap->state.live || !xr_is_recording(recorder)) {
        if (tap && !ours)
            tap->state.foreign_runs++;
        return run_unobserved(api, &call);
    }
    exray_error error = {EXRAY_OK, ""};
    xr_run_state_begin(&tap->state);
    OrtStatus *ran = xr_ort_observed_run(tap->observer, &call, &error);
    xr_run_state_end(&tap->state, ran == NULL);
    if (error.status)
        xr_run_state_fail(&tap->state, &error);
    return ran;
}
