/* input.dtype: values wrapped around because of a wrong signedness. */
#include "checks/input/input_findings.h"

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
