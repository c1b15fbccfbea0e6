/* What is said of an embedding, key points, a regression. */
#include "checks/told/stages/stage_words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static const char *kind_of(const xr_vector_story *s)
{
    switch (s->way) {
    case XR_VECTORS_LATE:
        return "late";
    case XR_VECTORS_GAIN:
        return s->gain == 1 ? "shifted" : "scaled";
    case XR_VECTORS_NORMALIZED:
    case XR_VECTORS_RAW:
    case XR_VECTORS_LENGTH:
        return "scaled";
    case XR_VECTORS_ORDER:
    case XR_VECTORS_MOVED:
        return "order";
    case XR_VECTORS_WRAPPED:
        return "wrapped";
    case XR_VECTORS_CUT:
        return "missing";
    case XR_VECTORS_NAN:
        return "nan";
    case XR_VECTORS_ROWS:
        return *s->turn ? "mirrored" : "order";
    case XR_VECTORS_FRAMES:
        return "scaled";
    case XR_VECTORS_SMOOTHED:
    case XR_VECTORS_AVERAGED:
    case XR_VECTORS_WINDOW:
        return "smoothed";
    case XR_VECTORS_FUNCTION:
        return "function";
    case XR_VECTORS_STEPS:
        return "rounded";
    case XR_VECTORS_CLIPPED:
        return "clipped";
    case XR_VECTORS_PLACES:
        return "places";
    default:
        return "vector";
    }
}

static bool is_near(double a, double b)
{
    return fabs(a - b) < 0.005;
}

/* An offset of shares of a picture: far below a pixel. */
static bool is_none(double offset)
{
    return fabs(offset) < 2e-4;
}

/* Columns of key points or boxes: what they tell by themselves. */
static const char *columns_kind(const xr_vector_story *s)
{
    bool exchanged = false, mirrored = false, scaled = false, shifted = false;
    for (size_t k = 0; k < s->columns; k++) {
        exchanged = exchanged || s->from[k] != k;
        mirrored = mirrored || s->column_gain[k] < 0;
        scaled = scaled || !is_near(fabs(s->column_gain[k]), 1);
        shifted = shifted || !is_none(s->column_offset[k]);
    }
    return mirrored    ? (exchanged ? "turned" : "mirrored")
           : exchanged ? "exchanged"
           : scaled    ? "scaled"
           : shifted   ? "shifted"
                       : "vector";
}

/* noun: "column", or "place" where a frame is one row. */
static void columns_words(const xr_vector_story *s, const char *noun, char *text, size_t size)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < s->columns && used < size; k++) {
        double gain = s->column_gain[k], offset = s->column_offset[k];
        if (s->from[k] == k && is_near(gain, 1) && is_none(offset))
            continue;
        used += (size_t)snprintf(text + used, size - used, "%s%s %zu is ", used ? ", " : "", noun, k);
        if (used < size && is_near(gain, -1))
            used += (size_t)snprintf(text + used, size - used, "%.4g minus %s %zu", offset, noun, s->from[k]);
        else if (used < size && is_near(gain, 1) && !is_none(offset))
            used += (size_t)snprintf(text + used, size - used, "%s %zu plus %.4g", noun, s->from[k], offset);
        else if (used < size)
            used += (size_t)snprintf(text + used, size - used, "%.4g times %s %zu%s", gain, noun, s->from[k],
                                     is_none(offset) ? "" : " plus a constant");
    }
}

static void say_late(exray_finding *f, const xr_stage_series *series, long lag)
{
    if (lag == 1)
        exray_finding_summary(f, "The edge's %.80s is that of the frame before.", series->name);
    else
        exray_finding_summary(f, "The edge's %.80s is that of %ld frame%s %s.", series->name, labs(lag),
                              labs(lag) == 1 ? "" : "s", lag > 0 ? "before" : "later");
    exray_finding_fix(f, "Note it in the frame whose outputs it is made of.");
    exray_finding_number(f, "lag", (double)lag);
    exray_finding_alternative(f, "output.frame_order", 0.3);
}

static void say_gain(exray_finding *f, const xr_stage_series *series, const xr_vector_story *s)
{
    if (s->gain == 1)
        exray_finding_summary(f, "The edge's %.80s is the reference's plus %.5g.", series->name, s->offset);
    else if (s->offset == 0)
        exray_finding_summary(f, "The edge's %.80s is %.5g times the reference's.", series->name, s->gain);
    else
        exray_finding_summary(f, "The edge's %.80s is %.5g times the reference's plus %.5g.", series->name,
                              s->gain, s->offset);
    exray_finding_fix(f, "Scale it alike on both sides: unit, dequantization, normalization.");
    exray_finding_number(f, "gain", s->gain);
    exray_finding_number(f, "offset", s->offset);
}

static void say_steps(exray_finding *f, const char *name, const xr_vector_steps *s)
{
    const bool edge = s->side == EXRAY_SIDE_EDGE;
    exray_finding_summary(
        f, "The %s's %.80s is told in steps of %.4g (%s), the %s's is not: they are %.2g %% apart.",
        edge ? "edge" : "reference", name, s->step, s->cut ? "cut off" : "rounded",
        edge ? "reference" : "edge", 100 * s->error);
    if (s->row) {
        exray_finding_detail(
            f,
            "Place %zu of each %zu has values of another kind, a score perhaps: in such steps "
            "nothing is left of them.",
            s->lost, s->row);
        exray_finding_number(f, "lost_place", (double)s->lost);
    }
    exray_finding_fix(f, "Round alike on both sides, or tell what is not rounded.");
    exray_finding_number(f, "step", s->step);
}

static void say_clipped(exray_finding *f, const char *name, const xr_vector_story *s)
{
    const char *side = s->clipped_side == EXRAY_SIDE_EDGE ? "edge" : "reference",
               *other = s->clipped_side == EXRAY_SIDE_EDGE ? "reference" : "edge";
    if (isfinite(s->low) && isfinite(s->high))
        exray_finding_summary(f, "The %s's %.80s is the %s's, limited to %.5g .. %.5g.", side, name, other,
                              s->low, s->high);
    else
        exray_finding_summary(f, "The %s's %.80s is the %s's, limited to %.5g at %s.", side, name, other,
                              isfinite(s->high) ? s->high : s->low, isfinite(s->high) ? "most" : "least");
    exray_finding_fix(f, "Limit values alike on both sides, or on neither.");
    exray_finding_number(f, isfinite(s->high) ? "most" : "least", isfinite(s->high) ? s->high : s->low);
}

static void say_places(exray_finding *f, const xr_stage_series *series, const xr_vector_story *s)
{
    char told[64] = "";
    if (isfinite(s->place_value))
        snprintf(told, sizeof told, ", where the edge always tells %.5g", s->place_value);
    exray_finding_summary(
        f,
        "%zu of the %zu values of the edge's %.80s differ%s from the reference's (%splace %zu)%s; "
        "the others are equal.",
        s->places, series->frame[0].side[0].count, series->name, s->places == 1 ? "s" : "",
        s->places == 1 ? "" : "the first at ", s->first_place, told);
    exray_finding_number(f, "places", (double)s->places);
    exray_finding_number(f, "first_place", (double)s->first_place);
}

static void say_moved(exray_finding *f, const char *name, const xr_vector_story *s)
{
    enum { SHOWN = 6 };
    char text[200] = "";
    size_t used = 0, others = 0;
    for (size_t e = 0; e < s->places; e++) {
        if (s->moved[e] == e)
            continue;
        if (others++ < SHOWN)
            used += (size_t)snprintf(text + used, sizeof text - used, "%splace %zu has that of %zu",
                                     used ? ", " : "", e, s->moved[e]);
    }
    exray_finding_summary(
        f,
        "The edge's %.80s has the reference's values in another order, the same in all frames: "
        "%s%s.",
        name, text, others > SHOWN ? ", ..." : "");
    exray_finding_fix(f, "Read outputs by their names, and tell values in one order on both sides.");
    exray_finding_number(f, "places", (double)others);
    exray_finding_alternative(f, "output.order", 0.3);
}

static void say_not_numbers(exray_finding *f, const char *name, const xr_vector_story *s)
{
    const bool edge = s->not_number_side == EXRAY_SIDE_EDGE;
    exray_finding_summary(f,
                          "The %s's %.80s has %zu value%s that are no number (NaN or infinite) where the %s.",
                          edge ? "edge" : "reference", name, s->not_numbers, s->not_numbers == 1 ? "" : "s",
                          edge ? "reference's are numbers" : "edge tells numbers");
    exray_finding_fix(
        f, edge ? "Look for a division by 0, a logarithm of 0 or a value that is not set, behind the model."
                : "Tell what is not known alike on both sides: no number, or the same one.");
}

static void say_way(exray_finding *f, const xr_stage_series *series, const xr_vector_story *s)
{
    char columns[400];
    const char *name = series->name, *noun;
    exray_finding_fix(f, "Compare how it is made of the outputs on the two sides, on one frame.");
    switch (s->way) {
    case XR_VECTORS_LATE:
        say_late(f, series, s->lag);
        return;
    case XR_VECTORS_GAIN:
        say_gain(f, series, s);
        return;
    case XR_VECTORS_NORMALIZED:
    case XR_VECTORS_RAW:
        exray_finding_summary(
            f,
            "The %s's %.80s is scaled to length 1, the other side's is not; their directions are "
            "equal.",
            s->way == XR_VECTORS_RAW ? "reference" : "edge", name);
        exray_finding_fix(f, "Normalize on both sides, or on neither.");
        return;
    case XR_VECTORS_LENGTH:
        exray_finding_summary(
            f, "The edge's %.80s has the reference's direction and another length in each frame.", name);
        exray_finding_fix(f, "Normalize alike on both sides.");
        return;
    case XR_VECTORS_COLUMNS:
        noun = series->frame[0].side[0].rank < 2 ? "place" : "column";
        columns_words(s, noun, columns, sizeof columns);
        exray_finding_summary(f, "The edge's %.80s has other %ss than the reference's (%s): %s.", name, noun,
                              columns_kind(s), columns);
        exray_finding_fix(f, "Bring coordinates back to the sensor's picture alike: order, direction, unit.");
        return;
    case XR_VECTORS_ORDER:
        exray_finding_summary(f, "The edge's %.80s has the reference's values in another order.", name);
        return;
    case XR_VECTORS_SOFTMAX:
    case XR_VECTORS_SIGMOID:
        exray_finding_summary(f, "The edge's %.80s is a %s of the reference's.", name,
                              s->way == XR_VECTORS_SOFTMAX ? "softmax" : "sigmoid");
        exray_finding_fix(f, "Apply one activation, in the model or behind it, on both sides.");
        return;
    case XR_VECTORS_NAN:
        say_not_numbers(f, name, s);
        exray_finding_number(f, "not_numbers", (double)s->not_numbers);
        return;
    case XR_VECTORS_ROWS:
        exray_finding_summary(f,
                              "The edge's %.80s are the reference's %swith points exchanged: each has the "
                              "place of another (left and right, or another list).",
                              name, s->turn);
        exray_finding_fix(f,
                          "Mirror points and the picture together, and name points by the model's own list.");
        return;
    case XR_VECTORS_FUNCTION:
        if (s->offset == 0)
            exray_finding_summary(f, "The edge's %.80s is %.5g times %s, where x is the reference's%s.", name,
                                  s->gain, s->function, s->function[0] == '1' ? ": the inverse" : "");
        else
            exray_finding_summary(f,
                                  "The edge's %.80s is %.5g times %s plus %.5g, where x is the reference's.",
                                  name, s->gain, s->function, s->offset);
        exray_finding_fix(f, "Turn the output into the quantity that is told alike on both sides.");
        exray_finding_number(f, "gain", s->gain);
        exray_finding_number(f, "offset", s->offset);
        return;
    case XR_VECTORS_FRAMES:
        exray_finding_summary(
            f,
            "The edge's %.80s is the reference's stretched by another factor and offset in each frame, as by "
            "the least and the most of the frame's own values.",
            name);
        exray_finding_fix(f, "Tell values in one unit in all frames; stretch for display only.");
        return;
    case XR_VECTORS_SMOOTHED:
    case XR_VECTORS_AVERAGED:
        exray_finding_summary(f,
                              "The edge's %.80s is smoothed over frames: %.3g of this frame's and %.3g of %s "
                              "in the frame before.",
                              name, s->gain, 1 - s->gain,
                              s->way == XR_VECTORS_SMOOTHED ? "what was told" : "what the model returned");
        exray_finding_fix(f, "Smooth alike on both sides, or compare what is told before smoothing.");
        exray_finding_number(f, "weight", s->gain);
        return;
    case XR_VECTORS_WINDOW:
        exray_finding_summary(f, "The edge's %.80s is smoothed over frames: the %s of the last %ld.", name,
                              s->function, s->lag);
        exray_finding_fix(f, "Smooth alike on both sides, or compare what is told before smoothing.");
        exray_finding_number(f, "window", (double)s->lag);
        return;
    case XR_VECTORS_MOVED:
        say_moved(f, name, s);
        return;
    case XR_VECTORS_WRAPPED:
        exray_finding_summary(
            f,
            "The edge's %.80s and the reference's are %.5g apart or nothing: each side tells "
            "another period of a quantity that comes round, as an angle does.",
            name, s->gain);
        exray_finding_fix(f, "Tell it in one range on both sides (0 .. 360 degrees, or -180 .. 180).");
        exray_finding_number(f, "period", s->gain);
        return;
    case XR_VECTORS_STEPS:
        say_steps(f, name, &s->steps);
        return;
    case XR_VECTORS_CLIPPED:
        say_clipped(f, name, s);
        return;
    case XR_VECTORS_PLACES:
        say_places(f, series, s);
        return;
    case XR_VECTORS_CUT:
        exray_finding_summary(
            f,
            "The edge's %.80s has the first %zu of the reference's %zu values: the others are "
            "missing.",
            name, series->frame[0].side[0].count, series->frame[0].side[1].count);
        return;
    case XR_VECTORS_SHAPE:
        exray_finding_summary(f, "The edge's %.80s has %zu values, the reference's %zu.", name,
                              series->frame[0].side[0].count, series->frame[0].side[1].count);
        return;
    default:
        exray_finding_summary(
            f, "The edge's %.80s differs from the reference's (cosine %.3f), in %zu of %zu frames.", name,
            s->cosine, s->frames, series->count);
    }
}

static exray_finding *say_pooling(exray_findings *findings, const xr_stage_series *series,
                                  const xr_pooling_habit *pooling)
{
    char edge[160], reference[160];
    xr_pooling_words(&pooling[0], edge, sizeof edge);
    xr_pooling_words(&pooling[1], reference, sizeof reference);
    exray_finding *f = xr_told_finding(findings, "pooling", "stage", series->name, 0.97);
    exray_finding_summary(f, "The edge's %.80s is %s of its output; the reference's is %s.", series->name,
                          edge, reference);
    exray_finding_fix(f, "Pool alike on both sides; leave out what the mask says is padding.");
    return f;
}

exray_finding *xr_say_vector(exray_findings *findings, const xr_stage_series *series,
                             const xr_vector_story *s, const xr_pooling_habit *pooling)
{
    bool others = s->way == XR_VECTORS_UNKNOWN || s->way == XR_VECTORS_ORDER;
    exray_finding *f;
    if (others && pooling[0].pooling != XR_POOL_UNKNOWN && pooling[0].pooling != pooling[1].pooling)
        f = say_pooling(findings, series, pooling);
    else {
        f = xr_told_finding(findings, s->way == XR_VECTORS_COLUMNS ? columns_kind(s) : kind_of(s), "stage",
                            series->name, s->way == XR_VECTORS_UNKNOWN ? 0.9 : 0.95);
        say_way(f, series, s);
    }
    exray_finding_number(f, "cosine", s->cosine);
    exray_finding_number(f, "error", s->error);
    return f;
}
