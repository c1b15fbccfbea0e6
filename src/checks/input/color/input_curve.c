/* Values that follow from the reference's by a line of each frame's own (input.normalization), or by one
 * curve (input.color_space). */
#include "checks/input/color/value_table.h"
#include "checks/input/fit/value_lines.h"
#include "checks/input/input_findings.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Share of the variance that rounding leaves; gains that differ by less are one. */
#define EXACT     1e-3
#define ONE_SCALE 0.03

/* What the lines of the frames that differ have in common. */
typedef struct own_lines {
    size_t frames, same;
    double gain[2], offset[2];                  /* least and most */
    double low[2], high[2], mean[2], spread[2]; /* of the edge's frames: least and most */
    double rest;                                /* share of the variance that is left, at most */
} own_lines;

static void widen(double range[2], double value)
{
    range[0] = fmin(range[0], value);
    range[1] = fmax(range[1], value);
}

static own_lines no_lines(void)
{
    own_lines o = {0};
    double(*range[])[2] = {&o.gain, &o.offset, &o.low, &o.high, &o.mean, &o.spread};
    for (size_t i = 0; i < sizeof range / sizeof *range; i++)
        (*range[i])[0] = INFINITY, (*range[i])[1] = -INFINITY;
    return o;
}

/* False: a frame is no line of the reference's. */
static bool join_lines(const xr_value_line *line, size_t frames, own_lines *o)
{
    *o = no_lines();
    for (size_t f = 0; f < frames; f++) {
        o->same += line[f].known && line[f].same;
        if (!line[f].known || line[f].same)
            continue;
        if (line[f].rest > EXACT)
            return false;
        o->frames++;
        o->rest = fmax(o->rest, line[f].rest);
        widen(o->gain, line[f].gain), widen(o->offset, line[f].offset);
        widen(o->low, line[f].edge[0]), widen(o->high, line[f].edge[1]);
        widen(o->mean, line[f].mean), widen(o->spread, line[f].spread);
    }
    return o->frames >= 2;
}

/* Whether they are not one line. */
static bool is_varying(const own_lines *o)
{
    double most = fmax(fabs(o->gain[0]), fabs(o->gain[1])), range = o->high[1] - o->low[0];
    return o->gain[1] - o->gain[0] > ONE_SCALE * most || o->offset[1] - o->offset[0] > ONE_SCALE * range;
}

static bool is_one(const double range[2], double unit)
{
    return range[1] - range[0] < 0.01 * unit;
}

/* What the lines have in common, in words and evidence. */
static void say_lines(const own_lines *o, exray_finding *f)
{
    bool range = is_one(o->low, o->high[1] - o->low[0]) && is_one(o->high, o->high[1] - o->low[0]);
    bool moments = is_one(o->mean, o->spread[1]) && is_one(o->spread, o->spread[1]);
    exray_finding_summary(
        f,
        "The edge's values are the reference's by a factor and an offset that vary from frame "
        "to frame: factors from %.4g to %.4g, offsets from %.4g to %.4g.",
        o->gain[0], o->gain[1], o->offset[0], o->offset[1]);
    if (range)
        exray_finding_detail(
            f,
            "Each of its frames reaches from %.4g to %.4g: it is scaled by its own least and "
            "largest value.",
            o->low[0], o->high[0]);
    else if (moments)
        exray_finding_detail(f,
                             "Each of its frames has a mean of %.3g and a deviation of %.3g: it is "
                             "normalized by its own.",
                             o->mean[0], o->spread[0]);
    exray_finding_fix(
        f, "Normalize every frame by the same numbers, those that the model was trained with; look "
           "for an automatic exposure or gain, too.");
    exray_finding_text(f, "kind", range ? "own_range" : moments ? "own_moments" : "own_line");
}

static void say_channels(const own_lines *o, size_t channels, exray_finding *f)
{
    exray_finding_summary(
        f,
        "The edge's values are the reference's by a factor and an offset of each channel that "
        "vary from frame to frame: factors from %.4g to %.4g of the first, %.4g to %.4g of "
        "the last.",
        o[0].gain[0], o[0].gain[1], o[channels - 1].gain[0], o[channels - 1].gain[1]);
    exray_finding_fix(f,
                      "Take out what balances each picture's colors by itself (an automatic white balance, a "
                      "normalization by each picture's own numbers), or have it on both sides.");
    exray_finding_text(f, "kind", "own_channels");
}

/* Whether every frame that differs is a line of its own: of all channels together (count 1), or of each. */
static bool join_own_lines(const exray_comparison *comparison, const xr_input_fit *fit, size_t count,
                           own_lines o[XR_FIT_CHANNELS], bool *chosen)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    bool found = true, vary = false;
    for (size_t c = 0; c < count && found; c++) {
        xr_value_line *line = xr_value_lines(comparison, fit, count > 1 ? (int)c : XR_ALL_CHANNELS, EXACT);
        found = line && join_lines(line, frames, &o[c]);
        vary = vary || (found && is_varying(&o[c]));
        for (size_t f = 0; found && f < frames; f++)
            chosen[f] = chosen[f] || (line[f].known && !line[f].same);
        free(line);
    }
    return found && vary;
}

/* Whether one table, the same in all frames, leaves far less than the lines of their own: those of a mild
 * curve differ from frame to frame, too, and leave next to nothing. */
static bool is_rather_a_table(const exray_comparison *comparison, const xr_input_fit *fit, const own_lines *o)
{
    xr_value_table table;
    return xr_find_value_table(comparison, fit, &table) &&
           table.after * fit->level[EXRAY_SIDE_EDGE] < 0.5 * sqrt(o->rest) * o->spread[0];
}

static bool report_own_lines(const exray_comparison *comparison, const xr_input_fit *fit, size_t count,
                             exray_findings *findings)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    bool *chosen = calloc(frames + 1, sizeof *chosen);
    own_lines o[XR_FIT_CHANNELS];
    const bool found =
        chosen && join_own_lines(comparison, fit, count, o, chosen) && !is_rather_a_table(comparison, fit, o);
    if (found) {
        exray_finding *f = exray_findings_add(findings, "input.normalization", EXRAY_SEVERITY_ERROR, 0.95);
        exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
        if (count > 1)
            say_channels(o, count, f);
        else
            say_lines(o, f);
        exray_finding_detail(
            f, "In each of %zu frames the line leaves less than a thousandth of the variance.", o->frames);
        exray_finding_number(f, "least_gain", o->gain[0]);
        exray_finding_number(f, "most_gain", o->gain[1]);
        exray_finding_number(f, "least_offset", o->offset[0]);
        exray_finding_number(f, "most_offset", o->offset[1]);
        exray_finding_number(f, "frames", (double)o->frames);
        if (o->same)
            exray_finding_frames(f, comparison, chosen);
    }
    free(chosen);
    return found;
}

bool xr_report_lines_of_frames(const exray_comparison *comparison, const xr_input_fit *fit,
                               exray_findings *findings)
{
    const size_t channels = fit->values.channels;
    return report_own_lines(comparison, fit, 1, findings) ||
           (channels > 1 && channels <= XR_FIT_CHANNELS &&
            report_own_lines(comparison, fit, channels, findings));
}

bool xr_report_curve(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_tone_curve c;
    if (!xr_find_tone_curve(comparison, fit, &c))
        return false;
    size_t quarter = c.points / 4, half = c.points / 2, most = c.points - 1 - c.points / 4;
    exray_finding *f = exray_findings_add(findings, "input.color_space", EXRAY_SEVERITY_ERROR, 0.85);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The edge's values follow from the reference's by a curve (another tone curve or gamma): "
        "%.4g becomes %.4g, %.4g becomes %.4g, %.4g becomes %.4g.",
        c.at[quarter], c.value[quarter], c.at[half], c.value[half], c.at[most], c.value[most]);
    exray_finding_detail(
        f,
        "The curve leaves %.2f levels rms, where a factor and an offset leave %.2f (decoders and "
        "rounding explain up to 1.5).",
        c.after, c.before);
    exray_finding_fix(
        f, "Give both sides the same tone: turn off the camera's own curve, contrast or gamma on the "
           "side that has it, or train with it.");
    exray_finding_text(f, "kind", "tone_curve");
    exray_finding_number(f, "residual_levels", c.after);
    exray_finding_number(f, "residual_of_a_line_levels", c.before);
    exray_finding_alternative(f, "input.normalization", 0.2);
    return true;
}
