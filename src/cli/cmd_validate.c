#define _POSIX_C_SOURCE 200809L
#include "cli/cli.h"

#include "cli/progress.h"
#include "cli/usage.h"
#include "engines/engine.h"
#include "validate/validate.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { MAX_PLUGINS = 16, MAX_SETTINGS = 64 };

typedef struct options {
    const char *edge, *reference;
    const char *json, *html, *junit;
    const char *assertions;
    const char *plugin[MAX_PLUGINS];
    size_t plugin_count;
    const char *set[MAX_SETTINGS];
    size_t set_count;
    double plugin_seconds;
    double min_coverage;
    bool fail_on_perf, fail_on_log;
    const char *edge_model, *reference_model, *engine, *engine_lib, *kernels, *repro;
} options;

extern const xr_command xr_command_validate;

/* ---- Options ---------------------------------------------------------------------- */

static int parse_fail_on(options *o, const char *value)
{
    for (const char *at = value; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n == 4 && memcmp(at, "perf", 4) == 0)
            o->fail_on_perf = true;
        else if (n == 3 && memcmp(at, "log", 3) == 0)
            o->fail_on_log = true;
        else
            return xr_usage_error(&xr_command_validate, "--fail-on takes perf, log or both, not '%s'", value);
        at += n;
    }
    return XR_EXIT_OK;
}

static int parse_coverage(options *o, const char *value)
{
    char *end;
    errno = 0;
    o->min_coverage = strtod(value, &end);
    if (errno || end == value || *end || !(o->min_coverage >= 0 && o->min_coverage <= 1))
        return xr_usage_error(&xr_command_validate, "--min-coverage takes a number from 0 to 1, not '%s'",
                              value);
    return XR_EXIT_OK;
}

static int parse_plugin_seconds(options *o, const char *value)
{
    char *end;
    errno = 0;
    o->plugin_seconds = strtod(value, &end);
    if (errno || end == value || *end || !(o->plugin_seconds > 0 && o->plugin_seconds <= 86400))
        return xr_usage_error(&xr_command_validate, "--plugin-timeout takes seconds, not '%s'", value);
    return XR_EXIT_OK;
}

/* The value of `--name VALUE` or `--name=VALUE`; NULL: this is not the option. */
static const char *value_of(const char *name, int argc, char **argv, int *i, bool *missing)
{
    size_t length = strlen(name);
    if (strncmp(argv[*i], name, length) != 0)
        return NULL;
    if (argv[*i][length] == '=')
        return argv[*i] + length + 1;
    if (argv[*i][length])
        return NULL;
    if (*i + 1 >= argc) {
        *missing = true;
        return "";
    }
    return argv[++*i];
}

static int set_option(options *o, const char *name, const char *value)
{
    if (strcmp(name, "--json") == 0)
        o->json = value;
    else if (strcmp(name, "--html") == 0)
        o->html = value;
    else if (strcmp(name, "--junit") == 0)
        o->junit = value;
    else if (strcmp(name, "--assert") == 0)
        o->assertions = value;
    else if (strcmp(name, "--min-coverage") == 0)
        return parse_coverage(o, value);
    else if (strcmp(name, "--fail-on") == 0)
        return parse_fail_on(o, value);
    else if (strcmp(name, "--edge-model") == 0)
        o->edge_model = value;
    else if (strcmp(name, "--reference-model") == 0)
        o->reference_model = value;
    else if (strcmp(name, "--engine") == 0)
        o->engine = value;
    else if (strcmp(name, "--engine-lib") == 0)
        o->engine_lib = value;
    else if (strcmp(name, "--kernels") == 0)
        o->kernels = value;
    else if (strcmp(name, "--repro") == 0)
        o->repro = value;
    else if (strcmp(name, "--plugin-timeout") == 0)
        return parse_plugin_seconds(o, value);
    else if (strcmp(name, "--set") == 0) {
        if (o->set_count == MAX_SETTINGS)
            return xr_usage_error(&xr_command_validate, "at most %d settings", MAX_SETTINGS);
        o->set[o->set_count++] = value;
    } else { /* --plugin */
        if (o->plugin_count == MAX_PLUGINS)
            return xr_usage_error(&xr_command_validate, "at most %d plug-ins", MAX_PLUGINS);
        o->plugin[o->plugin_count++] = value;
    }
    return XR_EXIT_OK;
}

static bool is_stdout(const char *path)
{
    return path && strcmp(path, "-") == 0;
}

/* No report takes the place of another, or of a file that the command reads. */
static int check_outputs(const options *o)
{
    const char *const outputs[] = {o->json, o->html, o->junit};
    const char *const inputs[] = {o->edge_model, o->reference_model, o->engine_lib};
    for (size_t i = 0; i < 3; i++) {
        for (size_t k = 0; k < i; k++)
            if (xr_same_output(outputs[i], outputs[k]))
                return xr_usage_error(
                    &xr_command_validate,
                    "two of --json, --html and --junit name the same file; the second would "
                    "overwrite the first");
        bool read = false;
        for (size_t k = 0; k < 3; k++)
            read = read || xr_same_output(outputs[i], inputs[k]);
        for (size_t k = 0; k < o->plugin_count; k++)
            read = read || xr_same_output(outputs[i], o->plugin[k]);
        if (read)
            return xr_usage_error(&xr_command_validate, "%s is read by this command and cannot be its report",
                                  outputs[i]);
    }
    return XR_EXIT_OK;
}

static int parse(options *o, int argc, char **argv)
{
    static const char *const names[] = {
        "--json",   "--assert",     "--min-coverage", "--fail-on", "--edge-model", "--reference-model",
        "--engine", "--engine-lib", "--kernels",      "--repro",   "--plugin",     "--plugin-timeout",
        "--set",    "--html",       "--junit"};
    bool only_names = false;
    for (int i = 1; i < argc; i++) {
        if (!only_names && strcmp(argv[i], "--") == 0) {
            only_names = true;
            continue;
        }
        if (only_names || argv[i][0] != '-' || !argv[i][1]) {
            if (o->reference)
                return xr_usage_error(&xr_command_validate, "two logs, not more: '%s'", argv[i]);
            *(o->edge ? &o->reference : &o->edge) = argv[i];
            continue;
        }
        bool missing = false, known = false;
        int status = XR_EXIT_OK;
        for (size_t n = 0; n < sizeof names / sizeof *names && !known; n++) {
            const char *value = value_of(names[n], argc, argv, &i, &missing);
            if (!value)
                continue;
            known = true;
            status = missing ? xr_usage_error(&xr_command_validate, "%s needs a value", names[n])
                             : set_option(o, names[n], value);
        }
        if (!known)
            return xr_no_option(&xr_command_validate, argv[i]);
        if (status != XR_EXIT_OK)
            return status;
    }
    if (is_stdout(o->json) + is_stdout(o->html) + is_stdout(o->junit) > 1)
        return xr_usage_error(&xr_command_validate,
                              "only one of --json, --html and --junit can go to standard output");
    int status = check_outputs(o);
    if (status != XR_EXIT_OK)
        return status;
    if (!o->reference)
        return xr_usage_error(&xr_command_validate, "two logs are needed: EDGE.mcap REFERENCE.mcap");
    return XR_EXIT_OK;
}

/* ---- The work ------------------------------------------------------------------------ */

static void show_progress(void *user, size_t done, size_t total)
{
    xr_progress_tell(user, done, total);
}

/* One report into the file that an option names; NULL: it was not given. */
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

static int write_reports(const options *o, const xr_report *report)
{
    if (!is_stdout(o->json) && !is_stdout(o->html) && !is_stdout(o->junit) && !xr_is_quiet())
        xr_report_text(report, stdout, xr_wants_colour(stdout));
    int status = write_report(o->json, xr_report_json, report);
    if (status == XR_EXIT_OK)
        status = write_report(o->html, xr_report_html, report);
    return status == XR_EXIT_OK ? write_report(o->junit, xr_report_junit, report) : status;
}

/* ---- Isolation ------------------------------------------------------------------------ */

static int check_isolation(const options *o)
{
    bool wanted = o->engine || o->repro || o->engine_lib || o->kernels;
    if (wanted && (!o->engine || !o->reference_model))
        return xr_usage_error(&xr_command_validate,
                              "to run layers alone it takes both --engine NAME and --reference-model FILE");
    if (o->engine && !xr_engine_by_name(o->engine))
        return xr_no_engine(&xr_command_validate, o->engine);
    return XR_EXIT_OK;
}

static int exit_status(exray_verdict verdict)
{
    return verdict == EXRAY_VERDICT_PASS   ? XR_EXIT_OK
           : verdict == EXRAY_VERDICT_FAIL ? XR_EXIT_FOUND
                                           : XR_EXIT_UNKNOWN;
}

static int compare_and_judge(const options *o, const exray_log *edge, const exray_log *reference)
{
    xr_progress progress = xr_progress_begin("comparing", "frames");
    exray_validation_options judging = EXRAY_VALIDATION_OPTIONS_INIT;
    judging.assertions = o->assertions;
    judging.set = o->set;
    judging.set_count = o->set_count;
    judging.plugin = o->plugin;
    judging.plugin_count = o->plugin_count;
    judging.plugin_seconds = o->plugin_seconds;
    judging.min_coverage = o->min_coverage > 0 ? o->min_coverage : -1;
    judging.fail_on_perf = o->fail_on_perf;
    judging.fail_on_log = o->fail_on_log;
    judging.progress = show_progress;
    judging.user = &progress;
    judging.edge_model = o->edge_model;
    judging.reference_model = o->reference_model;
    judging.engine = o->engine;
    judging.kernels = o->kernels;
    judging.engine_library = o->engine_lib;
    judging.repro = o->repro;
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

static int run(int argc, char **argv)
{
    options o = {.min_coverage = 0.8};
    int status = parse(&o, argc, argv);
    if (status == XR_EXIT_OK)
        status = check_isolation(&o);
    if (status != XR_EXIT_OK)
        return status;
    exray_error error = {EXRAY_OK, ""};
    exray_log *edge = exray_log_open(o.edge, &error);
    exray_log *reference = edge ? exray_log_open(o.reference, &error) : NULL;
    status = reference ? compare_and_judge(&o, edge, reference) : xr_fail_error(&error);
    exray_log_close(reference);
    exray_log_close(edge);
    return status;
}

const xr_command xr_command_validate = {
    .name = "validate",
    .summary = "compare a log with its reference and name what is wrong",
    .usage =
        "usage: exray validate EDGE.mcap REFERENCE.mcap [options]\n\n"
        "Compares what the edge recorded with what a reference recorded of the same data,\n"
        "frame by frame and layer by layer, and names the cause of what differs.\n\n"
        "  --json FILE          the verdict, findings and all metrics as JSON; - is standard output,\n"
        "                       instead of the text\n"
        "  --html FILE          the same as a page for a browser, with pictures and charts: one file that\n"
        "                       loads nothing; - likewise\n"
        "  --junit FILE         findings as failed tests, for CI servers; - likewise\n"
        "  --assert NAME,...    only these assertions (`exray assertions` lists them); NAME may end in *\n"
        "  --set NAME.OPTION=VALUE\n"
        "                       an option of an assertion (`exray assertions` lists them); repeatable\n"
        "  --plugin FILE.so     also the assertions of this library; repeatable (docs/assertions.md)\n"
        "  --plugin-timeout S   seconds that each of their assertions may take (60)\n"
        "  --min-coverage X     share of the edge's layers that must have a counterpart (0.8)\n"
        "  --fail-on perf,log   let warnings of these kinds fail\n"
        "  --edge-model FILE, --reference-model FILE\n"
        "                       the model files: weights that a log has no data of are read from there\n"
        "  --engine NAME        run each wrong layer alone: cut out of the reference's model file, on the\n"
        "                       inputs that the edge recorded (--capture full)\n"
        "  --kernels K, --engine-lib FILE\n"
        "                       the kernels and the library that it runs with\n"
        "  --repro DIR          write the first layer that is wrong by itself there: the cut-out model, its\n"
        "                       inputs, both outputs\n\n"
        "exit status: 0 nothing wrong found, 1 something wrong, 2 could not do it, 3 could not tell\n\n"
        "example: exray validate edge.mcap reference.mcap --json verdict.json\n",
    .run = run,
};
