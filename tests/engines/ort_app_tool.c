/* An application that uses ONNX Runtime's C interface, with exray added, for
 * tests/engines/test_ort_app.py:
 *
 * ort_app_tool LIBRARY MODEL --in NAME --shape D,D,.. --input FILE.. --out NAME.. [--log F] [options]
 *
 * Inputs are float32; they are the same in every run.  --plain: api->Run instead of exray_ort_run.
 * --other: runs another session of the same model, too.  --over: outputs are written over the inputs.
 * --own: every output is the application's own session's.  --vary: another input in each run.
 * --closed: the recorder is closed before the last run. */
#define _POSIX_C_SOURCE 200809L
#include "app_support.h"
#include "engines/onnxruntime/ort.h"

#include <dlfcn.h>
#include <exray/onnxruntime.h>

enum { FLOAT = 1 };

typedef struct app {
    app_options o;
    const OrtApiBase *base;
    const struct OrtApi *table; /* what the application's own header would declare */
    xr_ort_api api;             /* the same functions by name */
    OrtEnv *env;
    OrtSessionOptions *options;
    OrtSession *session;
    OrtMemoryInfo *memory;
    OrtValue *in[APP_MOST], *out[APP_OUTPUTS];
    exray_recorder recorder;
} app;

static void check(const app *a, OrtStatus *status, const char *what)
{
    if (status)
        app_die(what, a->api.GetErrorMessage(status));
}

static void load(app *a)
{
    void *library = dlopen(a->o.library, RTLD_NOW | RTLD_LOCAL);
    void *address = library ? dlsym(library, "OrtGetApiBase") : NULL;
    const OrtApiBase *(*get_base)(void);
    if (!address)
        app_die(a->o.library, "no ONNX Runtime");
    memcpy(&get_base, &address, sizeof address);
    a->base = get_base();
    exray_error error;
    if (xr_ort_fill(a->base, &a->api, &error) != EXRAY_OK)
        app_die(a->o.library, error.message);
    const xr_ort_function *functions = a->base->GetApi(XR_ORT_API_VERSION);
    memcpy(&a->table, &functions, sizeof functions);
}

static OrtSession *make_session(app *a)
{
    OrtSession *session = NULL;
    int level;
    app_bytes model = app_read(a->o.model);
    if (!xr_ort_level(a->o.kernels, &level))
        level = XR_ORT_LEVEL_ALL; /* the tap will say that there is no such name */
    if (!a->options) {
        check(a, a->api.CreateSessionOptions(&a->options), "options");
        check(a, a->api.SetIntraOpNumThreads(a->options, a->o.threads), "options");
        check(a, a->api.SetSessionGraphOptimizationLevel(a->options, level), "options");
    }
    check(a, a->api.CreateSessionFromArray(a->env, model.data, model.size, a->options, &session), a->o.model);
    free(model.data);
    return session;
}

static OrtValue *make_value(app *a, const char *shape, const app_bytes *bytes)
{
    int64_t dims[EXRAY_MAX_RANK];
    size_t rank = 0;
    OrtValue *value = NULL;
    char *rest;
    for (; *shape && rank < EXRAY_MAX_RANK; shape = *rest ? rest + 1 : rest)
        dims[rank++] = strtol(shape, &rest, 10);
    check(
        a,
        a->api.CreateTensorWithDataAsOrtValue(a->memory, bytes->data, bytes->size, dims, rank, FLOAT, &value),
        "input");
    return value;
}

static void attach(app *a, app_bytes *told)
{
    if (a->o.bytes)
        *told = app_read(a->o.told);
    exray_ort_attach(&a->recorder, a->base, a->session,
                     &(exray_ort_config){.size = sizeof(exray_ort_config),
                                         .model_file = a->o.told,
                                         .model_data = told->data,
                                         .model_size = told->size,
                                         .options = a->o.no_options ? NULL : a->options,
                                         .kernels = a->o.kernels,
                                         .threads = (uint32_t)a->o.threads,
                                         .no_constants = a->o.no_constants,
                                         .own_model_only = a->o.own,
                                         .no_latency = a->o.no_latency});
}

static void run(app *a, OrtSession *session)
{
    const OrtValue *const *in = (const OrtValue *const *)a->in;
    size_t ins = (size_t)a->o.in_count, outs = (size_t)a->o.out_count;
    OrtStatus *status = a->o.plain ? a->api.Run(session, NULL, a->o.in, in, ins, a->o.out, outs, a->out)
                                   : exray_ort_run(&a->recorder, a->table, session, NULL, a->o.in, in, ins,
                                                   a->o.out, outs, a->out);
    if (status) {
        fprintf(stderr, "run: %s\n", a->api.GetErrorMessage(status));
        a->api.ReleaseStatus(status);
    }
}

static void dump_and_release(app *a, FILE *dump)
{
    for (int i = 0; i < a->o.out_count; i++) {
        exray_tensor_info info = {0};
        int64_t shape[EXRAY_MAX_RANK];
        const void *data;
        size_t size;
        if (dump && a->out[i] && xr_ort_describe(&a->api, a->out[i], &info, shape, &data, &size))
            fwrite(data, 1, size, dump);
        if (a->out[i] && !a->o.over)
            a->api.ReleaseValue(a->out[i]);
        if (!a->o.over)
            a->out[i] = NULL;
    }
}

static void run_all(app *a, FILE *dump)
{
    OrtSession *other = a->o.other ? make_session(a) : NULL;
    for (int i = 0; i < a->o.runs; i++) {
        for (int k = 0; a->o.vary && k < a->o.input_count; k++)
            app_turn(&a->o.input[k]);
        if (a->o.frames)
            exray_recorder_frame_begin(&a->recorder, "picture");
        if (a->o.closed && i + 1 == a->o.runs)
            exray_recorder_close(&a->recorder);
        run(a, a->session);
        dump_and_release(a, dump);
        if (other) {
            run(a, other);
            dump_and_release(a, NULL);
        }
    }
    if (other)
        a->api.ReleaseSession(other);
}

int main(int argc, char **argv)
{
    static app a;
    app_bytes told = {NULL, 0};
    app_parse(argc, argv, &a.o);
    if (a.o.in_count != a.o.input_count || a.o.in_count != a.o.shape_count)
        app_die("--in", "each has a --shape and an --input");
    load(&a);
    check(&a, a.api.CreateEnv(XR_ORT_LOG_ERROR, "application", &a.env), "env");
    check(&a, a.api.CreateCpuMemoryInfo(XR_ORT_DEVICE_ALLOCATOR, XR_ORT_DEFAULT_MEMORY, &a.memory), "memory");
    a.session = make_session(&a);
    for (int i = 0; i < a.o.in_count; i++)
        a.in[i] = make_value(&a, a.o.shape[i], &a.o.input[i]);
    for (int i = 0; a.o.over && i < a.o.out_count; i++) /* as large as the first input's beginning */
        a.out[i] = make_value(&a, a.o.shape[a.o.in_count > 1], &a.o.input[0]);
    if (a.o.log) {
        app_open(&a.o, &a.recorder);
        attach(&a, &told);
    }
    if (a.o.again)
        attach(&a, &told);
    FILE *dump = a.o.dump ? fopen(a.o.dump, "wb") : NULL;
    run_all(&a, dump);
    if (dump)
        fclose(dump);
    a.api.ReleaseSession(a.session); /* before the log's end, as it may be */
    int failed = app_close(&a.o, &a.recorder);
    a.api.ReleaseSessionOptions(a.options);
    for (int i = 0; i < a.o.in_count; i++)
        a.api.ReleaseValue(a.in[i]);
    for (int i = 0; a.o.over && i < a.o.out_count; i++)
        a.api.ReleaseValue(a.out[i]);
    a.api.ReleaseMemoryInfo(a.memory);
    a.api.ReleaseEnv(a.env);
    free(told.data);
    app_free(&a.o);
    return failed;
}
