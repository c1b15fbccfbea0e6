/* `exray replay`: runs the captured data of a log through another pipeline,
 * model or engine. */
#include "base/workers.h"
#include "cli/commands/run_command.h"
#include "cli/fail.h"
#include "cli/output.h"

#include <exray/log.h>

static int set_from(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    xr_run_command *out = values;
    int from = xr_choice(command, option, value);
    out->from_input = from == 1;
    return from < 0 ? XR_EXIT_FAILED : XR_EXIT_OK;
}

static int set_jobs(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    xr_run_command *out = values;
    uint64_t number;
    if (!xr_parse_count(value, 1024, &number))
        return xr_usage_error(command, "--jobs takes a number of threads from 1 to 1024, not '%s'", value);
    out->run.jobs = (unsigned)number;
    return XR_EXIT_OK;
}

static const xr_option_group data = {
    .title = "The data, and the role of the log",
    .options = (const xr_option[]){
        {.name = "from",
         .value = "WHAT",
         .kind = XR_VALUE_CHOICES,
         .choices = (const char *const[]){"sensor", "input", NULL},
         .set = set_from,
         .text = "sensor (default), or input: feed the recorded model input unchanged"},
        {.name = "sensor",
         .value = "NAME",
         .kind = XR_VALUE_TEXT,
         XR_INTO(text, xr_run_command, sensor),
         .text = "which sensor record (default: the first of each frame that is what the pipeline takes: a "
                 "picture, a "
                 "sound or a text)"},
        XR_LABELS_OPTION,
        XR_ROLE_OPTION("reference"),
        {.name = "jobs",
         .letter = 'j',
         .value = "N",
         .kind = XR_VALUE_TEXT,
         .set = set_jobs,
         .text =
             "decode and pre-process pictures on N threads (as many as there are processors), in turns with "
             "the model's runs, which nothing disturbs; the log does not depend on it, except for times"},
        {.name = "data", .value = "PATH", .refused = "is for record; replay takes the log's own data"},
        {.name = "repeat", .value = "N", .refused = "is for record; replay takes the log's own frames"},
        {0},
    }};

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

static int run(const xr_call *call)
{
    xr_run_command given = xr_run_command_defaults(EXRAY_ROLE_REFERENCE);
    xr_operands operands;
    int status = xr_parse_options(call, &given, &operands);
    if (status == XR_EXIT_OK && operands.count > 1)
        status = xr_usage_error(call->command, "too many arguments: %s", operands.at[0]);
    if (status == XR_EXIT_OK && operands.count == 0)
        status = xr_usage_error(call->command, "the log to replay is missing");
    if (status == XR_EXIT_OK)
        status = xr_run_command_check(call->command, &given);
    if (status != XR_EXIT_OK)
        return status;
    if (given.run.jobs == 0)
        given.run.jobs = xr_workers_processors();
    given.log = operands.at[0];
    /* Writing over the log that is being read would destroy it. */
    if (xr_names_one_file(given.log, given.run.out))
        return xr_fail("%s is the log to replay; give -o another name", given.run.out);
    exray_error error = {0};
    exray_log *log = exray_log_open(given.log, &error);
    if (!log)
        return xr_fail_error(&error);
    if (exray_log_truncated(log))
        fprintf(stderr, "exray: warning: %s %s; replaying what is whole\n", given.log,
                exray_log_truncated(log));
    status = replay(&given, log);
    exray_log_close(log);
    return status;
}

const xr_command xr_command_replay = {
    .name = "replay",
    .summary = "run a log's captured data through a reference pipeline",
    .synopsis = "EDGE.mcap --model M --pipeline P.yaml -o REF.mcap [options]",
    .description =
        "Runs the sensor data of the device's log through the reference pipeline and model. `validate` "
        "compares the device's log with the log that this writes, beside its place (REF.mcap.part) until it "
        "is whole. " XR_STOP_TEXT,
    .groups = (const xr_option_group *const[]){&data, &xr_run_model_options, &xr_run_log_options, NULL},
    .example =
        "exray replay edge.mcap --engine tflite --model lite0.tflite --pipeline lite0.yaml -o ref.mcap",
    .run = run,
};
