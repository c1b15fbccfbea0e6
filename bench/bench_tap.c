/* What the tap adds to the thread that runs the model.
 *
 *     bench_tap LIBRARY MODEL FOLDER
 *
 * One interpreter without a tap and one at each of several captures take turns
 * on the same input; the whole frame counts (begin, sensor record, Invoke, end).
 * Prints medians over the rounds, in ms. */
#define _POSIX_C_SOURCE 200809L
#include "engines/tflite/symbols.h"
#include "timing.h"

#include <dlfcn.h>
#include <exray/codecs.h>
#include <exray/tflite.h>
#include <stdio.h>
#include <string.h>

enum { ROUNDS = 61, WARM_UP = 3, SENSOR_BYTES = 128 * 1024, FLIGHT_MEMORY = 128 << 20 };

typedef struct candidate {
    const char *name;
    bool tapped;
    exray_recorder_config config;
    exray_recorder recorder;
    TfLiteInterpreterOptions *options;
    TfLiteInterpreter *interpreter;
    double times[ROUNDS];
} candidate;

static xr_tflite_session_api api;
static char sensor[SENSOR_BYTES];

static void die(const char *what)
{
    fprintf(stderr, "bench_tap: %s\n", what);
    exit(2);
}

static void quiet(void *user, const char *format, va_list arguments)
{
    (void)user, (void)format, (void)arguments;
}

static int discard(void *user, const void *data, size_t size)
{
    (void)user, (void)data, (void)size;
    return 0;
}

static void fill_input(const candidate *c, void *library)
{
    enum { MAX_INPUT = 4 << 20 };
    static uint8_t bytes[MAX_INPUT];
    xr_tflite_tap_api tensors;
    exray_error error;
    if (xr_tflite_find_tap(library, &tensors, &error))
        die(error.message);
    TfLiteTensor *input = api.InterpreterGetInputTensor(c->interpreter, 0);
    const TfLiteOpaqueTensor *opaque = (const TfLiteOpaqueTensor *)input;
    size_t size = tensors.OpaqueTensorByteSize(opaque);
    if (size > MAX_INPUT)
        die("the model's input is too large");
    /* A texture: zeros would let caches and branches look too good. */
    bool is_float = tensors.OpaqueTensorType(opaque) == XR_TFLITE_FLOAT32;
    for (size_t i = 0; i < size / (is_float ? 4 : 1); i++) {
        float value = (float)((i * 2654435761u) >> 24 & 255u) / 128.0f - 1.0f;
        if (is_float)
            memcpy(bytes + 4 * i, &value, 4);
        else
            bytes[i] = (uint8_t)(127.0f * value + 128.0f);
    }
    if (api.TensorCopyFromBuffer(input, bytes, size) != kTfLiteOk)
        die("the input was refused");
}

static void open_candidate(candidate *c, TfLiteModel *model, const char *folder, void *library)
{
    char path[512];
    snprintf(path, sizeof path, "%s/%s.mcap", folder, c->name);
    c->options = api.InterpreterOptionsCreate();
    api.InterpreterOptionsSetNumThreads(c->options, 1);
    if (c->tapped) {
        /* Full capture of many frames would measure how fast the machine finds fresh
         * memory for tmpfs; bench_recorder has its row for the writing. */
        if (c->config.capture == EXRAY_CAPTURE_FULL)
            exray_recorder_open_callback(&c->recorder, discard, NULL, &c->config);
        else
            exray_recorder_open_file(&c->recorder, path, &c->config);
        exray_tflite_attach(&c->recorder, (struct TfLiteInterpreterOptions *)c->options,
                            &(exray_tflite_config){.size = sizeof(exray_tflite_config), .library = library});
    }
    c->interpreter = api.InterpreterCreate(model, c->options);
    if (!c->interpreter || api.InterpreterAllocateTensors(c->interpreter) != kTfLiteOk)
        die("no interpreter");
    fill_input(c, library);
}

static double run_once(candidate *c)
{
    double begin = bench_now_ms();
    if (c->tapped)
        exray_recorder_frame_begin_encoded(&c->recorder, "bench", "jpeg", sensor, sizeof sensor);
    if (api.InterpreterInvoke(c->interpreter) != kTfLiteOk)
        die("Invoke failed");
    if (c->tapped)
        exray_recorder_frame_end(&c->recorder);
    return bench_now_ms() - begin;
}

int main(int argc, char **argv)
{
    exray_error error;
    if (argc != 4)
        die("usage: bench_tap LIBRARY MODEL FOLDER");
    /* GLOBAL: what an application that links the library has. */
    void *library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
    if (!library || xr_tflite_find_session(library, &api, &error))
        die(library ? error.message : dlerror());
    FILE *file = fopen(argv[2], "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die("the model cannot be read");
    size_t size = (size_t)ftell(file);
    rewind(file);
    void *bytes = malloc(size);
    if (!bytes || fread(bytes, 1, size, file) != size)
        die("the model cannot be read");
    fclose(file);
    TfLiteModel *model = api.ModelCreateWithErrorReporter(bytes, size, quiet, NULL);
    if (!model)
        die("not a model");
    const exray_codec *codec = exray_codec_default();
    static char box[512];
    snprintf(box, sizeof box, "%s/box.flight", argv[3]);
    static const exray_flight_config in_memory = {
        .size = sizeof in_memory, .memory_size = FLIGHT_MEMORY, .score_below = 0.1f, .not_finite = true};
    static const exray_flight_config in_file = {
        .size = sizeof in_file, .memory_size = FLIGHT_MEMORY, .file = box};
    static candidate candidates[] = {
        {.name = "untapped"},
        {.name = "frame",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FRAME}},
        {.name = "io_async",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config),
                    .capture = EXRAY_CAPTURE_IO,
                    .ring_size = 16u << 20}},
        {.name = "stats",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_STATS}},
        {.name = "sketch",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_SKETCH}},
        {.name = "full",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL}},
        {.name = "flight",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config),
                    .capture = EXRAY_CAPTURE_FRAME,
                    .flight = &in_memory}},
        {.name = "flight_file",
         .tapped = true,
         .config = {.size = sizeof(exray_recorder_config),
                    .capture = EXRAY_CAPTURE_FRAME,
                    .flight = &in_file}},
    };
    enum { COUNT = sizeof candidates / sizeof *candidates };
    memset(sensor, 'x', sizeof sensor);
    for (int i = 0; i < COUNT; i++) {
        candidates[i].config.codec = codec;
        open_candidate(&candidates[i], model, argv[3], library);
    }
    for (int round = -WARM_UP; round < ROUNDS; round++)
        for (int i = 0; i < COUNT; i++)
            candidates[i].times[round < 0 ? 0 : round] = run_once(&candidates[i]);
    for (int i = 0; i < COUNT; i++) {
        candidate *c = &candidates[i];
        api.InterpreterDelete(c->interpreter);
        api.InterpreterOptionsDelete(c->options);
        if (c->tapped && exray_recorder_close(&c->recorder))
            die(exray_recorder_error_message(&c->recorder));
        printf("%s_ms %.4f\n", c->name, bench_median(c->times, ROUNDS)); /* sorts them */
        printf("%s_least_ms %.4f\n", c->name, c->times[0]);
        if (c->tapped && exray_recorder_dropped(&c->recorder))
            printf("%s_dropped %llu\n", c->name, (unsigned long long)exray_recorder_dropped(&c->recorder));
    }
    remove(box);
    api.ModelDelete(model);
    free(bytes);
    return 0;
}
