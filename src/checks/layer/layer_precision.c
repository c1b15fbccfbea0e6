/* layer.precision: float values that were computed in 16 bits: rounded, or overflowed. */
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/layer/blame.h"
#include "checks/layer/value_evidence.h"
#include "checks/model/operator_report.h"

#include <math.h>
#include <string.h>

#define NEARLY_ALL 0.995 /* of the values: an average of several may not be exact in float16 */

/* Whether other weights, or another operator, were told of the layer. */
static bool has_other_model(const exray_comparison *comparison, const exray_findings *findings, size_t layer)
{
    for (const exray_finding *f = findings->first; f; f = f->next)
        if (strncmp(f->cause, "model.", strlen("model.")) == 0 && f->severity == EXRAY_SEVERITY_ERROR &&
            xr_is_about_layer(comparison, f, layer))
            return true;
    return false;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    bool unjudged = false;
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        const exray_layer_pair *layer = exray_comparison_layer(comparison, i);
        if (layer->role != EXRAY_LAYER_ROLE_ORIGINATES || has_other_model(comparison, findings, i))
            continue;
        xr_layer_evidence e;
        exray_status status = xr_layer_evidence_get(comparison, i, &e, error);
        if (status != EXRAY_OK)
            return status;
        if (e.frames == 0 || e.half < NEARLY_ALL)
            continue;
        /* Bytes that are fed as they are fit into float16, too. */
        if (!xr_may_be_blamed(comparison, findings, i)) {
            unjudged = unjudged || xr_layer_given(comparison, findings, i) == XR_GIVEN_WRONG_INPUT;
            continue;
        }
        bool overflow =
            layer->metrics.inf_count[EXRAY_SIDE_EDGE] > layer->metrics.inf_count[EXRAY_SIDE_REFERENCE];
        bool absorbed = xr_is_layer_absorbed(comparison, findings, layer);
        exray_finding *f = exray_findings_add(findings, "layer.precision",
                                              absorbed ? EXRAY_SEVERITY_INFO : EXRAY_SEVERITY_ERROR, 0.85);
        exray_finding_where(f, "layer", layer->name[EXRAY_SIDE_EDGE], (uint32_t)i);
        exray_finding_summary(
            f, "From layer %u (%s) %.*s on the edge computes in float16, the reference in float32.",
            (unsigned)layer->node[EXRAY_SIDE_EDGE], layer->op[EXRAY_SIDE_EDGE],
            XR_SHORT_NAME(layer->name[EXRAY_SIDE_EDGE]));
        exray_finding_detail(f,
                             "%.2f %% of its values are exact in float16%s; its error is %.2g of the signal.",
                             100 * e.half, overflow ? ", and some are beyond its 65504" : "", layer->error);
        if (absorbed)
            exray_finding_detail(f, "Nothing of it is left at the model's outputs.");
        exray_finding_fix(f, "Run this model in float32, or check that float16 suffices%s.",
                          overflow ? " (values overflow: scale the weights of the layer before)" : "");
        exray_finding_number(f, "half_share", e.half);
        exray_finding_number(f, "error_to_signal", layer->error);
        exray_finding_number(f, "noise_to_signal", layer->noise);
        if (!absorbed)
            return EXRAY_OK; /* later layers compute in 16 bits, too */
    }
    return unjudged ? xr_say_unjudged(comparison, findings, error) : EXRAY_OK;
}

static const char *const causes[] = {"layer.precision", NULL};

const exray_assertion xr_assertion_layer_precision = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "layer.precision",
    .summary = "no layer computes in fewer bits than the reference",
    .causes = causes,
    .needs = "/layer of both logs with data (--capture full)",
    .run = run,
};
