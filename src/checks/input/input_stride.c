/* input.stride: rows read with a wrong stride. */
#include "checks/input/input_findings.h"
#include "checks/input/search/residual.h"

/* Blocks that differ by more, levels rms, show another picture. */
#define UNLIKE 12.0
/* In a picture with fewer rows, each row finds a similar one by chance. */
enum { FEWEST_ROWS = 64 };

void xr_report_stride(const xr_explanation *e, exray_findings *findings)
{
    const xr_stride *s = &e->transform->stride;
    exray_finding *f =
        xr_begin_step(e, findings, "input.stride", XR_STEP_STRIDE, xr_step_confidence(e, XR_STEP_STRIDE));
    exray_finding_summary(f, "The edge reads rows with the wrong stride%s: %s.",
                          s->on_sensor ? " of the sensor's picture" : "",
                          s->kind == XR_STRIDE_READ ? "packed rows as if they were of another length"
                                                    : "rows with padding as if they were packed");
    exray_finding_fix(
        f, "Step from row to row by the buffer's own row stride (bytes per line), not by width * bytes "
           "per pixel.");
    if (s->kind != XR_STRIDE_IGNORED)
        exray_finding_number(f, "pixels_per_row", (double)s->pixels);
}

bool xr_report_shifted_rows(xr_input_pair *pair, const xr_input_fit *fit, exray_findings *findings)
{
    size_t frames, notability;
    if (fit->residual.explained || fit->residual.blocks < UNLIKE || fit->values.rows < FEWEST_ROWS ||
        !xr_rows_are_shifted(pair, &frames, &notability))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.stride", EXRAY_SEVERITY_ERROR, 0.85);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge reads the camera's rows with the wrong stride: its rows are the "
                             "reference's, each moved sideways by another amount.");
    exray_finding_detail(f, "%s",
                         pair->has_sensor ? "No stride that exray knows makes this of the sensor's picture."
                                          : "By how much cannot be told without the sensor's record.");
    exray_finding_fix(f,
                      "Step from row to row by the buffer's own row stride (bytes per line), not by width * "
                      "bytes per pixel.");
    exray_finding_number(f, "residual_levels", fit->residual.pixels);
    exray_finding_number(f, "frames_supporting", (double)frames);
    exray_finding_number(f, "frames", (double)notability);
    return true;
}
