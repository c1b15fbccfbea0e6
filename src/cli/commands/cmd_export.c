/* exray export: a log in the formats of other tools. */
#include "base/memory.h"
#include "cli/command_line.h"
#include "cli/export/export.h"
#include "cli/fail.h"
#include "cli/output.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>

typedef struct wanted {
    const char *npz, *csv, *trace, *model_explorer, *foxglove;
    const char *reference;
    bool dequantize;
} wanted;

static bool export_file(const exray_log *log, const char *path,
                        bool (*export)(const exray_log *, FILE *, uint64_t *), uint64_t *skipped)
{
    FILE *out = xr_open_output(path);
    if (!out)
        return false;
    bool good = export(log, out, skipped);
    return xr_close_output(out, path) && good;
}

static bool export_foxglove(const exray_log *log, const wanted *w, uint64_t *skipped)
{
    const char *path = w->foxglove;
    if (xr_names_one_file(path, exray_log_path(log)) ||
        (w->reference && xr_names_one_file(path, w->reference))) {
        xr_fail("%s is being read and cannot be written; give --foxglove another name", path);
        return false;
    }
    FILE *out = xr_open_log_output(path);
    if (!out)
        return false;
    return xr_end_output(out, path, xr_export_foxglove(log, out, path, skipped)); /* its error was printed */
}

static bool export_model_explorer(const exray_log *log, const wanted *w)
{
    exray_error error;
    exray_log *reference = w->reference ? exray_log_open(w->reference, &error) : NULL;
    if (w->reference && !reference) {
        xr_fail_error(&error);
        return false;
    }
    bool good = xr_export_model_explorer(log, reference, w->model_explorer);
    exray_log_close(reference);
    return good;
}

static int export_all(const exray_log *log, const wanted *w)
{
    uint64_t skipped = 0;
    if (w->npz && !xr_export_npz(log, w->npz, w->dequantize, &skipped))
        return XR_EXIT_FAILED;
    if (w->csv && !export_file(log, w->csv, xr_export_csv, &skipped))
        return XR_EXIT_FAILED;
    if (w->trace && !export_file(log, w->trace, xr_export_trace, &skipped))
        return XR_EXIT_FAILED;
    if (w->model_explorer && !export_model_explorer(log, w))
        return XR_EXIT_FAILED;
    if (w->foxglove && !export_foxglove(log, w, &skipped))
        return XR_EXIT_FAILED;
    if (xr_memory_lacks())
        return xr_fail_for_memory("what was exported");
    if (exray_log_truncated(log))
        fprintf(stderr, "exray: note: %s %s; what is whole of it was exported\n", exray_log_path(log),
                exray_log_truncated(log));
    if (skipped)
        fprintf(stderr, "exray: note: %" PRIu64 " damaged records were left out\n", skipped);
    return XR_EXIT_OK;
}

/* Combinations that are not possible. */
static int check(const xr_command *command, const wanted *w)
{
    const char *const files[] = {w->csv, w->trace, w->model_explorer, w->foxglove};
    int to_stdout = 0;
    bool any = w->npz != NULL;
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        any = any || files[i];
        to_stdout += files[i] && strcmp(files[i], "-") == 0;
        for (size_t k = 0; k < i; k++)
            if (xr_same_output(files[i], files[k]))
                return xr_usage_error(command, "two of the outputs are the same file, '%s'", files[i]);
    }
    if (!any)
        return xr_usage_error(command,
                              "say what to write: --npz, --csv, --trace, --model-explorer or --foxglove");
    if (to_stdout > 1)
        return xr_usage_error(command, "only one of the files can be standard output");
    if (w->npz && strcmp(w->npz, "-") == 0)
        return xr_usage_error(command, "--npz needs a folder: it writes one file a frame");
    if (w->dequantize && !w->npz)
        return xr_usage_error(command, "--dequantize goes with --npz");
    if (w->reference && !w->model_explorer)
        return xr_usage_error(command, "--reference goes with --model-explorer");
    return XR_EXIT_OK;
}

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "npz",
         .value = "DIR",
         XR_INTO(text, wanted, npz),
         .text = "one NumPy file a frame, DIR/frame-000000.npz, with its tensors by topic (\"input/image\", "
                 "\"layer/3\"), and DIR/constants.npz with the weights; types that NumPy does not have "
                 "become the next "
                 "wider one"},
        {.name = "dequantize",
         XR_INTO(flag, wanted, dequantize),
         .text = "with --npz: real numbers (float32) for quantized tensors"},
        {.name = "csv",
         .value = "F",
         XR_INTO(text, wanted, csv),
         .text =
             "one line for each layer, input, output and constant: value statistics (in the tensor's unit) "
             "and latency (milliseconds; lower is better) over all frames"},
        {.name = "trace",
         .value = "F",
         XR_INTO(text, wanted, trace),
         .text = "frames, layers and spans as trace events: open it in ui.perfetto.dev or chrome://tracing"},
        {.name = "model-explorer",
         .value = "F",
         XR_INTO(text, wanted, model_explorer),
         .text = "a number for each node, to lay over the model's graph in Model Explorer: its median time"},
        {.name = "reference",
         .value = "REF.mcap",
         XR_INTO(text, wanted, reference),
         .text =
             "with --model-explorer: its nRMSE against this log, the color by whether the error begins there "
             "or comes from before"},
        {.name = "foxglove",
         .value = "F",
         XR_INTO(text, wanted, foxglove),
         .text = "the sensors' pictures, frames and results as an MCAP file that Foxglove shows"},
        {0},
    }};

static int run(const xr_call *call)
{
    wanted w = {0};
    const char *path;
    int status = xr_parse_one_operand(call, &w, "log", &path);
    if (status != XR_EXIT_OK)
        return status;
    status = check(call->command, &w);
    if (status != XR_EXIT_OK)
        return status;
    exray_error error;
    exray_log *log = exray_log_open(path, &error);
    if (!log)
        return xr_fail_error(&error);
    status = export_all(log, &w);
    exray_log_close(log);
    return status;
}

const xr_command xr_command_export = {
    .name = "export",
    .summary = "write a log's contents for other tools (NumPy, spreadsheets, Perfetto, Foxglove)",
    .synopsis = "LOG.mcap [--npz DIR [--dequantize]] [--csv F] [--trace F]\n"
                "[--model-explorer F [--reference REF.mcap]] [--foxglove F]",
    .description = "Writes what a log holds in the formats of other tools.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .notes = "F may be - for standard output.",
    .example = "exray export edge.mcap --csv layers.csv --trace trace.json\n"
               "exray export edge.mcap --npz frames/\n"
               "python -c 'import numpy; print(numpy.load(\"frames/frame-000000.npz\").files)'",
    .run = run,
};
