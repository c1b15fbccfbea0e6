/* input.quantization: the zero point is missing or added twice, the range is too narrow, or integers are
 * rounded otherwise. */
#include "checks/input/input_findings.h"
#include "checks/input/words.h"
#include "checks/port/tensor_type.h"

#include <math.h>

/* Scale and zero point of the edge's input; false where it is not quantized to 8 bits. */
static bool stored_as(const exray_comparison *comparison, size_t pair, double *scale, double *zero)
{
    exray_slot *slot = exray_slot_new();
    exray_tensor_view view;
    const float *values;
    exray_error error;
    bool known = false;
    if (slot && exray_comparison_frame_count(comparison) &&
        exray_comparison_values(comparison, EXRAY_SIDE_EDGE, 0, EXRAY_KIND_INPUT, pair, slot, &view, &values,
                                &error) == EXRAY_OK) {
        const exray_quantization *q = &view.info.quantization;
        known = q->count == 1 && xr_is_byte(view.info.dtype);
        if (known) {
            *scale = (double)q->scale[0];
            *zero = q->zero_point ? (double)q->zero_point[0] : 0;
        }
    }
    exray_slot_free(slot);
    return known;
}

bool xr_is_zero_point(const exray_comparison *comparison, const xr_input_fit *fit, double *scale,
                      double *zero)
{
    const xr_affine *m = &fit->orders.list[fit->orders.used].map;
    if (!stored_as(comparison, fit->pair, scale, zero) || fabs(*zero) < 3)
        return false;
    double sign = m->offset[0] > 0 ? 1 : -1;
    for (size_t c = 0; c < fit->values.channels; c++)
        if (fabs(m->gain[c] - 1) > 0.02 || fabs(m->offset[c] - sign * fabs(*zero) * *scale) > 2 * *scale)
            return false;
    return true;
}

static void report_zero_point(const xr_input_fit *fit, double scale, double zero, exray_findings *findings)
{
    bool missing = (fit->orders.list[fit->orders.used].map.offset[0] < 0) == (zero > 0);
    exray_finding *f = exray_findings_add(findings, "input.quantization", EXRAY_SEVERITY_ERROR, 0.8);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge's stored values are off by the input's zero point, %g: it is %s.",
                          zero, missing ? "not added" : "added twice");
    exray_finding_fix(f, "Store round(real / scale) + zero_point, once (scale %.6g, zero point %g).", scale,
                      zero);
    exray_finding_alternative(f, "input.normalization", 0.2);
    exray_finding_number(f, "scale", scale);
    exray_finding_number(f, "zero_point", zero);
    exray_finding_number(f, "offset", fit->orders.list[fit->orders.used].map.offset[0]);
    exray_finding_number(f, "residual_before_levels", fit->raw.pixels);
    exray_finding_number(f, "residual_after_levels", fit->residual.pixels);
    exray_finding_number(f, "frames_supporting", (double)fit->map.supporting);
    exray_finding_number(f, "frames_contradicting", (double)fit->map.opposing);
    exray_finding_number(f, "nrmse_before", fit->residual.nrmse_before);
    exray_finding_number(f, "nrmse_after", fit->residual.nrmse_after);
    exray_finding_number(f, "frames", (double)fit->values.frames);
}

void xr_report_quantization(const exray_comparison *comparison, const xr_input_fit *before,
                            const xr_input_fit *after, exray_findings *findings)
{
    double scale, zero;
    if (after->state == XR_FIT_DIFFERS && after->map.named && !after->values.open_unit &&
        xr_is_zero_point(comparison, after, &scale, &zero)) {
        report_zero_point(after, scale, zero, findings);
        return;
    }
    if (before->state != XR_FIT_DIFFERS || before->values.clipped <= 0.01 * before->values.counted)
        return;
    exray_finding *f = exray_findings_add(findings, "input.quantization", EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "input", before->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "%.0f %% of the values are clipped: the edge's 8-bit input holds %.4g to %.4g only "
                          "(scale and zero point too narrow).",
                          100 * before->values.clipped / before->values.counted, before->values.limit[0],
                          before->values.limit[1]);
    exray_finding_fix(
        f, "Calibrate the model with inputs as they are in use, so that the input's scale and zero "
           "point cover their range.");
    exray_finding_number(f, "residual_before_levels", before->raw.pixels);
    exray_finding_number(f, "clipped_share", before->values.clipped / before->values.counted);
    exray_finding_number(f, "low", before->values.limit[0]);
    exray_finding_number(f, "high", before->values.limit[1]);
    exray_finding_number(f, "residual_after_levels", after->residual.pixels);
    exray_finding_number(f, "frames", (double)before->values.frames);
}

/* ---- Rounded otherwise -------------------------------------------------------------------- */

bool xr_report_rounding(const xr_input_fit *fit, exray_findings *findings)
{
    /* Equal sources that are rounded alike differ seldom, and to both sides. */
    static const double seldom = 0.1, all_one_way = 0.95;
    const exray_io_pair *io = fit->io;
    const exray_metrics *m = &io->metrics;
    const double step = io->step[EXRAY_SIDE_REFERENCE];
    if (!(step > 0) || fabs(io->step[EXRAY_SIDE_EDGE] / step - 1) > 1e-3 || m->max_abs > 1.01 * step)
        return false;
    const double more = (m->mean[EXRAY_SIDE_EDGE] - m->mean[EXRAY_SIDE_REFERENCE]) / step,
                 share = m->rmse * m->rmse / (step * step); /* no value differs by more than one */
    if (!(share >= seldom) || !(fabs(more) >= all_one_way * share))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.quantization", EXRAY_SEVERITY_WARNING, 0.85);
    exray_finding_where(f, "input", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "%.0f %% of the edge's integers are one step %s than the reference's, and hardly any "
        "the other way: one side rounds where the other cuts off.",
        100 * share, more > 0 ? "more" : "less");
    exray_finding_detail(f, "A step is %.4g; on average the inputs differ by %+.4g.", step, more * step);
    exray_finding_fix(
        f, "Make integers of the values in the same way on both sides: rounded to the nearest one, "
           "or cut off.");
    exray_finding_text(f, "kind", "rounding");
    exray_finding_number(f, "share", share);
    exray_finding_number(f, "steps_on_average", more);
    return true;
}

/* ---- Values that are mostly clipped ------------------------------------------------------- */

void xr_report_wrong_quantization(const xr_explanation *e, exray_findings *findings)
{
    const xr_value_map *m = &e->transform->value_map;
    if (m->kind == XR_VALUES_OTHER_CONVENTION || m->kind == XR_VALUES_NORMALIZED_TWICE)
        return;
    exray_finding *f =
        xr_begin_step(e, findings, "input.quantization", XR_STEP_VALUE_MAP, m->tied ? 0.5 : 0.9);
    if (m->tied) {
        exray_finding_detail(f, "Ambiguous: an input that is normalized otherwise has the same values here.");
        exray_finding_alternative(f, "input.normalization", 0.5);
    }
    exray_finding_summary(
        f, "%s",
        m->kind == XR_VALUES_QUANTIZED_TWICE
            ? "The edge quantizes its input twice: stored values are scaled as if they were "
              "real ones."
            : "The edge does not quantize its input: real values are cast to integers.");
    exray_finding_fix(f, "Store round(real / scale) + zero_point, once (scale %.6g, zero point %g).",
                      m->scale, m->zero);
    exray_finding_number(f, "scale", m->scale);
    exray_finding_number(f, "zero_point", m->zero);
}
