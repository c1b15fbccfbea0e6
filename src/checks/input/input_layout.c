/* input.layout: planes where interleaved pixels belong, or the reverse. */
#include "checks/input/input_findings.h"
#include "checks/input/pipeline_of.h"

void xr_report_layout(const xr_explanation *e, exray_findings *findings)
{
    exray_finding *f =
        xr_begin_step(e, findings, "input.layout", XR_STEP_LAYOUT, xr_step_confidence(e, XR_STEP_LAYOUT));
    exray_finding_summary(f,
                          "The edge writes the picture in another layout than the model reads: planes where "
                          "interleaved pixels belong, or the other way round (NCHW and NHWC exchanged).");
    exray_finding_fix(
        f,
        "Transpose the tensor to the model's layout: %sin C, "
        "out[(y * width + x) * channels + c] for NHWC, out[(c * height + y) * width + x] for NCHW.",
        xr_pipeline_key(e->comparison, "layout").text);
}
