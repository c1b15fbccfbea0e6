/* `exray record`: runs a model on files through a pipeline and logs it. */
#include "cli/run_command.h"

static int run(int argc, char **argv);

const xr_command xr_command_record = {
    .name = "record",
    .summary = "run a model on pictures and write a log, without a line of code",
    .usage =
        "usage: exray record --model M --pipeline P.yaml --data DIR|FILE|LIST.txt -o LOG.mcap [options]\n\n"
        "Runs a model on pictures, with every layer observed, and writes the log.\n\n"
        "  --data PATH         a folder of pictures, one file, or a list of files (.txt)\n"
        "  --labels L.txt      lines FILE CLASS: the true classes\n"
        "  --repeat N          run each picture N times; what the runs differ by is noise to validate\n"
        "  --role ROLE         edge or reference (default edge)\n" XR_RUN_OPTIONS_HELP "\n"
        "example: exray record --engine tflite --model lite0.tflite --pipeline lite0.yaml \\\n"
        "                      --data pictures --labels labels.txt -o edge.mcap\n",
    .run = run,
};

static int run(int argc, char **argv)
{
    xr_run_command command;
    int status = xr_run_command_parse(&xr_command_record, argc, argv, &command);
    if (status)
        return status;
    exray_error error = {0};
    xr_items *items = xr_items_from_files(command.data, command.labels, &error);
    return items ? xr_run_command_run(&command, items) : xr_fail_error(&error);
}
