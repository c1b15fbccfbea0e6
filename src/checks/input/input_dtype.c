/* input.dtype: values wrapped around because of a wrong signedness, or bytes that are values of another type.
 */
#include "checks/input/input_findings.h"
#include "checks/input/memory/find_bytes.h"

void xr_report_sign_wrap(const xr_explanation *e, exray_findings *findings)
{
    exray_finding *f = xr_begin_step(e, findings, "input.dtype", XR_STEP_SIGN_WRAP,
                                     xr_step_confidence(e, XR_STEP_SIGN_WRAP));
    exray_finding_summary(
        f,
        "The edge's %s have the wrong sign: signed bytes taken for unsigned, or the other way "
        "round (values wrap around at half of their range).",
        e->transform->sign_wrap.stored ? "stored input bytes" : "pixels");
    exray_finding_fix(
        f, "%s",
        e->transform->sign_wrap.stored
            ? "Write the type that the model takes: for int8, (int8_t)(pixel - 128), not a cast."
            : "Keep pixels as uint8_t until they are normalized; not char or int8_t.");
}

bool xr_report_bytes(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_byte_reading r;
    if (!xr_find_bytes(comparison, fit->pair, &r))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.dtype", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge's input holds bytes that are %s values, pixels of %zu%s, not values of the "
        "type that the model reads.",
        r.type, r.channels,
        r.channels <= 3 ? ""
        : r.first       ? " of which the first is alpha"
                        : " of which the last is alpha");
    if (r.filled < 0.99)
        exray_finding_detail(f, "They fill %.0f %% of the input; what follows is not of the picture.",
                             100 * r.filled);
    else if (r.filled > 1.01)
        exray_finding_detail(f, "Only %.0f %% of the picture fits in.", 100 / r.filled);
    exray_finding_detail(f,
                         "Read as such, they show the reference's picture: %.2g of their variance is left "
                         "unexplained, where the values as they are leave %.2g; in %zu of %zu frames.",
                         r.residual, r.residual_as_typed, r.supporting, r.frames);
    exray_finding_fix(f,
                      "Convert each value to the type of the model's input (and normalize or quantize it), "
                      "instead of copying the bytes of the buffer.");
    exray_finding_text(f, "read_as", r.type);
    exray_finding_number(f, "values_per_pixel", (double)r.channels);
    exray_finding_number(f, "residual_share", r.residual);
    exray_finding_number(f, "residual_share_as_typed", r.residual_as_typed);
    exray_finding_number(f, "frames", (double)r.frames);
    exray_finding_number(f, "frames_supporting", (double)r.supporting);
    return true;
}
