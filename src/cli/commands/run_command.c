#define _POSIX_C_SOURCE 200809L
#include "cli/commands/run_command.h"

#include "cli/fail.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "cli/stopped.h"
#include "cli/text_out.h"

#include <exray/codecs.h>
#include <exray/task.h>
#include <stdlib.h>
#include <string.h>

/* ---- Options --------------------------------------------------------------- */

const char *const xr_role_names[] = {"edge", "reference", NULL}; /* by exray_role */

int xr_set_role(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    xr_run_command *out = values;
    int role = xr_choice(command, option, value);
    if (role < 0)
        return XR_EXIT_FAILED;
    out->run.config.role = (exray_role)role;
    return XR_EXIT_OK;
}

static int set_engine(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    xr_run_command *out = values;
    out->run.engine = xr_engine_by_name(value);
    return out->run.engine ? XR_EXIT_OK : xr_no_engine(command, value);
}

static int set_capture(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    xr_run_command *out = values;
    if (xr_choice(command, option, value) < 0)
        return XR_EXIT_FAILED;
    out->run.config.capture = (exray_capture)exray_capture_from_name(value);
    return XR_EXIT_OK;
}

enum { COMPRESS_BY_NEED = EXRAY_COMPRESSION_ZSTD + 1 }; /* place of "auto" in the choices */

static int set_compression(const xr_command *command, const xr_option *option, const char *value,
                           void *values)
{
    xr_run_command *out = values;
    int compression = xr_choice(command, option, value);
    if (compression < 0)
        return XR_EXIT_FAILED;
    out->compress_by_need = compression == COMPRESS_BY_NEED;
    if (out->compress_by_need)
        compression = EXRAY_COMPRESSION_NONE;
    out->run.config.compression = (exray_compression)compression;
    /* What is larger than a chunk stays uncompressed; a workstation has the memory for chunks that
     * hold a layer. */
    out->run.config.chunk_size = compression ? 16u << 20 : 0;
    return XR_EXIT_OK;
}

static int set_threads(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    xr_run_command *out = values;
    uint64_t number;
    if (!xr_parse_count(value, 1024, &number))
        return xr_usage_error(command, "--threads %s: not a number from 1 to 1024", value);
    out->run.threads = (unsigned)number;
    return XR_EXIT_OK;
}

static int load_plugin(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    (void)values;
    exray_error error = {EXRAY_OK, ""};
    size_t count = 0;
    if (exray_task_load(value, &count, &error) != EXRAY_OK)
        return xr_usage_error(command, "%s", error.message);
    if (count == 0)
        return xr_usage_error(command, "--plugin %s has no task: it ends with EXRAY_PLUGIN_TASKS(its tasks)",
                              value);
    return XR_EXIT_OK;
}

static int set_files(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    xr_run_command *out = values;
    uint64_t number;
    const bool seconds = strcmp(option->name, "file-seconds") == 0;
    if (!xr_parse_count(value, seconds ? UINT32_MAX : 10000, &number) || number < (seconds ? 1 : 2))
        return xr_usage_error(command,
                              seconds ? "--file-seconds %s: not a number of seconds from 1 on"
                                      : "--files %s: not a number from 2 to 10000",
                              value);
    *(seconds ? &out->run.config.file_seconds : &out->run.config.max_files) = (uint32_t)number;
    return XR_EXIT_OK;
}

const xr_option_group xr_run_model_options = {
    .title = "The model, and how it runs",
    .options = (const xr_option[]){
        {.name = "engine",
         .value = "E",
         .kind = XR_VALUE_ENGINE,
         .set = set_engine,
         .text = "the engine, as in `exray engines` (default: by the model file's name; of a .tflite tflite, "
                 "or litert where that alone is found)"},
        {.name = "model", .value = "M", XR_INTO(text, xr_run_command, run.model), .text = "the model file"},
        {.name = "pipeline",
         .value = "P.yaml",
         XR_INTO(text, xr_run_command, run.pipeline),
         .text = "how a picture or a sound becomes the model's input"},
        {.name = "plugin",
         .value = "FILE.so",
         .kind = XR_VALUE_TEXT,
         .set = load_plugin,
         .text = "a task of one's own (`task: user.NAME` of the pipeline); may be given several times"},
        {.name = "kernels",
         .value = "K",
         .kind = XR_VALUE_KERNELS,
         XR_INTO(text, xr_run_command, run.kernels),
         .text = "default; tflite and litert: builtin or xnnpack; onnxruntime: extended or none"},
        {.name = "threads",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         .set = set_threads,
         .text = "threads of the engine (default 1)"},
        {.name = "engine-lib",
         .value = "FILE",
         XR_INTO(text, xr_run_command, run.library),
         .text = "the engine's library"},
        {.name = "delegate",
         .value = "LIB[:K:V;K:V]",
         XR_INTO(text, xr_run_command, run.delegate),
         .text = "an external delegate (tflite), with its options"},
        {0},
    }};

const xr_option_group xr_run_log_options = {
    .title = "The log",
    .options = (const xr_option[]){
        {.name = "output",
         .letter = 'o',
         .value = "LOG",
         XR_INTO(text, xr_run_command, run.out),
         .text = "the log to write"},
        {.name = "capture",
         .value = "LEVEL",
         .kind = XR_VALUE_CHOICES,
         .choices = (const char *const[]){"off", "frame", "io", "stats", "sketch", "full", NULL},
         .set = set_capture,
         .text = "off, frame, io, stats, sketch or full (default full)"},
        {.name = "layers",
         .value = "LIST",
         .kind = XR_VALUE_TEXT,
         XR_INTO(text, xr_run_command, run.config.layers),
         .text = "keep only these layers: names with * and ?, #12, #3-9"},
        {.name = "every",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         XR_INTO(count, xr_run_command, run.config.every_nth),
         .text = "record layers and io only of every Nth frame"},
        {.name = "first",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         XR_INTO(count, xr_run_command, run.config.first_frames),
         .text = "record layers and io only of the first N frames"},
        {.name = "byte-budget",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         XR_INTO(count, xr_run_command, run.config.byte_budget),
         .text =
             "limit of the log's bytes: data become stats, then frames and latencies alone go on to the end; "
             "all counted"},
        {.name = "files",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         .set = set_files,
         .text = "several files, one after another, OUT with a number (or %n in its name); at most N of "
                 "them: the "
                 "oldest go. --byte-budget is then of all"},
        {.name = "file-bytes",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         XR_INTO(count, xr_run_command, run.config.file_bytes),
         .text = "another file begins when one has N bytes"},
        {.name = "file-seconds",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         .set = set_files,
         .text = "another file begins when one is N seconds old"},
        {.name = "keep-oldest",
         XR_INTO(flag, xr_run_command, run.config.keep_oldest),
         .text = "no file is removed: the last one goes on with what it has room for"},
        {.name = "no-io-data",
         XR_INTO(flag, xr_run_command, run.config.no_io_data),
         .text = "leave out the data of sensor and input records: statistics instead"},
        {.name = "no-output-data",
         XR_INTO(flag, xr_run_command, run.config.no_output_data),
         .text = "leave out the data of output records: statistics instead"},
        {.name = "compress",
         .value = "HOW",
         .kind = XR_VALUE_CHOICES,
         .choices = (const char *const[]){"none", "lz4", "zstd", "auto", NULL}, /* by exray_compression */
         .set = set_compression,
         .text = "none, lz4, zstd or auto (default auto: zstd at --capture stats or less with --no-io-data)"},
        {.name = "stream",
         XR_INTO(flag, xr_run_command, run.config.stream),
         .text = "write without chunks and index, as a small device does"},
        {.name = "frames",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         XR_INTO(count, xr_run_command, run.max_frames),
         .text = "stop after N frames"},
        {0},
    }};

xr_run_command xr_run_command_defaults(exray_role role)
{
    return (xr_run_command){.compress_by_need = true,
                            .run.config = {.size = sizeof(exray_recorder_config),
                                           .capture = EXRAY_CAPTURE_FULL,
                                           .role = role,
                                           .codec = exray_codec_default()}};
}

/* Of a log without data most is the model's description, the same words again and again. */
static void compress_what_repeats(exray_recorder_config *config)
{
    if (config->codec->compress && (config->capture < EXRAY_CAPTURE_IO ||
                                    (config->capture <= EXRAY_CAPTURE_STATS && config->no_io_data)))
        config->compression = EXRAY_COMPRESSION_ZSTD;
}

/* ---- What can be run -------------------------------------------------------- */

/* Of the two engines for a .tflite: TensorFlow Lite, or LiteRT where that alone is found, as beside its
 * package.  Who names a library or a delegate means TensorFlow Lite's. */
static const xr_engine *engine_of_tflite(const xr_run_options *run)
{
    const xr_engine *tflite = xr_engine_by_name("tflite"), *litert = xr_engine_by_name("litert");
    xr_engine_info info;
    if (run->delegate || run->library || getenv("EXRAY_TFLITE_LIB"))
        return tflite;
    tflite->probe(NULL, &info);
    if (info.found)
        return tflite;
    litert->probe(NULL, &info);
    return info.found ? litert : tflite;
}

/* The engine by the model file's extension; NULL: unknown. */
static const xr_engine *engine_of(const xr_run_options *run)
{
    const char *dot = strrchr(run->model, '.');
    if (dot && (strcmp(dot, ".tflite") == 0 || strcmp(dot, ".lite") == 0))
        return engine_of_tflite(run);
    return dot && strcmp(dot, ".onnx") == 0 ? xr_engine_by_name("onnxruntime") : NULL;
}

static bool kernels_known(const xr_engine *engine, const char *name)
{
    for (const char *const *k = engine->kernels; *k; k++)
        if (strcmp(*k, name) == 0)
            return true;
    return false;
}

int xr_run_command_check(const xr_command *command, xr_run_command *given)
{
    xr_run_options *run = &given->run;
    if (!run->model)
        return xr_usage_error(command, "--model is missing");
    if (!run->out)
        return xr_usage_error(command, "-o LOG is missing");
    if (!*run->out)
        return xr_usage_error(command, "-o: the log's name is empty");
    if (strcmp(run->out, "-") == 0)
        return xr_usage_error(command, "-o -: a log cannot go to standard output; name a file");
    if (!run->engine && !(run->engine = engine_of(run)))
        return xr_usage_error(command,
                              "--engine is missing (tflite, litert, onnxruntime), and the name of %s, not "
                              "ending in .tflite or .onnx, does not tell it",
                              run->model);
    if (run->kernels && !kernels_known(run->engine, run->kernels))
        return xr_usage_error(command, "--kernels %s: engine %s has none of that name", run->kernels,
                              run->engine->name);
    if (run->delegate && !run->engine->takes_delegates)
        return xr_usage_error(command, "--delegate: engine %s has no delegates; tflite has",
                              run->engine->name);
    if (!run->pipeline && !given->from_input)
        return xr_usage_error(command, "--pipeline is missing");
    if (given->compress_by_need && !run->config.stream)
        compress_what_repeats(&run->config);
    if (run->config.stream && run->config.compression)
        return xr_usage_error(command, "--stream writes no chunks, so --compress has nothing to compress");
    return xr_may_write_log(run->out) ? XR_EXIT_OK : XR_EXIT_FAILED;
}

/* ---- Running, with progress -------------------------------------------------- */

static void show_skipped(void *user, const char *source, const char *why)
{
    xr_progress_clear(user);
    fprintf(stderr, "exray: skipped %s: %s\n", source, why);
}

static void show_warning(void *user, const char *text)
{
    xr_progress_clear(user);
    fprintf(stderr, "exray: warning: %s\n", text);
}

static bool is_stopped(void *user)
{
    (void)user;
    return xr_stopped();
}

/* A mistyped --layers keeps nothing, and a log without layers hides every fault. */
static void warn_of_no_layers(const xr_run_options *run, const char *path)
{
    exray_error error;
    bool wanted = run->config.layers && run->config.capture >= EXRAY_CAPTURE_STATS;
    exray_log *log = wanted ? exray_log_open(path, &error) : NULL;
    bool any = !log || exray_log_frame_count(log) == 0;
    const exray_record *record = any ? NULL : exray_log_records(log, 0);
    for (size_t i = 0; !any && i < exray_log_frame(log, 0)->record_count; i++)
        any = record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_LAYER;
    exray_log_close(log);
    if (!any)
        fprintf(stderr, "exray: warning: --layers %s: the model has no such layer; none was recorded\n",
                run->config.layers);
}

int xr_run_command_run(xr_run_command *command, xr_items *items)
{
    xr_run_report report;
    exray_error error = {0};
    bool replay = command->log != NULL;
    xr_progress progress = xr_progress_begin(replay ? "replaying" : "recording", "frames");
    command->run.listener = (xr_run_listener){.user = &progress,
                                              .progress = xr_progress_tell,
                                              .skipped = show_skipped,
                                              .warning = show_warning,
                                              .stopped = is_stopped};
    xr_stop_by_signal();
    xr_note("engine %s, kernels %s, threads %u, model %s", command->run.engine->name,
            command->run.kernels ? command->run.kernels : "default",
            command->run.threads ? command->run.threads : 1, command->run.model);
    exray_status status = xr_run(&command->run, items, &report, &error);
    items->free(items);
    xr_progress_clear(&progress);
    if (status)
        return xr_fail_error(&error);
    warn_of_no_layers(&command->run, report.path);
    if (report.stopped)
        return xr_fail("stopped by a signal after %zu frame%s; %s is whole and has %s", report.frames,
                       report.frames == 1 ? "" : "s", report.path, report.frames == 1 ? "it" : "them");
    xr_note("%zu frames in %.3g s", report.frames, (double)(xr_clock() - progress.began) / 1e9);
    if (xr_is_quiet())
        return XR_EXIT_OK;
    char size[32];
    printf("%s: %zu frame%s, %s", report.path, report.frames, report.frames == 1 ? "" : "s",
           xr_format_bytes(size, report.bytes));
    if (report.skipped)
        printf(", %zu skipped", report.skipped);
    if (report.dropped)
        printf(", %llu records dropped", (unsigned long long)report.dropped);
    putchar('\n');
    return fflush(stdout) == 0 ? XR_EXIT_OK : XR_EXIT_FAILED;
}
