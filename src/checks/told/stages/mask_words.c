/* What is said of a mask. */
#include "checks/told/boxes/box_map.h"
#include "checks/told/stages/stage_words.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static exray_finding *begin(exray_findings *findings, const char *kind, const xr_stage_series *series,
                            double confidence)
{
    return xr_told_finding(findings, kind, "stage", series->name, confidence);
}

static void habit_words(const xr_mask_habit *h, char *text, size_t size)
{
    if (h->kind == XR_MASK_HABIT_BEST)
        snprintf(text, size, "the best of %zu along dimension %zu of output %.80s", h->classes, h->axis,
                 h->output);
    else if (h->kind == XR_MASK_HABIT_THRESHOLD && h->classes > 1)
        snprintf(text, size, "class %ld of output %.80s above a threshold (%.4g to %.4g)", h->class,
                 h->output, h->low, h->high);
    else if (h->kind == XR_MASK_HABIT_THRESHOLD)
        snprintf(text, size, "output %.80s above a threshold (%.4g to %.4g)", h->output, h->low, h->high);
    else
        snprintf(text, size, "made in another way");
}

static bool same_habit(const xr_mask_habit *a, const xr_mask_habit *b)
{
    if (a->kind != b->kind)
        return false;
    if (a->kind == XR_MASK_HABIT_BEST)
        return a->axis == b->axis && strcmp(a->output, b->output) == 0;
    return a->class == b->class && a->axis == b->axis && a->low <= b->high && b->low <= a->high;
}

/* Both, or the edge's alone, are known to be made of their outputs, and not alike. */
static bool habits_differ(const xr_mask_habit *habit)
{
    return habit[0].kind != XR_MASK_HABIT_UNKNOWN && !same_habit(&habit[0], &habit[1]);
}

static exray_finding *say_habits(exray_findings *findings, const xr_stage_series *series,
                                 const xr_mask_habit *habit)
{
    char edge[200], reference[200];
    habit_words(&habit[0], edge, sizeof edge);
    habit_words(&habit[1], reference, sizeof reference);
    exray_finding *f = begin(findings, "mask", series, 0.97);
    exray_finding_summary(f, "The edge's mask (%.90s) is %s; the reference's is %s.", series->place, edge,
                          reference);
    bool axis = habit[0].kind == XR_MASK_HABIT_BEST && habit[1].kind == XR_MASK_HABIT_BEST;
    exray_finding_fix(
        f, axis ? "Take the best class along the output's dimension of classes."
                : "Make the mask of the same scores in the same way on both sides: the best class, "
                  "or one threshold.");
    return f;
}

static exray_finding *say_turned(exray_findings *findings, const xr_stage_series *series,
                                 const xr_mask_story *s)
{
    exray_finding *f = begin(findings, xr_turn_kind(s->rule.turn), series, 0.95);
    const char *words = s->rule.turn == XR_TURN_EXCHANGED ? "with rows for columns (x and y exchanged)"
                                                          : xr_turn_words(s->rule.turn);
    exray_finding_summary(f, "The edge's mask (%.90s) is the reference's %s, in %zu of %zu frames.",
                          series->place, words, s->frames, series->count);
    exray_finding_fix(f, "%s", xr_turn_fix(s->rule.turn));
    exray_finding_number(f, "turn", s->rule.turn);
    return f;
}

static exray_finding *say_placed(exray_findings *findings, const xr_stage_series *series,
                                 const xr_mask_story *s)
{
    bool scaled = s->way == XR_MASKS_SCALED;
    exray_finding *f = begin(findings, scaled ? "scaled" : "shifted", series, 0.9);
    if (scaled)
        exray_finding_summary(
            f,
            "The edge's mask (%.90s) is the reference's scaled by %.3g and %.3g (x and y) and "
            "shifted by %+.3f and %+.3f of its size, in %zu of %zu frames.",
            series->place, s->rule.scale[0], s->rule.scale[1], s->rule.move[0], s->rule.move[1], s->frames,
            series->count);
    else
        exray_finding_summary(
            f,
            "The edge's mask (%.90s) is the reference's shifted by %+ld and %+ld pixels (x and "
            "y), in %zu of %zu frames.",
            series->place, s->rule.shift[0], s->rule.shift[1], s->frames, series->count);
    exray_finding_fix(f,
                      "Bring the mask back to the sensor's picture by what was done before the model: crop, "
                      "letterbox, resize.");
    return f;
}

static exray_finding *say_late(exray_findings *findings, const xr_stage_series *series,
                               const xr_mask_story *s)
{
    exray_finding *f = begin(findings, "late", series, 0.95);
    long lag = s->rule.lag;
    if (lag == 1)
        exray_finding_summary(f, "The edge's mask (%.90s) is that of the frame before.", series->place);
    else
        exray_finding_summary(f, "The edge's mask (%.90s) is that of %ld frame%s %s.", series->place,
                              lag < 0 ? -lag : lag, lag == 1 || lag == -1 ? "" : "s",
                              lag > 0 ? "before" : "later");
    exray_finding_fix(f, "Note the mask in the frame whose picture it is of.");
    exray_finding_number(f, "lag", (double)lag);
    exray_finding_alternative(f, "output.frame_order", 0.3);
    return f;
}

static exray_finding *say_labels(exray_findings *findings, const xr_stage_series *series,
                                 const xr_mask_story *s)
{
    exray_finding *f = begin(findings, s->way == XR_MASKS_MISSING ? "missing" : "mask", series, 0.95);
    const char *name = series->place;
    exray_finding_fix(f, "Use the label map that goes with the model, and the best class of each pixel.");
    switch (s->way) {
    case XR_MASKS_CONSTANT:
        exray_finding_summary(f, "The edge's mask (%.90s) is label %ld all over; the reference's has others.",
                              name, s->class);
        break;
    case XR_MASKS_INVERSE:
        exray_finding_summary(f, "The edge's mask (%.90s) is the reference's inverted: 0 for 1 and 1 for 0.",
                              name);
        break;
    case XR_MASKS_CLASS:
        exray_finding_summary(
            f,
            "The edge's mask (%.90s) is 1 where the reference's is class %ld, and 0 elsewhere: the "
            "other classes are missing.",
            name, s->class);
        break;
    case XR_MASKS_OFFSET:
        exray_finding_summary(f,
                              "The labels of the edge's mask (%.90s) are %+ld from the reference's, always.",
                              name, s->class);
        exray_finding_number(f, "difference", (double)s->class);
        break;
    case XR_MASKS_MISSING:
        exray_finding_summary(f, "The edge's mask (%.90s) has no class %ld: it is told as class %.0f.", name,
                              s->class, s->label[s->class]);
        break;
    default:
        exray_finding_summary(
            f,
            "The edge's mask (%.90s) has other labels than the reference's for the same pixels, "
            "always the same for each.",
            name);
    }
    return f;
}

static exray_finding *say_unknown(exray_findings *findings, const xr_stage_series *series,
                                  const xr_mask_story *s)
{
    exray_finding *f = begin(findings, "mask", series, 0.9);
    const xr_stage_values *edge = &series->frame[0].side[0], *reference = &series->frame[0].side[1];
    double differ = s->before.pixels > 0 ? 100 * s->before.other / s->before.pixels : 100;
    exray_finding_summary(
        f,
        "The edge's mask (%.90s) differs from the reference's in %.3g %% of the pixels, in %zu of "
        "%zu frames.",
        series->place, differ, s->frames, series->count);
    if (edge->shape[0] != reference->shape[0] || edge->shape[1] != reference->shape[1])
        exray_finding_detail(f, "It is %zu x %zu (rows x columns) on the edge, %zu x %zu on the reference.",
                             edge->shape[0], edge->shape[1], reference->shape[0], reference->shape[1]);
    exray_finding_fix(f, "Compare how the mask is made of the output on the two sides, on one frame.");
    return f;
}

exray_finding *xr_say_mask(exray_findings *findings, const xr_stage_series *series, const xr_mask_story *s,
                           const xr_mask_habit *habit)
{
    exray_finding *f;
    bool placed = s->way == XR_MASKS_TURNED || s->way == XR_MASKS_LATE || s->way == XR_MASKS_SHIFTED ||
                  s->way == XR_MASKS_SCALED;
    if (!placed && habits_differ(habit))
        f = say_habits(findings, series, habit);
    else if (s->way == XR_MASKS_TURNED)
        f = say_turned(findings, series, s);
    else if (s->way == XR_MASKS_LATE)
        f = say_late(findings, series, s);
    else if (placed)
        f = say_placed(findings, series, s);
    else if (s->way == XR_MASKS_UNKNOWN)
        f = say_unknown(findings, series, s);
    else
        f = say_labels(findings, series, s);
    double pixels = s->before.pixels > 0 ? s->before.pixels : NAN;
    exray_finding_number(f, "pixels_differ", s->before.other / pixels);
    if (placed || s->way == XR_MASKS_LABELS)
        exray_finding_number(f, "pixels_left",
                             s->after.other / (s->after.pixels > 0 ? s->after.pixels : NAN));
    return f;
}
