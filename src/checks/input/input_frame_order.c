/* input.frame_order: frames of the edge show the pictures of other frames. */
#include "checks/input/input_findings.h"

void xr_report_frame_order(const xr_explanation *e, exray_findings *findings)
{
    const xr_transform *c = e->transform;
    size_t late[3] = {0}, repeats = 0, example = SIZE_MAX;
    for (size_t f = 0; f < c->frames; f++) {
        if (c->order.source_frame[f] == SIZE_MAX || c->order.source_frame[f] == f)
            continue;
        example = example == SIZE_MAX ? f : example;
        late[0] += c->order.source_frame[f] + 1 == f;
        late[1] += c->order.source_frame[f] == f + 1;
        late[2]++;
        repeats += f > 0 && c->order.source_frame[f] == c->order.source_frame[f - 1];
    }
    exray_finding *f = xr_begin_step(e, findings, "input.frame_order", XR_STEP_FRAME_ORDER,
                                     xr_step_confidence(e, XR_STEP_FRAME_ORDER));
    const char *how = repeats * 2 >= c->order.misplaced ? "repeats frames"
                      : late[0] * 10 >= late[2] * 8     ? "is one frame late"
                      : late[1] * 10 >= late[2] * 8     ? "is one frame early"
                                                        : "shows other frames";
    exray_finding_summary(f, "The edge %s: in %zu of %zu frames the model is given another frame's picture.",
                          how, c->order.misplaced, c->frames);
    if (example != SIZE_MAX)
        exray_finding_detail(f, "Frame %zu shows the picture of frame %zu.", example,
                             c->order.source_frame[example]);
    exray_finding_fix(
        f, "Log and infer the same buffer: fill the model's input before each run, and wait for the "
           "camera's frame before using it.");
    exray_finding_text(f, "pattern", how);
    exray_finding_number(f, "frames_moved", (double)c->order.misplaced);
}
