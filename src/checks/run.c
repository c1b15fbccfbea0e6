/* Runs assertions and gives the verdict. */
#include "checks/checks.h"
#include "checks/consequences.h"
#include "checks/frame_coverage.h"
#include "checks/input/frames/frame_words.h"
#include "checks/layer/output_sizes.h"
#include "checks/layer/value_evidence.h"
#include "checks/log/direction.h"
#include "checks/log/output_statistics.h"
#include "checks/port/port_words.h"
#include "checks/scrubbed.h"
#include "checks/suggest.h"
#include "checks/told/same_results.h"
#include "checks/told/silence.h"
#include "checks/told/told_finding.h"
#include "checks/told/unseen_results.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *xr_verdict_name(xr_verdict verdict)
{
    return verdict == XR_PASS ? "pass" : verdict == XR_FAIL ? "fail" : "inconclusive";
}

/* ---- Selection -------------------------------------------------------------- */

/* "NAME", or "PREFIX*". */
static bool fits(const char *pattern, size_t n, const char *name, size_t length)
{
    if (n && pattern[n - 1] == '*')
        return length >= n - 1 && memcmp(pattern, name, n - 1) == 0;
    return n == length && memcmp(pattern, name, n) == 0;
}

/* By its own name, or by that of a cause that it can name. */
static bool answers_to(const exray_assertion *assertion, const char *pattern, size_t n)
{
    if (fits(pattern, n, assertion->name, strlen(assertion->name)))
        return true;
    for (const char *const *cause = assertion->causes; cause && *cause; cause++)
        if (fits(pattern, n, *cause, strlen(*cause)))
            return true;
    return false;
}

static bool is_selected(const char *select, const exray_assertion *assertion)
{
    if (!select)
        return true;
    for (const char *at = select; *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (answers_to(assertion, at, n))
            return true;
        at += n;
    }
    return false;
}

static bool is_known(const exray_assertion *const *table, const char *name, size_t length)
{
    for (; table && *table; table++)
        if (answers_to(*table, name, length))
            return true;
    return false;
}

static exray_status check_selection(const xr_check_options *o, exray_error *error)
{
    if (o->select && o->select[strspn(o->select, ",")] == '\0') {
        *error = (exray_error){EXRAY_E_ARGUMENT, "--assert names no assertion; leave it out to run them all"};
        return error->status;
    }
    for (const char *at = o->select; at && *at; at += *at == ',') {
        size_t n = strcspn(at, ",");
        if (n && !is_known(xr_assertions, at, n) && !is_known(o->extra, at, n) && !is_known(o->own, at, n)) {
            char meant[XR_SUGGESTION];
            error->status = EXRAY_E_ARGUMENT;
            snprintf(error->message, sizeof error->message,
                     "there is no assertion '%.*s'%s; `exray assertions` lists them", (int)(n < 80 ? n : 80),
                     at, xr_suggest_assertion(xr_assertions, o->extra, at, n, meant));
            return error->status;
        }
        at += n;
    }
    return EXRAY_OK;
}

/* ---- Running ------------------------------------------------------------------ */

static void run_built_in(const exray_comparison *comparison, exray_findings *findings, xr_run *run)
{
    exray_error error = {EXRAY_OK, ""};
    run->status = run->assertion->run(comparison, findings, &error);
    if (run->status != EXRAY_OK)
        snprintf(run->message, sizeof run->message, "%s",
                 *error.message ? error.message : exray_status_name(run->status));
}

static void run_table(const exray_assertion *const *table, bool plugins, const exray_comparison *comparison,
                      const xr_check_options *options, xr_outcome *out)
{
    double seconds = options->plugin_seconds > 0 ? options->plugin_seconds : XR_PLUGIN_SECONDS;
    for (; table && *table; table++) {
        const exray_assertion *assertion = *table;
        if (!is_selected(options->select, assertion))
            continue;
        xr_run *run = &out->run[out->run_count++];
        size_t before = out->findings.count;
        out->findings.assertion = assertion;
        *run = (xr_run){.assertion = assertion};
        if (plugins)
            xr_plugin_run(comparison, seconds, &out->findings, run);
        else
            run_built_in(comparison, &out->findings, run);
        out->findings.assertion = NULL;
        run->findings = out->findings.count - before;
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

/* Layers with a counterpart, without those that have another shape in most frames though not in all (a shape
 * that never is the same is another layout). */
static size_t compared_layers(const exray_comparison *comparison)
{
    size_t count = exray_comparison_coverage(comparison)->compared;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        count -= layer->frames > 0 && layer->other_shape > layer->frames;
    }
    return count;
}

/* Whether a side recorded layers, in the first frames. */
static bool has_layers(const exray_comparison *comparison, exray_side side)
{
    enum { LOOK_AT = 8 };
    const exray_log *log = exray_comparison_log(comparison, side);
    for (size_t f = 0; f < exray_comparison_frame_count(comparison) && f < LOOK_AT; f++) {
        size_t position = exray_comparison_frame(comparison, f).frame[side];
        const exray_record *record = exray_log_records(log, position);
        size_t count = exray_log_frame(log, position)->record_count;
        for (size_t i = 0; i < count; i++)
            if (record[i].message == EXRAY_MESSAGE_TENSOR && record[i].kind == EXRAY_KIND_LAYER)
                return true;
    }
    return false;
}

/* Where a side recorded no layers, none can be compared, whatever the graphs have in common: then inputs,
 * outputs and results decide. */
static double coverage_of(const exray_comparison *comparison)
{
    if (!has_layers(comparison, EXRAY_SIDE_EDGE) || !has_layers(comparison, EXRAY_SIDE_REFERENCE))
        return 1;
    const exray_coverage *c = exray_comparison_coverage(comparison);
    size_t counted = c->layers[EXRAY_SIDE_EDGE] - c->fused;
    return counted ? (double)compared_layers(comparison) / (double)counted : 1;
}

static void report_coverage(const exray_comparison *comparison, const xr_check_options *options,
                            exray_findings *findings)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    double share = coverage_of(comparison);
    if (exray_comparison_frame_count(comparison) == 0 || share >= options->min_coverage)
        return;
    exray_finding *f = exray_findings_add(findings, "log.coverage", EXRAY_SEVERITY_WARNING, 1);
    exray_finding_summary(f, "Only %zu of the edge's %zu layers found a counterpart in the reference.",
                          compared_layers(comparison), c->layers[EXRAY_SIDE_EDGE] - c->fused);
    exray_finding_fix(f, "%s, or lower --min-coverage (now %g).",
                      xr_is_same_file(comparison)
                          ? "Record the same layers on both sides, with the same engine options"
                          : "Use the same model file on both sides",
                      options->min_coverage);
    exray_finding_where(f, "log", NULL, EXRAY_NO_INDEX);
    exray_finding_number(f, "compared", (double)compared_layers(comparison));
    exray_finding_number(f, "edge_layers", (double)c->layers[EXRAY_SIDE_EDGE]);
    exray_finding_number(f, "fused", (double)c->fused);
}

/* Of the frames that both sides recorded, the share in which an output has one shape on both; 1 where it
 * never has, but as many values: that is another layout.  Frames behind inputs of other shapes are told by
 * input.shape. */
static double share_of_shapes(const exray_comparison *comparison, size_t position)
{
    const exray_io_pair *output = exray_comparison_output(comparison, position);
    size_t all = output->frames + output->other_shape;
    if (output->frames || !all)
        return all ? (double)output->frames / (double)all : 1;
    xr_output_sizes sizes = xr_output_sizes_of(comparison, position);
    return sizes.other ? 1 - (double)sizes.other / (double)sizes.frames : 1;
}

/* Whether a finding tells how outputs of other shapes relate. */
static bool shapes_are_told(const exray_findings *findings)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (strcmp(f->cause, "output.shape") == 0)
            return true;
    return false;
}

/* Outputs whose shapes differ behind equal ones of the inputs: too few frames for a verdict, or said. */
static void report_shapes(const exray_comparison *comparison, const xr_check_options *options,
                          exray_findings *findings)
{
    if (shapes_are_told(findings))
        return;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (output->other_shape == 0)
            continue;
        bool few = share_of_shapes(comparison, i) < options->min_coverage;
        exray_finding *f = exray_findings_add(findings, "log.coverage",
                                              few ? EXRAY_SEVERITY_WARNING : EXRAY_SEVERITY_INFO, 1);
        exray_finding_where(f, "output", output->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(f,
                              "In %zu of %zu frames the output %.100s has other shapes on the two sides: it "
                              "is not compared there.",
                              output->other_shape, output->frames + output->other_shape,
                              output->name[EXRAY_SIDE_EDGE]);
        exray_finding_fix(f,
                          "Compare a recorded input of such a frame, and the layers from it to this output.");
        exray_finding_number(f, "frames", (double)output->frames);
        exray_finding_number(f, "frames_other_shape", (double)output->other_shape);
    }
}

/* What was recorded and scrubbed is not to be recorded again. */
static void name_scrubbed(const exray_comparison *comparison, xr_outcome *out)
{
    char words[640];
    xr_scrubbed_words(comparison, words, sizeof words);
    for (size_t i = 0; *words && i < out->run_count; i++)
        if (out->run[i].status == EXRAY_E_STATE)
            xr_scrubbed_instead(out->run[i].message, sizeof out->run[i].message, words);
    for (exray_finding *f = out->findings.first; *words && f; f = f->next)
        if (f->fix && strstr(f->fix, "--capture"))
            exray_finding_fix(f, "Compare the logs from before `exray scrub`: %s.", words);
}

static void raise_severities(const xr_check_options *options, exray_findings *findings)
{
    for (exray_finding *f = findings->first; f; f = f->next) {
        bool raise = (options->fail_on_perf && strncmp(f->cause, "perf.", 5) == 0) ||
                     (options->fail_on_log && strncmp(f->cause, "log.", 4) == 0);
        if (raise && f->severity == EXRAY_SEVERITY_WARNING)
            f->severity = EXRAY_SEVERITY_ERROR;
    }
}

/* So many equal decisions exclude, with 95 % confidence, that one in twenty differs:
 * 0.95^59 < 0.05. */
enum { ENOUGH_DECISIONS = 59 };

/* Whether enough of what the model computed was compared. */
static bool compared_values(const exray_comparison *comparison)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    if (c->with_data || c->with_sketch || c->with_stats ||
        exray_comparison_accuracy(comparison)->frames >= ENOUGH_DECISIONS)
        return true;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_output(comparison, i)->comparable)
            return true;
    return false;
}

/* Whether what both sides told in all frames was compared: a difference would be a finding. */
static bool judged_results(const exray_comparison *comparison, const xr_outcome *out)
{
    xr_silence silence = xr_silence_of(comparison);
    size_t frames = exray_comparison_frame_count(comparison);
    bool judged = false;
    for (size_t i = 0; i < out->run_count; i++)
        judged = judged || (out->run[i].status == EXRAY_OK &&
                            strcmp(out->run[i].assertion->name, "output.postprocess") == 0);
    return judged && !xr_was_excused(&out->findings) && silence.told[0] == frames &&
           silence.told[1] == frames;
}

static bool has_equal_inputs(const exray_comparison *comparison)
{
    size_t inputs = exray_comparison_input_count(comparison);
    for (size_t i = 0; i < inputs; i++) {
        const exray_io_pair *input = exray_comparison_input(comparison, i);
        if (!input->comparable || !(input->error <= input->noise))
            return false;
    }
    return inputs > 0;
}

/* Without outputs and layers: equal inputs, and nothing else told to the user in all frames. */
static bool compared_results(const exray_comparison *comparison, const xr_outcome *out)
{
    return has_equal_inputs(comparison) && judged_results(comparison, out);
}

/* An output that is in both logs and has other shapes in every frame, or NULL. */
static const exray_io_pair *other_output(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (output->other_shape > 0 && output->frames == 0)
            return output;
    }
    return NULL;
}

/* Equal outputs of unknown inputs say little: unless layers show what the model was given. */
static bool inputs_unknown(const exray_comparison *comparison)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    const exray_model *model = exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE));
    return exray_comparison_input_count(comparison) == 0 && !c->with_data && !c->with_sketch &&
           !c->with_stats && model && model->input_count > 0;
}

static const char *first_source(const exray_log *log)
{
    return exray_log_frame_count(log) ? exray_log_frame(log, 0)->source : NULL;
}

static void say_no_frames(const exray_comparison *comparison, xr_outcome *out)
{
    const exray_log *edge = exray_comparison_log(comparison, EXRAY_SIDE_EDGE);
    const exray_log *reference = exray_comparison_log(comparison, EXRAY_SIDE_REFERENCE);
    size_t n = exray_log_frame_count(edge), m = exray_log_frame_count(reference);
    if (n == 0 || m == 0)
        snprintf(out->reason, sizeof out->reason, "the %s log has no frames", n == 0 ? "edge" : "reference");
    else
        snprintf(out->reason, sizeof out->reason,
                 "no frame of one log is in the other, matched by %s (first: '%.80s' and '%.80s')",
                 exray_comparison_matched_by(comparison), first_source(edge), first_source(reference));
}

/* Of an output there are statistics alone, which are others: noise, or a fault.  Where layers were compared,
 * these tell it of the frames in which no output has data. */
static bool other_statistics(const exray_comparison *comparison, xr_outcome *out)
{
    const exray_coverage *c = exray_comparison_coverage(comparison);
    size_t frame;
    const bool layers = c->with_data || c->with_sketch || c->with_stats;
    const exray_io_pair *output = xr_output_of_other_statistics(comparison, layers, &frame);
    if (!output)
        return false;
    const size_t edge = exray_comparison_frame(comparison, frame).frame[EXRAY_SIDE_EDGE];
    snprintf(out->reason, sizeof out->reason,
             "the statistics of output %.100s differ in frame %" PRIu64
             ", and its values are not in both logs: record them (--no-output-data leaves them out)",
             output->name[EXRAY_SIDE_EDGE],
             exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), edge)->index);
    return true;
}

/* Of equal inputs the very same was told in all frames; or nothing else, and no output can be compared (a
 * class on one side, scores on the other): outputs in another format.  Results that are empty in all frames
 * show nothing of the outputs. */
static bool is_format_alone(const exray_comparison *comparison, const xr_outcome *out)
{
    const xr_silence silence = xr_silence_of(comparison);
    if (!silence.says[EXRAY_SIDE_EDGE] || !silence.says[EXRAY_SIDE_REFERENCE])
        return false;
    if (has_equal_inputs(comparison) && xr_same_results(comparison))
        return true;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++)
        if (exray_comparison_output(comparison, i)->comparable)
            return false;
    return compared_results(comparison, out);
}

static void judge_run(const exray_comparison *comparison, const xr_check_options *options, xr_outcome *out)
{
    for (size_t i = 0; i < out->shown_count; i++)
        if (out->shown[i]->severity == EXRAY_SEVERITY_ERROR && !out->shown[i]->known) {
            out->verdict = XR_FAIL;
            return;
        }
    out->verdict = XR_INCONCLUSIVE;
    const exray_coverage *c = exray_comparison_coverage(comparison);
    if (exray_comparison_frame_count(comparison) == 0) {
        say_no_frames(comparison, out);
        return;
    }
    xr_frame_coverage frames;
    xr_frame_coverage_get(comparison, &frames);
    if (frames.share < options->min_coverage) {
        char words[160];
        xr_frame_coverage_words(&frames, words, sizeof words);
        snprintf(out->reason, sizeof out->reason, "only %s, %.0f %% are needed (--min-coverage)", words,
                 100 * options->min_coverage);
        return;
    }
    if (coverage_of(comparison) < options->min_coverage) {
        snprintf(out->reason, sizeof out->reason,
                 "%zu of %zu edge layers compared, %.0f %% are needed (--min-coverage)",
                 compared_layers(comparison), c->layers[EXRAY_SIDE_EDGE] - c->fused,
                 100 * options->min_coverage);
        return;
    }
    if (!compared_values(comparison) && !compared_results(comparison, out) &&
        !shapes_are_told(&out->findings)) {
        size_t decisions = exray_comparison_accuracy(comparison)->frames;
        if (decisions)
            snprintf(out->reason, sizeof out->reason,
                     "only %zu decisions were compared, no values: record with --capture io or more",
                     decisions);
        else if (other_output(comparison))
            snprintf(
                out->reason, sizeof out->reason,
                "the output %.100s has other shapes on the two sides in all frames, and no other output, "
                "layer or result is in both logs with values: record with --capture full",
                other_output(comparison)->name[EXRAY_SIDE_EDGE]);
        else
            snprintf(out->reason, sizeof out->reason,
                     "the logs share no output, layer or result with values: record with --capture io or "
                     "more");
        return;
    }
    if (other_statistics(comparison, out))
        return;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (share_of_shapes(comparison, i) >= options->min_coverage || shapes_are_told(&out->findings) ||
            is_format_alone(comparison, out))
            continue;
        snprintf(out->reason, sizeof out->reason,
                 "the output %.100s has the same shape on both sides in %zu of %zu frames only, %.0f %% are "
                 "needed (--min-coverage)",
                 output->name[EXRAY_SIDE_EDGE], output->frames, output->frames + output->other_shape,
                 100 * options->min_coverage);
        return;
    }
    const xr_unseen_results *unseen = xr_unseen_results_of(&out->findings);
    if (unseen) {
        snprintf(out->reason, sizeof out->reason,
                 "in %zu of %zu frames (the first is %" PRIu64
                 ") the two sides tell something else, and neither "
                 "the outputs nor the inputs of these are in both logs: record with --capture io or more",
                 unseen->differ, unseen->frames, unseen->first);
        return;
    }
    if (inputs_unknown(comparison)) {
        snprintf(out->reason, sizeof out->reason,
                 "no input of the model is in both logs, and no layer: record with --capture io or more");
        return;
    }
    for (size_t i = 0; i < out->run_count; i++)
        if (out->run[i].status != EXRAY_OK && out->run[i].status != EXRAY_E_STATE) {
            snprintf(out->reason, sizeof out->reason, "assertion %s failed: %.300s",
                     out->run[i].assertion->name, out->run[i].message);
            return;
        }
    if (xr_requirements_unknown(options->require, options->require_count, comparison, out->reason,
                                sizeof out->reason))
        return;
    out->verdict = XR_PASS;
}

static void judge(const exray_comparison *comparison, const xr_check_options *options, xr_outcome *out)
{
    char words[640];
    judge_run(comparison, options, out);
    xr_scrubbed_words(comparison, words, sizeof words);
    if (out->verdict == XR_INCONCLUSIVE)
        xr_scrubbed_instead(out->reason, sizeof out->reason, words);
}

exray_status xr_run_assertions(const exray_comparison *comparison, const xr_check_options *options,
                               xr_outcome *out, exray_error *error)
{
    *out = (xr_outcome){0};
    exray_status status = check_selection(options, error);
    xr_setting *setting = NULL;
    if (status == EXRAY_OK)
        status = xr_settings_parse(options, &setting, &out->findings.setting_count, error);
    if (status != EXRAY_OK)
        return status;
    out->findings.setting = setting;
    out->findings.reruns = options->reruns;
    out->run = calloc(table_size(xr_assertions) + table_size(options->extra) + table_size(options->own) + 1,
                      sizeof *out->run);
    if (out->run) {
        run_table(xr_assertions, false, comparison, options, out);
        run_table(options->extra, true, comparison, options, out);
        run_table(options->own, false, comparison, options, out);
        report_coverage(comparison, options, &out->findings);
        xr_frame_coverage frames;
        xr_frame_coverage_get(comparison, &frames);
        xr_report_frame_coverage(&frames, options->min_coverage, &out->findings);
        report_shapes(comparison, options, &out->findings);
        xr_tell_conditions(&out->findings);
        xr_name_ports(comparison, &out->findings);
        xr_requirements_judge(options->require, options->require_count, comparison, &out->findings);
        raise_severities(options, &out->findings);
        name_scrubbed(comparison, out);
        out->shown = calloc(out->findings.count + 1, sizeof *out->shown);
    }
    free(setting);
    out->findings.setting = NULL;
    out->findings.reruns = NULL;
    out->findings.setting_count = 0;
    if (!out->run || !out->shown || out->findings.out_of_memory) {
        xr_outcome_free(out);
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while running the assertions"};
        return EXRAY_E_MEMORY;
    }
    xr_say_no_direction(comparison, &out->findings);
    xr_known_mark(options->known, options->known_count, &out->findings);
    out->shown_count = xr_suppress_consequences(comparison, &out->findings, out->shown);
    xr_known_apply(options->known, options->known_count, out->shown, out->shown_count);
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
