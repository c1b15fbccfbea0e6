/* What exray_ort_run takes in place of OrtApi.Run.
 *
 *     bench_ort_tap LIBRARY MODEL FOLDER
 *
 * A session without a tap and one at each of several captures take turns on the same input, one thread.
 * Prints medians over the rounds, in ms. */
#define _POSIX_C_SOURCE 200809L
#include "bench_engine_taps.h"
#include "engines/onnxruntime/ports.h"

#include <dlfcn.h>
#include <exray/codecs.h>
#include <exray/onnxruntime.h>

typedef struct candidate {
    const char *name;
    exray_capture capture; /* OFF: no tap */
    exray_recorder recorder;
    OrtSession *session;
    xr_ort_ports ports;
    double times[BENCH_ROUNDS];
} candidate;

static const OrtApiBase *base;
static const struct OrtApi *table;
static xr_ort_api api;

static void fail(const char *what, const char *why)
{
    fprintf(stderr, "bench_ort_tap: %s: %s\n", what, why);
    exit(2);
}

static void load(const char *path)
{
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    void *address = library ? dlsym(library, "OrtGetApiBase") : NULL;
    const OrtApiBase *(*get_base)(void);
    exray_error error;
    if (!address)
        fail(path, "no ONNX Runtime");
    memcpy(&get_base, &address, sizeof address);
    base = get_base();
    if (xr_ort_fill(base, &api, &error) != EXRAY_OK)
        fail(path, error.message);
    const xr_ort_function *functions = base->GetApi(XR_ORT_API_VERSION);
    memcpy(&table, &functions, sizeof functions);
}

static void open_candidate(candidate *c, const xr_ort_making *how, const char *model, const char *folder)
{
    char path[512];
    size_t size;
    exray_error error;
    void *bytes = bench_read(model, &size);
    if (xr_ort_create(&api, how, bytes, size, &c->session, &error) ||
        xr_ort_ports_open(&c->ports, &api, c->session, &error))
        fail(model, error.message);
    free(bytes);
    for (size_t i = 0; i < c->ports.input_count; i++)
        bench_texture(c->ports.input_bytes[i], c->ports.input_size[i],
                      c->ports.input[i].info.dtype == EXRAY_DTYPE_FLOAT32);
    if (c->capture == EXRAY_CAPTURE_OFF)
        return;
    exray_recorder_config config = {
        .size = sizeof config, .capture = c->capture, .codec = exray_codec_default()};
    snprintf(path, sizeof path, "%s/%s.mcap", folder, c->name);
    if (exray_ort_open(&c->recorder, path, &config, (const struct OrtApiBase *)base, c->session, model))
        fail(model, exray_recorder_error_message(&c->recorder));
}

static double run_once(candidate *c)
{
    xr_ort_call call = xr_ort_ports_call(&c->ports);
    double begin = bench_now_ms();
    OrtStatus *status =
        c->capture == EXRAY_CAPTURE_OFF
            ? xr_ort_run(&api, &call)
            : exray_ort_run(&c->recorder, table, c->session, NULL, call.input_name, call.input,
                            call.input_count, call.output_name, call.output_count, call.output);
    if (status)
        fail("run", api.GetErrorMessage(status));
    if (c->capture != EXRAY_CAPTURE_OFF)
        exray_recorder_frame_end(&c->recorder);
    double took = bench_now_ms() - begin;
    xr_ort_release_values(&api, c->ports.output_value, c->ports.output_count);
    return took;
}

int main(int argc, char **argv)
{
    exray_error error;
    OrtEnv *env = NULL;
    if (argc != 4)
        fail("usage", "bench_ort_tap LIBRARY MODEL FOLDER");
    load(argv[1]);
    if (xr_ort_check(&api, api.CreateEnv(XR_ORT_LOG_ERROR, "bench", &env), "start", &error))
        fail("environment", error.message);
    const xr_ort_making how = {.env = env, .level = XR_ORT_LEVEL_ALL, .threads = 1};
    static candidate candidates[] = {{.name = "untapped", .capture = EXRAY_CAPTURE_OFF},
                                     {.name = "io", .capture = EXRAY_CAPTURE_IO},
                                     {.name = "stats", .capture = EXRAY_CAPTURE_STATS},
                                     {.name = "full", .capture = EXRAY_CAPTURE_FULL}};
    enum { COUNT = sizeof candidates / sizeof *candidates };
    for (int i = 0; i < COUNT; i++)
        open_candidate(&candidates[i], &how, argv[2], argv[3]);
    for (int round = -BENCH_WARM_UP; round < BENCH_ROUNDS; round++)
        for (int i = 0; i < COUNT; i++)
            candidates[i].times[round < 0 ? 0 : round] = run_once(&candidates[i]);
    for (int i = 0; i < COUNT; i++) {
        candidate *c = &candidates[i];
        if (c->capture != EXRAY_CAPTURE_OFF && exray_recorder_close(&c->recorder))
            fail("close", exray_recorder_error_message(&c->recorder));
        xr_ort_ports_close(&c->ports);
        api.ReleaseSession(c->session);
        bench_report(c->name, c->times);
    }
    api.ReleaseEnv(env);
    return 0;
}
