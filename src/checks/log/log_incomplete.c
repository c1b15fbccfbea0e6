/* log.incomplete: frames without an output of the model, which other frames have: the application
 * stopped in the middle of the frame. */
#include "checks/builtin.h"
#include "checks/frame_coverage.h"

#include <inttypes.h>
#include <stdio.h>

/* What a log has of one frame. */
typedef struct frame_content {
    bool any;     /* tensors of any kind */
    bool output;  /* an output or a result */
    bool dropped; /* records were dropped by then: perf.dropped reports it */
} frame_content;

static bool has_dropped(const exray_log *log, const exray_record *record, exray_slot *slot)
{
    exray_system s;
    exray_error error;
    return exray_log_read_system(log, record, slot, &s, &error) == EXRAY_OK && s.has_dropped &&
           s.dropped_records > 0;
}

static frame_content content_of(const exray_log *log, size_t frame, exray_slot *slot)
{
    frame_content k = {false, false, false};
    size_t count;
    const exray_record *record = exray_log_records_in(log, frame, slot, &count);
    for (size_t i = 0; i < count; i++) {
        bool tensor = record[i].message == EXRAY_MESSAGE_TENSOR;
        k.any |= tensor;
        k.output |=
            record[i].message == EXRAY_MESSAGE_RESULT || (tensor && record[i].kind == EXRAY_KIND_OUTPUT);
        k.dropped |=
            record[i].message == EXRAY_MESSAGE_SYSTEM && !k.dropped && has_dropped(log, &record[i], slot);
    }
    return k;
}

/* Frames of one side without an output. */
typedef struct output_gap {
    xr_left_out left;    /* what the log says of frames without tensors */
    size_t frames, with; /* without an output, and with one */
    uint64_t first;      /* Frame.index of the first without */
    const char *source;
} output_gap;

/* A frame without any tensor may be left out on purpose, if the log says so: else the application failed
 * before the model ran.  An incomplete frame is the end of a truncated log. */
static void count_frame(output_gap *g, const exray_log *log, size_t position, const frame_content *mine,
                        const frame_content *other)
{
    const exray_frame *frame = exray_log_frame(log, position);
    g->with += mine->output;
    if (mine->output || mine->dropped || !other->output || !frame->complete)
        return;
    if (!mine->any && xr_is_left_out(&g->left, log, position))
        return;
    if (g->frames++ == 0) {
        g->first = frame->index;
        g->source = frame->source;
    }
}

static void report(const exray_log *log, exray_side side, const output_gap *g, exray_findings *findings)
{
    if (g->frames == 0 || g->with == 0)
        return;
    const char *name = side == EXRAY_SIDE_EDGE ? "edge" : "reference";
    bool one = g->frames == 1, named = g->source && *g->source;
    exray_finding *f = exray_findings_add(findings, "log.incomplete", EXRAY_SEVERITY_WARNING, 0.95);
    exray_finding_where(f, "log", exray_log_path(log), EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "In %zu of %zu frames the %s log has no output of the model, as it has in the others "
        "(%s %" PRIu64 "%s%.80s): %s not compared further.",
        g->frames, g->frames + g->with, name, one ? "frame" : "the first is frame", g->first,
        named ? ", " : "", named ? g->source : "", one ? "it was" : "they were");
    exray_finding_fix(f, "Look at what the application does with %s: it may have failed and gone on.",
                      one ? "that frame" : "those frames");
    exray_finding_number(f, "frames", (double)g->frames);
    exray_finding_number(f, "first_frame", (double)g->first);
}

static exray_status run(const exray_comparison *c, exray_findings *findings, exray_error *error)
{
    output_gap gaps[2] = {{.frames = 0}, {.frames = 0}};
    const exray_log *log[2] = {exray_comparison_log(c, EXRAY_SIDE_EDGE),
                               exray_comparison_log(c, EXRAY_SIDE_REFERENCE)};
    exray_slot *slot = exray_slot_new();
    if (!slot) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory"};
        return error->status;
    }
    for (int s = 0; s < 2; s++)
        xr_left_out_of(log[s], &gaps[s].left);
    for (size_t i = 0; i < exray_comparison_frame_count(c); i++) {
        exray_frame_pair pair = exray_comparison_frame(c, i);
        frame_content k[2] = {content_of(log[0], pair.frame[0], slot),
                              content_of(log[1], pair.frame[1], slot)};
        for (int s = 0; s < 2; s++)
            count_frame(&gaps[s], log[s], pair.frame[s], &k[s], &k[!s]);
    }
    exray_slot_free(slot);
    for (int s = 0; s < 2; s++)
        report(log[s], (exray_side)s, &gaps[s], findings);
    return EXRAY_OK;
}

static const char *const causes[] = {"log.incomplete", NULL};

const exray_assertion xr_assertion_log_incomplete = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "log.incomplete",
    .summary = "every frame that the model ran in has its output",
    .causes = causes,
    .needs = "outputs or results in both logs",
    .run = run,
};
