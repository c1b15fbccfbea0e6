#include "checks/told/classes/told_labels.h"

#include "checks/output/interpretation.h"
#include "checks/told/silence.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_LABELS = 4096 }; /* of a frame; each is looked for among the other side's */

typedef struct label_sets {
    size_t alone[2];                /* labels that this side alone tells, in all frames */
    double most_alone[2], least[2]; /* their best score; the lowest score that this side tells */
    int64_t example[2];
    size_t frames;
    bool *differs; /* [matched frames] */
} label_sets;

bool xr_tells_labels(const exray_comparison *comparison)
{
    for (int s = 0; s < 2; s++) {
        const char *task = exray_log_metadata(exray_comparison_log(comparison, (exray_side)s), "task");
        if (!task || strcmp(task, "multi_label") != 0)
            return false;
    }
    return true;
}

static size_t count_of(const exray_result *r)
{
    return r->class_count < MOST_LABELS ? r->class_count : MOST_LABELS;
}

static bool tells(const exray_result *r, int64_t id)
{
    for (size_t i = 0; i < count_of(r); i++)
        if (r->classes[i].id == id)
            return true;
    return false;
}

static void compare(label_sets *sets, size_t frame, const exray_result told[2])
{
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < count_of(&told[s]); i++) {
            const exray_class *c = &told[s].classes[i];
            sets->least[s] = fmin(sets->least[s], (double)c->score);
            if (tells(&told[1 - s], c->id))
                continue;
            sets->example[s] = c->id;
            sets->most_alone[s] = fmax(sets->most_alone[s], (double)c->score);
            sets->alone[s]++;
            sets->differs[frame] = true;
        }
    sets->frames += sets->differs[frame];
}

static exray_status compare_frames(const exray_comparison *comparison, const xr_equal_frames *equal,
                                   label_sets *sets, exray_error *error)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const xr_silence *silence = &equal->silence;
    const bool room = slot[0] && slot[1], tell = !xr_tells_otherwise(silence, XR_TOLD_CLASSES);
    for (size_t f = 0; room && tell && f < exray_comparison_frame_count(comparison); f++) {
        exray_result told[2];
        bool has[2];
        if (equal->of[f] != XR_FRAME_EXACT)
            continue; /* behind noise, what is near the threshold crosses it */
        for (int s = 0; s < 2; s++) {
            has[s] = xr_frame_result(comparison, (exray_side)s, f, slot[s], &told[s]);
            if (!has[s])
                told[s] = (exray_result){0};
        }
        if (xr_may_compare_results(silence, has))
            compare(sets, f, told);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    if (room)
        return EXRAY_OK;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing labels"};
    return EXRAY_E_MEMORY;
}

/* side: the one that tells more. */
static exray_finding *say_more(exray_findings *findings, const label_sets *s, int side)
{
    const bool extra = side == EXRAY_SIDE_EDGE;
    const double least = s->least[1 - side], most = s->most_alone[side];
    exray_finding *f = xr_told_finding(findings, extra ? "extra" : "missing", "result", NULL, 0.95);
    if (isfinite(least) && most <= least) {
        exray_finding_summary(
            f,
            "The edge tells labels of a %s threshold: %zu %s, with scores up to %.3f; the lowest "
            "score of the %s is %.3f.",
            extra ? "lower" : "higher", s->alone[side], extra ? "more" : "are missing", most,
            extra ? "reference" : "edge", least);
        exray_finding_number(f, "threshold_above", most);
        exray_finding_number(f, "threshold_at_most", least);
    } else
        exray_finding_summary(f, "%zu labels that the %s tells are %s (such as class %" PRId64 ").",
                              s->alone[side], extra ? "edge" : "reference",
                              extra ? "extra" : "missing on the edge", s->example[side]);
    exray_finding_fix(f, "Use one threshold on both sides, and tell all labels that reach it.");
    return f;
}

exray_status xr_check_told_labels(const exray_comparison *comparison, const xr_equal_frames *equal,
                                  xr_told_side side, bool *done, exray_findings *findings, exray_error *error)
{
    static const char *const explained[] = {"output.label_offset", "output.labels", "output.frame_order",
                                            NULL};
    label_sets sets = {.least = {INFINITY, INFINITY},
                       .differs = calloc(exray_comparison_frame_count(comparison) + 1, sizeof(bool))};
    exray_status status = EXRAY_E_MEMORY;
    if (sets.differs)
        status = compare_frames(comparison, equal, &sets, error);
    else
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing labels"};
    *done = status != EXRAY_OK || (sets.frames && (!sets.alone[0] || !sets.alone[1]));
    if (status == EXRAY_OK && *done && !xr_result_is_explained(findings, explained)) {
        exray_finding *f = say_more(findings, &sets, sets.alone[0] ? EXRAY_SIDE_EDGE : EXRAY_SIDE_REFERENCE);
        exray_finding_number(f, "labels_extra", (double)sets.alone[0]);
        exray_finding_number(f, "labels_missing", (double)sets.alone[1]);
        xr_say_told_frames(f, comparison, equal, sets.differs, true, side);
    }
    free(sets.differs);
    return status;
}
