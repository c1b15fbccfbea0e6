/* output.box_format: boxes in another format: yxyx for xyxy, center and size for corners, pixels
 * for shares of the picture. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/head/head_check.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/output/boxes.h"
#include "checks/output/relation.h"

static void report(const exray_io_pair *io, const xr_box_fit *fit, bool known, exray_findings *findings)
{
    bool tied = fit->runner_up < 2 * fit->after;
    bool unit = fit->gain[0] != 1 || fit->gain[1] != 1;
    exray_finding *f = exray_findings_add(findings, "output.box_format", EXRAY_SEVERITY_ERROR,
                                          tied    ? 0.6
                                          : known ? 0.97
                                                  : 0.9);
    exray_finding_where(f, "output", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's boxes are the reference's in another format: %s.", fit->change);
    if (unit)
        exray_finding_detail(f, "Their unit is another, too: times %.5g and %.5g.", fit->gain[0],
                             fit->gain[1]);
    exray_finding_detail(f, "That leaves %.2g of the deviation, without it %.2g, in %zu of %zu frames.",
                         fit->after, fit->before, fit->supporting, fit->frames);
    exray_finding_fix(f, "Read the boxes in the order and unit that the model gives them in.");
    exray_finding_text(f, "change", fit->change);
    exray_finding_number(f, "gain_0", fit->gain[0]);
    exray_finding_number(f, "gain_1", fit->gain[1]);
    exray_finding_number(f, "residual_before", fit->before);
    exray_finding_number(f, "residual_after", fit->after);
    exray_finding_number(f, "runner_up_residual", fit->runner_up);
    exray_finding_number(f, "noise", fit->noise);
    exray_finding_number(f, "frames_supporting", (double)fit->supporting);
    exray_finding_number(f, "frames", (double)fit->frames);
    if (unit)
        exray_finding_alternative(f, "output.dequantization", 0.2);
}

/* Compares the boxes of each side's results with its own output, whatever the inputs are.  What
 * both sides do alike is intended, and the unit is the application's choice. */
static exray_status check_results(const exray_comparison *comparison, exray_findings *findings,
                                  exray_error *error)
{
    xr_box_interpretation edge, reference;
    exray_status status = xr_box_interpretation_make(comparison, EXRAY_SIDE_EDGE, &edge, error);
    if (status == EXRAY_OK)
        status = xr_box_interpretation_make(comparison, EXRAY_SIDE_REFERENCE, &reference, error);
    if (status != EXRAY_OK)
        return status;
    const char *right = reference.known ? reference.change : xr_box_convention(comparison, EXRAY_SIDE_EDGE);
    if (!edge.known || !right || edge.change == right)
        return EXRAY_OK;
    exray_finding *f =
        exray_findings_add(findings, "output.box_format", EXRAY_SEVERITY_ERROR, reference.known ? 0.97 : 0.9);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge reads its boxes in another format than %s.",
                          reference.known ? "the reference reads its own" : "the model gives them in");
    exray_finding_detail(f, "Between output and result: on the edge %s, rightly %s; %zu boxes in %zu frames.",
                         edge.change, right, edge.boxes, edge.frames);
    exray_finding_fix(f, "Read the boxes in the order that the model gives them in.");
    exray_finding_text(f, "edge_change", edge.change);
    exray_finding_text(f, "right_change", right);
    exray_finding_number(f, "boxes", (double)edge.boxes);
    exray_finding_number(f, "residual", edge.residual);
    exray_finding_number(f, "frames", (double)edge.frames);
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    exray_status status = check_results(comparison, findings, error);
    if (status != EXRAY_OK)
        return status;
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        xr_box_fit fit;
        status = xr_box_fit_make(comparison, i, &fit, error);
        if (status != EXRAY_OK)
            return status;
        if (!fit.explains)
            continue;
        if (xr_inputs_differ_by_any(comparison, findings))
            return xr_abstain_for_inputs(error);
        report(exray_comparison_output(comparison, i), &fit, xr_inputs_known(comparison), findings);
    }
    return xr_check_heads(comparison, findings, error);
}

static const char *const causes[] = {"output.box_format",     "output.activation", "output.label_offset",
                                     "output.dequantization", "layer.unknown",     NULL};

const exray_assertion xr_assertion_output_box_format = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.box_format",
    .summary = "both sides write boxes alike",
    .causes = causes,
    .needs = "/output of both logs, with data, [..., 4]; equal inputs, or /result",
    .run = run,
};
