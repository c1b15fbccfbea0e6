#include "checks/input/frames/blank_frames.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <stdlib.h>

/* Levels rms up to which a frame is as the reference's. */
#define SAME 1.5

typedef struct blank_tally {
    bool *blank; /* [frames] */
    size_t count[2], same, other;
    double value; /* of the first blank frame */
} blank_tally;

/* Whether every channel of a side is one value. */
static bool is_one_value(const float *value, const xr_pixel_view *v)
{
    for (size_t row = 0; row < v->rows; row++)
        for (size_t column = 0; column < v->columns; column++)
            for (size_t c = 0; c < v->channels; c++)
                if (xr_value_at(value, xr_element_place(v, row, column, c)) !=
                    xr_value_at(value, xr_element_place(v, 0, 0, c)))
                    return false;
    return true;
}

static bool is_same(const float *const value[2], const xr_pixel_view view[2], double level)
{
    double sum = 0, n = 0;
    for (size_t row = 0; row < view[0].rows; row++)
        for (size_t column = 0; column < view[0].columns; column++)
            for (size_t c = 0; c < view[0].channels; c++, n++) {
                const double d = xr_value_at(value[0], xr_element_place(&view[0], row, column, c)) -
                                 xr_value_at(value[1], xr_element_place(&view[1], row, column, c));
                sum += d * d;
            }
    return n > 0 && sqrt(sum / n) <= SAME * level;
}

static void add_frame(const float *const value[2], const xr_pixel_view view[2], double level, size_t frame,
                      blank_tally *t)
{
    const bool one[2] = {is_one_value(value[0], &view[0]), is_one_value(value[1], &view[1])};
    if (one[0] == one[1]) {
        const bool same = is_same(value, view, level);
        t->same += same;
        t->other += !same;
        return;
    }
    if (t->count[0] + t->count[1] == 0)
        t->value = xr_value_at(value[one[0] ? 0 : 1], 0);
    t->count[one[0] ? 0 : 1]++;
    t->blank[frame] = true;
}

static bool find_blank(const exray_comparison *c, const xr_input_fit *fit, blank_tally *t)
{
    const size_t frames = exray_comparison_frame_count(c);
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    for (size_t f = 0; slot[0] && slot[1] && f < frames && t->other == 0; f++) {
        exray_tensor_view tensor[2];
        xr_pixel_view view[2];
        const float *value[2];
        if (!xr_pixel_sides_read(c, fit->pair, f, slot, tensor, view, value))
            continue;
        if (xr_is_same_size(&view[0], &view[1]))
            add_frame(value, view, fit->level[EXRAY_SIDE_EDGE], f, t);
        else
            t->other++;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return t->other == 0 && t->same > 0 && (t->count[0] > 0) != (t->count[1] > 0);
}

bool xr_report_blank_frames(const exray_comparison *comparison, const xr_input_fit *fit,
                            exray_findings *findings)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    blank_tally t = {.blank = calloc(frames + 1, sizeof *t.blank)};
    const bool found = t.blank && find_blank(comparison, fit, &t);
    if (found) {
        const bool edge = t.count[0] > 0;
        const size_t count = edge ? t.count[0] : t.count[1];
        exray_finding *f = exray_findings_add(findings, "input.unknown", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        exray_finding_summary(
            f,
            "The %s's input is constant (%.4g) in %zu of %zu frames, where the %s's is not; "
            "in the others the two are the same.",
            edge ? "edge" : "reference", t.value, count, frames, edge ? "reference" : "edge");
        exray_finding_fix(
            f, "Wait until the sensor delivers (a camera's first frames may be black), and fill the "
               "buffer before each run.");
        exray_finding_text(f, "kind", "blank");
        exray_finding_number(f, "frames_blank", (double)count);
        exray_finding_frames(f, comparison, t.blank);
    }
    free(t.blank);
    return found;
}
