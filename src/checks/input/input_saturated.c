/* input.quantization: an 8-bit input of which most is the most, or the least, that it holds, where the other
 * side's is not: numbers of one range went into a tensor of another. */
#include "checks/input/input_findings.h"
#include "checks/input/picture/sensor_picture.h"
#include "checks/port/both_sides.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <string.h>

enum { LOOKED_AT = 8 /* frames */ };

typedef struct clip_tally {
    exray_side side; /* that is clipped */
    bool top;        /* at the most that it holds; else at the least */
    double count, at_end;
    double other_low, other_high; /* of the other side, over all values */
    double low, high;             /* of the other side, over those that are clipped */
    double other_at_its_end;      /* values of the other side at its own end */
    double end;                   /* the stored number */
    double held[2];               /* what the tensor holds */
    size_t frames;
} clip_tally;

static int stored_at(const exray_tensor_view *view, uint64_t i)
{
    const uint8_t byte = ((const uint8_t *)view->data)[i];
    return view->info.dtype == EXRAY_DTYPE_INT8 ? (int8_t)byte : byte;
}

static bool is_8_bits(const exray_tensor_view *view)
{
    return xr_is_byte(view->info.dtype) && view->info.quantization.count == 1 && view->data &&
           view->size >= view->count;
}

static float at(const float *values, uint64_t i)
{
    float value;
    memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
    return value;
}

/* Values of the other side that are clipped here lie beyond those that are not: counts those that do not. The
 * bound is the outermost of the values that are not clipped but for a hundredth of the range. */
static double contradictions(const exray_tensor_view *clipped, int end, bool top, const float *other,
                             double range)
{
    double bound = top ? -INFINITY : INFINITY, wrong = 0;
    for (uint64_t i = 0; i < clipped->count; i++)
        if (stored_at(clipped, i) != end)
            bound = top ? fmax(bound, at(other, i)) : fmin(bound, at(other, i));
    for (uint64_t i = 0; i < clipped->count; i++)
        if (stored_at(clipped, i) == end)
            wrong += top ? at(other, i) < bound - 0.02 * range : at(other, i) > bound + 0.02 * range;
    return wrong;
}

/* Whether a picture shows more than that end. */
static bool shows_more(const exray_picture *picture, bool top)
{
    const uint8_t *pixels = exray_picture_pixels(picture);
    const size_t size = (size_t)exray_picture_width(picture) * exray_picture_height(picture) *
                        exray_picture_channels(picture);
    size_t ends = 0;
    for (size_t i = 0; i < size; i++)
        ends += pixels[i] == (top ? 255 : 0);
    return ends < size / 5;
}

/* Whether there are sensor's pictures of the frames that were looked at, each of which shows more. */
static bool do_sensors_show_more(const exray_comparison *comparison, size_t step, bool top, exray_slot *slot)
{
    size_t seen = 0, shown = 0;
    for (size_t f = 0; f < exray_comparison_frame_count(comparison) && shown == seen; f += step) {
        exray_picture *picture = xr_sensor_picture(comparison, f, NULL, slot, NULL);
        if (!picture)
            continue;
        seen++;
        shown += shows_more(picture, top);
        exray_picture_free(picture);
    }
    return seen > 0 && shown == seen;
}

/* Adds a frame; false: it was not recorded so, or contradicts. */
static bool add_frame(const exray_comparison *comparison, size_t pair, size_t frame, exray_slot *slot[2],
                      clip_tally *t)
{
    exray_tensor_view view[2];
    const float *values[2];
    const int here = t->side, there = 1 - here;
    if (!xr_both_values(comparison, EXRAY_KIND_INPUT, pair, frame, slot, view, values))
        return false;
    if (!is_8_bits(&view[here]) || view[there].count != view[here].count || view[here].count < 64)
        return false;
    const bool is_signed = view[here].info.dtype == EXRAY_DTYPE_INT8;
    const int end = t->top ? (is_signed ? 127 : 255) : (is_signed ? -128 : 0);
    const exray_quantization *q = &view[here].info.quantization;
    const double scale = (double)q->scale[0], zero = q->zero_point ? (double)q->zero_point[0] : 0;
    double least = INFINITY, most = -INFINITY;
    for (uint64_t i = 0; i < view[here].count; i++) {
        const double v = at(values[there], i);
        least = fmin(least, v);
        most = fmax(most, v);
    }
    if (!isfinite(least) || !isfinite(most) ||
        contradictions(&view[here], end, t->top, values[there], most - least) >
            0.01 * (double)view[here].count)
        return false;
    for (uint64_t i = 0; i < view[here].count; i++) {
        const double v = at(values[there], i);
        t->other_at_its_end += v == (t->top ? most : least);
        if (stored_at(&view[here], i) != end)
            continue;
        t->at_end++;
        t->low = fmin(t->low, v);
        t->high = fmax(t->high, v);
    }
    t->count += (double)view[here].count;
    t->other_low = fmin(t->other_low, least);
    t->other_high = fmax(t->other_high, most);
    t->end = end;
    t->held[0] = ((is_signed ? -128 : 0) - zero) * scale;
    t->held[1] = ((is_signed ? 127 : 255) - zero) * scale;
    t->frames++;
    return true;
}

/* Half is at the end, where the other side tells many values apart; and where nothing else is left to
 * compare, the sensor's pictures do, too. */
static bool is_clipped(const exray_comparison *comparison, size_t step, const clip_tally *t, exray_slot *slot)
{
    const double range = t->other_high - t->other_low;
    if (!t->frames || t->at_end < 0.5 * t->count || t->other_at_its_end > 0.25 * t->count ||
        t->high - t->low < 0.2 * range)
        return false;
    return t->at_end < 0.98 * t->count || do_sensors_show_more(comparison, step, t->top, slot);
}

static void report(const exray_comparison *comparison, size_t pair, const clip_tally *t,
                   exray_findings *findings)
{
    static const char *const sides[] = {"edge", "reference"};
    exray_finding *f = exray_findings_add(findings, "input.quantization", EXRAY_SEVERITY_ERROR, 0.95);
    const double share = floor(100 * t->at_end / t->count);
    exray_finding_where(f, "input", exray_comparison_input(comparison, pair)->name[EXRAY_SIDE_EDGE],
                        EXRAY_NO_INDEX);
    exray_finding_summary(
        f, "The %s's input is clipped, not the %s's: %.0f %% of it is %g, the %s that it holds.",
        sides[t->side], sides[1 - t->side], share, t->end, t->top ? "most" : "least");
    exray_finding_detail(
        f,
        "The model's input holds %.4g to %.4g; the numbers that were quantized are of a wider range, "
        "such as 0 to 255.",
        t->held[0], t->held[1]);
    exray_finding_detail(f, "What is one number there are values from %.4g to %.4g on the %s.", t->low,
                         t->high, sides[1 - t->side]);
    if (t->side == EXRAY_SIDE_REFERENCE)
        exray_finding_fix(
            f, "Run the reference again with `normalize: model` in its pipeline, which maps bytes as the "
               "model's input does; this says nothing of the edge.");
    else
        exray_finding_fix(f,
                          "Map the bytes to the range of the model's input (%.4g to %.4g) before they are "
                          "quantized, or store them as they are where the input's scale is that of a byte.",
                          t->held[0], t->held[1]);
    exray_finding_alternative(f, "input.normalization", 0.3);
    exray_finding_text(f, "clipped", sides[t->side]);
    exray_finding_number(f, "clipped_share", t->at_end / t->count);
    exray_finding_number(f, "low", t->held[0]);
    exray_finding_number(f, "high", t->held[1]);
    exray_finding_number(f, "frames", (double)t->frames);
}

bool xr_report_saturated(const exray_comparison *comparison, size_t pair, exray_side side,
                         exray_findings *findings)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    const size_t frames = exray_comparison_frame_count(comparison), step = frames / LOOKED_AT + 1;
    bool found = false;
    for (int top = 1; top >= 0 && !found && slot[0] && slot[1]; top--) {
        clip_tally t = {.side = side,
                        .top = top != 0,
                        .other_low = INFINITY,
                        .other_high = -INFINITY,
                        .low = INFINITY,
                        .high = -INFINITY};
        bool holds = true;
        for (size_t f = 0; f < frames && holds; f += step)
            holds = add_frame(comparison, pair, f, slot, &t);
        found = holds && is_clipped(comparison, step, &t, slot[0]);
        if (found)
            report(comparison, pair, &t, findings);
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return found;
}
