#define _POSIX_C_SOURCE 200809L
#include "base/workers.h"
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "engines/engine.h"
#include "validate/validate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MOST_SETTINGS = 64 };
_Static_assert((int)MOST_SETTINGS <= (int)XR_LIST_ROOM, "a list has no room for the settings");

typedef struct validate_options {
    const char *json, *html, *junit;
    xr_value_list plugins, settings;
    exray_validation_options judging; /* except these lists */
} validate_options;

/* ---- Options ---------------------------------------------------------------------- */

static int set_fail_on(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    validate_options *o = values;
    for (const char *at = value; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n == 4 && memcmp(at, "perf", 4) == 0)
            o->judging.fail_on_perf = true;
        else if (n == 3 && memcmp(at, "log", 3) == 0)
            o->judging.fail_on_log = true;
        else
            return xr_usage_error(command, "--fail-on takes perf, log or both, not '%s'", value);
        at += n;
    }
    return XR_EXIT_OK;
}

static bool parse_number(const char *text, double *out)
{
    char *end;
    errno = 0;
    *out = strtod(text, &end);
    return !errno && end != text && !*end;
}

static int set_coverage(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    validate_options *o = values;
    double share;
    if (!parse_number(value, &share) || !(share >= 0 && share <= 1))
        return xr_usage_error(command, "--min-coverage takes a number from 0 to 1, not '%s'", value);
    o->judging.min_coverage = share > 0 ? share : -1; /* to the library 0 means the default */
    return XR_EXIT_OK;
}

static int set_plugin_seconds(const xr_command *command, const xr_option *option, const char *value,
                              void *values)
{
    (void)option;
    validate_options *o = values;
    double seconds;
    if (!parse_number(value, &seconds) || !(seconds > 0 && seconds <= 86400))
        return xr_usage_error(command, "--plugin-timeout takes seconds, not '%s'", value);
    o->judging.plugin_seconds = seconds;
    return XR_EXIT_OK;
}

static int set_jobs(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    validate_options *o = values;
    double jobs;
    if (!parse_number(value, &jobs) || !(jobs >= 1 && jobs <= 1024) || jobs != floor(jobs))
        return xr_usage_error(command, "--jobs takes a number of threads from 1 to 1024, not '%s'", value);
    o->judging.jobs = (unsigned)jobs;
    return XR_EXIT_OK;
}

static int set_setting(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    validate_options *o = values;
    return xr_add_value(command, &o->settings, MOST_SETTINGS, "settings", value);
}

static const xr_option_group reports = {
    .title = "Reports",
    .options = (const xr_option[]){
        {.name = "json",
         .value = "FILE",
         XR_INTO(text, validate_options, json),
         .text = "the verdict, findings and all metrics as JSON; - is standard output, instead of the text"},
        {.name = "html",
         .value = "FILE",
         XR_INTO(text, validate_options, html),
         .text = "the same as a page for a browser, with pictures and charts: one file that loads nothing; - "
                 "likewise"},
        {.name = "junit",
         .value = "FILE",
         XR_INTO(text, validate_options, junit),
         .text = "findings as failed tests, for CI servers; - likewise"},
        {0},
    }};

static const xr_option_group checking = {
    .title = "What is checked",
    .options = (const xr_option[]){
        {.name = "assert",
         .value = "NAME,...",
         .kind = XR_VALUE_TEXT,
         XR_INTO(text, validate_options, judging.assertions),
         .text = "only these assertions (`exray assertions` lists them); NAME may end in *"},
        {.name = "set",
         .value = "NAME.OPTION=VALUE",
         .kind = XR_VALUE_TEXT,
         .set = set_setting,
         .text = "an option of an assertion (`exray assertions` lists them); repeatable"},
        {.name = "plugin",
         .value = "FILE.so",
         XR_INTO(plugin, validate_options, plugins),
         .text = "also the assertions of this library, a plug-in in C (exray/assertion.h); repeatable"},
        {.name = "plugin-timeout",
         .value = "S",
         .kind = XR_VALUE_TEXT,
         .set = set_plugin_seconds,
         .text = "seconds that each of their assertions may take (60)"},
        {.name = "min-coverage",
         .value = "X",
         .kind = XR_VALUE_TEXT,
         .set = set_coverage,
         .text = "share of frames, and of the edge's layers, that must have a counterpart (0.8)"},
        {.name = "fail-on",
         .value = "perf,log",
         .kind = XR_VALUE_CHOICES,
         .choices = (const char *const[]){"perf", "log", "perf,log", NULL},
         .set = set_fail_on,
         .text = "let warnings of these kinds fail"},
        {.name = "require",
         .value = "LIST",
         .kind = XR_VALUE_TEXT,
         XR_INTO(text, validate_options, judging.require),
         .text = "what measures must reach, such as top1>=0.7,agreement>=0.98: fails where one is short"},
        {.name = "known",
         .value = "FILE",
         XR_INTO(text, validate_options, judging.known),
         .text = "findings that were accepted, a YAML list of {cause, where, reason, expires}: they are "
                 "shown as known "
                 "and do not fail"},
        {.name = "jobs",
         .letter = 'j',
         .value = "N",
         .kind = XR_VALUE_TEXT,
         .set = set_jobs,
         .text = "open logs, compare layers and search for causes on N threads (as many as there are "
                 "processors); the result does not depend on it"},
        {.name = "write-known",
         .value = "FILE",
         XR_INTO(text, validate_options, judging.write_known),
         .text = "write such a list that accepts what fails now"},
        {0},
    }};

static const xr_option_group models = {
    .title = "Model files, and layers run alone",
    .options = (const xr_option[]){
        {.name = "edge-model",
         .value = "FILE",
         XR_INTO(text, validate_options, judging.edge_model),
         .text = "the edge's model file: weights that a log has no data of are read from there"},
        {.name = "reference-model",
         .value = "FILE",
         XR_INTO(text, validate_options, judging.reference_model),
         .text = "the reference's model file, likewise"},
        {.name = "engine",
         .value = "NAME",
         .kind = XR_VALUE_ENGINE,
         XR_INTO(text, validate_options, judging.engine),
         .text =
             "run each wrong layer alone: cut out of the reference's model file, on the inputs that the edge "
             "recorded (--capture full)"},
        {.name = "no-isolate",
         XR_INTO(flag, validate_options, judging.no_isolate),
         .text = "do not run wrong layers alone.  Else, without --engine, that is done for at most 10 s "
                 "where the file "
                 "that the reference ran is --reference-model or beside its log"},
        {.name = "kernels",
         .value = "K",
         .kind = XR_VALUE_KERNELS,
         XR_INTO(text, validate_options, judging.kernels),
         .text = "the kernels that it runs with"},
        {.name = "engine-lib",
         .value = "FILE",
         XR_INTO(text, validate_options, judging.engine_library),
         .text = "the library that it runs with"},
        {.name = "repro",
         .value = "DIR",
         XR_INTO(text, validate_options, judging.repro),
         .text = "write the first layer that is wrong by itself there: the cut-out model, its inputs, both "
                 "outputs"},
        {0},
    }};

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* No report overwrites another, or a file that the command reads. */
static int check_outputs(const xr_command *command, const validate_options *o)
{
    enum { OUTPUTS = 4, INPUTS = 4 };
    const char *const outputs[OUTPUTS] = {o->json, o->html, o->junit, o->judging.write_known};
    const char *const inputs[INPUTS] = {o->judging.edge_model, o->judging.reference_model,
                                        o->judging.engine_library, o->judging.known};
    for (size_t i = 0; i < OUTPUTS; i++) {
        for (size_t k = 0; k < i; k++)
            if (xr_same_output(outputs[i], outputs[k]))
                return xr_usage_error(
                    command,
                    "two of --json, --html, --junit and --write-known name the same file; the second would "
                    "overwrite the first");
        bool read = false;
        /* A list of known findings is read before it is written anew. */
        for (size_t k = 0; k < INPUTS; k++)
            read = read || (xr_same_output(outputs[i], inputs[k]) &&
                            !(outputs[i] == o->judging.write_known && inputs[k] == o->judging.known));
        for (size_t k = 0; k < o->plugins.count; k++)
            read = read || xr_same_output(outputs[i], o->plugins.value[k]);
        if (read)
            return xr_usage_error(command, "%s is read by this command and cannot be its report", outputs[i]);
    }
    return XR_EXIT_OK;
}

/* Options that cannot be given together. */
static int check_options(const xr_command *command, const validate_options *o)
{
    if (is_stdout(o->json) + is_stdout(o->html) + is_stdout(o->junit) + is_stdout(o->judging.write_known) > 1)
        return xr_usage_error(
            command, "only one of --json, --html, --junit and --write-known can go to standard output");
    return check_outputs(command, o);
}

/* ---- The work ------------------------------------------------------------------------ */

/* Writes one report to the file that an option names; NULL: the option was not given. */
static int write_report(const char *path, bool (*write)(const xr_report *, FILE *), const xr_report *report)
{
    FILE *out = path ? xr_open_output(path) : NULL;
    if (!out)
        return path ? XR_EXIT_FAILED : XR_EXIT_OK;
    bool written = write(report, out);
    if (!xr_close_output(out, path))
        return XR_EXIT_FAILED;
    return written ? XR_EXIT_OK : xr_fail("out of memory while writing '%s'", path);
}

static int write_reports(const validate_options *o, const xr_report *report)
{
    if (!is_stdout(o->json) && !is_stdout(o->html) && !is_stdout(o->junit) &&
        !is_stdout(o->judging.write_known) && !xr_is_quiet())
        xr_report_text(report, stdout, xr_wants_color(stdout));
    int status = write_report(o->json, xr_report_json, report);
    if (status == XR_EXIT_OK)
        status = write_report(o->html, xr_report_html, report);
    return status == XR_EXIT_OK ? write_report(o->junit, xr_report_junit, report) : status;
}

/* ---- Isolation ------------------------------------------------------------------------ */

static int check_isolation(const xr_command *command, const exray_validation_options *o)
{
    bool wanted = o->engine || o->repro || o->engine_library || o->kernels;
    if (wanted && (!o->engine || !o->reference_model))
        return xr_usage_error(command,
                              "to run layers alone it takes both --engine NAME and --reference-model FILE");
    if (o->engine && !xr_engine_by_name(o->engine))
        return xr_no_engine(command, o->engine);
    return XR_EXIT_OK;
}

static int exit_status(exray_verdict verdict)
{
    return verdict == EXRAY_VERDICT_PASS   ? XR_EXIT_OK
           : verdict == EXRAY_VERDICT_FAIL ? XR_EXIT_FOUND
                                           : XR_EXIT_UNKNOWN;
}

static int compare_and_judge(const validate_options *o, const exray_log *edge, const exray_log *reference)
{
    xr_progress progress = xr_progress_begin("comparing", "frames");
    exray_validation_options judging = o->judging;
    judging.set = o->settings.value;
    judging.set_count = o->settings.count;
    judging.plugin = o->plugins.value;
    judging.plugin_count = o->plugins.count;
    judging.progress = xr_progress_tell;
    judging.user = &progress;
    exray_error error = {EXRAY_OK, ""};
    exray_validation *validation = exray_validation_run(edge, reference, &judging, &error);
    xr_progress_clear(&progress);
    if (!validation)
        return xr_fail_error(&error);
    xr_note("compared %zu frames in %.3g s",
            exray_comparison_frame_count(exray_validation_comparison(validation)),
            (double)(xr_clock() - progress.began) / 1e9);
    int status = write_reports(o, xr_validation_report(validation));
    if (status == XR_EXIT_OK)
        status = exit_status(exray_validation_verdict(validation));
    exray_validation_free(validation);
    return status;
}

typedef struct log_opening {
    const char *path;
    exray_log *log;
    exray_error error;
} log_opening;

static void open_log(void *user, unsigned job)
{
    log_opening *o = (log_opening *)user + job;
    o->log = exray_log_open(o->path, &o->error);
}

/* The walk over a log's records waits for memory: two at once take little longer than one. */
static void open_logs(log_opening opening[2], unsigned jobs)
{
    if (jobs == 1 || xr_workers_processors() == 1) {
        open_log(opening, 0);
        if (opening[0].log)
            open_log(opening, 1);
    } else
        xr_workers_run(2, open_log, opening);
}

static int run(const xr_call *call)
{
    validate_options o = {.judging = EXRAY_VALIDATION_OPTIONS_INIT};
    xr_operands operands;
    int status = xr_parse_options(call, &o, &operands);
    if (status == XR_EXIT_OK && operands.count > 2)
        status = xr_usage_error(call->command, "two logs, not more: '%s'", operands.at[2]);
    if (status == XR_EXIT_OK)
        status = check_options(call->command, &o);
    if (status == XR_EXIT_OK && operands.count < 2)
        status = xr_usage_error(call->command, "two logs are needed: EDGE.mcap REFERENCE.mcap");
    if (status == XR_EXIT_OK)
        status = check_isolation(call->command, &o.judging);
    if (status != XR_EXIT_OK)
        return status;
    log_opening opening[2] = {{.path = operands.at[0]}, {.path = operands.at[1]}};
    open_logs(opening, o.judging.jobs);
    exray_log *edge = opening[0].log, *reference = opening[1].log;
    if (edge && reference)
        status = compare_and_judge(&o, edge, reference);
    else
        status = xr_fail_error(&opening[edge ? 1 : 0].error);
    exray_log_close(reference);
    exray_log_close(edge);
    return status;
}

const xr_command xr_command_validate = {
    .name = "validate",
    .summary = "compare a log with its reference and name what is wrong",
    .synopsis = "EDGE.mcap REFERENCE.mcap [options]",
    .description =
        "Compares what the edge recorded with what a reference recorded of the same data, frame by frame "
        "and layer by layer, and names the cause of what differs.",
    .groups = (const xr_option_group *const[]){&reports, &checking, &models, NULL},
    .notes = "exit status: 0 nothing wrong found, 1 something wrong, 2 could not do it, 3 could not tell",
    .example = "exray validate edge.mcap reference.mcap --json verdict.json",
    .run = run,
};
