/* Boxes: what both sides told of equal outputs. */
#include "checks/told/boxes/box_reasons.h"
#include "checks/told/boxes/box_rows.h"
#include "checks/told/boxes/box_sizes.h"
#include "checks/told/told_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct box_report {
    const exray_comparison *comparison;
    const xr_equal_frames *equal;
    const xr_box_frames *frames;
    const xr_box_story *story;
    const xr_box_corners *corners;
    xr_told_side side;
    exray_findings *findings;
} box_report;

static exray_finding *begin(const box_report *r, const char *kind, double confidence)
{
    return xr_told_finding(r->findings, kind, "result", NULL, confidence);
}

/* ---- Places --------------------------------------------------------------------------------------- */

static const char *where_words(const box_report *r, char words[80])
{
    snprintf(words, 80, "in %s%zu of %zu frames", r->story->frames == r->frames->count ? "all " : "",
             r->story->frames, r->frames->count);
    if (r->story->frames == r->frames->count)
        snprintf(words, 80, "in all %zu frames", r->frames->count);
    return words;
}

static exray_finding *say_turned(const box_report *r)
{
    int turn = r->story->rule.map.turn;
    char where[80];
    exray_finding *f = begin(r, xr_turn_kind(turn), r->story->together ? 0.8 : 0.97);
    exray_finding_summary(f, "The edge's boxes are the reference's %s, %s (%zu boxes).", xr_turn_words(turn),
                          where_words(r, where), r->story->pairs);
    exray_finding_fix(f, "%s", xr_turn_fix(turn));
    if (r->story->together)
        exray_finding_detail(f, "The boxes lie so evenly that %zu other turns explain them, too.",
                             r->story->together);
    exray_finding_number(f, "turn", turn);
    return f;
}

static exray_finding *say_form(const box_report *r)
{
    char where[80];
    bool exchanged = (r->story->rule.map.turn & XR_TURN_EXCHANGED) != 0;
    exray_finding *f = exray_findings_add(r->findings, "output.box_format", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_text(f, "kind", "format");
    exray_finding_summary(f, "The edge's boxes are the reference's in another format: %s%s, %s (%zu boxes).",
                          xr_form_words(r->story->rule.map.form), exchanged ? ", x and y exchanged" : "",
                          where_words(r, where), r->story->pairs);
    exray_finding_fix(f, "Read the boxes in the order and form that the model gives them in.");
    return f;
}

static exray_finding *say_grown(const box_report *r)
{
    char where[80];
    const xr_box_map *m = &r->story->rule.map;
    exray_finding *f = begin(r, "scaled", 0.95);
    exray_finding_summary(
        f,
        "The edge's boxes have the reference's centers and other sizes: %.4g times as wide and "
        "%.4g times as high%s, %s (%zu boxes).",
        1 + m->grow[0], 1 + m->grow[1], m->form == XR_FORM_SIDES ? ", with width and height exchanged" : "",
        where_words(r, where), r->story->pairs);
    exray_finding_fix(
        f, "Take half of the width and of the height to each side of the center, and the size from "
           "the model's own coding of it (anchors, variances, strides).");
    exray_finding_number(f, "width_factor", 1 + m->grow[0]);
    exray_finding_number(f, "height_factor", 1 + m->grow[1]);
    return f;
}

static bool is_one(double scale)
{
    return fabs(scale - 1) < 1e-9;
}

static exray_finding *say_constant_place(const box_report *r, const xr_box_map *m)
{
    char where[80];
    bool scaled = !is_one(m->scale[0]) || !is_one(m->scale[1]);
    bool moved = fabs(m->shift[0]) > 1e-3 || fabs(m->shift[1]) > 1e-3;
    exray_finding *f = begin(r, scaled ? "scaled" : "shifted", 0.95);
    const char *turned = m->turn ? "with x and y exchanged, " : "";
    where_words(r, where);
    if (!scaled)
        exray_finding_summary(f,
                              "The edge's boxes are the reference's %sshifted by %+.4f of the width and "
                              "%+.4f of the height, %s (%zu boxes).",
                              turned, m->shift[0], m->shift[1], where, r->story->pairs);
    else if (moved)
        exray_finding_summary(f,
                              "The edge's boxes are the reference's %sscaled by %.4g and %.4g (x and y) and "
                              "shifted by %+.4f and %+.4f, %s (%zu boxes).",
                              turned, m->scale[0], m->scale[1], m->shift[0], m->shift[1], where,
                              r->story->pairs);
    else
        exray_finding_summary(f,
                              "The edge's boxes are the reference's %sscaled by %.4g and %.4g (x and y), %s "
                              "(%zu boxes).",
                              turned, m->scale[0], m->scale[1], where, r->story->pairs);
    exray_finding_fix(f, scaled
                             ? "Bring boxes back from the model's picture to the sensor's by what was done "
                               "before the model: crop, letterbox, resize."
                             : "Compare the offsets of anchors, crop and padding on the two sides.");
    for (int k = 0; k < 2; k++) {
        exray_finding_number(f, k ? "scale_y" : "scale_x", m->scale[k]);
        exray_finding_number(f, k ? "shift_y" : "shift_x", m->shift[k]);
    }
    return f;
}

static exray_finding *say_pixels(const box_report *r, const xr_box_map *m)
{
    char where[80];
    bool one = r->story->model == XR_PLACE_CONSTANT, inverse = m->scale[0] < 1;
    exray_finding *f = begin(r, "scaled", 0.97);
    where_words(r, where);
    if (inverse)
        exray_finding_summary(f,
                              "The reference's boxes are in pixels, the edge's in shares of the picture "
                              "(%.5g and %.5g pixels), %s.",
                              1 / m->scale[0], 1 / m->scale[1], where);
    else
        exray_finding_summary(f,
                              "The edge's boxes are in pixels (times %.5g and %.5g%s), the reference's in "
                              "shares of the picture, %s.",
                              m->scale[0], m->scale[1], one ? "" : " in the first frame", where);
    exray_finding_fix(f, "Divide by the picture's width and height: boxes are told in shares, 0 to 1.");
    exray_finding_number(f, "scale_x", m->scale[0]);
    exray_finding_number(f, "scale_y", m->scale[1]);
    return f;
}

static exray_finding *say_letterbox(const box_report *r)
{
    char where[80];
    double least = INFINITY, most = 0;
    for (size_t f = 0; f < r->frames->count; f++)
        for (int k = 0; k < 2; k++) {
            least = fmin(least, r->story->own[f].scale[k]);
            most = fmax(most, r->story->own[f].scale[k]);
        }
    bool left = least < 1 && most < 1.02;
    exray_finding *f = begin(r, "letterbox", 0.95);
    exray_finding_summary(
        f,
        left ? "The edge's boxes are the reference's left in the letterbox: x or y is scaled "
               "by %.3g to %.3g, as the frame's shape is, %s."
             : "The edge's boxes are the reference's with a letterbox undone that the "
               "reference's are told with: x or y is scaled by %.3g to %.3g, %s.",
        left ? least : 1.0, left ? 1.0 : most, where_words(r, where));
    exray_finding_fix(f,
                      "Undo the letterbox once: take its border off the boxes and scale them to the picture "
                      "without it.");
    exray_finding_number(f, "scale_least", least);
    exray_finding_number(f, "scale_most", most);
    return f;
}

static exray_finding *say_placed(const box_report *r)
{
    const xr_box_map *m = &r->story->own[0];
    for (size_t f = 0; f < r->frames->count && is_one(m->scale[0]) && is_one(m->scale[1]); f++)
        m = &r->story->own[f];
    double low = fmin(fabs(m->scale[0]), fabs(m->scale[1])),
           high = fmax(fabs(m->scale[0]), fabs(m->scale[1]));
    if (low > 8 || (high > 0 && high < 0.125))
        return say_pixels(r, m);
    if (r->story->model == XR_PLACE_CONSTANT)
        return say_constant_place(r, m);
    if (r->story->model == XR_PLACE_LETTERBOX || r->story->model == XR_PLACE_LETTERBOX_CORNER)
        return say_letterbox(r);
    char where[80];
    exray_finding *f = begin(r, "scaled", 0.9);
    exray_finding_summary(f,
                          "The edge's boxes are the reference's with another scale and shift in each frame, "
                          "%s (%zu boxes).",
                          where_words(r, where), r->story->pairs);
    exray_finding_fix(f,
                      "Bring boxes back from the model's picture to the sensor's by what was done before the "
                      "model: crop, letterbox, resize.");
    return f;
}

static exray_finding *say_late(const box_report *r)
{
    long lag = r->story->rule.lag;
    exray_finding *f = begin(r, "late", 0.95);
    if (lag == 1)
        exray_finding_summary(f, "The edge's boxes are those of the frame before, in %zu frames (%zu boxes).",
                              r->story->frames, r->story->pairs);
    else
        exray_finding_summary(f, "The edge's boxes are those of %ld frame%s %s, in %zu frames (%zu boxes).",
                              labs(lag), labs(lag) == 1 ? "" : "s", lag > 0 ? "before" : "later",
                              r->story->frames, r->story->pairs);
    exray_finding_fix(f,
                      "Note the result in the frame whose picture it is of: read the outputs after the model "
                      "ran on it, and tell no older result.");
    exray_finding_number(f, "lag", (double)lag);
    exray_finding_alternative(f, "output.frame_order", 0.3);
    return f;
}

static exray_finding *say_held(const box_report *r)
{
    exray_finding *f = begin(r, "late", 0.95);
    exray_finding_summary(
        f,
        "The edge's boxes are those of a frame before, told once more, in %zu of %zu frames "
        "(up to %zu frames before, %zu boxes).",
        r->story->frames, r->frames->count, r->story->furthest, r->story->pairs);
    exray_finding_fix(
        f, "Tell what the model found in each frame on both sides, or tell nothing where it did not "
           "run; how long older results stay may differ.");
    exray_finding_number(f, "lag_most", (double)r->story->furthest);
    exray_finding_alternative(f, "output.frame_order", 0.3);
    return f;
}

static exray_finding *say_sizes(const box_report *r)
{
    char where[80], how[96] = "";
    xr_box_sizes s;
    exray_finding *f = begin(r, "scaled", 0.93);
    exray_finding_fix(f,
                      "Take sizes as the model codes them: anchors (width, height) of each level, strides, "
                      "variances, exponent or square.");
    if (!xr_box_sizes_judge(r->frames, r->story, &s))
        return f;
    if (s.pairs == 0) {
        exray_finding_summary(f,
                              "The edge's boxes have the reference's centers, classes and scores; one side's "
                              "have no size, %s (%zu boxes).",
                              where_words(r, where), r->story->pairs);
        return f;
    }
    if (s.inverse)
        snprintf(how, sizeof how, ": what the width is more, the height is less (anchors' width for height)");
    else if (s.factors)
        snprintf(how, sizeof how, ": by %zu factors, as with anchors or strides of others", s.factors);
    exray_finding_summary(
        f,
        "The edge's boxes have the reference's centers, classes and scores and other sizes, "
        "%.3g to %.3g times as wide and %.3g to %.3g times as high%s, %s (%zu boxes).",
        s.least[0], s.most[0], s.least[1], s.most[1], how, where_words(r, where), s.pairs);
    exray_finding_number(f, "width_least", s.least[0]);
    exray_finding_number(f, "width_most", s.most[0]);
    exray_finding_number(f, "height_least", s.least[1]);
    exray_finding_number(f, "height_most", s.most[1]);
    if (s.factors)
        exray_finding_number(f, "factors", (double)s.factors);
    return f;
}

static exray_finding *say_corners(const box_report *r, const xr_box_corners *c)
{
    char where[80];
    exray_finding *f = begin(r, c->mirrored ? "mirrored" : "turned", 0.93);
    exray_finding_summary(
        f, "%zu of the edge's %zu turned boxes have the reference's bounds and other corners%s, %s.",
        c->other, c->pairs, c->mirrored ? ": they are turned by the same angle the other way" : "",
        where_words(r, where));
    exray_finding_fix(f, c->mirrored
                             ? "Take the angle in the direction in which the model gives it: y runs down."
                             : "Take corners, or the angle and its unit, as the model gives them.");
    exray_finding_number(f, "boxes_other_corners", (double)c->other);
    return f;
}

/* ---- Which boxes ------------------------------------------------------------------------------------ */

static void say_threshold(exray_finding *f, const xr_box_sets *s, bool missing)
{
    if (missing) {
        exray_finding_summary(
            f,
            "The edge tells boxes of a higher threshold: %zu boxes with scores up to %.3f are "
            "missing, its lowest score is %.3f.",
            s->boxes, s->low, s->high);
        exray_finding_fix(f, "Use the reference's threshold on the edge.");
    } else {
        exray_finding_summary(
            f,
            "The edge tells boxes of a lower threshold: %zu more, with scores up to %.3f; the "
            "reference's lowest is %.3f.",
            s->boxes, s->low, s->high);
        exray_finding_fix(f, "Use the reference's threshold on the edge.");
    }
    exray_finding_number(f, "threshold_above", s->low);
    exray_finding_number(f, "threshold_at_most", s->high);
}

static const char *reason_name(xr_box_reason reason)
{
    static const char *const names[] = {"unknown",   "none told", "silent",  "best only",
                                        "threshold", "classes",   "overlap", "repeated"};
    return names[reason];
}

/* Where the reason does not say more. */
static void fix_what_is_left_out(exray_finding *f)
{
    exray_finding_fix(f,
                      "Compare what is left out behind the model on the two sides: threshold, suppression, "
                      "classes, the number of boxes.");
}

static void say_missing_because(exray_finding *f, const box_report *r, const xr_box_sets *s)
{
    char where[80];
    where_words(r, where);
    fix_what_is_left_out(f);
    switch (s->reason) {
    case XR_REASON_THRESHOLD:
        say_threshold(f, s, true);
        return;
    case XR_REASON_NONE_TOLD:
        exray_finding_summary(
            f, "The edge tells no box in any frame; the reference tells %zu: they are missing.", s->boxes);
        exray_finding_fix(f,
                          "Check that the outputs are read after the model ran, and the threshold's unit.");
        return;
    case XR_REASON_SILENT:
        exray_finding_summary(f, "The edge tells no box %s; the reference tells %zu there: they are missing.",
                              where, s->boxes);
        return;
    case XR_REASON_MOST:
        exray_finding_summary(f, "The edge tells the best %zu box%s of a frame only: %zu are missing, %s.",
                              s->most, s->most == 1 ? "" : "es", s->boxes, where);
        return;
    case XR_REASON_CLASSES:
        exray_finding_summary(f, "The edge tells no box of class %lld%s: %zu boxes are missing, %s.",
                              (long long)s->class, s->classes > 1 ? " and others" : "", s->boxes, where);
        return;
    case XR_REASON_OVERLAP:
        exray_finding_summary(
            f,
            "Boxes that overlap a better one of another class are missing on the edge (%zu, "
            "%s): suppression (NMS) runs over all classes together there.",
            s->boxes, where);
        exray_finding_fix(f, "Suppress overlapping boxes of one class only, class by class.");
        return;
    default:
        exray_finding_summary(f, "%zu of the reference's %zu boxes are missing on the edge, %s.", s->boxes,
                              r->story->boxes, where);
    }
}

static void say_extra_because(exray_finding *f, const box_report *r, const xr_box_sets *s)
{
    char where[80];
    where_words(r, where);
    fix_what_is_left_out(f);
    switch (s->reason) {
    case XR_REASON_THRESHOLD:
        say_threshold(f, s, false);
        return;
    case XR_REASON_REPEATED:
        exray_finding_summary(f, "The edge repeats boxes: each is told %s, %zu extra, %s.",
                              s->most == 2 ? "twice" : "more than once", s->boxes, where);
        exray_finding_fix(f, "Tell each box once: empty the list before each frame.");
        return;
    case XR_REASON_NONE_TOLD:
        exray_finding_summary(
            f, "The reference tells no box in any frame; the edge tells %zu: all are extra.", s->boxes);
        return;
    case XR_REASON_SILENT:
        exray_finding_summary(f, "The edge tells %zu extra boxes %s, where the reference tells none.",
                              s->boxes, where);
        return;
    case XR_REASON_MOST:
        exray_finding_summary(f, "The edge tells %zu more boxes than the best %zu of a frame, %s.", s->boxes,
                              s->most, where);
        return;
    case XR_REASON_CLASSES:
        exray_finding_summary(f,
                              "The edge tells %zu extra boxes of class %lld%s, which the reference never "
                              "tells, %s.",
                              s->boxes, (long long)s->class, s->classes > 1 ? " and others" : "", where);
        return;
    case XR_REASON_OVERLAP:
        exray_finding_summary(f,
                              "The edge tells %zu extra boxes that overlap better ones of their own class, "
                              "%s: overlapping boxes are not suppressed (NMS).",
                              s->boxes, where);
        exray_finding_fix(f, "Suppress boxes that overlap a better one of the same class.");
        return;
    default:
        exray_finding_summary(f, "The edge tells %zu extra boxes beside the reference's %zu, %s.", s->boxes,
                              r->story->boxes, where);
    }
}

static exray_finding *say_sets(const box_report *r)
{
    xr_box_sets sets;
    bool missing = r->story->way == XR_BOXES_MISSING;
    exray_finding *f = begin(r, missing ? "missing" : "extra", 0.95);
    if (!xr_box_sets_judge(r->frames, r->story, missing ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE, &sets))
        return f;
    if (missing)
        say_missing_because(f, r, &sets);
    else
        say_extra_because(f, r, &sets);
    exray_finding_text(f, "reason", reason_name(sets.reason));
    exray_finding_number(f, missing ? "boxes_missing" : "boxes_extra", (double)sets.boxes);
    return f;
}

/* ---- Their classes and scores ------------------------------------------------------------------------ */

/* One constant number of classes, in several of them. */
static exray_finding *say_class_offset(const box_report *r, const xr_box_values *v)
{
    exray_finding *f = exray_findings_add(r->findings, "output.label_offset", EXRAY_SEVERITY_ERROR, 0.95);
    exray_finding_where(f, "result", NULL, EXRAY_NO_INDEX);
    exray_finding_summary(f, "The classes of the edge's boxes are %+lld from the reference's, always.",
                          (long long)v->difference);
    exray_finding_fix(
        f,
        "Set label_offset so that classes are %lld %s, or use the label file that goes with the "
        "model.",
        llabs((long long)v->difference), v->difference > 0 ? "lower" : "higher");
    exray_finding_number(f, "difference", (double)v->difference);
    exray_finding_number(f, "classes", (double)v->distinct);
    return f;
}

static exray_finding *say_classes(const box_report *r, const xr_box_values *v)
{
    if (v->classes == XR_VALUES_OFFSET && v->distinct > 1)
        return say_class_offset(r, v);
    exray_finding *f = begin(r, "classes", 0.95);
    char where[80];
    where_words(r, where);
    if (v->classes == XR_VALUES_CONSTANT)
        exray_finding_summary(f,
                              "All of the edge's boxes have class %lld; the reference's have %zu classes, at "
                              "the same places and with the same scores, %s.",
                              (long long)v->constant, v->distinct, where);
    else if (v->classes == XR_VALUES_RENAMED)
        exray_finding_summary(f,
                              "The edge's boxes have other classes than the reference's at the same places, "
                              "always the same for each (class %lld for class %lld), %s.",
                              (long long)v->edge, (long long)v->reference, where);
    else
        exray_finding_summary(
            f,
            "%zu of %zu boxes have another class on the edge (class %lld for class %lld), at "
            "the same places and with the same scores, %s.",
            v->other, v->pairs, (long long)v->edge, (long long)v->reference, where);
    exray_finding_fix(f, v->classes == XR_VALUES_RENAMED
                             ? "Use the label map that goes with the model on both sides."
                             : "Read each box's class from the model's output of classes: index, type, which "
                               "output it is.");
    if (v->classes == XR_VALUES_OFFSET || v->classes == XR_VALUES_RENAMED)
        exray_finding_alternative(f, "output.label_offset", 0.3);
    exray_finding_number(f, "boxes_other_class", (double)v->other);
    return f;
}

static exray_finding *say_exchanged(const box_report *r)
{
    exray_finding *f = begin(r, "exchanged", 0.97);
    char where[80];
    exray_finding_summary(
        f, "The edge's boxes have their class for their score and the score for the class, %s.",
        where_words(r, where));
    exray_finding_fix(f, "Read each output by its name: those of classes and scores are exchanged.");
    exray_finding_alternative(f, "output.order", 0.3);
    return f;
}

static void say_score_relation(exray_finding *f, const box_report *r, const xr_box_values *v)
{
    char where[80];
    where_words(r, where);
    switch (v->scores) {
    case XR_VALUES_GAIN:
        exray_finding_summary(f, "The scores of the edge's boxes are %.3g times the reference's, %s.",
                              v->gain, where);
        exray_finding_number(f, "gain", v->gain);
        return;
    case XR_VALUES_INVERSE:
        exray_finding_summary(f, "The scores of the edge's boxes are 1 minus the reference's, %s.", where);
        return;
    case XR_VALUES_SQUARED:
        exray_finding_summary(f, "The scores of the edge's boxes are the squares of the reference's, %s.",
                              where);
        return;
    case XR_VALUES_ROOT:
        exray_finding_summary(f, "The scores of the edge's boxes are the roots of the reference's, %s.",
                              where);
        return;
    case XR_VALUES_SIGMOID:
        exray_finding_summary(f, "The scores of the edge's boxes are the sigmoid of the reference's, %s.",
                              where);
        return;
    case XR_VALUES_CONSTANT:
        exray_finding_summary(
            f, "The scores of the edge's boxes are all the same; the reference's are not, %s.", where);
        return;
    default:
        exray_finding_summary(f,
                              "The edge's boxes have other scores than the reference's at the same places, "
                              "%s.",
                              where);
    }
}

static exray_finding *say_scores(const box_report *r, const xr_box_values *v)
{
    bool gain = v->scores == XR_VALUES_GAIN;
    exray_finding *f = begin(r, gain ? "scaled" : "scores", 0.95);
    say_score_relation(f, r, v);
    exray_finding_fix(
        f, "Read each box's score from the model's output of scores, once through its activation.");
    return f;
}

/* NULL: a unit, such as percent, is no fault. */
static exray_finding *say_values(const box_report *r)
{
    xr_box_values v;
    static const char *const labels[] = {"output.label_offset", "output.labels", NULL};
    if (!xr_box_values_judge(r->frames, r->story, &v))
        return NULL;
    if (v.classes == XR_VALUES_EXCHANGED)
        return say_exchanged(r);
    bool classes = r->story->way != XR_BOXES_SCORES, scores = r->story->way != XR_BOXES_CLASSES;
    exray_finding *f = NULL;
    if (scores && !(v.scores == XR_VALUES_GAIN && xr_is_unit(v.gain)))
        f = say_scores(r, &v);
    if (classes && v.other && !xr_result_is_explained(r->findings, labels))
        f = say_classes(r, &v);
    return f;
}

/* ---- All ------------------------------------------------------------------------------------------------
 */

static exray_finding *say_small_shift(const box_report *r)
{
    exray_finding *f = begin(r, "shifted", 0.85);
    const double *shift = r->story->rule.map.shift;
    exray_finding_summary(f,
                          "The edge's boxes are the reference's shifted by %+.4f of the width and %+.4f of "
                          "the height, all of %zu.",
                          shift[0], shift[1], r->story->pairs);
    exray_finding_fix(f, "Compare the offsets of anchors, crop and padding on the two sides.");
    exray_finding_number(f, "shift_x", shift[0]);
    exray_finding_number(f, "shift_y", shift[1]);
    return f;
}

static exray_finding *say_order(const box_report *r)
{
    exray_finding *f = begin(r, "order", 0.9);
    exray_finding_summary(f, "The edge tells the worst boxes first; the reference the best.");
    exray_finding_fix(f, "Sort by falling score.");
    return f;
}

static exray_finding *say_not_numbers(const box_report *r)
{
    char where[80];
    bool edge = false;
    for (size_t f = 0; f < r->frames->count; f++)
        edge = edge || (r->story->differs[f] && r->frames->frame[f].not_numbers[EXRAY_SIDE_EDGE]);
    exray_finding *f = begin(r, "nan", 0.97);
    exray_finding_summary(
        f,
        "%zu of the %s's boxes have a place or a score that is no number (NaN or infinite), "
        "where the other side's have none, %s.",
        r->story->boxes, edge ? "edge" : "reference", where_words(r, where));
    exray_finding_fix(f, "Look for a division by 0, a logarithm of 0 or a value that is not set, behind the "
                         "model.");
    return f;
}

static exray_finding *say_unknown(const box_report *r)
{
    char where[80];
    exray_finding *f = begin(r, "unknown", 0.9);
    exray_finding_summary(f,
                          "The two sides tell other boxes of equal %s: %zu of the reference's %zu have no "
                          "counterpart on the edge, %zu of the edge's none, %s.",
                          r->equal->by_outputs ? "outputs" : "inputs", r->story->missing, r->story->boxes,
                          r->story->extra, where_words(r, where));
    exray_finding_fix(f,
                      "Compare what is done behind the model on the two sides, step by step, on one frame.");
    return f;
}

static exray_finding *say(const box_report *r)
{
    switch (r->story->way) {
    case XR_BOXES_SAME:
        return r->corners->other ? say_corners(r, r->corners) : r->story->shifted ? say_small_shift(r) : NULL;
    case XR_BOXES_HELD:
        return say_held(r);
    case XR_BOXES_SIZES:
        return say_sizes(r);
    case XR_BOXES_ORDER:
        return say_order(r);
    case XR_BOXES_NAN:
        return say_not_numbers(r);
    case XR_BOXES_MISSING:
    case XR_BOXES_EXTRA:
        return say_sets(r);
    case XR_BOXES_TURNED:
        return say_turned(r);
    case XR_BOXES_LATE:
        return say_late(r);
    case XR_BOXES_CLASSES:
    case XR_BOXES_SCORES:
    case XR_BOXES_VALUES:
        return say_values(r);
    case XR_BOXES_PLACED:
        return say_placed(r);
    case XR_BOXES_FORM:
        return say_form(r);
    case XR_BOXES_GROWN:
        return say_grown(r);
    case XR_BOXES_UNKNOWN:
        break;
    }
    return say_unknown(r);
}

static void say_rest(exray_finding *f, const xr_box_story *s)
{
    bool sets = s->way == XR_BOXES_MISSING || s->way == XR_BOXES_EXTRA || s->way == XR_BOXES_UNKNOWN;
    if (sets || s->missing + s->extra == 0)
        return;
    exray_finding_detail(f,
                         "Beside that, %zu of the reference's boxes are missing and %zu of the edge's are "
                         "extra%s.",
                         s->missing, s->extra,
                         s->missing && s->extra ? ": threshold and suppression act on what is told otherwise"
                                                : "");
    exray_finding_number(f, "boxes_missing", (double)s->missing);
    exray_finding_number(f, "boxes_extra", (double)s->extra);
}

/* Fewer or more boxes for no reason that the other frames would show. */
static bool sets_in_some(const box_report *r)
{
    xr_box_sets sets;
    bool missing = r->story->way == XR_BOXES_MISSING;
    return (missing || r->story->way == XR_BOXES_EXTRA) &&
           xr_box_sets_judge(r->frames, r->story, missing ? EXRAY_SIDE_REFERENCE : EXRAY_SIDE_EDGE, &sets) &&
           (sets.reason == XR_REASON_UNKNOWN || sets.reason == XR_REASON_SILENT);
}

static exray_status report(box_report *r, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(r->comparison);
    exray_finding *f = say(r);
    if (!f)
        return EXRAY_OK;
    bool *differs = calloc(frames + 1, sizeof *differs);
    if (!differs) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while reporting boxes"};
        return EXRAY_E_MEMORY;
    }
    bool all = (r->story->way == XR_BOXES_SAME && !r->corners->other) || r->story->way == XR_BOXES_ORDER;
    for (size_t i = 0; i < r->frames->count; i++)
        differs[r->frames->frame[i].frame] = all || r->story->differs[i];
    say_rest(f, r->story);
    exray_finding_number(f, "boxes", (double)(all ? r->frames->boxes[1] : r->story->boxes));
    bool some = r->story->contradicted || r->corners->other || r->story->way == XR_BOXES_UNKNOWN ||
                r->story->way == XR_BOXES_NAN || sets_in_some(r);
    xr_say_told_frames(f, r->comparison, r->equal, differs, some, r->side);
    free(differs);
    return EXRAY_OK;
}

static xr_told_side side_of(const xr_box_habit habit[2], const xr_box_frames *frames)
{
    bool edge = habit[0].plain, reference = habit[1].plain;
    if (reference && !edge && frames->boxes[0])
        return XR_TOLD_EDGE_WRONG;
    if (edge && !reference && frames->boxes[1])
        return habit[1].known && habit[1].story.way == XR_BOXES_PLACED ? XR_TOLD_EDGE_AS_GIVEN
                                                                       : XR_TOLD_REFERENCE_WRONG;
    return XR_TOLD_UNKNOWN;
}

/* A format of boxes that each side's own outputs prove is told already. */
static bool is_told(const exray_findings *findings)
{
    static const char *const formats[] = {"output.box_format", NULL};
    return xr_result_is_explained(findings, formats);
}

exray_status xr_check_told_boxes(const exray_comparison *comparison, const xr_equal_frames *equal,
                                 exray_findings *findings, exray_error *error)
{
    xr_box_frames frames;
    xr_box_habit habit[2] = {{0}, {0}};
    xr_box_story story = {0};
    xr_box_corners corners = {0};
    exray_status status = xr_box_frames_make(comparison, equal, &frames, error);
    bool any = frames.boxes[0] + frames.boxes[1] > 0 && !is_told(findings);
    for (int s = 0; s < 2 && any && status == EXRAY_OK; s++)
        status = xr_box_habit_make(comparison, &frames, (exray_side)s, &habit[s], error);
    if (any && status == EXRAY_OK)
        status = xr_box_expect(comparison, &habit[EXRAY_SIDE_REFERENCE], &frames, error);
    if (any && status == EXRAY_OK &&
        (!xr_box_search(&frames, &story) ||
         (story.way == XR_BOXES_SAME && !xr_box_corners_judge(&frames, &story, &corners)))) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing boxes"};
        status = EXRAY_E_MEMORY;
    }
    if (any && status == EXRAY_OK) {
        box_report r = {comparison, equal, &frames, &story, &corners, side_of(habit, &frames), findings};
        status = report(&r, error);
    }
    xr_box_story_free(&story);
    xr_box_habit_free(&habit[0]);
    xr_box_habit_free(&habit[1]);
    xr_box_frames_free(&frames);
    return status;
}
