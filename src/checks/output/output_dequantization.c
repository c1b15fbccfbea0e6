/* output.dequantization: the edge's output is a scale and a zero point away from the
 * reference's, the same in all frames. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/output/boxes.h"
#include "checks/output/labelling.h"
#include "checks/output/relation.h"
#include "checks/output/sign_fit.h"
#include "checks/output/told.h"

#include <math.h>

/* Which mistake with the output's own quantization the affine map is. */
typedef enum dequantization_mistake {
    RAW,
    TWICE,
    NO_ZERO_POINT,
    SIGNEDNESS,
    WRONG_SCALE,
    SOME_MAP
} dequantization_mistake;

static bool is_near(double a, double b, double slack)
{
    return fabs(a - b) <= slack;
}

static dequantization_mistake mistake_of(const xr_relation *r, double scale, double zero_point)
{
    if (!(scale > 0))
        return r->integers[EXRAY_SIDE_EDGE] && !r->integers[EXRAY_SIDE_REFERENCE] ? RAW : SOME_MAP;
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

/* Probabilities in steps of 1/256, as of every 8-bit softmax: they were dequantized correctly,
 * whatever else is wrong with them. */
static bool has_steps_of_softmax(const xr_relation *r)
{
    double step = r->io->step[EXRAY_SIDE_EDGE];
    return r->on_lattice && r->probabilities[EXRAY_SIDE_REFERENCE] && is_near(r->offset, 0, 0.05) &&
           (is_near(step, 1.0 / 256, 1e-6) || is_near(step, 1.0 / 255, 1e-6));
}

static const char *summary_of(dequantization_mistake m)
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
    xr_output_function which = XR_FUNCTION_SOFTMAX;
    bool inverse = false;
    if (xr_relation_function(r, &which, &inverse, NULL) &&
        !xr_relation_is_affine(r, &r->function[inverse][which]))
        return; /* output.activation reports it, with this cause as an alternative */
    int64_t zero_point = 0;
    exray_side quantized = EXRAY_SIDE_EDGE;
    double scale = xr_output_scale(comparison, EXRAY_SIDE_EDGE, r->pair, &zero_point);
    if (!(scale > 0)) {
        quantized = EXRAY_SIDE_REFERENCE;
        scale = xr_output_scale(comparison, EXRAY_SIDE_REFERENCE, r->pair, &zero_point);
    }
    dequantization_mistake m = mistake_of(r, scale, (double)zero_point);
    if ((m == SOME_MAP || m == WRONG_SCALE) && (xr_layers_differ(comparison) || has_steps_of_softmax(r)))
        return;
    double sure = m == SOME_MAP ? 0.7 : m == WRONG_SCALE ? 0.85 : 0.97;
    const exray_severity severity = xr_severity_by_told(comparison);
    exray_finding *f = exray_findings_add(findings, "output.dequantization", severity,
                                          xr_inputs_known(comparison) ? sure : 0.9 * sure);
    exray_finding_where(f, "output", r->io->name[EXRAY_SIDE_EDGE], xr_output_layer(comparison, r->io));
    exray_finding_summary(f, "%s", summary_of(m));
    xr_say_told(f, severity);
    exray_finding_detail(f,
                         "edge = %.5g * reference %+.5g in %zu of %zu frames, none contradicts; it leaves "
                         "%.2g of the deviation, without it %.2g.",
                         r->gain, r->offset, r->affine.supporting, r->frames, r->affine.residual,
                         r->affine.before);
    if (scale > 0) {
        exray_finding_fix(f,
                          "Compute %.6g * (stored - (%lld)), the %s model's own scale and zero point, once.",
                          scale, (long long)zero_point, quantized == EXRAY_SIDE_EDGE ? "edge" : "reference");
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

static const char *interpretation_summary(const xr_interpretation *r)
{
    static const char *const text[XR_INTERPRETATION_MAP_COUNT] = {
        [XR_INTERPRET_RAW] = "The edge's scores are raw: the stored integers, not the values they stand for.",
        [XR_INTERPRET_NO_ZERO_POINT] = "The edge's scores are scaled, but the zero point is not subtracted.",
        [XR_INTERPRET_OTHER_SIGN] =
            "The edge reads its output with the other sign: int8 for uint8, or the other "
            "way round.",
        [XR_INTERPRET_OTHER_SIGN_RAW] =
            "The edge reads its output raw and with the other sign: int8 for uint8, or "
            "the other way round.",
        [XR_INTERPRET_OTHER_SIGN_NO_ZERO_POINT] =
            "The edge reads its output with the other sign and without the "
            "zero point."};
    return r->state == XR_INTERPRETATION_SCALED
               ? "The edge's scores are its output dequantized with another scale or zero point."
               : text[r->map];
}

/* Scores that an application computes from its own output with another map than the output's
 * quantization: seen whatever the inputs are. */
static exray_status check_scores(const exray_comparison *comparison, exray_findings *findings,
                                 exray_error *error)
{
    const xr_labelling *labels = xr_labelling_of(comparison, findings, error);
    if (!labels)
        return error->status;
    const xr_interpretation *edge = &labels->ranks[EXRAY_SIDE_EDGE].interpretation;
    const xr_interpretation *reference = &labels->ranks[EXRAY_SIDE_REFERENCE].interpretation;
    bool scaled = edge->state == XR_INTERPRETATION_SCALED;
    bool wrong = scaled || (edge->state == XR_INTERPRETATION_EXPLAINED && edge->map != XR_INTERPRET_VALUE);
    if (!wrong || xr_interpretation_same(edge, reference))
        return EXRAY_OK;
    double sure = scaled ? 0.85 : edge->scored ? 0.97 : 0.8;
    exray_finding *f = exray_findings_add(findings, "output.dequantization", EXRAY_SEVERITY_ERROR, sure);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "%s", interpretation_summary(edge));
    if (scaled)
        exray_finding_detail(f, "score = %.5g * output %+.5g in %zu frames, none contradicts.", edge->gain,
                             edge->offset, edge->scored);
    else
        exray_finding_detail(f, "That predicts the %s of all %zu frames%s.",
                             edge->scored ? "scores" : "classes", edge->scored ? edge->scored : edge->frames,
                             edge->softmax ? ", with a softmax on top" : "");
    exray_finding_fix(f, "Compute %.6g * (stored - (%lld)) before thresholds and display.", edge->scale,
                      (long long)edge->zero_point);
    if (scaled) {
        exray_finding_number(f, "gain", edge->gain);
        exray_finding_number(f, "offset", edge->offset);
        exray_finding_alternative(f, "output.postprocess", 0.15);
    }
    exray_finding_number(f, "scale", edge->scale);
    exray_finding_number(f, "zero_point", (double)edge->zero_point);
    exray_finding_number(f, "frames", (double)edge->frames);
    return EXRAY_OK;
}

static void report_sign(const exray_comparison *comparison, const xr_relation *r, const xr_sign_fit *fit,
                        exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, "output.dequantization", EXRAY_SEVERITY_ERROR,
                                          xr_inputs_known(comparison) ? 0.95 : 0.85);
    exray_finding_where(f, "output", r->io->name[EXRAY_SIDE_EDGE], xr_output_layer(comparison, r->io));
    exray_finding_summary(f,
                          "The %s dequantized with %s sign: int8 taken for uint8, or the other way round%s.",
                          fit->known ? "edge's output is" : "two sides' outputs are",
                          fit->known ? "the other" : "one and the other",
                          fit->known ? "" : "; which side is right, the logs do not say");
    exray_finding_detail(f,
                         "%zu values are %.5g away from the reference's (256 steps), those %s %.5g; that "
                         "leaves %.2g of the deviation, without it %.2g.",
                         fit->values_moved, fit->moved, fit->moved < 0 ? "from" : "below", fit->boundary,
                         fit->residual, fit->before);
    exray_finding_fix(f,
                      "Read the stored bytes in the output tensor's own type before they are dequantized.");
    exray_finding_number(f, "moved", fit->moved);
    exray_finding_number(f, "values_moved", (double)fit->values_moved);
    exray_finding_number(f, "residual_before", fit->before);
    exray_finding_number(f, "residual_after", fit->residual);
    exray_finding_number(f, "noise", fit->allowed);
    exray_finding_number(f, "frames", (double)fit->frames);
}

/* Whether the edge's values are multiples of a step, the reference's are none, and each is the one beside it:
 * *rounded, or cut off. */
static bool is_in_steps(const exray_comparison *comparison, const xr_relation *r, bool *rounded)
{
    const exray_metrics *m = &r->io->metrics;
    const double step = r->io->step[EXRAY_SIDE_EDGE], slack = 0.01;
    *rounded = m->max_abs <= (0.5 + slack) * step;
    return r->on_lattice && !(r->io->step[EXRAY_SIDE_REFERENCE] > 0) && m->max_abs <= (1 + slack) * step &&
           (*rounded || fabs(fabs(m->mean[0] - m->mean[1]) - step / 2) < step / 8) &&
           !xr_layers_differ(comparison);
}

static void report_steps(const exray_comparison *comparison, const xr_relation *r, bool rounded,
                         exray_findings *findings)
{
    const double step = r->io->step[EXRAY_SIDE_EDGE];
    exray_finding *f = exray_findings_add(findings, "output.dequantization", EXRAY_SEVERITY_ERROR,
                                          xr_inputs_known(comparison) ? 0.9 : 0.8);
    exray_finding_where(f, "output", r->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's output is the reference's %s to steps of %.4g.",
                          rounded ? "rounded" : "cut off", step);
    exray_finding_detail(f, "No value is further than %.2g steps from the reference's, which has none.",
                         r->io->metrics.max_abs / step);
    exray_finding_fix(
        f, "Hand the output on as the floats that it is; if it is stored in few bits, with a scale "
           "for its range.");
    exray_finding_number(f, "step", step);
    exray_finding_number(f, "farthest", r->io->metrics.max_abs);
    exray_finding_number(f, "frames", (double)r->frames);
    exray_finding_alternative(f, "layer.unknown", 0.1);
}

static exray_status judge(const exray_comparison *comparison, const xr_relation *r, exray_findings *findings,
                          exray_error *error)
{
    xr_box_fit boxes;
    xr_sign_fit sign;
    exray_status status = xr_box_fit_make(comparison, r->pair, &boxes, error);
    if (status == EXRAY_OK)
        status = xr_sign_fit_make(comparison, r->pair, &sign, error);
    if (status != EXRAY_OK || boxes.explains)
        return status;
    bool rounded;
    if (is_in_steps(comparison, r, &rounded))
        report_steps(comparison, r, rounded, findings);
    else if (r->affine.explains)
        report(comparison, r, findings);
    else if (sign.explains)
        report_sign(comparison, r, &sign, findings);
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    exray_status status = check_scores(comparison, findings, error);
    return status == EXRAY_OK ? xr_each_relation(comparison, judge, findings, error) : status;
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
