/* model.version: the weights differ all over, beyond what storing them explains. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/model_fit.h"

#include <math.h>
#include <stdio.h>

static const char *relation(double correlation)
{
    if (isnan(correlation))
        return "";
    if (correlation > 0.9)
        return " They are related: fine-tuned, or trained again with quantization.";
    if (correlation < 0.3)
        return " They are unrelated: another training.";
    return " They are distantly related.";
}

static void report_weights(const exray_comparison *comparison, const xr_model_fit *fit,
                           exray_findings *findings)
{
    bool moved = fit->weights_moved > fit->weights_differ; /* certain together, for many not one by one */
    double share = (double)(moved ? fit->weights_moved : fit->weights_differ) / (double)fit->weights;
    double sure = moved ? 0.75 : fit->from_stats ? 0.8 : 0.98;
    exray_finding *f =
        exray_findings_add(findings, "model.version", EXRAY_SEVERITY_ERROR, sure * (0.5 + 0.5 * share));
    exray_finding_where(f, "model", exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE))->name,
                        EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The edge runs another version of the model: the weights of %zu of %zu layers are others.",
        moved ? fit->weights_moved : fit->weights_differ, fit->weights);
    if (moved)
        exray_finding_detail(f, "They are stored in the same steps, yet their means and deviations differ by "
                                "more than rounding each weight up or down explains.");
    else
        exray_finding_detail(f,
                             "Dequantized, they differ by %.3g times what rounding explains (median; a "
                             "quantized copy: 1).%s",
                             fit->ratio, relation(fit->correlation));
    for (int s = 0; s < 2; s++)
        if (fit->zeroed[s])
            exray_finding_detail(f, "%zu of them differ in values that are zero %s alone: it was pruned.",
                                 fit->zeroed[s], s ? "in the reference" : "on the edge");
    if (fit->from_stats)
        exray_finding_detail(f, "Seen in means and deviations alone; --capture full would show the weights.");
    exray_finding_fix(f, "Deploy the model file that the reference uses, or compare with the edge's own.");
    exray_finding_number(f, "weights_compared", (double)fit->weights);
    exray_finding_number(f, "weights_differ", (double)fit->weights_differ);
    exray_finding_number(f, "weights_moved", (double)fit->weights_moved);
    exray_finding_number(f, "parameters_compared", (double)fit->parameters);
    exray_finding_number(f, "difference_to_rounding", fit->ratio);
    if (isfinite(fit->correlation))
        exray_finding_number(f, "correlation", fit->correlation);
    exray_finding_alternative(f, "model.weights", 1 - share);
}

/* Where the outputs agree, other sizes of weights are no other model: a conversion may repack
 * them. */
static bool outputs_agree(const exray_comparison *comparison)
{
    size_t count = exray_comparison_output_count(comparison), compared = 0;
    for (size_t i = 0; i < count; i++)
        compared += exray_comparison_output(comparison, i)->comparable;
    return !xr_outputs_differ(comparison) && (compared > 0 || count == 0);
}

static void report_architecture(const exray_comparison *comparison, const xr_model_fit *fit,
                                exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "model.version", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "model", exray_log_model(exray_comparison_log(comparison, EXRAY_SIDE_EDGE))->name,
                        EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge runs another model: of its %.3g weights only %.0f %% are in tensors of a "
                          "size that the reference has, too.",
                          fit->total[0], 100 * fit->shared / fmax(fit->total[0], 1));
    exray_finding_fix(f, xr_is_same_file(comparison)
                             ? "Both ran one model file: record both with the same engine options (level of "
                               "optimization, delegate), so that their tensors can be compared."
                             : "Compare with a log of the same model.");
    exray_finding_number(f, "edge_parameters", fit->total[0]);
    exray_finding_number(f, "reference_parameters", fit->total[1]);
    exray_finding_number(f, "shared_parameters", fit->shared);
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    const xr_model_fit *fit = NULL;
    exray_status status = xr_model_fit_get(comparison, findings, &fit, error);
    bool judged = status == EXRAY_OK;
    if (judged && fit->other_architecture && !outputs_agree(comparison))
        report_architecture(comparison, fit, findings);
    else if (judged && xr_model_fit_all_over(fit, exray_findings_option(findings, "share")))
        report_weights(comparison, fit, findings);
    else if (judged && fit->why) {
        status = error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message, "%s", fit->why);
    }
    return status;
}

static const char *const causes[] = {"model.version", NULL};
static const exray_option options[] = {
    {"rounding_factor", "times the rms rounding of the stored weights; rounding to either neighbor reaches 2",
     XR_ROUNDING_FACTOR, 1, 1000},
    {"share", "share of the weight tensors that must differ; fewer are model.weights", 0.5, 0, 1},
    {.name = NULL},
};

const exray_assertion xr_assertion_model_version = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "model.version",
    .summary = "both sides run the same training of the same model",
    .causes = causes,
    .needs = "/model and /constant of both logs; data, or statistics with less certainty",
    .run = run,
    .options = options,
};
