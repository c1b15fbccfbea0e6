#include "checks/output/labelling.h"

#include "checks/beyond_noise.h"
#include "checks/findings.h"
#include "checks/told/silence.h"

#include <math.h>
#include <stdlib.h>

bool xr_outputs_equal(const exray_comparison *comparison)
{
    size_t count = exray_comparison_output_count(comparison);
    for (size_t i = 0; i < count; i++) {
        const exray_io_pair *output = exray_comparison_output(comparison, i);
        if (!output->comparable || !(output->error <= output->noise) || !(output->metrics.cosine >= 0.999))
            return false;
    }
    return count > 0;
}

/* Whether the scores are those of the best elements: then the search for the best was right,
 * whatever the classes are called. */
static bool scores_match(const xr_ranks *r)
{
    size_t match = 0, known = 0;
    for (size_t i = 0; i < r->count; i++) {
        const xr_rank *k = &r->rank[i];
        if (k->rank != 0 || k->index < 0 || !isfinite(k->score))
            continue;
        known++;
        match += fabs(k->score - k->value) <= 1e-4 * fabs(k->value) + 1e-6;
    }
    return known > 0 && match == known;
}

static void set(xr_labelling *l, xr_labelling_state state, exray_side side, double confidence,
                size_t supporting, size_t frames)
{
    l->state = state;
    l->side = side;
    l->confidence = confidence;
    l->supporting = supporting;
    l->frames = frames;
}

/* Equal decisions: whatever shift there is, something later undoes it. */
static bool decisions_agree(const exray_comparison *comparison, const xr_labelling *l)
{
    if (l->between.frames)
        return 2 * l->between.equal > l->between.frames;
    const exray_accuracy *a = exray_comparison_accuracy(comparison);
    return a->frames > 0 && a->agreement > 0.5;
}

static bool judge_vector(const exray_comparison *comparison, xr_labelling *l)
{
    const xr_shift *s = &l->shift;
    if ((!s->shifted && !s->permuted) || xr_inputs_differ(comparison) || decisions_agree(comparison, l))
        return false;
    double sure = xr_inputs_known(comparison) ? 0.98 : 0.9;
    set(l, s->shifted ? XR_LABELS_VECTOR_SHIFTED : XR_LABELS_VECTOR_PERMUTED, EXRAY_SIDE_EDGE, sure,
        s->supporting, s->frames);
    l->difference = s->shifted ? s->places : 0;
    return true;
}

/* Compares one side's decisions with its own outputs. */
static bool judge_side(xr_labelling *l, exray_side side)
{
    const xr_ranks *r = &l->ranks[side];
    if (r->state == XR_RANKS_LATE) {
        set(l, XR_LABELS_LATE, side, 0.95, r->frames_supporting, r->frames);
        return true;
    }
    if (r->state == XR_RANKS_BROKEN) {
        set(l, XR_LABELS_BROKEN, side, 0.9, r->frames_supporting, r->frames);
        return true;
    }
    if (r->state != XR_RANKS_PERMUTED)
        return false;
    bool right = scores_match(r);
    bool certain = r->repeats >= 2 || right;
    set(l, certain || r->repeats ? XR_LABELS_PERMUTED : XR_LABELS_BROKEN, side, certain ? 0.93 : 0.6,
        r->frames_supporting, r->frames);
    l->ambiguous = !certain;
    return true;
}

/* Neither side tells the best of its own outputs, and both tell the same in all frames: what is made of more
 * than the output (a rule, a vote, an output that was not recorded) is so on both sides. */
static bool depart_alike(const xr_labelling *l)
{
    const xr_rank_state edge = l->ranks[EXRAY_SIDE_EDGE].state,
                        reference = l->ranks[EXRAY_SIDE_REFERENCE].state;
    return l->between.frames > 0 && l->between.equal == l->between.frames && edge == reference &&
           (edge == XR_RANKS_BROKEN || edge == XR_RANKS_PERMUTED || edge == XR_RANKS_LATE);
}

static bool judge_sides(xr_labelling *l)
{
    if (depart_alike(l))
        return false;
    if (judge_side(l, EXRAY_SIDE_EDGE) || judge_side(l, EXRAY_SIDE_REFERENCE))
        return true;
    const xr_ranks *edge = &l->ranks[EXRAY_SIDE_EDGE], *reference = &l->ranks[EXRAY_SIDE_REFERENCE];
    if (edge->state != XR_RANKS_OFFSET || reference->state != XR_RANKS_OFFSET)
        return false;
    bool moved = edge->elements == reference->elements
                     ? edge->offset != reference->offset
                     : l->between.constant &&
                           l->between.classes > 1; /* one of the outputs may have an additional element */
    if (moved) {
        l->difference =
            edge->elements == reference->elements ? reference->offset - edge->offset : l->between.difference;
        set(l, XR_LABELS_SHIFTED, EXRAY_SIDE_EDGE, edge->frames_supporting > 1 ? 0.98 : 0.9,
            edge->frames_supporting, edge->frames);
    }
    return moved;
}

bool xr_sides_tell_bests(const exray_comparison *comparison, const xr_labelling *labelling)
{
    const xr_silence silence = xr_silence_of(comparison);
    for (int s = 0; s < 2; s++) {
        const xr_ranks *ranks = &labelling->ranks[s];
        /* The classes of a side that tells nothing are the places of its outputs. */
        bool moved = !silence.told[!s] && ranks->state == XR_RANKS_OFFSET && ranks->offset != 0;
        if (silence.told[s] && (moved || !xr_ranks_tell_bests(comparison, (exray_side)s, ranks)))
            return false;
    }
    return true;
}

/* From the results alone, where at least one side has no output to compare them with, or
 * several equal values in all frames. */
static void judge_results(const exray_comparison *comparison, xr_labelling *l)
{
    const xr_ranks_between *b = &l->between;
    bool both_known = l->ranks[0].state != XR_RANKS_NONE && l->ranks[1].state != XR_RANKS_NONE;
    if (both_known || b->frames == 0 || xr_sides_tell_bests(comparison, l))
        return;
    bool equal =
        xr_outputs_equal(comparison) || (xr_inputs_known(comparison) && !xr_inputs_differ(comparison));
    if (b->constant && (b->classes >= 3 || (equal && b->classes >= 2))) {
        set(l, XR_LABELS_SHIFTED, EXRAY_SIDE_EDGE, equal ? 0.95 : 0.85, b->frames, b->frames);
        l->difference = b->difference;
        return;
    }
    if (equal && b->permuted && b->repeats && 2 * b->equal < b->frames) {
        set(l, XR_LABELS_PERMUTED, EXRAY_SIDE_EDGE, 0.7, b->frames - b->equal, b->frames);
        l->ambiguous = true;
    }
}

static exray_status judge_all(const exray_comparison *comparison, xr_labelling *out, exray_error *error)
{
    *out = (xr_labelling){.state = XR_LABELS_RIGHT};
    exray_status status = xr_shift_make(comparison, &out->shift, error);
    for (int s = 0; s < 2 && status == EXRAY_OK; s++)
        status = xr_ranks_make(comparison, (exray_side)s, &out->ranks[s], error);
    if (status != EXRAY_OK)
        return status;
    out->between = xr_ranks_compare(&out->ranks[EXRAY_SIDE_EDGE], &out->ranks[EXRAY_SIDE_REFERENCE]);
    if (!judge_vector(comparison, out) && !judge_sides(out))
        judge_results(comparison, out);
    return EXRAY_OK;
}

static void release(void *state)
{
    xr_labelling *l = state;
    xr_ranks_free(&l->ranks[0]);
    xr_ranks_free(&l->ranks[1]);
    free(l);
}

const xr_labelling *xr_labelling_of(const exray_comparison *comparison, exray_findings *findings,
                                    exray_error *error)
{
    static const char key[] = "labelling";
    xr_labelling *l = xr_findings_attached(findings, key, 0);
    if (l)
        return l;
    l = malloc(sizeof *l);
    if (l && judge_all(comparison, l, error) != EXRAY_OK) {
        release(l);
        return NULL;
    }
    if (l && xr_findings_attach(findings, key, 0, l, release))
        return l;
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reading results"};
    return NULL;
}
