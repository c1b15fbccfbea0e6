/* `exray diff`: two validations compared. */
#include "cli/command_line.h"
#include "cli/fail.h"
#include "cli/output.h"
#include "cli/progress.h"
#include "report/diff/diff.h"
#include "report/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct diff_options {
    const char *json, *html;
    xr_diff_options comparing;
} diff_options;

static int set_fail_on(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)command;
    (void)option;
    diff_options *o = values;
    o->comparing.fail_on_perf = strstr(value, "perf") != NULL;
    o->comparing.fail_on_log = strstr(value, "log") != NULL;
    return XR_EXIT_OK;
}

static int set_tolerance(const xr_command *command, const xr_option *option, const char *value, void *values)
{
    (void)option;
    diff_options *o = values;
    char *end;
    errno = 0;
    o->comparing.tolerance = strtod(value, &end);
    if (errno || end == value || *end || !(o->comparing.tolerance >= 0 && o->comparing.tolerance <= 1))
        return xr_usage_error(command, "--tolerance takes a number from 0 to 1, not '%s'", value);
    return XR_EXIT_OK;
}

static const xr_option_group options = {
    .options = (const xr_option[]){
        {.name = "json",
         .value = "FILE",
         XR_INTO(text, diff_options, json),
         .text = "the same as JSON; - is standard output, instead of the text"},
        {.name = "html",
         .value = "FILE",
         XR_INTO(text, diff_options, html),
         .text = "the same as a page for a browser; - likewise"},
        {.name = "tolerance",
         .value = "X",
         .kind = XR_VALUE_TEXT,
         .set = set_tolerance,
         .text = "by how much a measure may fall without being worse (0.005)"},
        {.name = "fail-on",
         .value = "perf,log",
         .kind = XR_VALUE_CHOICES,
         .choices = (const char *const[]){"perf", "log", "perf,log", NULL},
         .set = set_fail_on,
         .text = "let new warnings of these kinds count, too"},
        {0},
    }};

static int write_page(const char *path, bool (*write)(const xr_diff *, FILE *), const xr_diff *diff)
{
    FILE *out = path ? xr_open_output(path) : NULL;
    if (!out)
        return path ? XR_EXIT_FAILED : XR_EXIT_OK;
    bool written = write(diff, out);
    if (!xr_close_output(out, path))
        return XR_EXIT_FAILED;
    return written ? XR_EXIT_OK : xr_fail("out of memory while writing '%s'", path);
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

static int check(const xr_call *call, const diff_options *o, const xr_operands *operands)
{
    if (operands->count != 2)
        return xr_usage_error(call->command, "two validations are needed: OLD.json NEW.json");
    if ((is_stdout(o->json) && is_stdout(o->html)) || xr_same_output(o->json, o->html))
        return xr_usage_error(call->command, "--json and --html cannot go to the same place");
    for (size_t i = 0; i < 2; i++)
        if (xr_same_output(o->json, operands->at[i]) || xr_same_output(o->html, operands->at[i]))
            return xr_usage_error(call->command, "%s is read by this command and cannot be its report",
                                  operands->at[i]);
    return XR_EXIT_OK;
}

static int report(const diff_options *o, const xr_diff *diff)
{
    if (!is_stdout(o->json) && !is_stdout(o->html) && !xr_is_quiet())
        xr_diff_text(diff, stdout, xr_wants_color(stdout));
    int status = write_page(o->json, xr_diff_json, diff);
    if (status == XR_EXIT_OK)
        status = write_page(o->html, xr_diff_html, diff);
    return status != XR_EXIT_OK ? status : diff->change == XR_WORSE ? XR_EXIT_FOUND : XR_EXIT_OK;
}

static int run(const xr_call *call)
{
    diff_options o = {.comparing = {.tolerance = 0.005}};
    xr_operands operands;
    int status = xr_parse_options(call, &o, &operands);
    if (status == XR_EXIT_OK)
        status = check(call, &o, &operands);
    if (status != XR_EXIT_OK)
        return status;
    exray_error error = {EXRAY_OK, ""};
    xr_diff diff;
    status = xr_diff_read(operands.at[0], operands.at[1], &o.comparing, &diff, &error) == EXRAY_OK
                 ? report(&o, &diff)
                 : xr_fail_error(&error);
    xr_diff_free(&diff);
    return status;
}

const xr_command xr_command_diff = {
    .name = "diff",
    .summary = "compare two validations: what is new, gone or worse",
    .synopsis = "OLD.json NEW.json [options]",
    .description =
        "Compares two results of `exray validate --json`, such as those of the last release and of this one. "
        "A "
        "finding is known again by its cause and its place. New errors and warnings, findings that are more "
        "severe than they were, measures that fell and a worse verdict are worse; new findings that --known "
        "accepts, "
        "and new warnings about time and about the log itself (--fail-on) are shown and do not count.",
    .groups = (const xr_option_group *const[]){&options, NULL},
    .notes = "exit status: 0 nothing is new or worse, 1 something is, 2 could not do it",
    .example = "exray diff last/verdict.json verdict.json --html changes.html",
    .run = run,
};
