/* What exray_litert_run takes in place of LiteRtRunCompiledModel.
 *
 *     bench_litert_tap LIBRARY MODEL FOLDER
 *
 * A compiled model without a tap and one at each of several captures take turns on the same input, one
 * thread.  Prints medians over the rounds, in ms. */
#define _POSIX_C_SOURCE 200809L
#include "bench_engine_taps.h"
#include "engines/litert/litert.h"

#include <dlfcn.h>
#include <exray/codecs.h>
#include <exray/litert.h>

typedef struct candidate {
    const char *name;
    exray_capture capture; /* OFF: no tap */
    exray_recorder recorder;
    LiteRtOptions options;
    LiteRtCompiledModel compiled;
    LiteRtTensorBuffer in[4], out[8];
    double times[BENCH_ROUNDS];
} candidate;

typedef struct engine {
    xr_litert_api api;
    LiteRtEnvironment environment;
    LiteRtModel model;
    LiteRtSignature signature;
    size_t in_count, out_count;
} engine;

static void check(LiteRtStatus status, const char *what)
{
    if (status == 0)
        return;
    fprintf(stderr, "bench_litert_tap: %s: status %d\n", what, status);
    exit(2);
}

static LiteRtTensorBuffer make_buffer(engine *e, candidate *c, bool output, size_t i)
{
    LiteRtTensor tensor;
    LiteRtRankedTensorType type;
    LiteRtTensorBufferRequirements needs;
    LiteRtTensorBuffer buffer;
    check(output ? e->api.GetSignatureOutputTensorByIndex(e->signature, i, &tensor)
                 : e->api.GetSignatureInputTensorByIndex(e->signature, i, &tensor),
          "tensor");
    check(e->api.GetRankedTensorType(tensor, &type), "type");
    check(output ? e->api.GetCompiledModelOutputBufferRequirements(c->compiled, 0, i, &needs)
                 : e->api.GetCompiledModelInputBufferRequirements(c->compiled, 0, i, &needs),
          "requirements");
    check(e->api.CreateManagedTensorBufferFromRequirements(e->environment, &type, needs, &buffer), "buffer");
    void *memory;
    size_t size;
    check(e->api.GetTensorBufferSize(buffer, &size), "size");
    check(e->api.LockTensorBuffer(buffer, &memory, XR_LITERT_LOCK_WRITE), "lock");
    bench_texture(memory, size, type.element_type == 1);
    check(e->api.UnlockTensorBuffer(buffer), "unlock");
    return buffer;
}

static void open_candidate(engine *e, candidate *c, const char *model, const char *folder)
{
    char path[512];
    LiteRtOpaqueOptions opaque;
    char *text = malloc(32);
    snprintf(path, sizeof path, "%s/%s.mcap", folder, c->name);
    check(e->api.CreateOptions(&c->options), "options");
    check(e->api.SetOptionsHardwareAccelerators(c->options, XR_LITERT_CPU), "options");
    if (text)
        snprintf(text, 32, "num_threads = 1\n");
    check(e->api.CreateOpaqueOptions("xnnpack", text, free, &opaque), "options");
    check(e->api.AddOpaqueOptions(c->options, opaque), "options");
    if (c->capture != EXRAY_CAPTURE_OFF) {
        exray_recorder_config config = {
            .size = sizeof config, .capture = c->capture, .codec = exray_codec_default()};
        if (exray_litert_open(&c->recorder, path, &config, c->options, model)) {
            fprintf(stderr, "bench_litert_tap: %s\n", exray_recorder_error_message(&c->recorder));
            exit(2);
        }
    }
    check(e->api.CreateCompiledModel(e->environment, e->model, c->options, &c->compiled), "compile");
    for (size_t i = 0; i < e->in_count; i++)
        c->in[i] = make_buffer(e, c, false, i);
    for (size_t i = 0; i < e->out_count; i++)
        c->out[i] = make_buffer(e, c, true, i);
}

static double run_once(engine *e, candidate *c)
{
    double begin = bench_now_ms();
    check(c->capture == EXRAY_CAPTURE_OFF
              ? e->api.RunCompiledModel(c->compiled, 0, e->in_count, c->in, e->out_count, c->out)
              : exray_litert_run(&c->recorder, c->compiled, 0, e->in_count, c->in, e->out_count, c->out),
          "run");
    if (c->capture != EXRAY_CAPTURE_OFF)
        exray_recorder_frame_end(&c->recorder);
    return bench_now_ms() - begin;
}

int main(int argc, char **argv)
{
    engine e = {0};
    exray_error error;
    size_t size;
    void *library = argc == 4 ? dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL) : NULL;
    if (!library || xr_litert_find(library, argv[1], &e.api, &error)) {
        fprintf(stderr, "usage: bench_litert_tap LIBRARY MODEL FOLDER\n");
        return 2;
    }
    void *bytes = bench_read(argv[2], &size);
    const LiteRtEnvOption quiet = {XR_LITERT_ENV_LOGGER,
                                   {XR_LITERT_ANY_INT, {.as_int = XR_LITERT_SEVERITY_ERROR}}};
    check(e.api.CreateEnvironment(1, &quiet, &e.environment), "environment");
    check(e.api.CreateModelFromBuffer(e.environment, bytes, size, &e.model), "model");
    check(e.api.GetModelSignature(e.model, 0, &e.signature), "signature");
    check(e.api.GetNumSignatureInputs(e.signature, &e.in_count), "signature");
    check(e.api.GetNumSignatureOutputs(e.signature, &e.out_count), "signature");
    if (e.in_count > 4 || e.out_count > 8)
        check(-1, "a model of at most 4 inputs and 8 outputs");
    static candidate candidates[] = {{.name = "untapped", .capture = EXRAY_CAPTURE_OFF},
                                     {.name = "io", .capture = EXRAY_CAPTURE_IO},
                                     {.name = "stats", .capture = EXRAY_CAPTURE_STATS},
                                     {.name = "full", .capture = EXRAY_CAPTURE_FULL}};
    enum { COUNT = sizeof candidates / sizeof *candidates };
    for (int i = 0; i < COUNT; i++)
        open_candidate(&e, &candidates[i], argv[2], argv[3]);
    for (int round = -BENCH_WARM_UP; round < BENCH_ROUNDS; round++)
        for (int i = 0; i < COUNT; i++)
            candidates[i].times[round < 0 ? 0 : round] = run_once(&e, &candidates[i]);
    for (int i = 0; i < COUNT; i++) {
        candidate *c = &candidates[i];
        for (size_t k = 0; k < e.in_count; k++)
            e.api.DestroyTensorBuffer(c->in[k]);
        for (size_t k = 0; k < e.out_count; k++)
            e.api.DestroyTensorBuffer(c->out[k]);
        e.api.DestroyCompiledModel(c->compiled);
        e.api.DestroyOptions(c->options);
        if (c->capture != EXRAY_CAPTURE_OFF && exray_recorder_close(&c->recorder)) {
            fprintf(stderr, "bench_litert_tap: %s\n", exray_recorder_error_message(&c->recorder));
            return 2;
        }
        bench_report(c->name, c->times);
    }
    e.api.DestroyModel(e.model);
    e.api.DestroyEnvironment(e.environment);
    free(bytes);
    return 0;
}
