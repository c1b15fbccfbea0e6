/* Values that follow from the reference's by a table: a line that limits clip (input.normalization), a curve
 * or a map of colors (input.color_space). */
#include "checks/input/color/value_table.h"
#include "checks/input/input_findings.h"

#include <stdio.h>

static void say_clipped(const xr_value_table *t, exray_finding *f)
{
    char limits[96];
    if (t->at_low && t->at_high)
        snprintf(limits, sizeof limits, "to %.4g to %.4g", t->low, t->high);
    else
        snprintf(limits, sizeof limits, "%s %.4g", t->at_low ? "from below at" : "from above at",
                 t->at_low ? t->low : t->high);
    exray_finding_summary(
        f,
        "The edge's values are the reference's by a factor of %.4g and an offset of %.4g%s, and "
        "clipped %s: another contrast or brightness.",
        t->gain[0], t->offset[0], t->channels > 1 ? " (of the first channel)" : "", limits);
    exray_finding_detail(f, "%.2g %% of them are at these limits.", 100 * t->clipped);
    exray_finding_fix(
        f, "Take out the factor and the offset before the values are clipped, on the side that has "
           "them (a contrast, a brightness, another mean and std).");
    exray_finding_text(f, "kind", "clipped_line");
    for (size_t c = 0; c < t->channels; c++) {
        char key[40];
        snprintf(key, sizeof key, "gain_%zu", c);
        exray_finding_number(f, key, t->gain[c]);
        snprintf(key, sizeof key, "offset_%zu", c);
        exray_finding_number(f, key, t->offset[c]);
    }
    exray_finding_number(f, "clipped_share", t->clipped);
    exray_finding_alternative(f, "input.color_space", 0.1);
}

static void say_curve(const xr_value_table *t, exray_finding *f)
{
    const bool rising = t->kind == XR_TABLE_RISING;
    exray_finding_summary(
        f,
        rising ? "The edge's values follow from the reference's by a curve (another tone curve or "
                 "gamma): %.4g becomes %.4g, %.4g becomes %.4g, %.4g becomes %.4g%s."
               : "Each value of the reference becomes one value of the edge's, by a table that is no "
                 "rising curve (colors of a map for gray values, say): %.4g becomes %.4g, %.4g "
                 "becomes %.4g, %.4g becomes %.4g%s.",
        t->at[0][0], t->value[0][0], t->at[0][1], t->value[0][1], t->at[0][2], t->value[0][2],
        t->channels > 1 ? " (of the first channel)" : "");
    exray_finding_fix(
        f, rising ? "Give both sides the same tone: turn off the camera's own curve, contrast or gamma on "
                    "the side that has it, or train with it."
                  : "Feed the values themselves, not the colors in which they are drawn, or draw them by "
                    "the same map on both sides.");
    exray_finding_text(f, "kind", rising ? "tone_curve" : "table");
}

bool xr_report_table(const exray_comparison *comparison, const xr_input_fit *fit, bool curves,
                     exray_findings *findings)
{
    xr_value_table t;
    if (!xr_find_value_table(comparison, fit, &t))
        return false;
    const bool clipped = t.kind == XR_TABLE_CLIPPED;
    if (clipped && curves)
        return false;
    exray_finding *f = exray_findings_add(findings, clipped ? "input.normalization" : "input.color_space",
                                          EXRAY_SEVERITY_ERROR, 0.9);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    if (clipped)
        say_clipped(&t, f);
    else
        say_curve(&t, f);
    exray_finding_detail(
        f,
        "So made of the reference's values, place by place, %.2f levels rms are left; a factor and "
        "an offset leave %.2f.",
        t.after, t.before);
    exray_finding_number(f, "residual_levels", t.after);
    exray_finding_number(f, "residual_of_a_line_levels", t.before);
    exray_finding_number(f, "frames", (double)t.frames);
    return true;
}
