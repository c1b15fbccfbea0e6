/* input.frame_order: frames of the edge show the pictures of other frames. */
#include "checks/input/frames/find_torn.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/input_findings.h"
#include "checks/input/words.h"

#include <stdlib.h>

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

static void say_torn(const xr_torn_frames *t, const xr_torn_frame *e, size_t example, const char *of,
                     exray_finding *f)
{
    const char *lines = e->columns ? "columns" : "rows";
    static const char *const even[] = {"even", "odd"};
    switch (e->tear) {
    case XR_TORN_FIELDS:
        exray_finding_summary(
            f, "The edge's picture is woven of two frames: in %zu of %zu frames every other row is of %s.",
            t->torn, t->frames, of);
        exray_finding_detail(f, "In frame %zu the %s %s are those of frame %zu.", example, even[e->line],
                             lines, e->other);
        exray_finding_fix(f, "Weave the two fields of one picture (an interlaced camera sends one after the "
                             "other), or deinterlace on both sides alike.");
        exray_finding_text(f, "kind", "fields");
        break;
    case XR_TORN_PATCHES:
        exray_finding_summary(
            f,
            "The edge's picture is put together of two frames: in %zu of %zu frames patches of it are of %s.",
            t->torn, t->frames, of);
        exray_finding_detail(f, "In frame %zu %.0f %% of the pixels are those of frame %zu.", example,
                             100 * e->share, e->other);
        exray_finding_fix(
            f, "Drop frames that a decoder reports as damaged (blocks of a video that did not arrive), and "
               "clear, or fill all of, the buffer for each frame.");
        exray_finding_text(f, "kind", "patches");
        exray_finding_number(f, "share", e->share);
        break;
    case XR_TORN_BLENDED:
        exray_finding_summary(f,
                              "The edge's picture is blended of two frames: in %zu of %zu frames a share of "
                              "every pixel is of %s.",
                              t->torn, t->frames, of);
        exray_finding_detail(f, "In frame %zu %.0f %% are of frame %zu.", example, 100 * e->share, e->other);
        exray_finding_fix(f, "Take single frames: turn off what blends them (a conversion of the frame rate, "
                             "noise reduction over time), or have it on both sides.");
        exray_finding_text(f, "kind", "blended");
        exray_finding_number(f, "share", e->share);
        break;
    case XR_TORN_SMOOTHED:
        exray_finding_summary(f,
                              "The edge's picture is smoothed over time: in %zu of %zu frames a share of "
                              "every pixel is of the edge's own frame before.",
                              t->torn, t->frames);
        exray_finding_detail(f, "In frame %zu that is %.0f %%.", example, 100 * e->share);
        exray_finding_fix(f, "Turn off the noise reduction over time (of the camera, or of the application), "
                             "or have it on both sides.");
        exray_finding_text(f, "kind", "smoothed");
        exray_finding_number(f, "share", e->share);
        break;
    default:
        exray_finding_summary(f,
                              "The edge's picture is torn: in %zu of %zu frames a part of its %s is of %s.",
                              t->torn, t->frames, lines, of);
        exray_finding_detail(f, "In frame %zu the %s %s %zu are those of frame %zu.", example, lines,
                             e->before ? "before" : "from", e->line, e->other);
        exray_finding_fix(f,
                          "Keep the buffer from being overwritten while it is read: copy or lock the frame, "
                          "or use a second buffer.");
        exray_finding_text(f, "kind", "torn");
        exray_finding_number(f, "border", (double)e->line);
    }
}

bool xr_report_torn(xr_input_pair *pair, exray_findings *findings)
{
    xr_torn_frames t;
    bool *chosen = NULL;
    bool found = xr_find_torn(pair, &t) && (chosen = calloc(t.frames + 1, sizeof *chosen));
    size_t example = SIZE_MAX, next = 0;
    xr_tear most = XR_TORN_AT_LINE; /* of the frames; of a few of them several kinds may be as exact */
    for (int k = 0; found && k < XR_TEARS; k++)
        most = t.of_kind[k] > t.of_kind[most] ? (xr_tear)k : most;
    for (size_t f = 0; found && f < t.frames; f++) {
        chosen[f] = t.frame[f].torn;
        if (chosen[f] && t.frame[f].tear == most)
            example = example == SIZE_MAX ? f : example;
        next += chosen[f] && t.frame[f].other == f + 1;
    }
    if (found) {
        const xr_torn_frame *e = &t.frame[example];
        exray_finding *f = exray_findings_add(findings, "input.frame_order", EXRAY_SEVERITY_ERROR,
                                              xr_confidence(t.residual_after, t.residual_before));
        exray_finding_where(f, "input", pair->fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        say_torn(&t, e, example, 2 * next > t.torn ? "the next frame" : "another frame", f);
        exray_finding_detail(f,
                             "With that, the torn frames differ by up to %.2f levels rms; as they are, by up "
                             "to %.2f.",
                             t.residual_after, t.residual_before);
        exray_finding_number(f, "frames_torn", (double)t.torn);
        exray_finding_number(f, "frames", (double)t.frames);
        exray_finding_number(f, "residual_before_levels", t.residual_before);
        exray_finding_number(f, "residual_after_levels", t.residual_after);
        if (t.torn < t.frames)
            exray_finding_frames(f, pair->comparison, chosen);
    }
    free(chosen);
    xr_torn_frames_free(&t);
    return found;
}
