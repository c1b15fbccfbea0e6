/* The engine "litert": what `record` and `replay` drive. */
#include "engines/litert/session_library.h"
#include "engines/session_open.h"
#include "models/refuse.h"
#include "models/tflite.h"

#include <stdlib.h>
#include <string.h>

typedef struct litert_session {
    xr_litert_api api;
    LiteRtEnvironment environment;
    xr_model_file file;
    xr_litert_config program; /* how `deployed` was opened */
    xr_litert_program deployed;
    uint8_t **outputs; /* [output_count] of the last run */
    bool observed;     /* there is a recorder */
    xr_litert_observer observer;
} litert_session;

/* The session that the engine's functions are called with. */
static litert_session *own(xr_session *session)
{
    return (litert_session *)session;
}

/* ---- Open ------------------------------------------------------------------------ */

static exray_status choose_kernels(const xr_session_config *config, const char **mode, const char **kernels,
                                   exray_error *error)
{
    if (xr_litert_kernels(config->kernels, mode, kernels, error) != EXRAY_OK)
        return error->status;
    if (config->delegate) {
        return xr_refuse(error, EXRAY_E_UNSUPPORTED,
                         "LiteRT takes no external delegate here: use --engine tflite with --delegate");
    }
    return EXRAY_OK;
}

static uint8_t **take_values(const xr_litert_port *ports, uint32_t count)
{
    uint8_t **values = calloc((size_t)count + 1, sizeof *values);
    for (uint32_t i = 0; values && i < count; i++)
        values[i] = calloc(ports[i].size + 1, 1); /* a NULL ends an incomplete table */
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

static void session_close(xr_session *base)
{
    litert_session *session = own(base);
    if (!session)
        return;
    free_values(session->outputs, session->deployed.output_count);
    xr_litert_unobserve(&session->observer);
    xr_litert_program_close(&session->deployed);
    if (session->environment)
        session->api.DestroyEnvironment(session->environment);
    xr_model_release(&session->file);
    /* The library stays loaded: what it sets up once for the process would be lost. */
    free(session);
}

static void on_close(void *user)
{
    litert_session *session = user;
    xr_litert_conclude(&session->observer);
}

static exray_status observe(litert_session *session, const xr_session_config *config,
                            const xr_litert_config *program, const char *version, const char *kernels,
                            exray_error *error)
{
    const xr_litert_logging how = {
        .recorder = config->recorder,
        .file = &session->file,
        .model_path = config->model_path,
        .version = version,
        .kernels = kernels,
        .threads = config->threads,
    };
    if (xr_litert_observe(&session->observer, &how, program, error) != EXRAY_OK)
        return error->status;
    exray_recorder_on_close(config->recorder, on_close, session);
    return xr_refuse_as_recorder(error, config->recorder);
}

static exray_status start(xr_session *base, const xr_session_config *config, exray_error *error)
{
    litert_session *session = own(base);
    char version[32];
    const char *kernels;
    xr_litert_config program = {.api = &session->api, .threads = config->threads ? config->threads : 1};
    session->observed = config->recorder != NULL;
    program.profile = session->observed;
    if (choose_kernels(config, &program.kernel_mode, &kernels, error) != EXRAY_OK ||
        xr_litert_read_model(config->model_data, config->model_size, config->model_path,
                             "; give a .tflite file", &session->file, error) != EXRAY_OK)
        return error->status;
    if (!xr_litert_open(config->library, &session->api, version, error) ||
        xr_litert_make_environment(&session->api, &session->environment, error) != EXRAY_OK)
        return error->status;
    program.environment = session->environment;
    session->program = program;
    if (xr_litert_program_open(&session->deployed, &program, &session->file, error) != EXRAY_OK)
        return error->status;
    session->outputs = take_values(session->deployed.outputs, session->deployed.output_count);
    if (!has_all(session->outputs, session->deployed.output_count))
        return xr_litert_no_memory(error);
    return session->observed ? observe(session, config, &program, version, kernels, error) : EXRAY_OK;
}

static xr_session *session_open(const xr_session_config *config, exray_error *error)
{
    return xr_session_open(sizeof(litert_session), start, session_close, config, error);
}

/* ---- Inputs and outputs -------------------------------------------------------------- */

static const exray_tensor_info *session_input(xr_session *base, uint32_t i)
{
    litert_session *session = own(base);
    return i < session->deployed.input_count ? &session->deployed.inputs[i].info : NULL;
}

static const exray_tensor_info *session_output(xr_session *base, uint32_t i)
{
    litert_session *session = own(base);
    return i < session->deployed.output_count ? &session->deployed.outputs[i].info : NULL;
}

/* The program is made for fixed shapes. */
static exray_status session_set_shape(xr_session *base, uint32_t i, const int64_t *shape, uint32_t rank,
                                      exray_error *error)
{
    return xr_session_check_shape(i, session_input(base, i), shape, rank, error);
}

static exray_status session_set_input(xr_session *base, uint32_t i, const void *data, size_t size,
                                      exray_error *error)
{
    litert_session *session = own(base);
    const xr_litert_port *port = i < session->deployed.input_count ? &session->deployed.inputs[i] : NULL;
    if (xr_session_check_input(i, session->deployed.input_count, port ? port->info.name : NULL,
                               port ? port->size : 0, size, error) != EXRAY_OK)
        return error->status;
    return xr_litert_write(&session->deployed, i, data, error);
}

static const void *session_output_data(xr_session *base, uint32_t i, size_t *size)
{
    litert_session *session = own(base);
    if (i >= session->deployed.output_count)
        return NULL;
    *size = session->deployed.outputs[i].size;
    return session->outputs[i];
}

/* ---- Run -------------------------------------------------------------------------------- */

static exray_status keep_outputs(litert_session *session, exray_error *error)
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

static exray_status session_run(xr_session *base, exray_error *error)
{
    litert_session *session = own(base);
    *error = (exray_error){EXRAY_OK, ""};
    LiteRtStatus ran = session->observed
                           ? xr_litert_observed_run(&session->observer, &session->deployed, error)
                           : xr_litert_program_run(&session->deployed);
    if (ran != 0)
        return xr_litert_fail(error, "the model failed to run", ran);
    return error->status ? error->status : keep_outputs(session, error);
}

static exray_status session_reset(xr_session *base, bool *kept, exray_error *error)
{
    litert_session *session = own(base);
    *kept = xr_tflite_keeps_state(&session->file);
    *error = (exray_error){EXRAY_OK, ""};
    if (!*kept)
        return EXRAY_OK;
    xr_litert_program_close(&session->deployed);
    exray_status status =
        xr_litert_program_open(&session->deployed, &session->program, &session->file, error);
    return status ? status : xr_litert_observed_reset(&session->observer, &session->program, error);
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
    .set_shape = session_set_shape,
    .set_input = session_set_input,
    .run = session_run,
    .output_data = session_output_data,
    .reset = session_reset,
    .close = session_close,
};
