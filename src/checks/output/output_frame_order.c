/* output.frame_order: an output, or a result, of another frame. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/output/labelling.h"
#include "checks/output/relation.h"
#include "checks/port/frame_match.h"
#include "checks/port/row_order.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

static uint64_t index_of(const exray_comparison *comparison, size_t frame)
{
    size_t position = exray_comparison_frame(comparison, frame).frame[EXRAY_SIDE_EDGE];
    return exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), position)->index;
}

/* "2, 5, 8", or the first ones and how many more. */
static void list_frames(const exray_comparison *comparison, const xr_frame_match *m, char *text, size_t size)
{
    enum { LISTED = 12 };
    size_t used = 0, listed = 0;
    for (size_t f = 0; f < m->frame_count && used < size; f++) {
        if (m->source[f] == f)
            continue;
        if (listed++ < LISTED)
            used += (size_t)snprintf(text + used, size - used, "%s%" PRIu64, listed > 1 ? ", " : "",
                                     index_of(comparison, f));
    }
    if (listed > LISTED && used < size)
        snprintf(text + used, size - used, " and %zu more", listed - LISTED);
}

static void say_reading(const exray_comparison *comparison, const xr_frame_match *m, exray_finding *finding)
{
    bool *moved = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *moved);
    for (size_t f = 0; moved && f < m->frame_count; f++)
        moved[f] = m->source[f] != f;
    if (moved)
        xr_say_reading(comparison, moved, finding);
    free(moved);
}

static void report(const exray_comparison *comparison, size_t pair, const xr_frame_match *m,
                   exray_findings *findings)
{
    const exray_io_pair *io = exray_comparison_output(comparison, pair);
    bool known = xr_inputs_known(comparison);
    char frames[300] = "", whose[80];
    list_frames(comparison, m, frames, sizeof frames);
    if (m->late)
        snprintf(whose, sizeof whose, "that of the frame before");
    else if (m->early)
        snprintf(whose, sizeof whose, "that of the next frame");
    else if (m->same_lag)
        snprintf(whose, sizeof whose, "that of %ld frames %s", m->lag < 0 ? -m->lag : m->lag,
                 m->lag > 0 ? "before" : "later");
    else
        snprintf(whose, sizeof whose, "that of another frame");
    exray_finding *f =
        exray_findings_add(findings, "output.frame_order", EXRAY_SEVERITY_ERROR, known ? 0.97 : 0.6);
    exray_finding_where(f, "output", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (m->torn)
        exray_finding_summary(
            f,
            "The %s part of the edge's output %.80s is %s, in %zu of %zu frames (%s), as where it is "
            "read while it is written.",
            m->torn_first ? "first" : "last", io->name[EXRAY_SIDE_EDGE], whose, m->moved, m->frame_count,
            frames);
    else
        exray_finding_summary(f, "The edge's output %.80s is %s, in %zu of %zu frames (%s).",
                              io->name[EXRAY_SIDE_EDGE], whose, m->moved, m->frame_count, frames);
    for (size_t k = 0; k < m->frame_count; k++)
        if (m->source[k] != k) {
            exray_finding_detail(
                f, "Frame %" PRIu64 " has %sthe output that frame %" PRIu64 " has in the reference.",
                index_of(comparison, k), m->torn ? "a part of " : "", index_of(comparison, m->source[k]));
            break;
        }
    if (m->unknown)
        exray_finding_detail(f, "What the first %zu %s, came before the log begins.", m->unknown,
                             m->unknown == 1 ? "frame has" : "frames have");
    if (m->after)
        exray_finding_detail(f, "What the last %zu %s, came after the log ends.", m->after,
                             m->after == 1 ? "frame has" : "frames have");
    exray_finding_fix(
        f, "%s",
        m->torn ? "Copy the output when the model has run, before the next run begins; give threads "
                  "buffers of their own."
                : "Read the output after the model ran on this frame's input, and note it in the frame "
                  "that the input belongs to.");
    if (m->torn) {
        exray_finding_text(f, "kind", "torn");
        exray_finding_number(f, "share", m->share);
    }
    exray_finding_number(f, "frames_moved", (double)m->moved);
    exray_finding_number(f, "frames", (double)m->frame_count);
    exray_finding_text(f, "which", frames);
    if (m->same_lag)
        exray_finding_number(f, "lag", (double)m->lag);
    say_reading(comparison, m, f);
    if (!known)
        exray_finding_alternative(f, "input.frame_order", 0.4);
}

static exray_status check_outputs(const exray_comparison *comparison, exray_findings *findings,
                                  exray_error *error)
{
    bool inside = xr_layers_differ(comparison);
    for (size_t i = 0; !inside && i < exray_comparison_output_count(comparison); i++) {
        const exray_io_pair *io = exray_comparison_output(comparison, i);
        xr_frame_match match = {0};
        if (!io->comparable || io->error <= io->noise || xr_is_reordered(findings, i))
            continue;
        if (xr_inputs_differ_by_any(comparison, findings))
            return xr_abstain_for_inputs(error);
        exray_status status = xr_frame_match_make(comparison, i, &match, error);
        if (status == EXRAY_OK && match.explains) {
            report(comparison, i, &match, findings);
            xr_mark_reordered(findings, i);
        }
        xr_frame_match_free(&match);
        if (status != EXRAY_OK)
            return status;
    }
    return EXRAY_OK;
}

static exray_status check_results(const exray_comparison *comparison, exray_findings *findings,
                                  exray_error *error)
{
    const xr_labelling *labels = xr_labelling_of(comparison, findings, error);
    if (!labels)
        return error->status;
    if (labels->state == XR_LABELS_LATE) {
        exray_finding *f =
            exray_findings_add(findings, "output.frame_order", EXRAY_SEVERITY_ERROR, labels->confidence);
        exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
        exray_finding_summary(f, "Each result of the %s is that of the frame before.",
                              labels->side == EXRAY_SIDE_EDGE ? "edge" : "reference");
        exray_finding_detail(f, "In %zu of %zu frames with a result.", labels->supporting, labels->frames);
        exray_finding_fix(f, "Read the output after the model ran, and note the result in its own frame.");
        exray_finding_number(f, "frames_supporting", (double)labels->supporting);
        exray_finding_number(f, "frames", (double)labels->frames);
    }
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    exray_status status = check_results(comparison, findings, error);
    return status == EXRAY_OK ? check_outputs(comparison, findings, error) : status;
}

static const char *const causes[] = {"output.frame_order", NULL};

const exray_assertion xr_assertion_output_frame_order = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "output.frame_order",
    .summary = "each frame has its own output and its own result",
    .causes = causes,
    .needs = "/output of both logs, with data, and equal inputs; or /output and /result",
    .run = run,
};
