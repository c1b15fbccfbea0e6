/* dladdr is not in POSIX.1-2008. */
#define _GNU_SOURCE
/* The engine "onnxruntime": what `record` and `replay` drive. */
#include "engines/engine.h"
#include "engines/library.h"
#include "engines/onnxruntime/observe.h"
#include "engines/session_open.h"
#include "models/refuse.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct ort_session {
    xr_ort_api api;
    OrtEnv *env;
    OrtSession *deployed;
    xr_ort_ports ports;
    xr_ort_observer *observer; /* NULL: unobserved */
} ort_session;

/* The session that the engine's functions are called with. */
static ort_session *own(xr_session *session)
{
    return (ort_session *)session;
}

/* ---- The library ---------------------------------------------------------------------- */

static const char *const system_names[] = {"libonnxruntime.so.1", "libonnxruntime.so", NULL};

static const xr_library_place place = {
    .engine = "ONNX Runtime",
    .bundled = "engines/onnxruntime-" XR_ARCH "/libonnxruntime.so",
    .package = XR_PACKAGE_ORT,
    .environment = "EXRAY_ORT_LIB",
    .symbol = "OrtGetApiBase",
    .system_names = system_names,
};

static exray_status find_functions(void *library, xr_ort_api *api, exray_error *error)
{
    void *address = dlsym(library, place.symbol);
    const OrtApiBase *(*get_base)(void);
    memcpy(&get_base, &address, sizeof address); /* as POSIX promises of dlsym */
    return xr_ort_fill(address ? get_base() : NULL, api, error);
}

/* ---- The engine's functions ----------------------------------------------------------- */

static void session_close(xr_session *base)
{
    ort_session *s = own(base);
    if (!s)
        return;
    xr_ort_unobserve(s->observer);
    xr_ort_ports_close(&s->ports);
    if (s->deployed)
        s->api.ReleaseSession(s->deployed);
    if (s->env)
        s->api.ReleaseEnv(s->env);
    free(s); /* the library stays loaded: its thread pools and CPU detection belong to the process */
}

static exray_status check_model(const xr_session_config *config, exray_error *error)
{
    xr_model_file file;
    exray_error why = {EXRAY_OK, ""};
    if (config->model_size &&
        xr_model_read(config->model_data, config->model_size, &file, &why) == EXRAY_OK) {
        bool onnx = strcmp(file.format->name, "onnx") == 0;
        xr_model_release(&file);
        if (onnx)
            return EXRAY_OK;
        snprintf(why.message, sizeof why.message, "it is of another format");
    }
    return xr_refuse(error, EXRAY_E_FORMAT, "%.200s is not an ONNX model: %.180s; give a .onnx file",
                     config->model_path ? config->model_path : "the model",
                     config->model_size ? why.message : "it is empty");
}

static void say_remarks(void *user)
{
    ort_session *s = user;
    xr_ort_conclude(s->observer);
}

static exray_status observe(ort_session *s, const xr_session_config *config, const xr_ort_making *how,
                            exray_error *error)
{
    const xr_ort_call zeros = xr_ort_ports_call(&s->ports);
    const xr_ort_observation o = {
        .api = &s->api,
        .recorder = config->recorder,
        .model_path = config->model_path,
        .model_data = config->model_data,
        .model_size = config->model_size,
        .kernels = config->kernels,
        .making = *how,
        .zeros = xr_ort_ports_are_ready(&s->ports) ? &zeros : NULL,
    };
    exray_status status = xr_ort_observe(&s->observer, &o, error);
    if (status)
        return status;
    exray_recorder_on_close(config->recorder, say_remarks, s);
    return xr_refuse_as_recorder(error, config->recorder);
}

static exray_status set_shape(ort_session *s, uint32_t i, const int64_t *shape, uint32_t rank,
                              exray_error *error)
{
    bool there = i < s->ports.input_count;
    exray_tensor_info declared = there ? s->ports.input[i].info : (exray_tensor_info){0};
    if (there)
        declared.shape = s->ports.input[i].declared;
    exray_status status = xr_session_check_shape(i, there ? &declared : NULL, shape, rank, error);
    return status ? status : xr_ort_ports_set_shape(&s->ports, i, shape, error);
}

static exray_status start(xr_session *base, const xr_session_config *config, exray_error *error)
{
    ort_session *s = own(base);
    xr_ort_making how = {.threads = config->threads ? config->threads : 1};
    if (!xr_ort_level(config->kernels, &how.level))
        return xr_refuse(error, EXRAY_E_ARGUMENT,
                         "ONNX Runtime has no kernels \"%.100s\": use default, extended or none (its "
                         "graph optimization)",
                         config->kernels);
    if (config->delegate)
        return xr_refuse(error, EXRAY_E_ARGUMENT, "ONNX Runtime takes no delegates (%.200s)",
                         config->delegate);
    exray_status status = check_model(config, error);
    if (status)
        return status;
    void *library = xr_library_open(&place, config->library, error);
    if (!library)
        return error->status;
    if ((status = find_functions(library, &s->api, error)) != EXRAY_OK)
        return status;
    const xr_ort_api *api = &s->api;
    status = xr_ort_check(api, api->CreateEnv(XR_ORT_LOG_ERROR, "exray", &s->env), "start", error);
    how.env = s->env;
    if (!status)
        status = xr_ort_create(api, &how, config->model_data, config->model_size, &s->deployed, error);
    if (!status)
        status = xr_ort_ports_open(&s->ports, api, s->deployed, error);
    for (uint32_t i = 0; !status && i < config->shape_count && i < s->ports.input_count; i++)
        status = set_shape(s, i, config->shapes[i].shape, config->shapes[i].rank, error);
    if (!status && config->recorder)
        status = observe(s, config, &how, error);
    xr_ort_ports_forget_shapes(&s->ports);
    return status;
}

static xr_session *session_open(const xr_session_config *config, exray_error *error)
{
    return xr_session_open(sizeof(ort_session), start, session_close, config, error);
}

static const exray_tensor_info *session_input(xr_session *session, uint32_t i)
{
    ort_session *s = own(session);
    return i < s->ports.input_count ? &s->ports.input[i].info : NULL;
}

static const exray_tensor_info *session_output(xr_session *session, uint32_t i)
{
    ort_session *s = own(session);
    return i < s->ports.output_count ? &s->ports.output[i].info : NULL;
}

static exray_status session_set_shape(xr_session *session, uint32_t i, const int64_t *shape, uint32_t rank,
                                      exray_error *error)
{
    return set_shape(own(session), i, shape, rank, error);
}

static exray_status session_set_input(xr_session *session, uint32_t i, const void *data, size_t size,
                                      exray_error *error)
{
    ort_session *s = own(session);
    const xr_ort_ports *p = &s->ports;
    bool there = i < p->input_count;
    if (xr_session_check_input(i, (uint32_t)p->input_count, there ? p->input[i].name : NULL,
                               there ? p->input_size[i] : 0, size, error) != EXRAY_OK)
        return error->status;
    memcpy(p->input_bytes[i], data, size);
    return EXRAY_OK;
}

static exray_status session_run(xr_session *session, exray_error *error)
{
    ort_session *s = own(session);
    xr_ort_ports *p = &s->ports;
    *error = (exray_error){EXRAY_OK, ""};
    if (!xr_ort_ports_are_ready(p))
        return xr_refuse(error, EXRAY_E_STATE, "ONNX Runtime: an input has open dimensions and got no shape");
    xr_ort_release_values(&s->api, p->output_value, p->output_count);
    const xr_ort_call call = xr_ort_ports_call(p);
    OrtStatus *ran =
        s->observer ? xr_ort_observed_run(s->observer, &call, error) : xr_ort_run(&s->api, &call);
    if (ran)
        return xr_ort_check(&s->api, ran, "the run failed", error);
    for (size_t i = 0; i < p->output_count; i++) { /* shapes may be of this run only */
        const void *data;
        size_t size;
        exray_tensor_info now = p->output[i].info;
        if (xr_ort_describe(&s->api, p->output_value[i], &now, p->output[i].shape, &data, &size))
            p->output[i].info = now;
    }
    return error->status;
}

static const void *session_output_data(xr_session *session, uint32_t i, size_t *size)
{
    ort_session *s = own(session);
    const xr_ort_ports *p = &s->ports;
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    const void *data = NULL;
    *size = 0;
    return i < p->output_count && xr_ort_describe(&s->api, p->output_value[i], &info, shape, &data, size)
               ? data
               : NULL;
}

static void probe(const char *wanted, xr_engine_info *info)
{
    memset(info, 0, sizeof *info);
    exray_error error = {EXRAY_OK, ""};
    void *library = xr_library_open(&place, wanted, &error);
    xr_ort_api api;
    if (library && find_functions(library, &api, &error) == EXRAY_OK) {
        Dl_info where;
        info->found = true;
        snprintf(info->version, sizeof info->version, "%s", api.version);
        void *symbol = dlsym(library, place.symbol);
        if (symbol && dladdr(symbol, &where) && where.dli_fname)
            snprintf(info->library, sizeof info->library, "%s", where.dli_fname);
    }
    if (library)
        dlclose(library);
    xr_engine_info_problem(info, &error);
}

static const char *const kernels[] = {"default", "extended", "none", NULL};

const xr_engine xr_engine_onnxruntime = {
    .name = "onnxruntime",
    .kernels = kernels,
    .probe = probe,
    .open = session_open,
    .input = session_input,
    .output = session_output,
    .set_shape = session_set_shape,
    .set_input = session_set_input,
    .run = session_run,
    .output_data = session_output_data,
    .close = session_close,
};
