/* Runs assertions, and says what that comes to. */
#include "checks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *xr_verdict_name(xr_verdict verdict)
{
    return verdict == XR_PASS ? "pass" : verdict == XR_FAIL ? "fail" : "inconclusive";
}

/* ---- Selection -------------------------------------------------------------- */

static bool is_selected(const char *select, const char *name)
{
    if (!select)
        return true;
    size_t length = strlen(name);
    for (const char *at = select; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n == length && memcmp(at, name, n) == 0)
            return true;
        at += n;
    }
    return false;
}

static bool is_known(const exray_assertion *const *table, const char *name, size_t length)
{
    for (; table && *table; table++)
        if (strlen((*table)->name) == length && memcmp((*table)->name, name, length) == 0)
            return true;
    return false;
}

static exray_status check_selection(const xr_check_options *o, exray_error *error)
{
    for (const char *at = o->select; at && *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n && !is_known(xr_assertions, at, n) && !is_known(o->extra, at, n)) {
            error->status = EXRAY_E_ARGUMENT;
            snprintf(error->message, sizeof error->message,
                     "there is no assertion '%.*s'; `exray assertions` lists them", (int)(n < 80 ? n : 80),
                     at);
            return error->status;
        }
        at += n;
    }
    return EXRAY_OK;
}

/* ---- Running ------------------------------------------------------------------ */

static void run_table(const exray_assertion *const *table, const exray_comparison *comparison,
                      const xr_check_options *options, xr_outcome *out)
{
    for (; table && *table; table++) {
        const exray_assertion *assertion = *table;
        if (!is_selected(options->select, assertion->name))
            continue;
        xr_run *run = &out->run[out->run_count++];
        size_t before = out->findings.count;
        exray_error error = {EXRAY_OK, ""};
        out->findings.assertion = assertion;
        *run = (xr_run){.assertion = assertion};
        run->status = assertion->run(comparison, &out->findings, &error);
        out->findings.assertion = NULL;
        run->findings = out->findings.count - before;
        if (run->status != EXRAY_OK)
            snprintf(run->message, sizeof run->message, "%s",
                     *error.message ? error.message : exray_status_name(run->status));
    }
}

static size_t table_size(const exray_assertion *const *table)
{
    size_t count = 0;
    while (table && table[count])
        count++;
    return count;
}

/* ---- The verdict ---------------------------------------------------------------- */

static double coverage_of(const exray_comparison *comparison)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    return c->layers[EXRAY_EDGE] ? (double)c->compared / (double)c->layers[EXRAY_EDGE] : 1;
}

static void report_coverage(const exray_comparison *comparison, const xr_check_options *options,
                            exray_findings *findings)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    double share = coverage_of(comparison);
    if (exray_comparison_frame_count(comparison) == 0 || share >= options->min_coverage)
        return;
    exray_finding *f = exray_find(findings, "log.coverage", EXRAY_WARNING, 1);
    exray_finding_summary(f, "Only %zu of the edge's %zu layers found a counterpart in the reference.",
                          c->compared, c->layers[EXRAY_EDGE]);
    exray_finding_fix(f, "Use the same model file on both sides, or lower --min-coverage (now %g).",
                      options->min_coverage);
    exray_finding_where(f, "log", NULL, EXRAY_NO_INDEX);
    exray_finding_number(f, "compared", (double)c->compared);
    exray_finding_number(f, "edge_layers", (double)c->layers[EXRAY_EDGE]);
}

static void raise_severities(const xr_check_options *options, exray_findings *findings)
{
    for (exray_finding *f = findings->first; f; f = f->next) {
        bool raise = (options->fail_on_perf && strncmp(f->cause, "perf.", 5) == 0) ||
                     (options->fail_on_log && strncmp(f->cause, "log.", 4) == 0);
        if (raise && f->severity == EXRAY_WARNING)
            f->severity = EXRAY_ERROR;
    }
}

/* Whether anything that the model computed was compared at all. */
static bool compared_values(const exray_comparison *comparison)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    if (c->with_data || c->with_stats || exray_comparison_accuracy(comparison)->frames)
        return true;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_output(comparison, i)->comparable)
            return true;
    return false;
}

static const char *first_source(const exray_log *log)
{
    return exray_log_frame_count(log) ? exray_log_frame(log, 0)->source : NULL;
}

static void say_no_frames(const exray_comparison *comparison, xr_outcome *out)
{
    const exray_log *edge = exray_comparison_log(comparison, EXRAY_EDGE);
    const exray_log *reference = exray_comparison_log(comparison, EXRAY_REFERENCE);
    size_t n = exray_log_frame_count(edge), m = exray_log_frame_count(reference);
    if (n == 0 || m == 0)
        snprintf(out->reason, sizeof out->reason, "the %s log has no frames", n == 0 ? "edge" : "reference");
    else
        snprintf(out->reason, sizeof out->reason,
                 "no frame of one log is in the other, matched by %s (first: '%.80s' and '%.80s')",
                 exray_comparison_matched_by(comparison), first_source(edge), first_source(reference));
}

static void judge(const exray_comparison *comparison, const xr_check_options *options, xr_outcome *out)
{
    for (size_t i = 0; i < out->shown_count; i++)
        if (out->shown[i]->severity == EXRAY_ERROR) {
            out->verdict = XR_FAIL;
            return;
        }
    out->verdict = XR_INCONCLUSIVE;
    const exray_coverage *c = exray_comparison_coverage(comparison);
    if (exray_comparison_frame_count(comparison) == 0) {
        say_no_frames(comparison, out);
        return;
    }
    if (coverage_of(comparison) < options->min_coverage) {
        snprintf(out->reason, sizeof out->reason,
                 "%zu of %zu edge layers compared, %.0f %% are needed (--min-coverage)", c->compared,
                 c->layers[EXRAY_EDGE], 100 * options->min_coverage);
        return;
    }
    if (!compared_values(comparison)) {
        snprintf(out->reason, sizeof out->reason,
                 "the logs share no output, layer or result with values: record with --capture io or more");
        return;
    }
    for (size_t i = 0; i < out->run_count; i++)
        if (out->run[i].status != EXRAY_OK && out->run[i].status != EXRAY_E_STATE) {
            snprintf(out->reason, sizeof out->reason, "assertion %s failed: %.300s",
                     out->run[i].assertion->name, out->run[i].message);
            return;
        }
    out->verdict = XR_PASS;
}

exray_status xr_run_assertions(const exray_comparison *comparison, const xr_check_options *options,
                               xr_outcome *out, exray_error *error)
{
    *out = (xr_outcome){0};
    exray_status status = check_selection(options, error);
    if (status != EXRAY_OK)
        return status;
    out->run = calloc(table_size(xr_assertions) + table_size(options->extra) + 1, sizeof *out->run);
    if (out->run) {
        run_table(xr_assertions, comparison, options, out);
        run_table(options->extra, comparison, options, out);
        report_coverage(comparison, options, &out->findings);
        raise_severities(options, &out->findings);
        out->shown = calloc(out->findings.count + 1, sizeof *out->shown);
    }
    if (!out->run || !out->shown || out->findings.out_of_memory) {
        xr_outcome_free(out);
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while running the assertions"};
        return EXRAY_E_MEMORY;
    }
    out->shown_count = xr_fold(comparison, &out->findings, out->shown);
    judge(comparison, options, out);
    return EXRAY_OK;
}

void xr_outcome_free(xr_outcome *outcome)
{
    xr_findings_clear(&outcome->findings);
    free(outcome->shown);
    free(outcome->run);
    *outcome = (xr_outcome){0};
}
