/* Classes: what both sides told of equal outputs. */
#include "checks/told/classes/class_search.h"
#include "checks/told/classes/told_labels.h"
#include "checks/told/told_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

typedef struct class_words {
    const char *kind, *summary, *fix;
} class_words;

static const class_words words[] = {
    [XR_CLASSES_NONE] = {"missing", "The edge tells no class where the reference does.",
                         "Use one threshold on both sides, and tell the classes of each frame."},
    [XR_CLASSES_ADDED] = {"extra", "The edge tells classes where the reference tells none.",
                          "Use one threshold on both sides."},
    [XR_CLASSES_REVERSED] = {"order", "The edge tells the worst classes first; the reference the best.",
                             "Sort by falling score."},
    [XR_CLASSES_CONSTANT] = {"classes", "The edge always tells the same best class; the reference's change.",
                             "Search for the best class in each frame's own outputs."},
    [XR_CLASSES_RENAMED] = {"classes",
                            "The edge tells another class for each of the reference's, always the same.",
                            "Use the label map that goes with the model on both sides."},
    [XR_CLASSES_OFFSET] = {"classes", "The edge's classes are a constant number from the reference's.",
                           "Use the label_offset and the label file that go with the model on both sides."},
    [XR_CLASSES_INVERSE] = {"scores", "The scores of the edge's classes are 1 minus the reference's.",
                            "Read each class's score from the model's output."},
    [XR_CLASSES_SCORES] =
        {"scores", "The scores of the edge's classes are others than the reference's, in some frames alone.",
         "Read each class's score from the model's output in the same way in all frames."},
    [XR_CLASSES_UNKNOWN] = {"classes", "The two sides decide for other classes of equal outputs.",
                            "Check what is done after the model: argmax, sorting, the output that is read."},
};

static void say_late(exray_finding *f, long lag)
{
    if (lag == 1)
        exray_finding_summary(f, "The edge's classes are those of the frame before.");
    else
        exray_finding_summary(f, "The edge's classes are those of %ld frame%s %s.", labs(lag),
                              labs(lag) == 1 ? "" : "s", lag > 0 ? "before" : "later");
    exray_finding_fix(f, "Read the output after the model ran, and note the result in its own frame.");
    exray_finding_number(f, "lag", (double)lag);
    exray_finding_alternative(f, "output.frame_order", 0.3);
}

static exray_finding *say_way(exray_findings *findings, const xr_class_story *s)
{
    exray_finding *f;
    switch (s->way) {
    case XR_CLASSES_LATE:
        f = xr_told_finding(findings, "late", "result", NULL, 0.95);
        say_late(f, s->lag);
        return f;
    case XR_CLASSES_REST:
        f = xr_told_finding(findings, "classes", "result", NULL, 0.95);
        exray_finding_summary(
            f,
            "The edge's best class is the reference's, but the other classes of its list (up "
            "to %zu) are not the next best%s.",
            s->listed, s->rest_always ? "; they are always the same" : "");
        exray_finding_fix(f, "Sort all scores, and tell the classes of the best ones in that order.");
        return f;
    case XR_CLASSES_SCALED:
        f = xr_told_finding(findings, "scaled", "result", NULL, 0.9);
        exray_finding_summary(f, "The scores of the edge's classes are %.3g times the reference's.", s->gain);
        exray_finding_fix(f, "Read each class's score from the model's output, once through its activation.");
        exray_finding_number(f, "gain", s->gain);
        return f;
    default:
        f = xr_told_finding(findings, words[s->way].kind, "result", NULL,
                            s->way == XR_CLASSES_UNKNOWN ? 0.8 : 0.95);
        exray_finding_summary(f, "%s", words[s->way].summary);
        exray_finding_fix(f, "%s", words[s->way].fix);
        return f;
    }
}

/* "frame 3: 12, 7, 5 for 12, 9, 7". */
static void say_example(exray_finding *f, const exray_comparison *comparison, const xr_class_frames *frames)
{
    enum { SHOWN = 5 };
    for (size_t i = 0; i < frames->count; i++) {
        const xr_class_frame *at = &frames->frame[i];
        char text[2][160] = {"none", "none"};
        if (!at->differs)
            continue;
        for (int s = 0; s < 2; s++)
            for (size_t k = 0, used = 0; k < at->list[s].count && k < SHOWN && used < sizeof text[s]; k++)
                used += (size_t)snprintf(text[s] + used, sizeof text[s] - used, "%s%" PRId64, k ? ", " : "",
                                         at->list[s].id[k]);
        size_t position = exray_comparison_frame(comparison, at->frame).frame[EXRAY_SIDE_EDGE];
        uint64_t index = exray_log_frame(exray_comparison_log(comparison, EXRAY_SIDE_EDGE), position)->index;
        exray_finding_detail(f, "In frame %" PRIu64 " the edge tells classes %s, the reference %s.", index,
                             text[0], text[1]);
        return;
    }
}

/* Causes that say already why classes, or their scores, are others. */
static bool is_told(const exray_findings *findings)
{
    static const char *const causes[] = {"output.label_offset", "output.labels", "output.frame_order",
                                         "output.activation", "output.dequantization"};
    for (size_t i = 0; i < sizeof causes / sizeof *causes; i++)
        if (xr_has_error(findings, causes[i]))
            return true;
    return false;
}

exray_status xr_check_told_classes(const exray_comparison *comparison, const xr_equal_frames *equal,
                                   xr_told_side side, exray_findings *findings, exray_error *error)
{
    if (xr_tells_labels(comparison)) {
        bool done;
        exray_status told = xr_check_told_labels(comparison, equal, side, &done, findings, error);
        if (done)
            return told;
    }
    xr_class_frames frames;
    exray_status status = xr_class_frames_make(comparison, equal, &frames, error);
    xr_class_story s = {.way = XR_CLASSES_SAME};
    if (status == EXRAY_OK && !is_told(findings))
        s = xr_class_search(&frames, side == XR_TOLD_BOTH_RIGHT);
    bool *differs = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *differs);
    if (status == EXRAY_OK && !differs) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing classes"};
        status = EXRAY_E_MEMORY;
    }
    if (status == EXRAY_OK && s.way != XR_CLASSES_SAME) {
        bool scores = !s.some && (s.way == XR_CLASSES_SCALED || s.way == XR_CLASSES_INVERSE);
        exray_finding *f = say_way(findings, &s);
        say_example(f, comparison, &frames);
        if (s.way == XR_CLASSES_RENAMED || s.way == XR_CLASSES_OFFSET || s.way == XR_CLASSES_UNKNOWN)
            exray_finding_alternative(f, "output.label_offset", 0.3);
        for (size_t i = 0; i < frames.count; i++)
            differs[frames.frame[i].frame] = scores || frames.frame[i].differs;
        xr_say_told_frames(f, comparison, equal, differs,
                           s.some || s.way == XR_CLASSES_UNKNOWN || s.way == XR_CLASSES_NONE ||
                               s.way == XR_CLASSES_ADDED,
                           side);
    }
    if (status == EXRAY_OK && frames.differ && s.way == XR_CLASSES_SAME)
        xr_note_excused(findings);
    free(differs);
    xr_class_frames_free(&frames);
    return status;
}
