/* An application that uses LiteRT's C interface, with exray added, for tests/engines/test_litert_app.py:
 *
 * litert_app_tool LIBRARY MODEL --input FILE.. [--log F] [options]
 *
 * Inputs are the same in every run.  --plain: LiteRtRunCompiledModel instead of exray_litert_run.
 * --own: every output is the application's own model's.  --vary: another input in each run.  --local: the
 * library's symbols are not the program's, the tap gets its handle.  --other: another compiled model is run,
 * too.  --closed: the recorder is closed before the last run.  --no-options: the tap gets no options to ask
 * for a profiler. */
#define _POSIX_C_SOURCE 200809L
#include "app_support.h"
#include "engines/litert/litert.h"

#include <dlfcn.h>
#include <exray/litert.h>

typedef struct app {
    app_options o;
    void *library;
    xr_litert_api api;
    LiteRtEnvironment environment;
    LiteRtModel model;
    LiteRtOptions options;
    LiteRtSignature signature;
    LiteRtCompiledModel compiled;
    LiteRtTensorBuffer *in, *out;
    size_t in_count, out_count;
    exray_recorder recorder;
} app;

static void check(LiteRtStatus status, const char *what)
{
    if (status != 0)
        app_die(what, "LiteRT said no");
}

static void load(app *a)
{
    a->library = dlopen(a->o.library, RTLD_NOW | (a->o.local ? RTLD_LOCAL : RTLD_GLOBAL));
    exray_error error;
    if (!a->library || xr_litert_find(a->library, a->o.library, &a->api, &error) != EXRAY_OK)
        app_die(a->o.library, "no LiteRT");
}

static void make_options(app *a)
{
    check(a->api.CreateOptions(&a->options), "options");
    check(a->api.SetOptionsHardwareAccelerators(a->options, XR_LITERT_CPU), "options");
    char *text = malloc(100);
    if (!text)
        app_die("options", "out of memory");
    const char *kernels = a->o.kernels ? a->o.kernels : "default";
    const char *mode = strcmp(kernels, "builtin") == 0 ? "kernel_mode = \"builtin\"\n" : "";
    snprintf(text, 100, "num_threads = %d\n%s", a->o.threads, mode);
    LiteRtOpaqueOptions opaque;
    check(a->api.CreateOpaqueOptions("xnnpack", text, free, &opaque), "options");
    check(a->api.AddOpaqueOptions(a->options, opaque), "options");
}

static LiteRtTensorBuffer make_buffer(app *a, bool output, size_t i)
{
    LiteRtTensor tensor;
    LiteRtRankedTensorType type;
    LiteRtTensorBufferRequirements needs;
    LiteRtTensorBuffer buffer;
    check(output ? a->api.GetSignatureOutputTensorByIndex(a->signature, i, &tensor)
                 : a->api.GetSignatureInputTensorByIndex(a->signature, i, &tensor),
          "tensor");
    check(a->api.GetRankedTensorType(tensor, &type), "type");
    check(output ? a->api.GetCompiledModelOutputBufferRequirements(a->compiled, 0, i, &needs)
                 : a->api.GetCompiledModelInputBufferRequirements(a->compiled, 0, i, &needs),
          "requirements");
    check(a->api.CreateManagedTensorBufferFromRequirements(a->environment, &type, needs, &buffer), "buffer");
    return buffer;
}

static void make_buffers(app *a)
{
    check(a->api.GetNumSignatureInputs(a->signature, &a->in_count), "signature");
    check(a->api.GetNumSignatureOutputs(a->signature, &a->out_count), "signature");
    a->in = calloc(a->in_count + 1, sizeof *a->in);
    a->out = calloc(a->out_count + 1, sizeof *a->out);
    if (!a->in || !a->out || a->in_count != (size_t)a->o.input_count)
        app_die("--input", "as many as the model has");
    for (size_t i = 0; i < a->in_count; i++)
        a->in[i] = make_buffer(a, false, i);
    for (size_t i = 0; i < a->out_count; i++)
        a->out[i] = make_buffer(a, true, i);
}

static void attach(app *a, app_bytes *told)
{
    if (a->o.bytes)
        *told = app_read(a->o.told);
    exray_litert_attach(&a->recorder, a->o.no_options ? NULL : a->options,
                        &(exray_litert_config){.size = sizeof(exray_litert_config),
                                               .model_file = a->o.told,
                                               .model_data = told->data,
                                               .model_size = told->size,
                                               .library = a->o.local ? a->library : NULL,
                                               .kernels = a->o.kernels,
                                               .threads = (uint32_t)a->o.threads,
                                               .no_constants = a->o.no_constants,
                                               .own_model_only = a->o.own});
}

static void set_inputs(app *a)
{
    for (size_t i = 0; i < a->in_count; i++) {
        void *memory;
        check(a->api.LockTensorBuffer(a->in[i], &memory, XR_LITERT_LOCK_WRITE), "lock");
        memcpy(memory, a->o.input[i].data, a->o.input[i].size);
        check(a->api.UnlockTensorBuffer(a->in[i]), "unlock");
    }
}

static void run(app *a, LiteRtCompiledModel compiled)
{
    set_inputs(a);
    int status = a->o.plain
                     ? a->api.RunCompiledModel(compiled, 0, a->in_count, a->in, a->out_count, a->out)
                     : exray_litert_run(&a->recorder, compiled, 0, a->in_count, a->in, a->out_count, a->out);
    if (status != 0)
        fprintf(stderr, "run: status %d\n", status);
}

static void dump_outputs(app *a, FILE *dump)
{
    for (size_t i = 0; dump && i < a->out_count; i++) {
        const void *from;
        void *memory;
        size_t size;
        check(a->api.GetTensorBufferSize(a->out[i], &size), "size");
        check(a->api.LockTensorBuffer(a->out[i], &memory, XR_LITERT_LOCK_READ), "lock");
        from = memory;
        fwrite(from, 1, size, dump);
        check(a->api.UnlockTensorBuffer(a->out[i]), "unlock");
    }
}

static void run_all(app *a, FILE *dump)
{
    LiteRtCompiledModel other = NULL;
    if (a->o.other)
        check(a->api.CreateCompiledModel(a->environment, a->model, a->options, &other), "compile");
    for (int i = 0; i < a->o.runs; i++) {
        for (int k = 0; a->o.vary && k < a->o.input_count; k++)
            app_turn(&a->o.input[k]);
        if (a->o.frames)
            exray_recorder_frame_begin(&a->recorder, "picture");
        if (a->o.closed && i + 1 == a->o.runs)
            exray_recorder_close(&a->recorder);
        run(a, a->compiled);
        dump_outputs(a, dump);
        if (other)
            run(a, other);
    }
    if (other)
        a->api.DestroyCompiledModel(other);
}

static void destroy(app *a)
{
    for (size_t i = 0; i < a->in_count; i++)
        a->api.DestroyTensorBuffer(a->in[i]);
    for (size_t i = 0; i < a->out_count; i++)
        a->api.DestroyTensorBuffer(a->out[i]);
    free(a->in);
    free(a->out);
    a->api.DestroyCompiledModel(a->compiled);
    a->api.DestroyOptions(a->options);
    a->api.DestroyModel(a->model);
    a->api.DestroyEnvironment(a->environment);
}

int main(int argc, char **argv)
{
    static app a;
    app_bytes told = {NULL, 0};
    app_parse(argc, argv, &a.o);
    load(&a);
    const LiteRtEnvOption quiet = {XR_LITERT_ENV_LOGGER,
                                   {XR_LITERT_ANY_INT, {.as_int = XR_LITERT_SEVERITY_ERROR}}};
    check(a.api.CreateEnvironment(1, &quiet, &a.environment), "environment");
    app_bytes model = app_read(a.o.model);
    check(a.api.CreateModelFromBuffer(a.environment, model.data, model.size, &a.model), a.o.model);
    check(a.api.GetModelSignature(a.model, 0, &a.signature), "signature");
    make_options(&a);
    if (a.o.log) {
        app_open(&a.o, &a.recorder);
        attach(&a, &told);
    }
    if (a.o.again)
        attach(&a, &told);
    check(a.api.CreateCompiledModel(a.environment, a.model, a.options, &a.compiled), "compile");
    make_buffers(&a);
    FILE *dump = a.o.dump ? fopen(a.o.dump, "wb") : NULL;
    run_all(&a, dump);
    if (dump)
        fclose(dump);
    destroy(&a); /* before the log's end, as it may be */
    int failed = app_close(&a.o, &a.recorder);
    free(model.data);
    free(told.data);
    app_free(&a.o);
    return failed;
}
