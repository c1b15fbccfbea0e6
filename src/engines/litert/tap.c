/* What an application links: its own compiled model, observed. */
#include "core/host/taps.h"
#include "engines/litert/litert.h"
#include "engines/run_state.h"
#include "models/refuse.h"

#include <exray/litert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

typedef struct xr_litert_tap {
    xr_run_state state;
    xr_litert_api api;
    LiteRtEnvironment environment;
    xr_model_file file;
    xr_litert_program deployed; /* the application's */
    xr_litert_observer observer;
    LiteRtCompiledModel compiled; /* that of the first run; NULL: none yet */
} xr_litert_tap;

/* LiteRtRunCompiledModel, for unobserved runs: they must work whatever failed. */
static _Atomic(void *) run_function;

static void free_tap(xr_litert_tap *tap)
{
    xr_litert_unobserve(&tap->observer);
    xr_litert_program_close(&tap->deployed);
    if (tap->environment)
        tap->api.DestroyEnvironment(tap->environment);
    xr_model_release(&tap->file);
    xr_run_state_close(&tap->state);
    free(tap);
}

static void on_close(void *user)
{
    xr_litert_tap *tap = user;
    xr_litert_conclude(&tap->observer);
    free_tap(tap);
}

/* ---- Attach --------------------------------------------------------------------------- */

static exray_status find_engine(xr_litert_tap *tap, const exray_litert_config *config, char version[32],
                                exray_error *error)
{
    char path[1024];
    xr_litert_locate(config->library, path);
    if (!path[0]) {
        return xr_refuse(
            error, EXRAY_E_ENGINE,
            "no LiteRT found (no symbol " XR_LITERT_OWN_SYMBOL "): link libLiteRt, export a statically "
            "linked one's symbols (-rdynamic), or give its dlopen handle in exray_litert_config.library");
    }
    exray_status status = xr_litert_identify(path, config->version, version, error);
    return status ? status : xr_litert_find(config->library, path, &tap->api, error);
}

static exray_status read_model(xr_litert_tap *tap, const exray_litert_config *config, exray_error *error)
{
    xr_run_state *state = &tap->state;
    exray_status status =
        xr_run_state_read_model(state, config->model_file, config->model_data, config->model_size, error);
    return status ? status
                  : xr_litert_read_model(state->model_data, state->model_size, state->model_path, "",
                                         &tap->file, error);
}

static exray_status start(xr_litert_tap *tap, const exray_litert_config *config, exray_error *error)
{
    char version[32];
    xr_litert_config program = {.api = &tap->api, .threads = config->threads ? config->threads : 1};
    xr_litert_logging how = {.recorder = tap->state.recorder,
                             .file = &tap->file,
                             .model_path = config->model_file,
                             .version = version,
                             .threads = config->threads,
                             .no_constants = config->no_constants,
                             .may_serve = !config->own_model_only};
    if (xr_litert_kernels(config->kernels, &program.kernel_mode, &how.kernels, error) != EXRAY_OK ||
        find_engine(tap, config, version, error) != EXRAY_OK || read_model(tap, config, error) != EXRAY_OK ||
        xr_litert_make_environment(&tap->api, &tap->environment, error) != EXRAY_OK)
        return error->status;
    program.environment = tap->environment;
    if (xr_litert_program_borrow(&tap->deployed, &tap->api, tap->environment, &tap->file, error) != EXRAY_OK)
        return error->status;
    return xr_litert_observe(&tap->observer, &how, &program, error);
}

/* The last step: added options cannot be removed again. */
static exray_status ask_for_times(xr_litert_tap *tap, LiteRtOptions options, exray_error *error)
{
    LiteRtStatus status = options ? xr_litert_add_text(&tap->api, options, XR_LITERT_PROFILING) : 0;
    return status == 0 ? EXRAY_OK : xr_litert_fail(error, "cannot ask for a profiler", status);
}

exray_status exray_litert_attach(exray_recorder *recorder, struct LiteRtOptionsT *options,
                                 const exray_litert_config *config)
{
    exray_litert_config known = EXRAY_LITERT_CONFIG_INIT;
    exray_status status =
        config ? xr_tap_config(recorder, &known, sizeof known, config,
                               "exray_litert_attach: config (EXRAY_LITERT_CONFIG_INIT): ")
               : exray_recorder_fail(recorder, EXRAY_E_ARGUMENT, "exray_litert_attach: config is NULL");
    if (!status) /* also for a recorder that failed: runs go on */
        atomic_store(&run_function, xr_litert_symbol(known.library, "LiteRtRunCompiledModel"));
    if (exray_recorder_error_status(recorder) != EXRAY_OK)
        return exray_recorder_error_status(recorder);
    if (xr_closer_user(recorder, on_close))
        return exray_recorder_fail(
            recorder, EXRAY_E_STATE,
            "exray_litert_attach: the recorder observes a model already; open one for each");
    if (!xr_is_recording(recorder))
        return EXRAY_OK; /* capture level off: nothing is observed */
    exray_error error = {EXRAY_OK, ""};
    xr_litert_tap *tap = calloc(1, sizeof *tap);
    if (!tap)
        return exray_recorder_fail(recorder, EXRAY_E_MEMORY, "cannot attach to LiteRT: out of memory");
    tap->state.recorder = recorder;
    status = start(tap, &known, &error);
    if (!status)
        status = ask_for_times(tap, options, &error);
    status = xr_run_state_attach(&tap->state, status, &error, on_close, tap);
    if (status)
        free_tap(tap);
    return status;
}

/* ---- Runs ------------------------------------------------------------------------------- */

static int run_unobserved(LiteRtCompiledModel compiled, size_t signature, size_t input_count,
                          LiteRtTensorBuffer *inputs, size_t output_count, LiteRtTensorBuffer *outputs)
{
    enum { NOT_FOUND = -1 };
    xr_litert_api api = {0};
    void *address = atomic_load(&run_function);
    if (!address)
        address = xr_litert_symbol(NULL, "LiteRtRunCompiledModel");
    if (!address)
        return NOT_FOUND;
    memcpy(&api.RunCompiledModel, &address, sizeof address);
    return api.RunCompiledModel(compiled, signature, input_count, inputs, output_count, outputs);
}

/* Whether it is a run of the model that was attached to. */
static bool is_ours(xr_litert_tap *tap, LiteRtCompiledModel compiled, size_t signature, size_t input_count,
                    size_t output_count)
{
    if (signature != tap->deployed.signature || input_count != tap->deployed.input_count ||
        output_count != tap->deployed.output_count || (tap->compiled && tap->compiled != compiled))
        return false;
    tap->compiled = compiled;
    return true;
}

int exray_litert_run(exray_recorder *recorder, struct LiteRtCompiledModelT *compiled, size_t signature,
                     size_t input_count, struct LiteRtTensorBufferT **inputs, size_t output_count,
                     struct LiteRtTensorBufferT **outputs)
{
    xr_litert_tap *tap = xr_closer_user(recorder, on_close);
    if (!tap || !tap->state.live || !xr_is_recording(recorder))
        return run_unobserved(compiled, signature, input_count, inputs, output_count, outputs);
    exray_error error = {EXRAY_OK, ""};
    bool ours = is_ours(tap, compiled, signature, input_count, output_count);
    tap->state.foreign_runs += !ours;
    if (ours && xr_litert_program_lend(&tap->deployed, compiled, inputs, outputs, &error) != EXRAY_OK)
        xr_run_state_fail(&tap->state, &error);
    if (!ours || error.status)
        return run_unobserved(compiled, signature, input_count, inputs, output_count, outputs);
    xr_run_state_begin(&tap->state);
    LiteRtStatus ran = xr_litert_observed_run(&tap->observer, &tap->deployed, &error);
    xr_run_state_end(&tap->state, ran == 0);
    if (error.status)
        xr_run_state_fail(&tap->state, &error);
    return ran;
}
