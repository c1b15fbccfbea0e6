/* output.dequantization: the edge's output is a scale and a zero point away from the
 * reference's, the same in all frames. */
#include "builtin.h"
#include "output_boxes.h"
#include "output_ranks.h"
#include "output_relation.h"

#include <math.h>

/* How the map is written by the output's own quantization. */
typedef enum mistake { RAW, TWICE, NO_ZERO_POINT, SIGNEDNESS, WRONG_SCALE, SOME_MAP } mistake;

static bool is_near(double a, double b, double slack)
{
    return fabs(a - b) <= slack;
}

static mistake mistake_of(const xr_relation *r, double scale, double zero_point)
{
    if (!(scale > 0))
        return r->integers[EXRAY_EDGE] && !r->integers[EXRAY_REFERENCE] ? RAW : SOME_MAP;
    double spread = (r->max[1] - r->min[1]) * fabs(r->gain);
    double slack = 0.02 * spread + 1e-6;
    if (is_near(r->gain * scale, 1, 0.05) && is_near(r->offset, zero_point, slack + 1))
        return RAW;
    if (is_near(r->gain, 1, 0.05) && is_near(r->offset, scale * zero_point, slack) && zero_point != 0)
        return NO_ZERO_POINT;
    if (is_near(r->gain, 1, 0.05) && is_near(fabs(r->offset), 128 * scale, slack))
        return SIGNEDNESS;
    if (is_near(r->gain / scale, 1, 0.05) && is_near(r->offset, -scale * zero_point, slack))
        return TWICE;
    return WRONG_SCALE;
}

/* Whether values inside the model differ already: then the map arose there, unless it is
 * what the output's own quantization would do. */
static bool layers_differ(const exray_comparison *comparison)
{
    for (size_t i = 0; i < exray_comparison_layer_count(comparison); i++) {
        exray_role_of_layer role = exray_comparison_layer(comparison, i)->role;
        if (role == EXRAY_LAYER_ORIGINATES || role == EXRAY_LAYER_PROPAGATES)
            return true;
    }
    return false;
}

static const char *summary_of(mistake m)
{
    static const char *const text[] = {
        "The edge's output is raw: the stored integers, not the values they stand for.",
        "The edge's output is dequantized twice.",
        "The edge's output is scaled, but its zero point is not subtracted.",
        "The edge's output is half a range away: int8 taken for uint8, or the other way round.",
        "The edge's output is dequantized with another scale or zero point than the model's.",
        "The edge's output is the reference's times a constant, plus a constant."};
    return text[m];
}

static void report(const exray_comparison *comparison, const xr_relation *r, exray_findings *findings)
{
    xr_activation which = XR_SOFTMAX;
    bool inverse = false;
    if (xr_relation_activation(r, &which, &inverse, NULL) &&
        r->affine.residual >= 0.2 * r->activation[inverse][which].residual)
        return; /* output.activation says it, with this as its alternative */
    int64_t zero_point = 0;
    exray_side quantized = EXRAY_EDGE;
    double scale = xr_output_scale(comparison, EXRAY_EDGE, r->pair, &zero_point);
    if (!(scale > 0)) {
        quantized = EXRAY_REFERENCE;
        scale = xr_output_scale(comparison, EXRAY_REFERENCE, r->pair, &zero_point);
    }
    mistake m = mistake_of(r, scale, (double)zero_point);
    if ((m == SOME_MAP || m == WRONG_SCALE) && layers_differ(comparison))
        return;
    double sure = m == SOME_MAP ? 0.7 : m == WRONG_SCALE ? 0.85 : 0.97;
    exray_finding *f = exray_find(findings, "output.dequantization", EXRAY_ERROR,
                                  xr_inputs_known(comparison) ? sure : 0.9 * sure);
    exray_finding_where(f, "output", r->io->name[EXRAY_EDGE], xr_output_layer(comparison, r->io));
    exray_finding_summary(f, "%s", summary_of(m));
    exray_finding_detail(f,
                         "edge = %.5g * reference %+.5g in %zu of %zu frames, none contradicts; it leaves "
                         "%.2g of the deviation, without it %.2g.",
                         r->gain, r->offset, r->affine.supporting, r->frames, r->affine.residual,
                         r->affine.before);
    if (scale > 0) {
        exray_finding_fix(f,
                          "Compute %.6g * (stored - (%lld)), the %s model's own scale and zero point, once.",
                          scale, (long long)zero_point, quantized == EXRAY_EDGE ? "edge" : "reference");
        exray_finding_number(f, "scale", scale);
        exray_finding_number(f, "zero_point", (double)zero_point);
    } else
        exray_finding_fix(f, "Dequantize once: %.6g * (output %+.6g).", 1 / r->gain, -r->offset);
    exray_finding_number(f, "gain", r->gain);
    exray_finding_number(f, "offset", r->offset);
    exray_finding_number(f, "residual_before", r->affine.before);
    exray_finding_number(f, "residual_after", r->affine.residual);
    exray_finding_number(f, "noise", r->affine.allowed);
    exray_finding_number(f, "frames_supporting", (double)r->affine.supporting);
    exray_finding_number(f, "frames", (double)r->frames);
    if (m == SOME_MAP) {
        exray_finding_alternative(f, "output.postprocess", 0.2);
        exray_finding_alternative(f, "layer.unknown", 0.2);
    }
}

/* Scores that an application tells in stored integers: its own output dequantizes to
 * something else.  Another unit (percent) is none of that. */
static exray_status check_scores(const exray_comparison *comparison, exray_findings *findings,
                                 exray_error *error)
{
    int64_t zero_point = 0;
    double scale = exray_comparison_output_count(comparison) == 1
                       ? xr_output_scale(comparison, EXRAY_EDGE, 0, &zero_point)
                       : 0;
    if (!(scale > 0))
        return EXRAY_OK;
    xr_ranks r;
    exray_status status = xr_ranks_make(comparison, EXRAY_EDGE, &r, error);
    if (status == EXRAY_OK && r.scores_mapped && is_near(r.score_gain * scale, 1, 0.01) &&
        is_near(r.score_offset, (double)zero_point, 0.5)) {
        exray_finding *f = exray_find(findings, "output.dequantization", EXRAY_ERROR, 0.97);
        exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
        exray_finding_summary(
            f, "The edge's scores are raw: the stored integers, not the values they stand for.");
        exray_finding_detail(f, "score = %.5g * output %+.5g in %zu frames.", r.score_gain, r.score_offset,
                             r.frames);
        exray_finding_fix(f, "Compute %.6g * (stored - (%lld)) before thresholds and display.", scale,
                          (long long)zero_point);
        exray_finding_number(f, "gain", r.score_gain);
        exray_finding_number(f, "offset", r.score_offset);
    }
    xr_ranks_free(&r);
    return status;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    for (size_t i = 0; i < exray_comparison_output_count(comparison); i++) {
        xr_relation r;
        exray_status status = xr_relation_make(comparison, i, &r, error);
        if (status != EXRAY_OK)
            return status;
        if (!r.differs || r.frames == 0)
            continue;
        if (xr_inputs_differ(comparison))
            return xr_abstain_for_inputs(error);
        xr_box_fit boxes;
        status = xr_box_fit_make(comparison, i, &boxes, error);
        if (status != EXRAY_OK)
            return status;
        if (r.affine.explains && !boxes.explains)
            report(comparison, &r, findings);
    }
    return check_scores(comparison, findings, error);
}

static const char *const causes[] = {"output.dequantization", NULL};

const exray_assertion xr_assertion_output_dequantization = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.dequantization",
    .summary = "the edge's output is in the reference's unit",
    .causes = causes,
    .needs = "/output of both logs, with data; equal inputs",
    .run = run,
};
