/* The engine "tflite": what `record` and `replay` drive. */
#define _POSIX_C_SOURCE 200809L
#include "engines/session_open.h"
#include "engines/tflite/session_delegate.h"
#include "engines/tflite/session_library.h"
#include "engines/tflite/tap_tensor.h"
#include "models/model_file.h"
#include "models/refuse.h"
#include "models/tflite.h"

#include <exray/tflite.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A model's input or output as it is now. */
typedef struct port {
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    int64_t declared[EXRAY_MAX_RANK]; /* inputs: the model's, -1: open */
    bool open;                        /* inputs: some dimension but the first is open, and not set yet */
} port;

typedef struct tflite_session {
    void *library;
    xr_tflite_session_api api;
    xr_tflite_tap_api tensors; /* the same tensors, seen through the opaque functions */
    xr_tflite_xnnpack_api xnnpack;
    TfLiteModel *model;
    TfLiteInterpreterOptions *options;
    TfLiteDelegate *delegate; /* XNNPACK's, or NULL */
    xr_tflite_external external;
    TfLiteInterpreter *interpreter;
    exray_recorder *recorder; /* NULL: not observed */
    xr_tap_block *blocks;
    port *inputs, *outputs;
    uint32_t input_count, output_count;
    bool keeps_state;    /* variables; the model's own */
    char complaint[240]; /* the first line that TFLite reported of a failure */
} tflite_session;

/* The session that the engine's functions are called with. */
static tflite_session *own(xr_session *session)
{
    return (tflite_session *)session;
}

/* ---- Errors ------------------------------------------------------------------ */

/* Keeps what TFLite would print, for the error's one line. */
XR_TFLITE_REPORTER static void keep_complaint(void *user, const char *format, va_list args)
{
    tflite_session *session = user;
    if (session->complaint[0])
        return;
    vsnprintf(session->complaint, sizeof session->complaint, format, args);
    session->complaint[strcspn(session->complaint, "\r\n")] = '\0';
}

static exray_status fail(tflite_session *session, exray_error *error, const char *what)
{
    xr_refuse(error, EXRAY_E_ENGINE, "TensorFlow Lite: %.220s%s%s", what, session->complaint[0] ? ": " : "",
              session->complaint);
    session->complaint[0] = '\0';
    return error->status;
}

/* ---- Model -------------------------------------------------------------------- */

/* Only tells "not a model" from "a damaged one".  The
 * library verifies the FlatBuffer's structure itself (TfLiteModelCreate); what a
 * well-formed but hostile graph makes its kernels do is beyond what can be
 * checked here: run models that you do not trust in a sandbox. */
static exray_status check_model(const xr_session_config *config, exray_error *error)
{
    const char *name = config->model_path ? config->model_path : "the model";
    const char *why = NULL;
    if (!config->model_data || config->model_size == 0)
        why = "it is empty";
    else if (config->model_size < 8 || memcmp((const char *)config->model_data + 4, "TFL3", 4) != 0)
        why = "it lacks the identifier TFL3";
    else if (xr_tflite_subgraph_count(config->model_data, config->model_size) == 0)
        why = "it is damaged or cut short, or holds no graph";
    if (!why)
        return EXRAY_OK;
    xr_refuse(error, EXRAY_E_FORMAT, "%.350s is not a TensorFlow Lite model: %s; give a .tflite file", name,
              why);
    return error->status;
}

static exray_status load_model(tflite_session *session, const xr_session_config *config, exray_error *error)
{
    session->model = session->api.ModelCreateWithErrorReporter(config->model_data, config->model_size,
                                                               keep_complaint, session);
    if (session->model)
        return EXRAY_OK;
    char what[256];
    snprintf(what, sizeof what, "cannot load %.200s (a damaged file?)",
             config->model_path ? config->model_path : "the model");
    fail(session, error, what);
    return error->status = EXRAY_E_FORMAT;
}

/* ---- Options ------------------------------------------------------------------- */

static exray_status add_xnnpack(tflite_session *session, unsigned threads, exray_error *error)
{
    exray_status status = xr_tflite_find_xnnpack(session->library, &session->xnnpack, error);
    if (status != EXRAY_OK)
        return status;
    TfLiteXNNPackDelegateOptions options = session->xnnpack.XNNPackDelegateOptionsDefault();
    options.num_threads = (int32_t)threads;
    session->delegate = session->xnnpack.XNNPackDelegateCreate(&options);
    if (!session->delegate)
        return fail(session, error, "cannot create the XNNPACK delegate");
    session->tensors.InterpreterOptionsAddDelegate(session->options, session->delegate);
    return EXRAY_OK;
}

/* Added before XNNPACK: the first delegate chooses its nodes first. */
static exray_status add_external(tflite_session *session, const char *spec, exray_error *error)
{
    exray_status status = xr_tflite_load_delegate(session->library, spec, &session->external, error);
    if (status == EXRAY_OK)
        session->tensors.InterpreterOptionsAddDelegate(session->options, session->external.delegate);
    return status;
}

/* What /model says about the kernels; NULL: the tap finds the delegate's name. */
static const char *kernels_in_use(const xr_session_config *config, bool xnnpack)
{
    return xnnpack ? "xnnpack" : config->delegate ? NULL : "builtin";
}

static exray_status make_options(tflite_session *session, const xr_session_config *config, exray_error *error)
{
    const char *kernels = config->kernels ? config->kernels : "default";
    unsigned threads = config->threads ? config->threads : 1;
    bool xnnpack = strcmp(kernels, "xnnpack") == 0;
    if (!xnnpack && strcmp(kernels, "default") != 0 && strcmp(kernels, "builtin") != 0) {
        return xr_refuse(error, EXRAY_E_ARGUMENT,
                         "TensorFlow Lite has no kernels \"%.100s\": use default, builtin or xnnpack",
                         kernels);
    }
    session->options = session->api.InterpreterOptionsCreate();
    if (!session->options)
        return fail(session, error, "cannot create options");
    session->api.InterpreterOptionsSetNumThreads(session->options, (int32_t)threads);
    session->api.InterpreterOptionsSetErrorReporter(session->options, keep_complaint, session);
    if (config->delegate && add_external(session, config->delegate, error) != EXRAY_OK)
        return error->status;
    if (xnnpack && add_xnnpack(session, threads, error) != EXRAY_OK)
        return error->status;
    if (!config->recorder)
        return EXRAY_OK;
    const exray_tflite_config tap = {
        .size = sizeof(exray_tflite_config),
        .model_file = config->model_path,
        .model_data = config->model_data,
        .model_size = config->model_size,
        .library = session->library,
        .kernels = kernels_in_use(config, xnnpack),
        .threads = threads,
    };
    exray_tflite_attach(config->recorder, session->options, &tap);
    if (config->delegate)
        exray_recorder_log_metadata(config->recorder, "exray.delegate",
                                    &(exray_key_value){"asked_for", config->delegate}, 1);
    return xr_refuse_as_recorder(error, config->recorder);
}

/* ---- Inputs and outputs ---------------------------------------------------------- */

/* A TfLiteTensor and a TfLiteOpaqueTensor are one object with two names. */
static const TfLiteOpaqueTensor *input_tensor(const tflite_session *session, uint32_t i)
{
    return (const void *)session->api.InterpreterGetInputTensor(session->interpreter, (int32_t)i);
}

static const TfLiteOpaqueTensor *output_tensor(const tflite_session *session, uint32_t i)
{
    return (const void *)session->api.InterpreterGetOutputTensor(session->interpreter, (int32_t)i);
}

static void refresh(const tflite_session *session, port *at, const TfLiteOpaqueTensor *tensor)
{
    bool pair;
    at->info.dtype = xr_tflite_dtype(session->tensors.OpaqueTensorType(tensor), &pair);
    at->info.rank = xr_tflite_shape(&session->tensors, tensor, at->shape);
    at->info.shape = at->shape;
}

/* An input with open dimensions shows them until they are set; an open batch is 1, as the interpreter has it.
 */
static void describe_input(const tflite_session *session, port *at, const TfLiteOpaqueTensor *tensor)
{
    uint32_t rank = at->info.rank;
    memcpy(at->declared, at->info.shape, rank * sizeof *at->declared);
    refresh(session, at, tensor);
    for (uint32_t k = 1; k < rank && rank == at->info.rank; k++)
        if (at->declared[k] < 0) {
            at->shape[k] = -1;
            at->open = true;
        }
}

static exray_status describe_ports(tflite_session *session, exray_error *error)
{
    int32_t inputs = session->api.InterpreterGetInputTensorCount(session->interpreter);
    int32_t outputs = session->api.InterpreterGetOutputTensorCount(session->interpreter);
    session->input_count = inputs > 0 ? (uint32_t)inputs : 0;
    session->output_count = outputs > 0 ? (uint32_t)outputs : 0;
    session->inputs = xr_tap_alloc(&session->blocks, session->input_count, sizeof(port));
    session->outputs = xr_tap_alloc(&session->blocks, session->output_count, sizeof(port));
    bool ok = session->inputs && session->outputs;
    for (uint32_t i = 0; ok && i < session->input_count; i++) {
        ok = xr_tap_describe_tensor(&session->tensors, &session->blocks, input_tensor(session, i),
                                    &session->inputs[i].info);
        if (ok)
            describe_input(session, &session->inputs[i], input_tensor(session, i));
    }
    for (uint32_t i = 0; ok && i < session->output_count; i++)
        ok = xr_tap_describe_tensor(&session->tensors, &session->blocks, output_tensor(session, i),
                                    &session->outputs[i].info);
    return ok ? EXRAY_OK : fail(session, error, "out of memory");
}

/* ---- The engine's functions -------------------------------------------------------- */

static void session_close(xr_session *base)
{
    tflite_session *session = own(base);
    if (!session)
        return;
    if (session->interpreter)
        session->api.InterpreterDelete(session->interpreter);
    if (session->options)
        session->api.InterpreterOptionsDelete(session->options);
    if (session->delegate)
        session->xnnpack.XNNPackDelegateDelete(session->delegate);
    xr_tflite_free_delegate(&session->external);
    if (session->model)
        session->api.ModelDelete(session->model);
    xr_tap_free(&session->blocks);
    /* The library stays loaded: what it sets up once for the process (CPU
     * detection, thread pools) would be lost and set up again with each session. */
    free(session);
}

/* A file that cannot be described here, but runs, may keep one. */
static bool keeps_state(const xr_session_config *config)
{
    xr_model_file file;
    exray_error ignored = {EXRAY_OK, ""};
    if (xr_model_read(config->model_data, config->model_size, &file, &ignored) != EXRAY_OK)
        return true;
    bool kept = xr_tflite_keeps_state(&file);
    xr_model_release(&file);
    return kept;
}

static exray_status make_interpreter(tflite_session *session, exray_error *error)
{
    session->interpreter = session->api.InterpreterCreate(session->model, session->options);
    if (!session->interpreter)
        return fail(session, error, "cannot build an interpreter for the model");
    if (session->api.InterpreterAllocateTensors(session->interpreter) != kTfLiteOk)
        return fail(session, error, "cannot allocate the model's tensors");
    /* A tap that cannot observe has set the recorder's error. */
    if (session->recorder && xr_refuse_as_recorder(error, session->recorder) != EXRAY_OK)
        return error->status;
    session->complaint[0] = '\0';
    return EXRAY_OK;
}

static exray_status start(xr_session *base, const xr_session_config *config, exray_error *error)
{
    tflite_session *session = own(base);
    exray_status status = check_model(config, error);
    if (status != EXRAY_OK)
        return status;
    session->recorder = config->recorder;
    session->library = xr_tflite_open_library(config->library, error);
    if (!session->library)
        return error->status;
    if ((status = xr_tflite_find_tap(session->library, &session->tensors, error)) != EXRAY_OK ||
        (status = xr_tflite_find_session(session->library, &session->api, error)) != EXRAY_OK ||
        (status = load_model(session, config, error)) != EXRAY_OK ||
        (status = make_options(session, config, error)) != EXRAY_OK)
        return status;
    if ((status = make_interpreter(session, error)) != EXRAY_OK)
        return status;
    session->keeps_state = keeps_state(config);
    return describe_ports(session, error);
}

static xr_session *session_open(const xr_session_config *config, exray_error *error)
{
    return xr_session_open(sizeof(tflite_session), start, session_close, config, error);
}

static const exray_tensor_info *session_input(xr_session *base, uint32_t i)
{
    tflite_session *session = own(base);
    return i < session->input_count ? &session->inputs[i].info : NULL;
}

static const exray_tensor_info *session_output(xr_session *base, uint32_t i)
{
    tflite_session *session = own(base);
    if (i >= session->output_count)
        return NULL;
    refresh(session, &session->outputs[i], output_tensor(session, i)); /* dynamic ones change with each run */
    return &session->outputs[i].info;
}

static exray_status session_set_shape(xr_session *base, uint32_t i, const int64_t *shape, uint32_t rank,
                                      exray_error *error)
{
    tflite_session *session = own(base);
    port *at = i < session->input_count ? &session->inputs[i] : NULL;
    exray_tensor_info declared = at ? at->info : (exray_tensor_info){0};
    if (at)
        declared.shape = at->declared;
    if (xr_session_check_shape(i, at ? &declared : NULL, shape, rank, error) != EXRAY_OK || !at)
        return error->status;
    int dims[EXRAY_MAX_RANK];
    bool same = !at->open;
    for (uint32_t k = 0; k < rank; k++) {
        dims[k] = (int)shape[k];
        same = same && at->shape[k] == shape[k];
    }
    if (same)
        return EXRAY_OK;
    if (session->api.InterpreterResizeInputTensor(session->interpreter, (int32_t)i, dims, (int32_t)rank) !=
            kTfLiteOk ||
        session->api.InterpreterAllocateTensors(session->interpreter) != kTfLiteOk)
        return fail(session, error, "cannot resize an input");
    session->complaint[0] = '\0';
    refresh(session, at, input_tensor(session, i));
    at->open = false;
    return EXRAY_OK;
}

static exray_status session_set_input(xr_session *base, uint32_t i, const void *data, size_t size,
                                      exray_error *error)
{
    tflite_session *session = own(base);
    bool there = i < session->input_count;
    size_t expected = there ? session->tensors.OpaqueTensorByteSize(input_tensor(session, i)) : 0;
    if (xr_session_check_input(i, session->input_count, there ? session->inputs[i].info.name : NULL, expected,
                               size, error) != EXRAY_OK)
        return error->status;
    TfLiteTensor *tensor = session->api.InterpreterGetInputTensor(session->interpreter, (int32_t)i);
    if (session->api.TensorCopyFromBuffer(tensor, data, size) != kTfLiteOk)
        return fail(session, error, "cannot set an input");
    return EXRAY_OK;
}

static exray_status session_run(xr_session *base, exray_error *error)
{
    tflite_session *session = own(base);
    *error = (exray_error){EXRAY_OK, ""};
    if (session->recorder)
        exray_tflite_run_begin(session->recorder);
    if (session->api.InterpreterInvoke(session->interpreter) != kTfLiteOk)
        return fail(session, error, "the model failed to run");
    return EXRAY_OK;
}

static const void *session_output_data(xr_session *base, uint32_t i, size_t *size)
{
    tflite_session *session = own(base);
    if (i >= session->output_count)
        return NULL;
    const TfLiteOpaqueTensor *tensor = output_tensor(session, i);
    *size = session->tensors.OpaqueTensorByteSize(tensor);
    return session->tensors.OpaqueTensorData(tensor);
}

/* No function clears resource variables: another interpreter does. */
static exray_status session_reset(xr_session *base, bool *kept, exray_error *error)
{
    tflite_session *session = own(base);
    *kept = session->keeps_state;
    *error = (exray_error){EXRAY_OK, ""};
    if (!*kept)
        return EXRAY_OK;
    session->api.InterpreterDelete(session->interpreter);
    exray_status status = make_interpreter(session, error);
    for (uint32_t i = 0; !status && i < session->input_count; i++) {
        port *at = &session->inputs[i];
        memcpy(at->shape, at->declared, at->info.rank * sizeof *at->shape);
        describe_input(session, at, input_tensor(session, i));
    }
    return status;
}

static const char *const kernel_names[] = {"default", "builtin", "xnnpack", NULL};

extern const xr_engine xr_engine_tflite;
const xr_engine xr_engine_tflite = {
    .name = "tflite",
    .kernels = kernel_names,
    .takes_delegates = true,
    .probe = xr_tflite_probe,
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
