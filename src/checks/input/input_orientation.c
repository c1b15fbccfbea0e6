/* input.rotation and input.flip: the edge's picture is turned or mirrored. */
#include "checks/input/input_findings.h"
#include "checks/input/pipeline_of.h"

#include <stdio.h>
#include <string.h>

static void orientation_words(xr_orientation o, char *text, size_t size)
{
    unsigned turns;
    bool horizontal, vertical;
    xr_orientation_parts(o, &turns, &horizontal, &vertical);
    snprintf(text, size, "%s%s%s",
             turns == 1   ? "rotation by 90"
             : turns == 2 ? "rotation by 180"
             : turns == 3 ? "rotation by 270"
                          : "",
             turns && (horizontal || vertical) ? " and " : "",
             horizontal ? "flip left to right"
             : vertical ? "flip top to bottom"
                        : "");
    if (!*text)
        snprintf(text, size, "upright");
}

/* Adds the orientations that these pictures cannot tell from the one that is named. */
static void add_runners_up(const xr_explanation *e, const char *own, exray_finding *f)
{
    const xr_transform *c = e->transform;
    char names[256] = "";
    bool flip = false, rotation = false;
    for (size_t i = 0; i < c->turn.runner_up_count; i++) {
        char words[64];
        unsigned turns;
        bool horizontal, vertical;
        orientation_words(c->turn.runner_up[i], words, sizeof words);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", words);
        xr_orientation_parts(c->turn.runner_up[i], &turns, &horizontal, &vertical);
        flip = flip || horizontal || vertical;
        rotation = rotation || turns;
    }
    if (!*names)
        return;
    exray_finding_detail(f, "Ambiguous: these pictures are too symmetric to tell it from: %s.", names);
    exray_finding_text(f, "ambiguous_with", names);
    double share = 1.0 / (double)(c->turn.runner_up_count + 1);
    if (flip && strcmp(own, "input.flip") != 0)
        exray_finding_alternative(f, "input.flip", share);
    if (rotation && strcmp(own, "input.rotation") != 0)
        exray_finding_alternative(f, "input.rotation", share);
}

/* Whether it is the edge's picture that is not as the camera's is told by the camera's record alone. */
static const char *unproven_side(const xr_explanation *e)
{
    return e->has_sensor ? "" : "; which of them is upright, the logs do not say";
}

void xr_report_orientation(const xr_explanation *e, exray_findings *findings)
{
    const xr_transform *c = e->transform;
    unsigned turns;
    bool horizontal, vertical;
    xr_orientation_parts(c->turn.orientation, &turns, &horizontal, &vertical);
    double confidence = xr_step_confidence(e, XR_STEP_TURN) / (double)(c->turn.runner_up_count + 1);
    if (turns) {
        exray_finding *f = xr_begin_step(e, findings, "input.rotation", XR_STEP_TURN, confidence);
        exray_finding_summary(
            f, "The edge's picture is the reference's, rotated by %u degrees counter-clockwise%s.",
            90 * turns, unproven_side(e));
        exray_finding_fix(
            f,
            "Turn the camera's picture as the reference does: by %u degrees more, counter-clockwise, before "
            "the model (%sPillow: ImageOps.exif_transpose applies a file's own orientation; OpenCV: rotate).",
            360 - 90 * turns, xr_pipeline_key(e->comparison, "rotate: 0`, `orient: exif").text);
        exray_finding_number(f, "degrees_counter_clockwise", 90.0 * turns);
        exray_finding_number(f, "runner_up_share", c->turn.runner_up_residual);
        add_runners_up(e, "input.rotation", f);
    }
    if (horizontal || vertical) {
        exray_finding *f = xr_begin_step(e, findings, "input.flip", XR_STEP_TURN, confidence);
        exray_finding_summary(f, "The edge's picture is the reference's, flipped %s%s%s.",
                              horizontal ? "left to right" : "top to bottom",
                              turns ? ", after the rotation" : "", unproven_side(e));
        exray_finding_fix(f,
                          "Mirror the picture as the reference does, or not at all (%sOpenCV: flip); a front "
                          "camera's preview is mirrored, its frames need not be.",
                          xr_pipeline_key(e->comparison, "flip: none").text);
        exray_finding_text(f, "axis", horizontal ? "horizontal" : "vertical");
        exray_finding_number(f, "runner_up_share", c->turn.runner_up_residual);
        add_runners_up(e, "input.flip", f);
    }
}
