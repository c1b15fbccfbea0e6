/* dladdr is not in POSIX.1-2008. */
#define _GNU_SOURCE
/* The engine "onnxruntime": what `record` and `replay` drive. */
#include "session.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Errors ------------------------------------------------------------------- */

exray_status xr_ort_check(const xr_ort_api *api, OrtStatus *status, const char *what, exray_error *error)
{
    if (!status)
        return EXRAY_OK;
    const char *message = api->GetErrorMessage(status);
    error->status = EXRAY_E_ENGINE;
    snprintf(error->message, sizeof error->message, "ONNX Runtime: %.120s: %.300s", what,
             message ? message : "?");
    error->message[strcspn(error->message, "\r\n")] = '\0';
    api->ReleaseStatus(status);
    return error->status;
}

static exray_status no_memory(exray_error *error)
{
    error->status = EXRAY_E_MEMORY;
    snprintf(error->message, sizeof error->message, "ONNX Runtime: out of memory");
    return error->status;
}

__attribute__((format(printf, 3, 4))) static exray_status refuse(exray_error *error, exray_status status,
                                                                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(error->message, sizeof error->message, format, arguments);
    va_end(arguments);
    return error->status = status;
}

/* ---- Sessions ------------------------------------------------------------------- */

exray_status xr_ort_create(xr_session *s, const void *model, size_t size, int level, const char *saved,
                           OrtSession **out, exray_error *error)
{
    OrtSessionOptions *options = NULL;
    const xr_ort_api *api = &s->api;
    exray_status status = xr_ort_check(api, api->CreateSessionOptions(&options), "options", error);
    if (!status)
        status = xr_ort_check(api, api->SetSessionGraphOptimizationLevel(options, level), "options", error);
    if (!status)
        status = xr_ort_check(api, api->SetIntraOpNumThreads(options, (int)s->threads), "threads", error);
    if (!status)
        status =
            xr_ort_check(api, api->SetSessionLogSeverityLevel(options, XR_ORT_LOG_ERROR), "options", error);
    if (!status && saved)
        status = xr_ort_check(api, api->SetOptimizedModelFilePath(options, saved), "options", error);
    if (!status)
        status = xr_ort_check(api, api->CreateSessionFromArray(s->env, model, size, options, out),
                              "cannot load the model", error);
    if (options)
        api->ReleaseSessionOptions(options);
    return status;
}

static bool find_level(const char *kernels, int *level)
{
    static const struct {
        const char *name;
        int level;
    } levels[] = {
        {"default", XR_ORT_LEVEL_ALL}, {"extended", XR_ORT_LEVEL_EXTENDED}, {"none", XR_ORT_LEVEL_NONE}};
    for (size_t i = 0; i < sizeof levels / sizeof *levels; i++)
        if (strcmp(kernels, levels[i].name) == 0) {
            *level = levels[i].level;
            return true;
        }
    return false;
}

/* ---- Inputs and outputs ------------------------------------------------------------ */

static exray_status take_type(const xr_ort_api *api, OrtTypeInfo *type, xr_ort_port *port, exray_error *error)
{
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    int element = 0;
    size_t rank = 0;
    exray_status status = xr_ort_check(api, api->CastTypeInfoToTensorInfo(type, &tensor), "types", error);
    if (!status && !tensor)
        status = refuse(error, EXRAY_E_UNSUPPORTED, "ONNX Runtime: %.200s is no tensor", port->name);
    if (!status)
        status = xr_ort_check(api, api->GetTensorElementType(tensor, &element), "types", error);
    if (!status)
        status = xr_ort_check(api, api->GetDimensionsCount(tensor, &rank), "shapes", error);
    if (!status && rank > EXRAY_MAX_RANK)
        status =
            refuse(error, EXRAY_E_UNSUPPORTED, "ONNX Runtime: %.200s has more than 8 dimensions", port->name);
    if (!status)
        status = xr_ort_check(api, api->GetDimensions(tensor, port->shape, rank), "shapes", error);
    if (status)
        return status;
    port->info = (exray_tensor_info){
        .name = port->name, .dtype = xr_ort_dtype(element), .rank = (uint32_t)rank, .shape = port->shape};
    return EXRAY_OK;
}

static exray_status describe_port(xr_session *s, bool input, size_t i, xr_ort_port *port, exray_error *error)
{
    const xr_ort_api *api = &s->api;
    OrtTypeInfo *type = NULL;
    OrtStatus *named = input ? api->SessionGetInputName(s->deployed, i, s->allocator, &port->name)
                             : api->SessionGetOutputName(s->deployed, i, s->allocator, &port->name);
    exray_status status = xr_ort_check(api, named, "names", error);
    if (status)
        return status;
    OrtStatus *typed = input ? api->SessionGetInputTypeInfo(s->deployed, i, &type)
                             : api->SessionGetOutputTypeInfo(s->deployed, i, &type);
    status = xr_ort_check(api, typed, "types", error);
    if (!status)
        status = take_type(api, type, port, error);
    if (type)
        api->ReleaseTypeInfo(type);
    return status;
}

/* A model may leave the batch open: one picture at a time.  Other open dimensions are the
 * caller's to refuse. */
static void close_batch(xr_ort_port *port)
{
    if (port->info.rank > 0 && port->shape[0] < 0)
        port->shape[0] = 1;
}

static size_t fixed_size(const exray_tensor_info *info)
{
    uint64_t bits = exray_dtype_bits(info->dtype);
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] <= 0 || bits > (UINT64_C(1) << 40) / (uint64_t)info->shape[i])
            return 0;
        bits *= (uint64_t)info->shape[i];
    }
    return (size_t)((bits + 7) / 8);
}

static exray_status make_input(xr_session *s, size_t i, exray_error *error)
{
    xr_ort_port *port = &s->input[i];
    close_batch(port);
    s->input_size[i] = fixed_size(&port->info);
    if (s->input_size[i] == 0)
        return refuse(
            error, EXRAY_E_UNSUPPORTED,
            "ONNX Runtime: the input %.200s has open dimensions or no fixed type; fix its shape in the "
            "model",
            port->name);
    s->input_bytes[i] = calloc(1, s->input_size[i]);
    if (!s->input_bytes[i])
        return no_memory(error);
    return xr_ort_check(&s->api,
                        s->api.CreateTensorWithDataAsOrtValue(
                            s->memory, s->input_bytes[i], s->input_size[i], port->shape, port->info.rank,
                            xr_ort_type(port->info.dtype), &s->input_value[i]),
                        "cannot make an input", error);
}

static exray_status describe_ports(xr_session *s, exray_error *error)
{
    exray_status status =
        xr_ort_check(&s->api, s->api.SessionGetInputCount(s->deployed, &s->input_count), "inputs", error);
    if (!status)
        status = xr_ort_check(&s->api, s->api.SessionGetOutputCount(s->deployed, &s->output_count), "outputs",
                              error);
    if (status)
        return status;
    s->input = calloc(s->input_count + 1, sizeof *s->input);
    s->output = calloc(s->output_count + 1, sizeof *s->output);
    s->input_bytes = calloc(s->input_count + 1, sizeof *s->input_bytes);
    s->input_size = calloc(s->input_count + 1, sizeof *s->input_size);
    s->input_value = calloc(s->input_count + 1, sizeof(OrtValue *));
    s->output_value = calloc(s->output_count + 1, sizeof(OrtValue *));
    if (!s->input || !s->output || !s->input_bytes || !s->input_size || !s->input_value || !s->output_value)
        return no_memory(error);
    for (size_t i = 0; !status && i < s->input_count; i++) {
        status = describe_port(s, true, i, &s->input[i], error);
        if (!status)
            status = make_input(s, i, error);
    }
    for (size_t i = 0; !status && i < s->output_count; i++) {
        status = describe_port(s, false, i, &s->output[i], error);
        close_batch(&s->output[i]);
    }
    return status;
}

bool xr_ort_describe(const xr_ort_api *api, const OrtValue *value, exray_tensor_info *info,
                     int64_t shape[EXRAY_MAX_RANK], const void **data, size_t *size)
{
    OrtTensorTypeAndShapeInfo *tensor = NULL;
    int element = 0, is_tensor = 0;
    size_t rank = 0;
    void *bytes = NULL;
    exray_error ignored = {EXRAY_OK, ""};
    bool ok = value && !xr_ort_check(api, api->IsTensor(value, &is_tensor), "", &ignored) && is_tensor &&
              !xr_ort_check(api, api->GetTensorTypeAndShape(value, &tensor), "", &ignored) &&
              !xr_ort_check(api, api->GetTensorElementType(tensor, &element), "", &ignored) &&
              !xr_ort_check(api, api->GetDimensionsCount(tensor, &rank), "", &ignored) &&
              rank <= EXRAY_MAX_RANK &&
              !xr_ort_check(api, api->GetDimensions(tensor, shape, rank), "", &ignored);
    if (tensor)
        api->ReleaseTensorTypeAndShapeInfo(tensor);
    if (!ok)
        return false;
    info->dtype = xr_ort_dtype(element);
    info->rank = (uint32_t)rank;
    info->shape = shape;
    uint64_t bits = exray_dtype_bits(info->dtype);
    for (size_t i = 0; i < rank; i++)
        bits *= (uint64_t)shape[i];
    *size = (size_t)((bits + 7) / 8);
    if (exray_dtype_bits(info->dtype) == 0)
        return false; /* strings */
    /* Mutable is what the interface has; nothing is changed. */
    union {
        const OrtValue *in;
        OrtValue *out;
    } access = {value};
    ok = !xr_ort_check(api, api->GetTensorMutableData(access.out, &bytes), "", &ignored);
    *data = *size ? bytes : "";
    return ok;
}

/* ---- The engine's functions ----------------------------------------------------------- */

static void release_outputs(xr_session *s)
{
    for (size_t i = 0; s->output_value && i < s->output_count; i++) {
        if (s->output_value[i])
            s->api.ReleaseValue(s->output_value[i]);
        s->output_value[i] = NULL;
    }
}

static void free_ports(xr_session *s, xr_ort_port *ports, size_t count)
{
    for (size_t i = 0; ports && i < count; i++)
        if (ports[i].name)
            s->api.AllocatorFree(s->allocator, ports[i].name);
    free(ports);
}

static void session_close(xr_session *s)
{
    if (!s)
        return;
    xr_ort_unobserve(s);
    release_outputs(s);
    for (size_t i = 0; i < s->input_count; i++) {
        if (s->input_value && s->input_value[i])
            s->api.ReleaseValue(s->input_value[i]);
        if (s->input_bytes)
            free(s->input_bytes[i]);
    }
    free_ports(s, s->input, s->input_count);
    free_ports(s, s->output, s->output_count);
    free(s->input_bytes);
    free(s->input_size);
    free(s->input_value);
    free(s->output_value);
    if (s->deployed)
        s->api.ReleaseSession(s->deployed);
    if (s->memory)
        s->api.ReleaseMemoryInfo(s->memory);
    if (s->env)
        s->api.ReleaseEnv(s->env);
    free(s); /* the library stays loaded: its thread pools and CPU detection are the process's */
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
    error->status = EXRAY_E_FORMAT;
    snprintf(error->message, sizeof error->message, "%.200s is not an ONNX model: %.180s; give a .onnx file",
             config->model_path ? config->model_path : "the model",
             config->model_size ? why.message : "it is empty");
    return error->status;
}

static exray_status start(xr_session *s, const xr_session_config *config, exray_error *error)
{
    const char *kernels = config->kernels ? config->kernels : "default";
    if (!find_level(kernels, &s->level))
        return refuse(error, EXRAY_E_ARGUMENT,
                      "ONNX Runtime has no kernels \"%.100s\": use default, extended or none (its graph "
                      "optimization)",
                      kernels);
    if (config->delegate)
        return refuse(error, EXRAY_E_ARGUMENT, "ONNX Runtime takes no delegates (%.200s)", config->delegate);
    s->threads = config->threads ? config->threads : 1;
    s->recorder = config->recorder;
    exray_status status = check_model(config, error);
    if (status)
        return status;
    void *library = xr_ort_open_library(config->library, error);
    if (!library)
        return error->status;
    if ((status = xr_ort_find(library, &s->api, error)) != EXRAY_OK)
        return status;
    const xr_ort_api *api = &s->api;
    if ((status = xr_ort_check(api, api->CreateEnv(XR_ORT_LOG_ERROR, "exray", &s->env), "start", error)) ||
        (status = xr_ort_check(api, api->GetAllocatorWithDefaultOptions(&s->allocator), "start", error)) ||
        (status = xr_ort_check(
             api, api->CreateCpuMemoryInfo(XR_ORT_DEVICE_ALLOCATOR, XR_ORT_DEFAULT_MEMORY, &s->memory),
             "start", error)) ||
        (status =
             xr_ort_create(s, config->model_data, config->model_size, s->level, NULL, &s->deployed, error)) ||
        (status = describe_ports(s, error)))
        return status;
    return s->recorder ? xr_ort_observe(s, config, error) : EXRAY_OK;
}

static xr_session *session_open(const xr_session_config *config, exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    xr_session *s = calloc(1, sizeof *s);
    if (!s) {
        no_memory(error);
        return NULL;
    }
    if (start(s, config, error) == EXRAY_OK)
        return s;
    session_close(s);
    return NULL;
}

static const exray_tensor_info *session_input(xr_session *s, uint32_t i)
{
    return i < s->input_count ? &s->input[i].info : NULL;
}

static const exray_tensor_info *session_output(xr_session *s, uint32_t i)
{
    return i < s->output_count ? &s->output[i].info : NULL;
}

static exray_status session_set_input(xr_session *s, uint32_t i, const void *data, size_t size,
                                      exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    if (i >= s->input_count || size != s->input_size[i]) {
        error->status = EXRAY_E_ARGUMENT;
        snprintf(error->message, sizeof error->message, "input %u (%.200s) takes %zu bytes, given %zu",
                 (unsigned)i, i < s->input_count ? s->input[i].name : "there is none",
                 i < s->input_count ? s->input_size[i] : 0, size);
        return error->status;
    }
    memcpy(s->input_bytes[i], data, size);
    return EXRAY_OK;
}

static exray_status run_deployed(xr_session *s, exray_error *error)
{
    enum { MOST = 256 };
    const char *in[MOST], *out[MOST];
    if (s->input_count > MOST || s->output_count > MOST)
        return refuse(error, EXRAY_E_UNSUPPORTED, "ONNX Runtime: %s", "more than 256 inputs or outputs");
    for (size_t i = 0; i < s->input_count; i++)
        in[i] = s->input[i].name;
    for (size_t i = 0; i < s->output_count; i++)
        out[i] = s->output[i].name;
    release_outputs(s);
    uint64_t begin = s->recorder ? exray_now(s->recorder) : 0;
    OrtStatus *ran = s->api.Run(s->deployed, NULL, in, (const OrtValue *const *)s->input_value,
                                s->input_count, out, s->output_count, s->output_value);
    uint64_t duration = s->recorder ? exray_now(s->recorder) - begin : 0;
    exray_status status = xr_ort_check(&s->api, ran, "the run failed", error);
    if (!status && s->recorder)
        exray_frame_inference(s->recorder, duration);
    for (size_t i = 0; !status && i < s->output_count; i++) { /* shapes may be those of this run */
        const void *data;
        size_t size;
        exray_tensor_info now = s->output[i].info;
        if (xr_ort_describe(&s->api, s->output_value[i], &now, s->output[i].shape, &data, &size))
            s->output[i].info = now;
    }
    return status;
}

static exray_status session_run(xr_session *s, exray_error *error)
{
    *error = (exray_error){EXRAY_OK, ""};
    exray_status status = run_deployed(s, error);
    return !status && s->observer ? xr_ort_record(s, error) : status;
}

static const void *session_output_data(xr_session *s, uint32_t i, size_t *size)
{
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    const void *data = NULL;
    *size = 0;
    return i < s->output_count && xr_ort_describe(&s->api, s->output_value[i], &info, shape, &data, size)
               ? data
               : NULL;
}

static void probe(const char *wanted, xr_engine_info *info)
{
    memset(info, 0, sizeof *info);
    exray_error error = {EXRAY_OK, ""};
    void *library = xr_ort_open_library(wanted, &error);
    xr_ort_api api;
    if (library && xr_ort_find(library, &api, &error) == EXRAY_OK) {
        Dl_info where;
        info->found = true;
        snprintf(info->version, sizeof info->version, "%s", api.version);
        void *symbol = dlsym(library, "OrtGetApiBase");
        if (symbol && dladdr(symbol, &where) && where.dli_fname)
            snprintf(info->library, sizeof info->library, "%s", where.dli_fname);
    }
    if (library)
        dlclose(library);
    snprintf(info->problem, sizeof info->problem, "%.*s", (int)sizeof info->problem - 1, error.message);
}

static const char *const kernels[] = {"default", "extended", "none", NULL};

const xr_engine xr_engine_onnxruntime = {
    .name = "onnxruntime",
    .kernels = kernels,
    .probe = probe,
    .open = session_open,
    .input = session_input,
    .output = session_output,
    .set_input = session_set_input,
    .run = session_run,
    .output_data = session_output_data,
    .close = session_close,
};
