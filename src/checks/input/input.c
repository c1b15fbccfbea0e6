/* input: what takes the reference's model input to the edge's, step by step. */
#include "checks/builtin.h"
#include "checks/findings.h"
#include "checks/input/explanation.h"
#include "checks/input/frame_list.h"
#include "checks/input/input_findings.h"
#include "checks/input/search/apply.h"
#include "checks/input/search/corrected.h"
#include "checks/input/search/find.h"
#include "checks/input/search/residual.h"
#include "checks/input/search/search.h"
#include "checks/port/port_exchange.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

enum { VOTES = 64, VOTES_LARGE = 12 }; /* frames that vote on each step; where pictures are large */

/* A residual is a kernel's from this separable share on. */
#define SEPARABLE 0.4
/* It is a shift, and no kernel's, if a motion explains this share of that. */
#define MOSTLY 0.55
/* The edge counts as sharper or softer from this relative difference of slopes on. */
#define SHARPER 0.04
/* The separable share where the difference is no larger than noise; and the difference in levels rms
 * that rounding alone does not make. */
#define SURELY_SEPARABLE 0.55
#define FINEST           0.4

static bool is_better(const xr_input_fit *after, const xr_input_fit *before, const xr_transform *transform)
{
    if (after->state == XR_FIT_EQUAL)
        return true;
    if (after->state != XR_FIT_NOISE && after->state != XR_FIT_DIFFERS)
        return false;
    double a = after->residual.pixels, b = before->residual.pixels;
    if (transform->crop.set)
        a = after->residual.blocks, b = before->residual.blocks;
    return b > 1.4 * a + 0.25;
}

static void report_colors(const exray_comparison *comparison, const xr_input_fit *before,
                          const xr_input_fit *fit, bool values_named, exray_findings *findings)
{
    xr_report_channel_order(comparison, fit, findings);
    xr_report_normalization(comparison, fit, findings);
    if (!values_named)
        xr_report_quantization(comparison, before, fit, findings);
    xr_report_unknown(comparison, fit, findings);
}

/* A finding for each step, in the order in which data pass through them. */
static void report_steps(const xr_explanation *e, exray_findings *findings)
{
    static const struct {
        xr_transform_step step;
        void (*report)(const xr_explanation *e, exray_findings *findings);
    } reports[] = {
        {XR_STEP_FRAME_ORDER, xr_report_frame_order},
        {XR_STEP_DECODE, xr_report_decoding},
        {XR_STEP_STRIDE, xr_report_stride},
        {XR_STEP_LAYOUT, xr_report_layout},
        {XR_STEP_SIGN_WRAP, xr_report_sign_wrap},
        {XR_STEP_TURN, xr_report_orientation},
        {XR_STEP_CROP, xr_report_crop},
        {XR_STEP_PADDING, xr_report_padding},
        {XR_STEP_KERNEL, xr_report_kernel},
        {XR_STEP_COLOR, xr_report_color},
        {XR_STEP_VALUE_MAP, xr_report_wrong_normalization},
        {XR_STEP_VALUE_MAP, xr_report_wrong_quantization},
    };
    for (size_t i = 0; i < sizeof reports / sizeof *reports; i++)
        if (e->present[reports[i].step])
            reports[i].report(e, findings);
}

/* ---- Kinds of a residual ----------------------------------------------------------------- */

/* Whether the residual is that of aliasing: skipped samples are no filter of the picture, but their effect
 * is at its edges, averages out, and makes it sharper or softer, unlike compression and noise. */
static bool is_aliased(const xr_input_fit *fit, const xr_residual_detail *d)
{
    return d->separable > SEPARABLE / 4 && d->at_edges > 4 && fabs(d->sharpness - 1) > 1.5 * SHARPER &&
           fit->residual.blocks < 0.45 * fit->residual.pixels;
}

/* Without a rendering that fits, a separable residual is another kernel's, or a small shift.  Whether it
 * was reported. */
static bool report_detail(xr_input_pair *pair, const xr_input_fit *fit, const xr_transform *transform,
                          exray_findings *findings)
{
    xr_residual_detail d;
    bool known = !fit->residual.explained && !transform->crop.set && xr_measure_detail(pair, transform, &d);
    if (!known || (d.separable < SEPARABLE && !is_aliased(fit, &d)))
        return false;
    bool moved = d.by_motion > MOSTLY * d.separable && d.shift > 0.6 && fabs(d.sharpness - 1) < SHARPER;
    if (moved && transform->turn.orientation && d.shift < 1.5)
        return true; /* cut out before it was turned, with another rounding: no fault */
    if (moved && !pair->has_sensor)
        xr_report_shift(pair, fit, &d, findings);
    else
        xr_report_other_kernel(pair, fit, &d, findings);
    return true;
}

/* Whether only detail is left.  A gamma before the resize, undone after it, leaves a residual at edges;
 * luma read as chroma leaves columns.  Without the sensor's pictures no more can be explained. */
static bool is_all_but_detail(const xr_transform *transform, const xr_input_fit *before,
                              const xr_input_fit *after)
{
    double allowed = transform->color.kind == XR_COLOR_GAMMA    ? 0.15
                     : transform->color.kind == XR_COLOR_PACKED ? 0.5
                                                                : 0;
    return !transform->resampling.set && after->residual.pixels < allowed * before->raw.pixels;
}

/* Whether the edge has an unknown kernel that is similar to the known one that was found. */
static bool is_near_relative(const xr_explanation *e, const xr_input_fit *after)
{
    return e->present[XR_STEP_KERNEL] && after->residual.luma < 3 &&
           after->residual.pixels < 0.6 * e->before->raw.pixels &&
           after->residual.blocks < 0.3 * after->residual.pixels;
}

/* Whether the edge's residual is no larger than the reference's: then both have a kernel that exray does
 * not know, and it is no fault. */
static bool is_as_exact_as_the_reference(const xr_input_pair *pair, const xr_transform *transform)
{
    double reference = xr_levels_of(pair, EXRAY_SIDE_REFERENCE, transform->resampling.reference_residual);
    return transform->resampling.set &&
           xr_levels_of(pair, EXRAY_SIDE_EDGE, transform->residual) < 1.6 * reference + 0.3;
}

static exray_status fit_transform(xr_input_pair *pair, const xr_explanation *e, xr_input_fit *after,
                                  exray_error *error)
{
    xr_applied applied = {.pair = pair, .transform = e->transform};
    xr_placement placement = {&applied, xr_apply_transform, e->transform->every};
    exray_status status = xr_input_fit_make(e->comparison, e->before->pair, &placement, after, error);
    xr_applied_free(&applied);
    return status;
}

/* Judges whether the transform is an explanation (*good), and fills `e`.  Steps that some frame
 * contradicts are removed, and the rest is judged again. */
static exray_status judge_transform(xr_input_pair *pair, xr_explanation *e, xr_transform *transform,
                                    xr_input_fit *after, bool *good, exray_error *error)
{
    exray_status status;
    bool dropped;
    do {
        dropped = false;
        status = fit_transform(pair, e, after, error);
        *good = status == EXRAY_OK && is_better(after, e->before, e->transform);
        if (*good) {
            xr_compare_padding(pair, transform, after);
            xr_list_steps(e);
            xr_vote_on_steps(pair, e, xr_input_pair_is_large(pair) ? VOTES_LARGE : VOTES);
            dropped = xr_drop_contradicted_steps(e, transform);
        }
    } while (dropped);
    if (*good && xr_drop_idle_steps(e, transform))
        status = fit_transform(pair, e, after, error);
    if (*good)
        after->residual.explained =
            after->residual.explained || (e->transform->crop.set && e->transform->residual < 0.05) ||
            (e->transform->reading.set && e->transform->reading.kind == XR_READ_EXCHANGED) ||
            is_all_but_detail(e->transform, e->before, after) || e->transform->value_map.suffices ||
            is_near_relative(e, after) || is_as_exact_as_the_reference(pair, e->transform);
    return status;
}

/* Searches, and judges what was found.  A rendering that is exact on the searched frames but not on
 * another one has the wrong rounding: the search is repeated once, with that frame. */
static exray_status search(xr_input_pair *pair, xr_explanation *e, xr_transform *transform,
                           xr_input_fit *after, bool *good, exray_error *error)
{
    exray_status status = EXRAY_OK;
    *good = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!xr_search(pair, transform))
            return EXRAY_OK;
        e->has_sensor = pair->has_sensor;
        status = judge_transform(pair, e, transform, after, good, error);
        bool exact =
            transform->resampling.set && xr_levels_of(pair, EXRAY_SIDE_EDGE, transform->residual) < 0.5;
        if (status != EXRAY_OK || (*good && after->residual.explained) || !exact || attempt)
            return status;
        pair->required_frame = after->residual.worst_frame + 1;
        xr_transform_free(transform);
    }
    return status;
}

static bool names_colors(const xr_input_fit *fit)
{
    return fit->state == XR_FIT_DIFFERS &&
           (fit->orders.named || fit->orders.tied || fit->map.named || fit->map.after_exchange);
}

/* Whether every step can be undone on the edge's values, without the sensor's picture. */
static bool has_only_exact_steps(const xr_explanation *e)
{
    for (size_t l = 0; l < XR_STEPS; l++)
        if (e->present[l] && l != XR_STEP_SIGN_WRAP && l != XR_STEP_LAYOUT && l != XR_STEP_TURN &&
            l != XR_STEP_PADDING)
            return false;
    return true;
}

/* Keeps colors that explain the difference without a search. */
static void keep_colors(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    xr_transform none = xr_transform_none(exray_comparison_frame_count(comparison));
    xr_input_pair *pair =
        fit->values.picture && names_colors(fit) ? xr_input_pair_open(comparison, fit->pair, fit) : NULL;
    if (pair)
        xr_corrected_keep(findings, pair, &none, fit, true);
}

static exray_status explain(const exray_comparison *comparison, const xr_input_fit *before, bool fine,
                            exray_findings *findings, exray_error *error)
{
    xr_input_pair *pair = xr_input_pair_open(comparison, before->pair, before);
    xr_transform transform = {0}, none = xr_transform_none(exray_comparison_frame_count(comparison));
    xr_input_fit after, rest = *before;
    xr_explanation e = {.comparison = comparison, .before = before, .after = &after, .transform = &transform};
    bool good = false;
    if (!pair) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory for the search on the inputs"};
        return EXRAY_E_MEMORY;
    }
    pair->fine = fine;
    exray_status status = search(pair, &e, &transform, &after, &good, error);
    if (good) {
        report_steps(&e, findings);
        rest = after;
    }
    const xr_transform *best = good ? &transform : &none;
    if (status == EXRAY_OK && rest.state == XR_FIT_DIFFERS &&
        (report_detail(pair, &rest, best, findings) || xr_report_chroma(pair, &rest, best, findings) ||
         xr_report_shifted_rows(pair, &rest, findings)))
        rest.residual.explained = true;
    if (status == EXRAY_OK)
        report_colors(comparison, before, &rest, good && transform.value_map.kind, findings);
    if (status == EXRAY_OK && (good || names_colors(&rest)))
        xr_corrected_keep(findings, pair, good ? &transform : &none, &rest,
                          !good || has_only_exact_steps(&e));
    else
        xr_input_pair_close(pair);
    xr_transform_free(&transform);
    return status;
}

/* Whether a difference no larger than noise is that of a kernel. */
static bool looks_like_a_kernel(const exray_comparison *comparison, const xr_input_fit *fit)
{
    const xr_transform none = xr_transform_none(exray_comparison_frame_count(comparison));
    xr_input_pair *pair = xr_input_pair_open(comparison, fit->pair, fit);
    xr_residual_detail d = {0};
    bool known = pair && xr_search_frames_load(pair, &none) && xr_measure_detail(pair, &none, &d);
    xr_input_pair_close(pair);
    return known && d.separable > SURELY_SEPARABLE && d.levels > FINEST;
}

/* Whether such a difference is one of colors: a conversion explains most of it. */
static bool looks_like_a_color(const exray_comparison *comparison, const xr_input_fit *fit)
{
    xr_transform transform = xr_transform_none(exray_comparison_frame_count(comparison));
    xr_input_pair *pair = fit->values.channels == 3 ? xr_input_pair_open(comparison, fit->pair, fit) : NULL;
    bool found = pair && xr_search_frames_load(pair, &transform) && xr_find_color(pair, &transform);
    if (found) {
        xr_fit_sums sums = xr_transform_sums(pair, &transform);
        found =
            xr_unexplained_by_order(&sums, pair->channels, NULL) < 0.12 * transform.color.residual_without;
    }
    xr_input_pair_close(pair);
    return found;
}

static exray_status judge_input(const exray_comparison *comparison, const xr_input_fit *fit,
                                exray_findings *findings, exray_error *error)
{
    xr_input_fit judged = *fit;
    bool fine = fit->values.picture && fit->state == XR_FIT_NOISE && fit->raw.pixels > FINEST &&
                (looks_like_a_kernel(comparison, fit) ||
                 (fit->raw.pixels > 1 && looks_like_a_color(comparison, fit)));
    if (fine) {
        judged.state = XR_FIT_DIFFERS;
        judged.residual.explained = false;
    }
    if (judged.state == XR_FIT_DIFFERS && !judged.residual.explained && judged.values.picture)
        return explain(comparison, &judged, fine, findings, error);
    report_colors(comparison, fit, fit, false, findings);
    keep_colors(comparison, fit, findings);
    return EXRAY_OK;
}

/* Adds to the findings after `last` which frames they are about. */
static exray_status say_affected(const exray_comparison *comparison, const xr_input_fit *fit,
                                 exray_finding *last, exray_findings *findings, exray_error *error)
{
    size_t frames = exray_comparison_frame_count(comparison), count = 0;
    bool *affected = calloc(frames + 1, sizeof *affected);
    char list[256];
    if (!affected) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the inputs"};
        return EXRAY_E_MEMORY;
    }
    exray_status status = xr_input_fit_affected(comparison, fit, affected, error);
    for (size_t f = 0; f < frames; f++)
        count += affected[f];
    xr_list_frames(comparison, affected, list, sizeof list);
    for (exray_finding *f = last ? last->next : findings->first; f && status == EXRAY_OK; f = f->next) {
        exray_finding_detail(f, "This is so in %zu of %zu frames only: %s.", count, fit->values.frames, list);
        exray_finding_text(f, "frame_list", list);
        exray_finding_number(f, "frames_affected", (double)count);
    }
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

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    size_t count = exray_comparison_input_count(comparison);
    if (count == 0) {
        error->status = EXRAY_E_STATE;
        snprintf(error->message, sizeof error->message,
                 "no input of the model is in both logs: record with --capture io or more");
        return error->status;
    }
    exray_status unjudged = xr_report_shapes(comparison, findings);
    if (unjudged != EXRAY_OK) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory while comparing the shapes of the inputs"};
        return unjudged;
    }
    for (size_t i = 0; i < count; i++) {
        if (is_equal(exray_comparison_input(comparison, i)) || xr_is_exchanged(findings, EXRAY_KIND_INPUT, i))
            continue;
        xr_input_fit fit;
        exray_status status = xr_input_fit_make(comparison, i, NULL, &fit, error);
        if (status != EXRAY_OK)
            return status;
        if (fit.state == XR_FIT_UNJUDGED) {
            unjudged = error->status = EXRAY_E_STATE;
            snprintf(error->message, sizeof error->message, "input %s: %s", fit.io->name[0], fit.why);
        }
        exray_finding *last = findings->last;
        status = judge_input(comparison, &fit, findings, error);
        if (status == EXRAY_OK && fit.unaffected)
            status = say_affected(comparison, &fit, last, findings, error);
        if (status != EXRAY_OK)
            return status;
    }
    return unjudged;
}

static const char *const causes[] = {"input.shape",
                                     "input.frame_order",
                                     "input.stride",
                                     "input.layout",
                                     "input.dtype",
                                     "input.rotation",
                                     "input.flip",
                                     "input.crop",
                                     "input.resize",
                                     "input.color_space",
                                     "input.channel_order",
                                     "input.normalization",
                                     "input.quantization",
                                     "input.decoder",
                                     "input.tokens",
                                     "input.unknown",
                                     NULL};

const exray_assertion xr_assertion_input = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "input",
    .summary = "both sides feed the model the same input; differences are named step by step",
    .causes = causes,
    .needs = "/input of both logs, with data; more can be told with /sensor",
    .run = run,
};
