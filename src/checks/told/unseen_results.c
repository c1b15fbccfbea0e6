#include "checks/told/unseen_results.h"

#include "checks/findings.h"
#include "checks/layer/value_evidence.h"
#include "checks/output/interpretation.h"
#include "checks/perf/setup.h"
#include "checks/told/same_results.h"

#include <stdlib.h>

static const char key[] = "told.unseen";

typedef struct unseen_tally {
    xr_unseen_results same, decided; /* results that are not the same; decisions that are others */
} unseen_tally;

static void count(xr_unseen_results *to, bool alike, uint64_t index)
{
    to->frames++;
    if (!alike && to->differ++ == 0)
        to->first = index;
}

static void add_frame(const exray_comparison *c, size_t frame, const xr_silence *silence,
                      exray_slot *const slot[2], unseen_tally *t)
{
    exray_result told[2];
    bool has[2];
    for (int s = 0; s < 2; s++) {
        has[s] = xr_frame_result(c, (exray_side)s, frame, slot[s], &told[s]);
        if (!has[s])
            told[s] = (exray_result){0};
    }
    if (!has[0] && !has[1])
        return;
    if (!xr_may_compare_results(silence, has))
        return;
    const size_t edge = exray_comparison_frame(c, frame).frame[EXRAY_SIDE_EDGE];
    const uint64_t index = exray_log_frame(exray_comparison_log(c, EXRAY_SIDE_EDGE), edge)->index;
    count(&t->same, xr_is_same_result(&told[0], &told[1]), index);
    count(&t->decided, xr_decide_alike(&told[0], &told[1]), index);
}

/* One model file on one machine, given the very same: nothing is rounded otherwise. */
static bool runs_the_same(const exray_comparison *c)
{
    const size_t inputs = exray_comparison_input_count(c);
    for (size_t i = 0; i < inputs; i++)
        if (!exray_comparison_input(c, i)->comparable || exray_comparison_input(c, i)->error > 0)
            return false;
    return inputs > 0 && xr_is_same_file(c) && xr_is_same_setup(c);
}

bool xr_note_unseen_results(const exray_comparison *comparison, const xr_equal_frames *equal,
                            exray_findings *findings)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    xr_unseen_results *kept = malloc(sizeof *kept);
    unseen_tally t = {.decided = {0}};
    const bool room = slot[0] && slot[1] && kept;
    for (size_t f = 0; room && f < exray_comparison_frame_count(comparison); f++)
        if (equal->unseen[f])
            add_frame(comparison, f, &equal->silence, slot, &t);
    const bool exact = t.same.differ && (runs_the_same(comparison) || xr_results_are_exact(comparison));
    const bool many = 2 * t.decided.differ >= t.decided.frames && t.decided.differ;
    bool ok = room;
    if (room && (exact || many)) {
        *kept = exact ? t.same : t.decided;
        ok = xr_findings_attach(findings, key, 0, kept, free);
        kept = NULL;
    }
    free(kept);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return ok;
}

const xr_unseen_results *xr_unseen_results_of(const exray_findings *findings)
{
    return xr_findings_attached(findings, key, 0);
}
