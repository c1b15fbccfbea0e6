#include "checks/input/exact/exact_findings.h"

#include "checks/findings.h"
#include "checks/input/color/color_mixture.h"
#include "checks/input/color/known_colors.h"
#include "checks/input/exact/find_exact.h"
#include "checks/input/frames/find_lag.h"
#include "checks/input/input_findings.h"
#include "checks/input/pipeline_of.h"
#include "checks/input/search/apply.h"
#include "checks/input/search/corrected.h"
#include "checks/input/search/find.h"
#include "checks/input/words.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Levels rms: above, the search has enough to go by. */
#define FAINT 4.0
/* Of a change that leaves nothing. */
#define EXACT 1e-3

/* Whether the reference's pictures are of few levels, however they are normalized. */
static bool is_dark(const xr_input_fit *fit)
{
    static const double levels = 16;
    double range = 0;
    for (size_t c = 0; c < fit->values.channels; c++)
        range = fmax(range, fit->values.max[1][c] - fit->values.min[1][c]);
    return range <= levels * fit->level[EXRAY_SIDE_REFERENCE];
}

static bool is_faint(const xr_input_fit *fit)
{
    return fit->values.picture && !fit->values.tokens && !fit->orders.named && !fit->orders.tied &&
           (fit->state == XR_FIT_NOISE ||
            (fit->state == XR_FIT_DIFFERS && (fit->raw.pixels <= FAINT || is_dark(fit))));
}

static exray_finding *begin(const xr_input_fit *fit, const xr_exact_change *k, const char *cause,
                            exray_findings *findings)
{
    exray_finding *f =
        exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, xr_confidence(k->after, k->before));
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_number(f, "residual_before_levels", k->before);
    exray_finding_number(f, "residual_after_levels", k->after);
    exray_finding_number(f, "frames", (double)(k->frames + k->silent + k->unchanged));
    exray_finding_number(f, "frames_supporting", (double)k->frames);
    return f;
}

/* "2 columns to the left and 1 row up". */
static void say_shift(const xr_exact_change *k, char *text, size_t size)
{
    const long x = labs(k->dx), y = labs(k->dy);
    char columns[48] = "", rows[48] = "";
    if (x)
        snprintf(columns, sizeof columns, "%ld column%s to the %s", x, x > 1 ? "s" : "",
                 k->dx > 0 ? "left" : "right");
    if (y)
        snprintf(rows, sizeof rows, "%ld row%s %s", y, y > 1 ? "s" : "", k->dy > 0 ? "up" : "down");
    snprintf(text, size, "%s%s%s", columns, x && y ? " and " : "", rows);
}

static void report_shift(const xr_input_pair *pair, const xr_exact_change *k, exray_findings *findings)
{
    char words[96];
    say_shift(k, words, sizeof words);
    exray_finding *f = begin(pair->fit, k, "input.crop", findings);
    exray_finding_summary(f, "The edge's picture is the reference's, moved by %s.", words);
    exray_finding_detail(
        f, "The pictures are so dark that it makes hardly more than noise, but every value is the "
           "reference's, so many pixels further.");
    exray_finding_fix(f,
                      "Cut the picture as the reference does: the same left and top (%sin C: rounded alike).",
                      xr_pipeline_key(pair->comparison, "crop").text);
    exray_finding_number(f, "shift_columns", (double)-k->dx);
    exray_finding_number(f, "shift_rows", (double)-k->dy);
}

/* A buffer that is read from another place on. */
static void report_offset(const xr_input_pair *pair, const xr_exact_change *k, exray_findings *findings)
{
    const long far = labs(k->dx);
    exray_finding *f = begin(pair->fit, k, "input.stride", findings);
    exray_finding_summary(
        f,
        "The edge's buffer is read, or filled, from %ld pixel%s %s on: its rows go on in the "
        "%s one.",
        far, far > 1 ? "s" : "", k->dx > 0 ? "further" : "before", k->dx > 0 ? "next" : "last");
    exray_finding_detail(f,
                         "The pictures are so dark that it makes hardly more than noise, but every value is "
                         "the reference's.");
    exray_finding_fix(f,
                      "Read the buffer from its beginning: without the header, at the offset of its plane.");
    exray_finding_number(f, "shift_columns", (double)-k->dx);
}

static void report_channel(const xr_input_pair *pair, const xr_exact_change *k, exray_findings *findings)
{
    exray_finding *f = begin(pair->fit, k, "input.color_space", findings);
    exray_finding_summary(
        f, "The edge's colours are made differently: gray, of the reference's channel %zu in all three.",
        k->channel);
    exray_finding_detail(f,
                         "The pictures are so dark that it makes hardly more than noise, but every value is "
                         "that channel's.");
    exray_finding_fix(f, "Give the model all three channels of the picture, as the reference does.");
    exray_finding_number(f, "channel", (double)k->channel);
}

/* How far two mixtures are apart: their shares of each color, and their offsets in hundreds of levels. */
static double distance(const xr_color_transform *a, const xr_color_transform *b)
{
    double most = 0;
    for (int c = 0; c < 3; c++)
        for (int k = 0; k < 4; k++)
            most = fmax(most, fabs(a->matrix[c][k] - b->matrix[c][k]) / (k == 3 ? 100 : 1));
    return most;
}

/* Gray where all three are one mixture; else the known conversion that it is; else as it is. */
static xr_color_transform known_mixture(const xr_color_transform *fitted)
{
    static const double near = 0.02;
    xr_color_transform known[XR_KNOWN_COLORS], gray = *fitted;
    const size_t count = xr_known_colors(known);
    for (int c = 1; c < 3; c++)
        memcpy(gray.matrix[c], gray.matrix[0], sizeof gray.matrix[0]);
    gray.kind = XR_COLOR_GRAY;
    if (distance(fitted, &gray) < near)
        return gray;
    for (size_t i = 0; i < count; i++)
        if (!xr_is_nonlinear(&known[i]) && known[i].kind != XR_COLOR_GRAY &&
            distance(fitted, &known[i]) < near)
            return known[i];
    return *fitted;
}

/* Where the unit of the pixels is not known, the parts of a mixture are not either. */
static void report_mixture(const xr_input_pair *pair, const xr_exact_change *k, exray_findings *findings)
{
    xr_pixel_unit unit = {0};
    xr_color_transform color = {.kind = XR_COLOR_MIXED};
    char text[256];
    const char *fix;
    const bool known = xr_find_pixel_unit(pair, &unit) && xr_fit_mixture(&k->sums, &unit, &color);
    if (known)
        color = known_mixture(&color);
    xr_color_text(&color, text, sizeof text, &fix);
    if (!known)
        snprintf(text, sizeof text, "each channel is a mixture of the reference's");
    exray_finding *f = begin(pair->fit, k, "input.color_space", findings);
    exray_finding_summary(f, "The edge's colours are made differently: %s.", text);
    exray_finding_detail(
        f, "The pictures are so dark that it makes hardly more than noise, but nothing is left of the "
           "difference beyond rounding.");
    exray_finding_fix(f, "%s", fix);
}

/* Notes the map of a turn in what is left of the difference behind it; false: there is none to speak of. */
static bool note_map(const xr_exact_change *k, xr_input_fit *after)
{
    static const double seen = 0.05; /* levels */
    xr_channel_order *o = &after->orders.list[0];
    double most = 0;
    for (size_t c = 0; k->mapped && c < after->values.channels; c++)
        for (int end = 0; end < 2; end++) {
            const double v = end ? after->values.max[1][c] : after->values.min[1][c];
            most = fmax(most, fabs((k->gain[c] - 1) * v + k->offset[c]) / after->level[EXRAY_SIDE_EDGE]);
        }
    if (!(most > seen))
        return false;
    for (size_t c = 0; c < after->values.channels; c++) {
        o->map.gain[c] = k->gain[c];
        o->map.offset[c] = k->offset[c];
    }
    after->state = XR_FIT_DIFFERS;
    after->orders.used = 0;
    after->map.named = true;
    after->map.effect = after->map.effect_max = most;
    after->map.supporting = k->frames;
    after->map.opposing = 0;
    after->residual.pixels = after->residual.blocks = k->after;
    after->residual.nrmse_after = 0;
    after->residual.explained = true;
    return true;
}

/* A turn is told as the search tells it. */
static void report_turn(xr_input_pair *pair, const xr_exact_change *k, const xr_transform *transform,
                        const xr_input_fit *after, exray_findings *findings)
{
    const xr_transform none = xr_transform_none(transform->frames);
    xr_explanation e = {
        .comparison = pair->comparison, .before = pair->fit, .after = after, .transform = transform};
    e.has_sensor = xr_search_frames_load(pair, &none) && pair->has_sensor;
    xr_list_steps(&e);
    e.votes[XR_STEP_TURN] = (xr_votes){.agree = k->frames, .abstain = k->silent, .without = k->before};
    xr_report_orientation(&e, findings);
}

static xr_transform transform_of(const xr_input_pair *pair, const xr_exact_change *k)
{
    xr_transform t = xr_transform_none(exray_comparison_frame_count(pair->comparison));
    t.turn.orientation = k->orientation;
    t.turn.runner_up_residual = 1;
    for (size_t i = 0; i < k->as_well_count && i < XR_RUNNERS_UP; i++)
        t.turn.runner_up[t.turn.runner_up_count++] = k->as_well[i];
    return t;
}

/* Takes over the pair and k->changed. */
static void report_change(xr_input_pair *pair, xr_exact_change *k, exray_findings *findings)
{
    const exray_finding *last = findings->last;
    xr_transform transform = transform_of(pair, k);
    xr_applied applied = {.pair = pair, .transform = &transform};
    const xr_placement placement = {&applied, xr_apply_transform, 1};
    xr_input_fit after;
    exray_error error;
    bool kept = false;
    if (k->unchanged)
        pair->only = k->changed;
    else
        free(k->changed);
    k->changed = NULL;
    if (k->kind == XR_EXACT_SHIFTED && k->wrapped)
        report_offset(pair, k, findings);
    else if (k->kind == XR_EXACT_SHIFTED)
        report_shift(pair, k, findings);
    else if (k->kind == XR_EXACT_CHANNEL)
        report_channel(pair, k, findings);
    else if (k->kind == XR_EXACT_MIXTURE)
        report_mixture(pair, k, findings);
    else if (xr_input_fit_make(pair->comparison, pair->index, &placement, &after, &error) == EXRAY_OK) {
        const bool mapped = note_map(k, &after);
        if (k->orientation)
            report_turn(pair, k, &transform, &after, findings);
        if (mapped)
            xr_report_normalization(pair->comparison, &after, findings);
        kept = true;
    }
    xr_applied_free(&applied);
    for (exray_finding *f = last ? last->next : findings->first; f && pair->only; f = f->next)
        exray_finding_frames(f, pair->comparison, pair->only);
    if (kept)
        xr_corrected_keep(findings, pair, &transform, &after, true);
    else
        xr_input_pair_close(pair);
}

bool xr_report_exact(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_input_pair *pair = is_faint(fit) ? xr_input_pair_open(comparison, fit->pair, fit) : NULL;
    xr_exact_change k;
    if (!pair)
        return false;
    if (xr_is_another_frame(pair) && (xr_report_lag(comparison, fit->pair, findings) ||
                                      xr_report_other_frames(comparison, fit->pair, findings))) {
        xr_input_pair_close(pair);
        return true;
    }
    /* What noise does not hide may be more than one change. */
    const bool found =
        xr_find_exact(pair, &k) &&
        (k.kind != XR_EXACT_TURNED || k.orientation || (fit->state == XR_FIT_DIFFERS && !fit->map.named)) &&
        (fit->state == XR_FIT_NOISE || k.after < EXACT || k.kind == XR_EXACT_MIXTURE);
    if (found)
        report_change(pair, &k, findings);
    else
        xr_input_pair_close(pair);
    free(k.changed);
    return found;
}
