/* output.postprocess: something else was told of equal outputs; or decisions that do not follow from
 * a side's own outputs. */
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/output/labelling.h"
#include "checks/told/classes/told_labels.h"
#include "checks/told/silence.h"
#include "checks/told/told_check.h"
#include "checks/told/told_formats.h"
#include "checks/told/unseen_results.h"

#include <math.h>
#include <stdio.h>

static exray_finding *begin(const exray_comparison *comparison, exray_findings *findings, double confidence)
{
    const exray_io_pair *output = exray_comparison_output(comparison, 0);
    exray_finding *f = exray_findings_add(findings, "output.postprocess", EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "output", output ? output->name[EXRAY_SIDE_EDGE] : NULL, EXRAY_NO_INDEX);
    return f;
}

static void report_side(const exray_comparison *comparison, const xr_labelling *l, exray_findings *findings)
{
    exray_finding *f = begin(comparison, findings, l->confidence);
    const char *side = l->side == EXRAY_SIDE_EDGE ? "edge" : "reference";
    exray_finding_summary(f, "The %s's results are not the best of its own outputs.", side);
    exray_finding_fix(f, "Check what is done after the model: argmax, sorting, the output that is read.");
    exray_finding_detail(f, "In %zu of %zu frames with a result.", l->supporting, l->frames);
    exray_finding_number(f, "frames_supporting", (double)l->supporting);
    exray_finding_number(f, "frames", (double)l->frames);
    if (l->ambiguous)
        exray_finding_alternative(f, "output.label_offset", 1 - l->confidence);
}

static void report_disagreement(const exray_comparison *comparison, exray_findings *findings)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(comparison);
    exray_finding *f = begin(comparison, findings, 0.8);
    exray_finding_summary(
        f, "The model's outputs are equal, but both sides decide the same in %.0f %% of the frames.",
        100 * accuracy->agreement);
    exray_finding_fix(f, "Check what is done after the model: label file, label_offset, argmax.");
    exray_finding_number(f, "agreement", accuracy->agreement);
    exray_finding_number(f, "frames", (double)accuracy->frames);
    exray_finding_alternative(f, "output.label_offset", 0.3);
}

/* Whether all classes of a side's lists have the best values of its outputs, in their order; of no frame
 * without outputs is that known. */
static bool follows(const xr_ranks *ranks)
{
    bool known = false;
    for (size_t i = 0; i < ranks->count && ranks->state == XR_RANKS_OFFSET; i++) {
        const xr_rank *k = &ranks->rank[i];
        if (isnan(k->value))
            return false;
        if (k->index >= 0 && k->index - k->id != ranks->offset)
            return false;
        known = known || k->index >= 0;
    }
    return known;
}

/* Both sides tell the best of their own outputs: other lists are other outputs' by noise. */
static bool both_follow(const xr_labelling *l)
{
    const xr_ranks *edge = &l->ranks[EXRAY_SIDE_EDGE], *reference = &l->ranks[EXRAY_SIDE_REFERENCE];
    return follows(edge) && follows(reference) && edge->offset == reference->offset;
}

/* Whose decisions are not those of its own outputs. */
static xr_told_side side_of(const xr_labelling *l)
{
    bool edge = follows(&l->ranks[EXRAY_SIDE_EDGE]), reference = follows(&l->ranks[EXRAY_SIDE_REFERENCE]);
    if (edge == reference)
        return XR_TOLD_UNKNOWN;
    return reference ? XR_TOLD_EDGE_WRONG : XR_TOLD_REFERENCE_WRONG;
}

static void judge_decisions(const exray_comparison *comparison, const xr_labelling *labels,
                            exray_findings *findings)
{
    const exray_accuracy *accuracy = exray_comparison_accuracy(comparison);
    /* Ties and near-ties may go either way, in half of all frames only where each side tells a best of its
     * own outputs. */
    bool disagree = accuracy->frames > 0 &&
                    accuracy->agreement <= exray_findings_option(findings, "agreement") &&
                    xr_outputs_equal(comparison) && !xr_sides_tell_bests(comparison, labels);
    if (labels->state == XR_LABELS_BROKEN)
        report_side(comparison, labels, findings);
    else if (disagree)
        report_disagreement(comparison, findings);
}

static exray_status check_classes(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  exray_findings *findings, exray_error *error)
{
    if (xr_tells_labels(comparison)) /* sets, of which none need be the best */
        return equal->count ? xr_check_told_classes(comparison, equal, XR_TOLD_UNKNOWN, findings, error)
                            : EXRAY_OK;
    const xr_labelling *labels = xr_labelling_of(comparison, findings, error);
    if (!labels)
        return error->status;
    size_t before = findings->count;
    exray_status status = EXRAY_OK;
    bool misread = xr_interpretation_reorders(&labels->ranks[0].interpretation) ||
                   xr_interpretation_reorders(&labels->ranks[1].interpretation);
    if (labels->state != XR_LABELS_BROKEN && (labels->state != XR_LABELS_RIGHT || misread))
        return EXRAY_OK;
    if (equal->count)
        status = xr_check_told_classes(
            comparison, equal, both_follow(labels) ? XR_TOLD_BOTH_RIGHT : side_of(labels), findings, error);
    if (status == EXRAY_OK && findings->count == before)
        judge_decisions(comparison, labels, findings);
    return status;
}

static exray_status check_told(const exray_comparison *comparison, const xr_equal_frames *equal,
                               exray_findings *findings, exray_error *error)
{
    exray_status status = check_classes(comparison, equal, findings, error);
    if (status == EXRAY_OK && equal->count)
        status = xr_check_told_boxes(comparison, equal, findings, error);
    if (status == EXRAY_OK && equal->count)
        status = xr_check_told_text(comparison, equal, findings, error);
    if (status == EXRAY_OK && equal->count)
        status = xr_check_told_stages(comparison, equal, findings, error);
    return status;
}

static exray_status abstain_for_silence(const xr_silence *silence, exray_error *error)
{
    const char *side = silence->told[EXRAY_SIDE_EDGE] ? "reference" : "edge";
    error->status = EXRAY_E_STATE;
    snprintf(error->message, sizeof error->message,
             "the %s log has no /result: what was told there was not compared", side);
    return EXRAY_E_STATE;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    size_t before = findings->count;
    xr_equal_frames equal;
    exray_status status = xr_equal_frames_make(comparison, &equal, error);
    const xr_silence silence = equal.silence;
    if (status == EXRAY_OK)
        status = check_told(comparison, &equal, findings, error);
    const bool compared = status == EXRAY_OK && findings->count == before && !xr_one_side_records(&silence);
    const bool noted = !compared || xr_note_unseen_results(comparison, &equal, findings);
    xr_equal_frames_free(&equal);
    if (!noted || (compared && !xr_note_told_formats(comparison, findings))) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing what was told"};
        return EXRAY_E_MEMORY;
    }
    return status == EXRAY_OK && findings->count == before && xr_one_side_records(&silence)
               ? abstain_for_silence(&silence, error)
               : status;
}

static const char *const causes[] = {"output.postprocess", "output.label_offset", "output.box_format", NULL};
static const exray_option options[] = {
    {"agreement",
     "share of frames with equal decisions, at most, where outputs are equal and decisions are no ties", 0.5,
     0, 1},
    {.name = NULL},
};

const exray_assertion xr_assertion_output_postprocess = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.postprocess",
    .summary = "of equal outputs both sides tell the same",
    .causes = causes,
    .needs = "/result, and /output or /input, of both logs; or /result and /output of one",
    .run = run,
    .options = options,
};
