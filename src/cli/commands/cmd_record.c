/* `exray record`: runs a model on files through a pipeline and logs it. */
#include "cli/commands/run_command.h"
#include "cli/fail.h"
#include "pipeline/parse.h"
#include "replay/items_texts.h"

#include <string.h>
#include <strings.h>

static int set_repeat(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    xr_run_command *out = values;
    uint64_t number;
    if (!xr_parse_count(value, 1000, &number))
        return xr_usage_error(command, "--repeat %s: not a number from 1 to 1000", value);
    out->run.repeat = (unsigned)number;
    return XR_EXIT_OK;
}

static const xr_option_group data = {
    .title = "The data, and the role of the log",
    .options = (const xr_option[]){
        {.name = "data",
         .value = "PATH",
         XR_INTO(text, xr_run_command, data),
         .text = "a folder of pictures or sounds (.wav), one file, or a list of files (.txt); texts: a table "
                 "(.tsv) with a column text, and with text: in the pipeline a .txt of one text a line, or a "
                 "folder "
                 "of files that are one text each"},
        XR_LABELS_OPTION,
        {.name = "repeat",
         .value = "N",
         .kind = XR_VALUE_TEXT,
         .set = set_repeat,
         .text = "run each frame N times; differences between the runs count as noise in validate"},
        XR_ROLE_OPTION("edge"),
        {.name = "from", .value = "WHAT", .refused = "is for replay"},
        {.name = "sensor", .value = "NAME", .refused = "is for replay"},
        {0},
    }};

/* Whether the data are texts: a table of them, or any file where the pipeline, which was read, makes ids of
 * texts. */
static bool is_of_texts(const xr_run_command *given)
{
    const char *dot = strrchr(given->data, '.');
    return (dot && strcasecmp(dot, ".tsv") == 0) || (given->run.read && given->run.read->text.line);
}

static int run(const xr_call *call)
{
    xr_run_command given = xr_run_command_defaults(EXRAY_ROLE_EDGE);
    int status = xr_parse_only_options(call, &given);
    if (status == XR_EXIT_OK && !given.data)
        status = xr_usage_error(call->command, "--data is missing");
    if (status == XR_EXIT_OK)
        status = xr_run_command_check(call->command, &given);
    if (status != XR_EXIT_OK)
        return status;
    exray_error error = {0}, unread = {0};
    given.run.read = xr_pipeline_read(given.run.pipeline, &unread);
    xr_items *items = is_of_texts(&given) ? xr_items_from_texts(given.data, given.labels, &error)
                                          : xr_items_from_files(given.data, given.labels, &error);
    if (items && given.run.read)
        return xr_run_command_run(&given, items);
    xr_pipeline_free(given.run.read);
    if (items)
        items->free(items);
    return xr_fail_error(items ? &unread : &error);
}

const xr_command xr_command_record = {
    .name = "record",
    .summary = "run a model on pictures, sounds or texts and write a log, without writing code",
    .synopsis = "--model M --pipeline P.yaml --data DIR|FILE|LIST.txt|TEXTS.tsv -o LOG.mcap [options]",
    .description = "Runs a model on pictures, sounds or texts, with every layer observed, and writes the "
                   "log, beside its "
                   "place (LOG.part) until it is whole. " XR_STOP_TEXT,
    .groups = (const xr_option_group *const[]){&data, &xr_run_model_options, &xr_run_log_options, NULL},
    .example = "exray record --engine tflite --model lite0.tflite --pipeline lite0.yaml \\\n"
               "             --data pictures --labels labels.txt -o edge.mcap",
    .run = run,
};
