/* input: what takes the reference's model input to the edge's, step by step. */
#include "checks/beyond_noise.h"
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/input/color/color_mixture.h"
#include "checks/input/columns/report_columns.h"
#include "checks/input/exact/exact_findings.h"
#include "checks/input/explain.h"
#include "checks/input/features/explain_features.h"
#include "checks/input/features/feature_frames.h"
#include "checks/input/fit/conventions.h"
#include "checks/input/fit/stored_unit.h"
#include "checks/input/frames/blank_frames.h"
#include "checks/input/frames/find_lag.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/input_findings.h"
#include "checks/input/moments/input_statistics.h"
#include "checks/input/picture/sensor_picture.h"
#include "checks/input/search/apply.h"
#include "checks/input/search/corrected.h"
#include "checks/input/search/find.h"
#include "checks/input/search/residual.h"
#include "checks/input/search/search.h"
#include "checks/input/sound/explain_sound.h"
#include "checks/input/sound/sound_frames.h"
#include "checks/input/tokens/chosen_ids.h"
#include "checks/input/tokens/input_tokens.h"
#include "checks/labels/string_ports.h"
#include "checks/model/model_fit.h"
#include "checks/model/state/loops.h"
#include "checks/port/not_finite.h"
#include "checks/port/port_exchange.h"

#include <exray/picture.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The separable share where the difference is no larger than noise; and the difference in levels rms
 * that rounding alone does not make. */
#define SURELY_SEPARABLE 0.55
#define FINEST           0.4

/* Whether a difference no larger than noise is that of a kernel. */
static bool looks_like_a_kernel(const exray_comparison *comparison, const xr_input_fit *fit)
{
    const xr_transform none = xr_transform_none(exray_comparison_frame_count(comparison));
    xr_input_pair *pair = xr_input_pair_open(comparison, fit->pair, fit);
    xr_residual_detail d = {0};
    bool known = pair && xr_search_frames_load(pair, &none) && xr_measure_detail(pair, &none, &d);
    xr_input_pair_close(pair);
    return known && d.everywhere && d.separable > SURELY_SEPARABLE && d.levels > FINEST;
}

/* Whether a conversion of the colors explains most of the difference of the pair's frames. */
static bool has_color(xr_input_pair *pair, size_t frames)
{
    xr_transform transform = xr_transform_none(frames);
    if (!xr_search_frames_load(pair, &transform) || !xr_find_color(pair, &transform))
        return false;
    const xr_fit_sums sums = xr_transform_sums(pair, &transform);
    const double after = xr_unexplained_by_order(&sums, pair->channels, NULL),
                 before = transform.color.residual_without;
    return transform.color.kind == XR_COLOR_MIXED
               ? xr_mixture_suffices(after, before, pair->spread[EXRAY_SIDE_EDGE])
               : after < 0.12 * before;
}

/* Whether such a difference is one of colors, in all frames or in those that differ most. */
static bool looks_like_a_color(const exray_comparison *comparison, const xr_input_fit *fit)
{
    const size_t frames = exray_comparison_frame_count(comparison);
    xr_input_pair *pair = fit->values.channels == 3 ? xr_input_pair_open(comparison, fit->pair, fit) : NULL;
    bool found = pair && has_color(pair, frames);
    if (pair && !found) {
        pair->only = xr_differing_frames(pair);
        found = pair->only && has_color(pair, frames);
    }
    xr_input_pair_close(pair);
    return found;
}

/* Whether any value is more than a level away: less is rounding, or dithers of another phase, whatever it
 * looks like.
 */
static bool is_beyond_rounding(const xr_input_fit *fit)
{
    static const double slack = 0.05;
    return fit->io->metrics.max_abs > (1 + slack) * fmax(fit->level[0], fit->level[1]);
}

/* Whether a small map that leaves little is rather that of colors of fewer bits. */
static bool is_perhaps_coarse(const exray_comparison *comparison, const xr_input_fit *fit)
{
    enum { SMALL_MAP = 20 }; /* levels */
    xr_affine on_pixels;
    double effect = fit->map.effect_max;
    if (fit->orders.named)
        effect = xr_map_on_pixels(fit, &on_pixels) ? xr_map_on_pixels_effect(fit, &on_pixels) : INFINITY;
    return fit->state == XR_FIT_DIFFERS && fit->residual.explained && fit->values.picture && fit->map.named &&
           effect < SMALL_MAP && fit->residual.pixels > 0.5 && looks_like_a_color(comparison, fit);
}

/* Whether a line that suffices leaves more than its rounding: a mild curve is nearly one. */
static bool is_line_of_a_curve(const xr_input_fit *fit)
{
    static const double by_rounding = 0.8; /* levels */
    return fit->values.picture && fit->state == XR_FIT_DIFFERS && fit->map.named && !fit->orders.named &&
           !fit->orders.tied && fit->residual.pixels > by_rounding;
}

static exray_status judge_input(const exray_comparison *comparison, const xr_input_fit *fit,
                                exray_findings *findings, exray_error *error)
{
    xr_input_fit judged = *fit;
    bool fine = fit->values.picture && fit->state == XR_FIT_NOISE && fit->raw.pixels > FINEST &&
                is_beyond_rounding(fit) &&
                (looks_like_a_kernel(comparison, fit) ||
                 (fit->raw.pixels > 1 && looks_like_a_color(comparison, fit)));
    fine = fine || is_perhaps_coarse(comparison, fit);
    if (fine) {
        judged.state = XR_FIT_DIFFERS;
        judged.residual.explained = false;
    }
    if (judged.state == XR_FIT_DIFFERS && !judged.residual.explained && judged.values.picture)
        return xr_explain_input(comparison, &judged, fine, findings, error);
    if (!is_line_of_a_curve(fit) || !xr_report_table(comparison, fit, true, findings))
        xr_report_colors(comparison, fit, findings);
    return EXRAY_OK;
}

/* Adds to the findings after `last` which frames they are about. */
static exray_status say_affected(const exray_comparison *comparison, const xr_input_fit *fit,
                                 exray_finding *last, exray_findings *findings, exray_error *error)
{
    bool *affected = calloc(exray_comparison_frame_count(comparison) + 1, sizeof *affected);
    if (!affected) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
        return EXRAY_E_MEMORY;
    }
    exray_status status = xr_input_fit_affected(comparison, fit, affected, error);
    for (exray_finding *f = last ? last->next : findings->first; f && status == EXRAY_OK; f = f->next)
        exray_finding_frames(f, comparison, affected);
    free(affected);
    return status;
}

/* Equal bit for bit in every frame. */
static bool is_equal(const exray_io_pair *io)
{
    const exray_metrics *m = &io->metrics;
    return io->comparable && io->other_shape == 0 && m->count > 0 && m->max_abs == 0 && !m->nan_count[0] &&
           !m->nan_count[1] && !m->inf_count[0] && !m->inf_count[1];
}

/* What is no more than noise of a sound (src/compare/noise/input_noise.h) is told, and fails nothing. */
static void soften(const xr_input_fit *fit, const exray_finding *last, exray_findings *findings)
{
    static const char *const causes_of_noise[] = {"input.unknown", "input.normalization"};
    if (fit->values.picture || !fit->io->faint)
        return;
    for (exray_finding *f = last ? last->next : findings->first; f; f = f->next)
        for (size_t i = 0; i < sizeof causes_of_noise / sizeof *causes_of_noise; i++)
            if (strcmp(f->cause, causes_of_noise[i]) == 0)
                f->severity = EXRAY_SEVERITY_WARNING;
}

/* Whether the two files differ in what they compute: steps that one has more, or other weights. */
static bool are_other_models(const exray_comparison *comparison, exray_findings *findings)
{
    const exray_model *model[2];
    for (int s = 0; s < 2; s++)
        model[s] = exray_log_model(exray_comparison_log(comparison, (exray_side)s));
    if (!model[0] || !model[1] || model[0]->node_count != model[1]->node_count)
        return model[0] && model[1];
    const xr_model_fit *fit = NULL;
    exray_error ignored;
    bool other = false;
    if (xr_model_fit_get(comparison, findings, &fit, &ignored) != EXRAY_OK)
        return false;
    for (size_t i = 0; i < fit->count; i++)
        other = other || fit->pair[i].rescaled || fit->pair[i].order || fit->pair[i].differs ||
                fit->pair[i].difference > XR_ROUNDING_FACTOR * fit->pair[i].rounding;
    return other;
}

/* Other values that one of two files undoes itself are told, and fail nothing. */
static void soften_undone(const exray_comparison *comparison, const exray_finding *last,
                          exray_findings *findings)
{
    static const char *const maps[] = {"input.normalization", "input.layout", "input.dtype",
                                       "input.quantization", "input.channel_order"};
    const bool found = (last ? last->next : findings->first) != NULL;
    if (!found || !xr_inputs_are_undone(comparison) || !are_other_models(comparison, findings))
        return;
    for (exray_finding *f = last ? last->next : findings->first; f; f = f->next)
        for (size_t i = 0; i < sizeof maps / sizeof *maps; i++)
            if (strcmp(f->cause, maps[i]) == 0) {
                f->severity = EXRAY_SEVERITY_WARNING;
                exray_finding_detail(f, "All that was recorded behind it agrees: one of the two model files "
                                        "does itself what was done before the other.");
                exray_finding_fix(f, "Nothing, as long as each application feeds the file that it ships.");
            }
}

/* An input whose data were compared as far as they are there; statistics stand for the rest.  EXRAY_E_STATE:
 * they agree, which leaves open what `why` says (NULL: nothing). */
static exray_status judge_statistics(const exray_comparison *comparison, size_t pair, const char *why,
                                     exray_findings *findings, exray_error *error)
{
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    bool agrees, differs;
    exray_status status = xr_judge_moments(comparison, pair, findings, &agrees, &differs, error);
    if (status != EXRAY_OK || differs || !why)
        return status;
    error->status = EXRAY_E_STATE;
    if (agrees)
        snprintf(
            error->message, sizeof error->message,
            "input %.100s: statistics alone were recorded, and they agree; a mirrored, turned or shuffled "
            "input has the same: record its data on both sides to be sure",
            io->name[EXRAY_SIDE_EDGE]);
    else
        snprintf(error->message, sizeof error->message, "input %.100s: %s", io->name[EXRAY_SIDE_EDGE], why);
    return error->status;
}

/* Whether the log holds what a microphone recorded, and no picture: then a table is no picture. */
static bool is_of_sound(const exray_comparison *comparison)
{
    exray_media media;
    exray_slot *slot = exray_slot_new();
    exray_sound *sound = xr_sensor_sound(comparison, 0);
    exray_picture *picture = sound && slot ? xr_sensor_picture(comparison, 0, NULL, slot, &media) : NULL;
    bool heard = sound && !picture;
    exray_sound_free(sound);
    exray_picture_free(picture);
    exray_slot_free(slot);
    return heard;
}

static bool explain_table(const exray_comparison *comparison, const xr_input_fit *fit,
                          exray_findings *findings)
{
    return !fit->residual.explained && !fit->values.tokens &&
           (xr_report_places(comparison, fit, findings) || xr_report_columns(comparison, fit, findings));
}

/* `samples`: they are sound itself. */
static exray_status judge_data(const exray_comparison *comparison, const xr_input_fit *fit, bool samples,
                               exray_findings *findings, exray_error *error)
{
    exray_finding *last = findings->last;
    const bool differs = fit->state == XR_FIT_DIFFERS;
    if (differs && !fit->values.picture && xr_report_lag(comparison, fit->pair, findings))
        return EXRAY_OK;
    if (xr_report_exact(comparison, fit, findings))
        return EXRAY_OK;
    /* A bank of features has more columns than a motion sensor has axes. */
    const xr_input_form form = differs ? xr_form_of(comparison, fit) : XR_IS_PICTURE;
    const bool narrow = form == XR_IS_NARROW_TABLE && !is_of_sound(comparison);
    if (narrow && explain_table(comparison, fit, findings))
        return EXRAY_OK;
    if (differs && !samples && !(narrow && fit->residual.explained) &&
        xr_explain_features(comparison, fit->pair, findings))
        return EXRAY_OK;
    if (fit->state == XR_FIT_NOISE && !fit->values.picture && xr_report_rounding(fit, findings))
        return EXRAY_OK;
    /* A reference that is clipped explains nothing of the edge. */
    if (differs && xr_report_saturated(comparison, fit->pair, EXRAY_SIDE_REFERENCE, findings))
        return EXRAY_OK;
    if (form == XR_IS_TABLE && explain_table(comparison, fit, findings))
        return EXRAY_OK;
    if (differs && !fit->residual.explained && !fit->values.tokens && !fit->values.open_unit &&
        (xr_report_blank_frames(comparison, fit, findings) ||
         xr_report_lines_of_frames(comparison, fit, findings)))
        return EXRAY_OK;
    exray_status status = judge_input(comparison, fit, findings, error);
    soften(fit, last, findings);
    soften_undone(comparison, last, findings);
    if (status == EXRAY_OK && fit->unaffected)
        status = say_affected(comparison, fit, last, findings, error);
    return status;
}

/* Values that are no number, at other places than the reference's: what comparing the others does not see. */
static void report_not_finite(const exray_comparison *comparison, size_t pair, exray_findings *findings)
{
    const exray_io_pair *io = exray_comparison_input(comparison, pair);
    xr_not_finite counts;
    char words[160];
    xr_not_finite_find(comparison, EXRAY_KIND_INPUT, pair, &counts);
    if (!xr_is_not_finite(&counts))
        return;
    xr_not_finite_words(&counts, words, sizeof words);
    exray_finding *f = exray_findings_add(findings, "input.unknown", EXRAY_SEVERITY_ERROR, 0.97);
    exray_finding_where(f, "input", io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "Input %.100s holds %s, in %zu of %zu frames.", io->name[EXRAY_SIDE_EDGE], words,
                          counts.frames, io->frames);
    exray_finding_fix(f, "Look for a division by zero or uninitialized memory in the pre-processing.");
    xr_not_finite_evidence(&counts, f);
}

/* One input: its data, and where they explain nothing the statistics that stand for those that are missing.
 */
static exray_status judge_one(const exray_comparison *comparison, size_t pair, exray_findings *findings,
                              exray_error *error)
{
    xr_input_fit fit = {.state = XR_FIT_EQUAL};
    exray_finding *last = findings->last;
    exray_status status = EXRAY_OK;
    if (!is_equal(exray_comparison_input(comparison, pair))) {
        bool samples;
        if (xr_explain_sound(comparison, pair, findings, &samples))
            return EXRAY_OK;
        status = xr_input_fit_make(comparison, pair, NULL, &fit, error);
        if (status == EXRAY_OK && xr_is_stored_unit(comparison, &fit))
            fit.state = XR_FIT_EQUAL;
        fit.values.picture = fit.values.picture && !exray_comparison_input(comparison, pair)->table &&
                             !is_of_sound(comparison);
        if (fit.values.picture && fit.state == XR_FIT_DIFFERS && fit.values.channels == 1 &&
            fit.values.floats)
            fit.values.picture = !xr_looks_like_spectra(comparison, pair);
        if (status == EXRAY_OK)
            status = judge_data(comparison, &fit, samples, findings, error);
        if (status == EXRAY_OK && findings->last == last)
            report_not_finite(comparison, pair, findings);
    }
    if (status != EXRAY_OK || findings->last != last)
        return status;
    return judge_statistics(comparison, pair, fit.state == XR_FIT_UNJUDGED ? fit.why : NULL, findings, error);
}

/* Those of ids together, since a mask follows from them; the others one by one. */
static exray_status judge_each(const exray_comparison *comparison, const xr_loops *loops,
                               exray_findings *findings, exray_error *error)
{
    size_t count = exray_comparison_input_count(comparison);
    bool *judged = calloc(2 * count + 1, sizeof *judged);
    if (!judged) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
        return EXRAY_E_MEMORY;
    }
    /* A state is no input of its own: model.state judges it. */
    for (size_t i = 0; i < count; i++)
        judged[i] = xr_is_exchanged(findings, EXRAY_KIND_INPUT, i) || xr_is_looped(loops, i);
    bool *shape_told = judged + count;
    xr_padding_effect padding;
    exray_status unjudged = EXRAY_OK, status = xr_padding_effect_find(comparison, &padding);
    if (status != EXRAY_OK)
        *error = (exray_error){status, "out of memory while comparing padded rows"};
    else {
        xr_judge_chosen_ids(comparison, judged, findings);
        status = xr_judge_tokens(comparison, padding, judged, shape_told, findings, error);
    }
    for (size_t i = 0; i < count; i++)
        shape_told[i] = shape_told[i] || xr_is_broken_loop(comparison, loops, i);
    if (status == EXRAY_OK && xr_report_shapes(comparison, padding, shape_told, findings) != EXRAY_OK) {
        status = EXRAY_E_MEMORY;
        *error = (exray_error){status, "out of memory while comparing the shapes of the inputs"};
    }
    for (size_t i = 0; i < count && status == EXRAY_OK; i++) {
        if (judged[i])
            continue;
        status = judge_one(comparison, i, findings, error);
        if (status == EXRAY_E_STATE) {
            unjudged = status;
            status = EXRAY_OK;
        }
    }
    free(judged);
    return status != EXRAY_OK ? status : unjudged;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    size_t count = exray_comparison_input_count(comparison);
    bool strings;
    const exray_status status = xr_string_inputs(comparison, findings, &strings, error);
    if (status)
        return status;
    if (count == 0 && !strings) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message,
                 "no input of the model is in both logs: record with --capture io or more");
        return error->status;
    }
    const xr_loops *loops = xr_loops_get(comparison, findings);
    if (!loops) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while looking for the model's states"};
        return EXRAY_E_MEMORY;
    }
    findings->inputs_judged = true;
    return judge_each(comparison, loops, findings, error);
}

static const char *const causes[] = {"input.shape",        "input.frame_order",   "input.stride",
                                     "input.layout",       "input.dtype",         "input.rotation",
                                     "input.flip",         "input.crop",          "input.resize",
                                     "input.color_space",  "input.channel_order", "input.normalization",
                                     "input.quantization", "input.decoder",       "input.sample_rate",
                                     "input.gain",         "input.features",      "input.delay",
                                     "input.tokens",       "input.unknown",       NULL};

const exray_assertion xr_assertion_input = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "input",
    .summary = "both sides feed the model the same input; differences are named step by step",
    .causes = causes,
    .needs = "/input of both logs, with data (less is told by statistics alone); more with /sensor",
    .run = run,
};
