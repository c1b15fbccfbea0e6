#define _POSIX_C_SOURCE 200809L
#include "cli/run_command.h"
#include "checks/suggest.h"
#include "cli/progress.h"
#include "cli/usage.h"

#include <errno.h>
#include <exray/codecs.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    OPT_ENGINE = 256,
    OPT_MODEL,
    OPT_PIPELINE,
    OPT_DATA,
    OPT_LABELS,
    OPT_ROLE,
    OPT_CAPTURE,
    OPT_LAYERS,
    OPT_EVERY,
    OPT_FIRST,
    OPT_BUDGET,
    OPT_NO_IO_DATA,
    OPT_COMPRESS,
    OPT_STREAM,
    OPT_KERNELS,
    OPT_THREADS,
    OPT_FRAMES,
    OPT_REPEAT,
    OPT_ENGINE_LIB,
    OPT_DELEGATE,
    OPT_FROM,
    OPT_SENSOR,
};

static const struct option long_options[] = {
    {"engine", required_argument, NULL, OPT_ENGINE},
    {"model", required_argument, NULL, OPT_MODEL},
    {"pipeline", required_argument, NULL, OPT_PIPELINE},
    {"data", required_argument, NULL, OPT_DATA},
    {"labels", required_argument, NULL, OPT_LABELS},
    {"role", required_argument, NULL, OPT_ROLE},
    {"capture", required_argument, NULL, OPT_CAPTURE},
    {"layers", required_argument, NULL, OPT_LAYERS},
    {"every", required_argument, NULL, OPT_EVERY},
    {"first", required_argument, NULL, OPT_FIRST},
    {"byte-budget", required_argument, NULL, OPT_BUDGET},
    {"no-io-data", no_argument, NULL, OPT_NO_IO_DATA},
    {"compress", required_argument, NULL, OPT_COMPRESS},
    {"stream", no_argument, NULL, OPT_STREAM},
    {"kernels", required_argument, NULL, OPT_KERNELS},
    {"threads", required_argument, NULL, OPT_THREADS},
    {"frames", required_argument, NULL, OPT_FRAMES},
    {"repeat", required_argument, NULL, OPT_REPEAT},
    {"engine-lib", required_argument, NULL, OPT_ENGINE_LIB},
    {"delegate", required_argument, NULL, OPT_DELEGATE},
    {"from", required_argument, NULL, OPT_FROM},
    {"sensor", required_argument, NULL, OPT_SENSOR},
    {"output", required_argument, NULL, 'o'},
    {NULL, 0, NULL, 0},
};

/* A whole number of at least 1. */
static bool parse_count(const char *text, uint64_t limit, uint64_t *out)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (errno || end == text || *end || *text == '-' || value == 0 || value > limit)
        return false;
    *out = value;
    return true;
}

static int parse_capture(const xr_command *command, const char *text, exray_recorder_config *config)
{
    int level = exray_capture_from_name(text);
    if (level < 0 || level == EXRAY_CAPTURE_DEFAULT)
        return xr_usage_error(command, "--capture %s: not one of off, frame, io, stats, sketch, full", text);
    config->capture = (exray_capture)level;
    return XR_EXIT_OK;
}

static int parse_compression(const xr_command *command, const char *text, exray_recorder_config *config)
{
    static const char *const names[] = {"none", "lz4", "zstd"};
    for (int i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            config->compression = (exray_compression)i;
            /* What is larger than a chunk stays uncompressed; a workstation has the
             * memory for chunks that hold a layer. */
            config->chunk_size = i ? 16u << 20 : 0;
            return XR_EXIT_OK;
        }
    }
    return xr_usage_error(command, "--compress %s: not one of none, lz4, zstd", text);
}

static int parse_role(const xr_command *command, const char *text, exray_recorder_config *config)
{
    if (strcmp(text, "edge") != 0 && strcmp(text, "reference") != 0)
        return xr_usage_error(command, "--role %s: not edge or reference", text);
    config->role = *text == 'e' ? EXRAY_ROLE_EDGE : EXRAY_ROLE_REFERENCE;
    return XR_EXIT_OK;
}

static int parse_option(const xr_command *command, int option, const char *name, xr_run_command *out)
{
    exray_recorder_config *config = &out->run.config;
    bool replay = strcmp(command->name, "replay") == 0;
    uint64_t number;
    switch (option) {
    case OPT_ENGINE:
        if (!(out->run.engine = xr_engine_by_name(optarg)))
            return xr_no_engine(command, optarg);
        return XR_EXIT_OK;
    case OPT_MODEL:
        out->run.model = optarg;
        return XR_EXIT_OK;
    case OPT_PIPELINE:
        out->run.pipeline = optarg;
        return XR_EXIT_OK;
    case OPT_DATA:
        if (replay)
            return xr_usage_error(command, "--data is for record; replay takes the log's own data");
        out->data = optarg;
        return XR_EXIT_OK;
    case OPT_LABELS:
        out->labels = optarg;
        return XR_EXIT_OK;
    case OPT_FROM:
    case OPT_SENSOR:
        if (!replay)
            return xr_usage_error(command, "--%s is for replay", name);
        if (option == OPT_SENSOR)
            out->sensor = optarg;
        else if (strcmp(optarg, "sensor") == 0 || strcmp(optarg, "input") == 0)
            out->from_input = *optarg == 'i';
        else
            return xr_usage_error(command, "--from %s: not sensor or input", optarg);
        return XR_EXIT_OK;
    case OPT_ROLE:
        return parse_role(command, optarg, config);
    case OPT_CAPTURE:
        return parse_capture(command, optarg, config);
    case OPT_LAYERS:
        config->layers = optarg;
        return XR_EXIT_OK;
    case OPT_EVERY:
    case OPT_FIRST:
    case OPT_BUDGET:
    case OPT_FRAMES: {
        uint64_t *count = option == OPT_EVERY    ? &config->every_nth
                          : option == OPT_FIRST  ? &config->first_frames
                          : option == OPT_BUDGET ? &config->byte_budget
                                                 : &out->run.max_frames;
        if (!parse_count(optarg, UINT64_MAX, count))
            return xr_usage_error(command, "--%s %s: not a whole number of at least 1", name, optarg);
        return XR_EXIT_OK;
    }
    case OPT_NO_IO_DATA:
        config->no_io_data = true;
        return XR_EXIT_OK;
    case OPT_COMPRESS:
        return parse_compression(command, optarg, config);
    case OPT_STREAM:
        config->stream = true;
        return XR_EXIT_OK;
    case OPT_KERNELS:
        out->run.kernels = optarg;
        return XR_EXIT_OK;
    case OPT_THREADS:
        if (!parse_count(optarg, 1024, &number))
            return xr_usage_error(command, "--threads %s: not a number from 1 to 1024", optarg);
        out->run.threads = (unsigned)number;
        return XR_EXIT_OK;
    case OPT_REPEAT:
        if (replay)
            return xr_usage_error(command, "--repeat is for record; replay takes the log's own frames");
        if (!parse_count(optarg, 1000, &number))
            return xr_usage_error(command, "--repeat %s: not a number from 1 to 1000", optarg);
        out->run.repeat = (unsigned)number;
        return XR_EXIT_OK;
    case OPT_ENGINE_LIB:
        out->run.library = optarg;
        return XR_EXIT_OK;
    case OPT_DELEGATE:
        out->run.delegate = optarg;
        return XR_EXIT_OK;
    case 'o':
        out->run.out = optarg;
        return XR_EXIT_OK;
    default:
        return XR_EXIT_FAILED;
    }
}

/* The engine that a model file's name suggests. */
static const xr_engine *engine_of(const char *model)
{
    const char *dot = strrchr(model, '.');
    if (dot && (strcmp(dot, ".tflite") == 0 || strcmp(dot, ".lite") == 0))
        return xr_engine_by_name("tflite");
    return dot && strcmp(dot, ".onnx") == 0 ? xr_engine_by_name("onnxruntime") : NULL;
}

static bool kernels_known(const xr_engine *engine, const char *name)
{
    for (const char *const *k = engine->kernels; *k; k++)
        if (strcmp(*k, name) == 0)
            return true;
    return false;
}

static int check_options(const xr_command *command, xr_run_command *out)
{
    xr_run_options *run = &out->run;
    if (!run->model)
        return xr_usage_error(command, "--model is missing");
    if (!run->out)
        return xr_usage_error(command, "-o LOG is missing");
    if (strcmp(run->out, "-") == 0)
        return xr_usage_error(command, "-o -: a log cannot go to standard output; name a file");
    if (!run->engine && !(run->engine = engine_of(run->model)))
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
    if (!run->pipeline && !out->from_input)
        return xr_usage_error(command, "--pipeline is missing");
    if (run->config.stream && run->config.compression)
        return xr_usage_error(command, "--stream writes no chunks, so --compress has nothing to compress");
    return xr_may_write_log(run->out) ? XR_EXIT_OK : XR_EXIT_FAILED;
}

/* getopt prints in its own words; ours are the same everywhere. */
static int bad_option(const xr_command *command, int argc, char **argv, int option)
{
    const char *given = optind > 0 && optind <= argc ? argv[optind - 1] : "?";
    if (option == ':')
        return xr_usage_error(command, "%s needs a value", given);
    return xr_no_option(command, given);
}

int xr_run_command_parse(const xr_command *command, int argc, char **argv, xr_run_command *out)
{
    bool replay = strcmp(command->name, "replay") == 0;
    *out = (xr_run_command){0};
    out->run.config.capture = EXRAY_CAPTURE_FULL;
    out->run.config.role = replay ? EXRAY_ROLE_REFERENCE : EXRAY_ROLE_EDGE;
    out->run.config.codec = exray_codec_default();
    opterr = 0;
    int option, at = 0;
    while ((option = getopt_long(argc, argv, ":o:", long_options, &at)) != -1) {
        if (option == '?' || option == ':')
            return bad_option(command, argc, argv, option);
        int status = parse_option(command, option, option == 'o' ? "output" : long_options[at].name, out);
        if (status)
            return status;
    }
    if (replay && optind == argc - 1)
        out->log = argv[optind++];
    if (optind < argc)
        return xr_usage_error(command, "too many arguments: %s", argv[optind]);
    if (replay && !out->log)
        return xr_usage_error(command, "the log to replay is missing");
    if (!replay && !out->data)
        return xr_usage_error(command, "--data is missing");
    return check_options(command, out);
}

/* ---- Telling how it goes -------------------------------------------------- */

static void show_progress(void *user, size_t done, size_t total)
{
    xr_progress_tell(user, done, total);
}

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

static void print_size(uint64_t bytes)
{
    static const char *const units[] = {"bytes", "kB", "MB", "GB", "TB"};
    double size = (double)bytes;
    int unit = 0;
    for (; size >= 1000 && unit < 4; unit++)
        size /= 1000;
    printf(unit ? "%.1f %s" : "%.0f %s", size, units[unit]);
}

/* --layers with a slip in it keeps nothing, and nothing is wrong in nothing. */
static void warn_of_no_layers(const xr_run_options *run)
{
    exray_error error;
    bool wanted = run->config.layers && run->config.capture >= EXRAY_CAPTURE_STATS;
    exray_log *log = wanted ? exray_log_open(run->out, &error) : NULL;
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
    command->run.listener = (xr_run_listener){
        .user = &progress, .progress = show_progress, .skipped = show_skipped, .warning = show_warning};
    xr_note("engine %s, kernels %s, threads %u, model %s", command->run.engine->name,
            command->run.kernels ? command->run.kernels : "default",
            command->run.threads ? command->run.threads : 1, command->run.model);
    exray_status status = xr_run(&command->run, items, &report, &error);
    items->free(items);
    xr_progress_clear(&progress);
    if (status)
        return xr_fail_error(&error);
    warn_of_no_layers(&command->run);
    xr_note("%zu frames in %.3g s", report.frames, (double)(xr_clock() - progress.began) / 1e9);
    if (xr_is_quiet())
        return XR_EXIT_OK;
    printf("%s: %zu frame%s, ", command->run.out, report.frames, report.frames == 1 ? "" : "s");
    print_size(report.bytes);
    if (report.skipped)
        printf(", %zu skipped", report.skipped);
    if (report.dropped)
        printf(", %llu records dropped", (unsigned long long)report.dropped);
    putchar('\n');
    return fflush(stdout) == 0 ? XR_EXIT_OK : XR_EXIT_FAILED;
}
