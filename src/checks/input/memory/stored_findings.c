/* Values that are the reference's, stored otherwise (input.normalization, input.quantization). */
#include "checks/input/input_findings.h"
#include "checks/input/memory/find_stored.h"

#include <math.h>

static void say_limited(const xr_found_stored *s, exray_finding *f)
{
    exray_finding_summary(
        f,
        "The edge's values are the reference's by a factor of %.4g and an offset of %.4g, and "
        "clipped to %.4g to %.4g: another window.",
        s->gain, s->offset, s->low, s->high);
    exray_finding_detail(
        f, "%.0f %% of them are at these limits, beyond which the factor and the offset put the reference's.",
        100 * s->clipped);
    exray_finding_fix(
        f, "Scale and clip by the window (least and largest value) that the model was trained with.");
    exray_finding_text(f, "kind", "window");
    exray_finding_number(f, "gain", s->gain);
    exray_finding_number(f, "offset", s->offset);
    exray_finding_number(f, "clipped_share", s->clipped);
    exray_finding_alternative(f, "input.quantization", 0.2);
}

static void say_clipped(const xr_found_stored *s, exray_finding *f)
{
    exray_finding_summary(f,
                          "The edge's integers hold values from %.4g to %.4g alone, by their scale and zero "
                          "point: %.2g %% of the reference's are beyond, and are clipped.",
                          s->low, s->high, 100 * s->clipped);
    exray_finding_fix(f, "Quantize the model again, calibrated with inputs as the application has them.");
    exray_finding_text(f, "kind", "clipped");
    exray_finding_number(f, "clipped_share", s->clipped);
    exray_finding_alternative(f, "input.normalization", 0.2);
}

static void say_steps(const xr_found_stored *s, exray_finding *f)
{
    exray_finding_summary(f,
                          "The edge's values are the reference's in steps of %.4g: %zu levels, where the "
                          "reference has more.",
                          s->step, s->levels);
    exray_finding_fix(f, "Keep the sensor's bits until the model's input: no 8 bits between.");
    exray_finding_text(f, "kind", "steps");
    exray_finding_number(f, "step", s->step);
    exray_finding_number(f, "levels", (double)s->levels);
}

static void say_cast(exray_finding *f)
{
    exray_finding_summary(
        f, "The edge's bytes are pixels that were divided by 255 and cast to bytes again: of the "
           "reference's 0 to 255, 0 and 1 are left.");
    exray_finding_fix(f, "Feed this model the pixels of 0..255 as they are: it normalizes them itself.");
    exray_finding_text(f, "kind", "cast");
    exray_finding_alternative(f, "input.normalization", 0.2);
}

bool xr_report_stored(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_found_stored s;
    if (!xr_find_stored(comparison, fit, &s))
        return false;
    const bool limited = s.kind == XR_STORED_LIMITED && !s.by_type;
    exray_finding *f = exray_findings_add(findings, limited ? "input.normalization" : "input.quantization",
                                          EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (limited)
        say_limited(&s, f);
    else if (s.kind == XR_STORED_LIMITED)
        say_clipped(&s, f);
    else if (s.kind == XR_STORED_STEPS)
        say_steps(&s, f);
    else
        say_cast(f);
    exray_finding_number(f, "frames", (double)s.frames);
    return true;
}
