/* Runs a model as an application does, through TensorFlow Lite's C interface,
 * with the tap attached or not, for tests and measurements:
 *
 *     tap_run LIBRARY MODEL [--input FILE]... [--runs N] [--log OUT.mcap] [--capture LEVEL]
 *             [--kernels builtin|xnnpack] [--late] [--no-model-file] [--again]
 *             [--no-constants] [--resize D,D,...] [--ring BYTES] [--dump FILE] [--versus]
 *             [--slow N] [--leak BYTES] [--delegate LIB:KEY:VALUE]... [--say-begin]
 *             [--told FILE] [--too-late] [--closed]
 *
 * LIBRARY     "-": what the program itself is linked with (or LD_PRELOAD)
 * --input     bytes of one input for all runs, one run after the other (repeated
 *             from the start when they end); inputs without one are zero
 * --log       attach the tap
 * --late      with xnnpack: add the delegate after the tap, which is wrong
 * --again     delete the interpreter after the runs and do it all once more with the same options
 * --resize    input 0 gets this shape
 * --slow      depthwise convolutions by slow kernels of our own, every result N times
 * --leak      every run keeps so many bytes more
 * --delegate  an external delegate with one option, before the tap
 * --say-begin exray_tflite_run_begin before every run
 * --told      the model file that the tap is told of
 * --too-late  the tap is attached after the interpreter was created
 * --closed    the recorder is closed before the last run
 * --dump      all outputs of all runs, one after the other
 * --versus    time it against an interpreter without a tap, run by run in turn;
 *             prints the least and the median milliseconds of both, of the calling
 *             thread's processor time */
#define _POSIX_C_SOURCE 200809L
#include "engines/tflite/symbols.h"
#include "slow_kernels.h"

#include <dlfcn.h>
#include <exray/tflite.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MAX_INPUTS = 8, MAX_RUNS = 10000, MAX_DELEGATES = 4 };

typedef struct bytes {
    uint8_t *data;
    size_t size;
} bytes;

typedef struct options {
    const char *library, *model, *log, *capture, *kernels, *dump, *resize, *told;
    bytes inputs[MAX_INPUTS];
    int input_count;
    int runs;
    int slow;
    size_t ring, leak;
    char *delegates[MAX_DELEGATES];
    int delegate_count;
    bool late, no_model_file, no_constants, again, versus, say_begin, too_late, closed;
} options;

static void *library;
static xr_tflite_session_api api;
static xr_tflite_tap_api tensors;
static xr_tflite_xnnpack_api xnnpack;
static int failures; /* runs */

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "tap_run: %s: %s\n", what, why);
    exit(2);
}

XR_TFLITE_REPORTER static void print_error(void *user, const char *format, va_list args)
{
    (void)user;
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

static bytes read_file(const char *path)
{
    bytes b = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        die(path, "cannot open");
    long size = ftell(file);
    rewind(file);
    b.size = size > 0 ? (size_t)size : 0;
    b.data = malloc(b.size + 1);
    if (!b.data || fread(b.data, 1, b.size, file) != b.size)
        die(path, "cannot read");
    fclose(file);
    return b;
}

static void parse(int argc, char **argv, options *o)
{
    if (argc < 3)
        die("usage", "tap_run LIBRARY MODEL [options]");
    *o = (options){.library = argv[1], .model = argv[2], .kernels = "builtin", .runs = 1};
    for (int i = 3; i < argc; i++) {
        const char *name = argv[i];
        if (strcmp(name, "--late") == 0)
            o->late = true;
        else if (strcmp(name, "--no-model-file") == 0)
            o->no_model_file = true;
        else if (strcmp(name, "--no-constants") == 0)
            o->no_constants = true;
        else if (strcmp(name, "--again") == 0)
            o->again = true;
        else if (strcmp(name, "--versus") == 0)
            o->versus = true;
        else if (strcmp(name, "--say-begin") == 0)
            o->say_begin = true;
        else if (strcmp(name, "--too-late") == 0)
            o->too_late = true;
        else if (strcmp(name, "--closed") == 0)
            o->closed = true;
        else if (i + 1 == argc)
            die(name, "unknown option, or it needs a value");
        else if (strcmp(name, "--input") == 0 && o->input_count < MAX_INPUTS)
            o->inputs[o->input_count++] = read_file(argv[++i]);
        else if (strcmp(name, "--runs") == 0)
            o->runs = atoi(argv[++i]);
        else if (strcmp(name, "--log") == 0)
            o->log = argv[++i];
        else if (strcmp(name, "--capture") == 0)
            o->capture = argv[++i];
        else if (strcmp(name, "--kernels") == 0)
            o->kernels = argv[++i];
        else if (strcmp(name, "--resize") == 0)
            o->resize = argv[++i];
        else if (strcmp(name, "--ring") == 0)
            o->ring = (size_t)strtoull(argv[++i], NULL, 10);
        else if (strcmp(name, "--slow") == 0)
            o->slow = atoi(argv[++i]);
        else if (strcmp(name, "--leak") == 0)
            o->leak = (size_t)strtoull(argv[++i], NULL, 10);
        else if (strcmp(name, "--delegate") == 0 && o->delegate_count < MAX_DELEGATES)
            o->delegates[o->delegate_count++] = argv[++i];
        else if (strcmp(name, "--told") == 0)
            o->told = argv[++i];
        else if (strcmp(name, "--dump") == 0)
            o->dump = argv[++i];
        else
            die(name, "unknown option");
    }
    if (o->runs < 1 || o->runs > MAX_RUNS)
        die("--runs", "from 1 to 10000");
}

static void resize(TfLiteInterpreter *interpreter, const char *shape)
{
    TfLiteStatus (*function)(TfLiteInterpreter *, int32_t, const int *, int32_t);
    void *address = library ? dlsym(library, "TfLiteInterpreterResizeInputTensor") : NULL;
    if (!address)
        die("TfLiteInterpreterResizeInputTensor", "missing");
    memcpy(&function, &address, sizeof address);
    int dims[EXRAY_MAX_RANK];
    int32_t rank = 0;
    for (char *rest; *shape && rank < EXRAY_MAX_RANK; shape = *rest ? rest + 1 : rest)
        dims[rank++] = (int)strtol(shape, &rest, 10);
    if (function(interpreter, 0, dims, rank) != kTfLiteOk)
        die("--resize", "the interpreter refuses the shape");
}

static TfLiteInterpreter *build(const options *o, const TfLiteModel *model, TfLiteInterpreterOptions *with)
{
    TfLiteInterpreter *interpreter = api.InterpreterCreate(model, with);
    if (!interpreter)
        die(o->model, "no interpreter");
    if (o->resize)
        resize(interpreter, o->resize);
    if (api.InterpreterAllocateTensors(interpreter) != kTfLiteOk)
        die(o->model, "cannot allocate tensors");
    return interpreter;
}

static void set_inputs(const options *o, TfLiteInterpreter *interpreter, int run)
{
    int32_t count = api.InterpreterGetInputTensorCount(interpreter);
    for (int32_t i = 0; i < count; i++) {
        TfLiteTensor *tensor = api.InterpreterGetInputTensor(interpreter, i);
        size_t size = tensors.OpaqueTensorByteSize((const void *)tensor);
        void *to = tensors.OpaqueTensorData((const void *)tensor);
        if (i >= o->input_count) {
            if (size)
                memset(to, 0, size);
            continue;
        }
        size_t blocks = size ? o->inputs[i].size / size : 0;
        if (blocks == 0)
            die("--input", "fewer bytes than the tensor has");
        memcpy(to, o->inputs[i].data + (size_t)run % blocks * size, size);
    }
}

static void dump_outputs(TfLiteInterpreter *interpreter, FILE *to)
{
    int32_t count = api.InterpreterGetOutputTensorCount(interpreter);
    for (int32_t i = 0; i < count; i++) {
        const void *tensor = api.InterpreterGetOutputTensor(interpreter, i);
        fwrite(tensors.OpaqueTensorData(tensor), 1, tensors.OpaqueTensorByteSize(tensor), to);
    }
}

/* Of the calling thread, so that other load hardly counts. */
static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Memory that stays reachable but is never used or freed, as in a list that only grows. */
static void leak(size_t size)
{
    static void **last;
    void **block = size >= sizeof *block ? malloc(size) : NULL;
    if (!block)
        return;
    memset(block, 1, size);
    *block = (void *)last;
    last = block;
}

static double invoke(const options *o, TfLiteInterpreter *interpreter, int run, exray_recorder *recorder)
{
    set_inputs(o, interpreter, run);
    leak(o->leak);
    double begin = milliseconds();
    if (recorder)
        exray_recorder_frame_begin(recorder, NULL);
    if (recorder && o->say_begin)
        exray_tflite_run_begin(recorder);
    if (api.InterpreterInvoke(interpreter) != kTfLiteOk) {
        fprintf(stderr, "tap_run: run %d: invoke failed\n", run);
        failures++;
    }
    if (recorder)
        exray_recorder_frame_end(recorder);
    return milliseconds() - begin;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void print_times(const char *name, double *times, int count)
{
    qsort(times, (size_t)count, sizeof *times, by_value);
    printf("%s: least %.3f ms, median %.3f ms\n", name, times[0], times[count / 2]);
}

static void run_versus(const options *o, const TfLiteModel *model, TfLiteInterpreter *tapped,
                       exray_recorder *recorder)
{
    static double with[MAX_RUNS], without[MAX_RUNS];
    TfLiteInterpreterOptions *plain = api.InterpreterOptionsCreate();
    api.InterpreterOptionsSetNumThreads(plain, 1);
    TfLiteInterpreter *bare = build(o, model, plain);
    for (int run = 0; run < o->runs; run++) {
        with[run] = invoke(o, tapped, run, recorder);
        without[run] = invoke(o, bare, run, NULL);
    }
    print_times("tapped", with, o->runs);
    print_times("bare", without, o->runs);
    api.InterpreterDelete(bare);
    api.InterpreterOptionsDelete(plain);
}

static void load_library(const options *o)
{
    exray_error error;
    if (strcmp(o->library, "-") != 0 &&
        !(library = dlopen(o->library, RTLD_NOW | (o->delegate_count ? RTLD_GLOBAL : RTLD_LOCAL))))
        die(o->library, dlerror());
    if (xr_tflite_find_session(library, &api, &error) != EXRAY_OK ||
        xr_tflite_find_tap(library, &tensors, &error) != EXRAY_OK ||
        (strcmp(o->kernels, "xnnpack") == 0 && xr_tflite_find_xnnpack(library, &xnnpack, &error) != EXRAY_OK))
        die(o->library, error.message);
}

static TfLiteDelegate *add_xnnpack(TfLiteInterpreterOptions *to)
{
    TfLiteXNNPackDelegateOptions settings = xnnpack.XNNPackDelegateOptionsDefault();
    settings.num_threads = 1;
    TfLiteDelegate *delegate = xnnpack.XNNPackDelegateCreate(&settings);
    tensors.InterpreterOptionsAddDelegate(to, delegate);
    return delegate;
}

static void say(const char *why)
{
    die("--delegate", why);
}

typedef struct external {
    TfLiteDelegate *delegate;
    void (*destroy)(TfLiteDelegate *);
} external;

static external add_external(char *spec, TfLiteInterpreterOptions *to)
{
    external e;
    TfLiteDelegate *(*create)(char **, char **, size_t, void (*)(const char *));
    char *key = strchr(spec, ':'), *value = key ? strchr(key + 1, ':') : NULL;
    if (!value)
        die(spec, "LIB:KEY:VALUE is wanted");
    *key++ = *value++ = '\0';
    void *own = dlopen(spec, RTLD_NOW | RTLD_LOCAL);
    void *creates = own ? dlsym(own, "tflite_plugin_create_delegate") : NULL;
    void *destroys = own ? dlsym(own, "tflite_plugin_destroy_delegate") : NULL;
    if (!creates || !destroys)
        die(spec, "no external delegate");
    memcpy(&create, &creates, sizeof create);
    memcpy(&e.destroy, &destroys, sizeof e.destroy);
    e.delegate = create(&key, &value, 1, say);
    tensors.InterpreterOptionsAddDelegate(to, e.delegate);
    return e;
}

static void attach(const options *o, exray_recorder *recorder, TfLiteInterpreterOptions *to)
{
    int capture = o->capture ? exray_capture_from_name(o->capture) : EXRAY_CAPTURE_DEFAULT;
    if (capture < 0)
        die("--capture", "no such level");
    exray_recorder_config config = {
        .size = sizeof(exray_recorder_config), .capture = (exray_capture)capture, .ring_size = o->ring};
    exray_recorder_open_file(recorder, o->log, &config);
    exray_tflite_config tap = {.size = sizeof(exray_tflite_config),
                               .model_file = o->no_model_file ? NULL
                                             : o->told        ? o->told
                                                              : o->model,
                               .library = library,
                               .no_constants = o->no_constants};
    exray_tflite_attach(recorder, to, &tap);
}

int main(int argc, char **argv)
{
    options o;
    parse(argc, argv, &o);
    load_library(&o);
    bytes file = read_file(o.model);
    TfLiteModel *model = api.ModelCreateWithErrorReporter(file.data, file.size, print_error, NULL);
    if (!model)
        die(o.model, "not a model");
    TfLiteInterpreterOptions *settings = api.InterpreterOptionsCreate();
    api.InterpreterOptionsSetNumThreads(settings, 1);

    const char *missing = o.slow ? slow_kernels_add(library, settings, o.slow) : NULL;
    if (missing)
        die(missing, "missing");

    external externals[MAX_DELEGATES];
    for (int i = 0; i < o.delegate_count; i++)
        externals[i] = add_external(o.delegates[i], settings);

    static exray_recorder recorder;
    bool delegated = strcmp(o.kernels, "xnnpack") == 0;
    TfLiteDelegate *delegate = delegated && !o.late ? add_xnnpack(settings) : NULL;
    if (o.log && !o.too_late)
        attach(&o, &recorder, settings);
    if (delegated && o.late)
        delegate = add_xnnpack(settings);

    FILE *dump = o.dump ? fopen(o.dump, "wb") : NULL;
    for (int round = 0; round < 1 + o.again; round++) {
        TfLiteInterpreter *interpreter = build(&o, model, settings);
        if (o.log && o.too_late)
            attach(&o, &recorder, settings);
        if (o.versus)
            run_versus(&o, model, interpreter, o.log ? &recorder : NULL);
        for (int run = 0; run < o.runs && !o.versus; run++) {
            if (o.closed && run + 1 == o.runs)
                exray_recorder_close(&recorder);
            invoke(&o, interpreter, run, o.log ? &recorder : NULL);
            if (dump)
                dump_outputs(interpreter, dump);
        }
        api.InterpreterDelete(interpreter);
    }
    if (dump)
        fclose(dump);
    exray_status status = o.log ? exray_recorder_close(&recorder) : EXRAY_OK;
    if (status != EXRAY_OK)
        fprintf(stderr, "%s: %s\n", exray_status_name(status), exray_recorder_error_message(&recorder));
    api.InterpreterOptionsDelete(settings);
    slow_kernels_free();
    if (delegate)
        xnnpack.XNNPackDelegateDelete(delegate);
    for (int i = 0; i < o.delegate_count; i++)
        externals[i].destroy(externals[i].delegate);
    api.ModelDelete(model);
    free(file.data);
    for (int i = 0; i < o.input_count; i++)
        free(o.inputs[i].data);
    return status == EXRAY_OK && !failures ? 0 : 1;
}
