/* input.resize: another kernel. */
#include "checks/input/input_findings.h"
#include "checks/input/pipeline_of.h"

void xr_report_kernel(const xr_explanation *e, exray_findings *findings)
{
    const xr_transform *c = e->transform;
    const char *edge = exray_picture_resize_name(c->resampling.edge.filter, c->resampling.edge.sampling);
    const char *reference =
        exray_picture_resize_name(c->resampling.reference.filter, c->resampling.reference.sampling);
    exray_finding *f =
        xr_begin_step(e, findings, "input.resize", XR_STEP_KERNEL, xr_step_confidence(e, XR_STEP_KERNEL));
    exray_finding_summary(f, "The edge resizes with another kernel: %s; the reference: %s.", edge, reference);
    exray_finding_fix(f, "Resize as the reference does: %s (%s%s).", reference,
                      xr_pipeline_key(e->comparison, "resize: %s", reference).text,
                      c->resampling.reference.sampling == EXRAY_SAMPLING_ANTIALIAS
                          ? "antialias is Pillow's: in OpenCV, INTER_AREA comes nearest"
                          : "OpenCV: INTER_NEAREST, INTER_LINEAR, INTER_CUBIC, INTER_AREA");
    exray_finding_text(f, "edge_kernel", edge);
    exray_finding_text(f, "reference_kernel", reference);
    exray_finding_text(
        f, "runner_up",
        exray_picture_resize_name(c->resampling.runner_up.filter, c->resampling.runner_up.sampling));
    exray_finding_number(f, "share_unexplained", c->residual);
    exray_finding_number(f, "runner_up_share", c->resampling.runner_up_residual);
}

exray_finding *xr_begin_detail(const char *cause, const xr_input_fit *fit, const xr_residual_detail *d,
                               exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, 0.75);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_number(f, "residual_before_levels", fit->residual.pixels);
    exray_finding_number(f, "residual_blocks_levels", fit->residual.blocks);
    exray_finding_number(f, "separable_share", d->separable);
    exray_finding_number(f, "moved_share", d->by_motion);
    exray_finding_number(f, "shift_pixels", d->shift);
    exray_finding_number(f, "sharpness_ratio", d->sharpness);
    exray_finding_number(f, "frames", (double)fit->values.frames);
    return f;
}

void xr_report_other_kernel(const xr_input_pair *pair, const xr_input_fit *fit, const xr_residual_detail *d,
                            exray_findings *findings)
{
    exray_finding *f = xr_begin_detail("input.resize", fit, d, findings);
    exray_finding_summary(
        f,
        "The edge resizes with another kernel: the same scene, but its fine detail differs (%s "
        "than the reference's).",
        d->sharpness > 1.02   ? "sharper, or more aliased,"
        : d->sharpness < 0.98 ? "softer"
                              : "neither sharper nor softer");
    exray_finding_detail(
        f, "%s",
        pair->has_sensor ? "None of the kernels that exray knows makes this input of the sensor's picture."
                         : "Which kernel cannot be told without the sensor's pictures.");
    exray_finding_fix(f,
                      "Resize with the reference's filter (%sOpenCV: the interpolation of resize; Pillow: "
                      "resample), antialiased where it is.",
                      xr_pipeline_key(pair->comparison, "resize").text);
    exray_finding_alternative(f, "input.decoder", 0.2);
    if (d->by_motion > d->separable / 4)
        exray_finding_alternative(f, "input.crop", 0.2);
}
