/* `exray replay`: runs the captured data of a log through another pipeline,
 * model or engine. */
#define _POSIX_C_SOURCE 200809L
#include "cli/run_command.h"

#include <exray/log.h>
#include <sys/stat.h>

static int run(int argc, char **argv);

const xr_command xr_command_replay = {
    .name = "replay",
    .summary = "run a log's captured data through a reference pipeline",
    .usage = "usage: exray replay EDGE.mcap --model M --pipeline P.yaml -o REF.mcap [options]\n\n"
             "Takes what the sensor gave on the device, out of the log, and runs it through the\n"
             "reference pipeline and model.  The log it writes is what `validate` compares with.\n\n"
             "  --from WHAT         sensor (default) or input: feed the recorded model input as it is\n"
             "  --sensor NAME       which sensor record (default: the first of each frame)\n"
             "  --role ROLE         edge or reference (default reference)\n" XR_RUN_OPTIONS_HELP "\n"
             "example: exray replay edge.mcap --engine tflite --model lite0.tflite --pipeline lite0.yaml -o "
             "ref.mcap\n",
    .run = run,
};

/* Writing over the log that is being read would destroy it. */
static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

static int replay(xr_run_command *command, const exray_log *log)
{
    exray_error error = {0};
    xr_items *items = xr_items_from_log(log, command->from_input, command->sensor, command->labels, &error);
    if (!items)
        return xr_fail_error(&error);
    command->run.config.replay_of = exray_log_metadata(log, "log_id");
    command->run.config.session = exray_log_metadata(log, "session");
    return xr_run_command_run(command, items);
}

static int run(int argc, char **argv)
{
    xr_run_command command;
    int status = xr_run_command_parse(&xr_command_replay, argc, argv, &command);
    if (status)
        return status;
    if (same_file(command.log, command.run.out))
        return xr_fail("%s is the log to replay; give -o another name", command.run.out);
    exray_error error = {0};
    exray_log *log = exray_log_open(command.log, &error);
    if (!log)
        return xr_fail_error(&error);
    if (exray_log_truncated(log))
        fprintf(stderr, "exray: warning: %s %s; replaying what is whole\n", command.log,
                exray_log_truncated(log));
    status = replay(&command, log);
    exray_log_close(log);
    return status;
}
