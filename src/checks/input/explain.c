#include "checks/input/explain.h"

#include "checks/findings.h"
#include "checks/input/color/known_colors.h"
#include "checks/input/columns/report_columns.h"
#include "checks/input/explanation.h"
#include "checks/input/fit/value_lines.h"
#include "checks/input/frames/clip_axes.h"
#include "checks/input/frames/clip_order.h"
#include "checks/input/frames/frame_words.h"
#include "checks/input/input_findings.h"
#include "checks/input/search/apply.h"
#include "checks/input/search/corrected.h"
#include "checks/input/search/find.h"
#include "checks/input/search/residual.h"
#include "checks/input/search/search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { VOTES = 64, VOTES_LARGE = 12 }; /* frames that vote on each step; where pictures are large */

/* A residual is a kernel's from this separable share on. */
#define SEPARABLE 0.4
/* It is a shift, and no kernel's, if a motion explains this share of that. */
#define MOSTLY 0.55
/* The edge counts as sharper or softer from this relative difference of slopes on. */
#define SHARPER 0.04
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

/* placed: the transform under which `fit` was made; NULL: none. */
static void report_colors(const exray_comparison *comparison, const xr_input_fit *before,
                          const xr_input_fit *fit, const xr_transform *placed, exray_findings *findings)
{
    xr_report_channel_order(comparison, fit, findings);
    xr_report_normalization(comparison, fit, findings);
    if (!placed || !placed->value_map.kind)
        xr_report_quantization(comparison, before, fit, findings);
    xr_report_unknown(comparison, fit, placed != NULL, findings);
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
    /* No resize leaves a channel as it is, but for one that is a constant (an alpha of 255). */
    for (size_t c = 0; c < fit->values.channels; c++)
        if (fit->channel_same[c] && fit->values.min[1][c] < fit->values.max[1][c])
            return false;
    bool known = !fit->residual.explained && !transform->crop.set && xr_measure_detail(pair, transform, &d);
    if (!known || !d.everywhere || (d.separable < SEPARABLE && !is_aliased(fit, &d)))
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

/* Whether only detail is left.  A gamma (or another conversion that is no mixture of the channels) before the
 * resize, undone after it, leaves a residual at edges;
 * luma read as chroma leaves columns.  Without the sensor's pictures no more can be explained. */
static bool is_all_but_detail(const xr_explanation *e, const xr_input_fit *after)
{
    const xr_transform *transform = e->transform;
    const bool nonlinear = xr_is_nonlinear(&transform->color);
    const double was = e->before->raw.pixels;
    const xr_fit_residual *left = &after->residual;
    double allowed = transform->color.kind == XR_COLOR_PACKED ? 0.5 : nonlinear ? 0.15 : 0;
    if (transform->resampling.set)
        return false;
    /* What averages show as well is no detail. */
    const bool at_edges = nonlinear && !e->has_sensor && left->pixels < 2 * allowed * was &&
                          left->blocks < allowed * e->before->residual.blocks &&
                          left->blocks < left->pixels / 2;
    return at_edges || left->pixels < allowed * was;
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
            is_all_but_detail(e, after) || e->transform->value_map.suffices || is_near_relative(e, after) ||
            is_as_exact_as_the_reference(pair, e->transform);
    return status;
}

static bool names_colors(const xr_input_fit *fit)
{
    return fit->state == XR_FIT_DIFFERS &&
           (fit->orders.named || fit->orders.tied || fit->map.named || fit->map.after_exchange);
}

static bool has_steps(const xr_explanation *e)
{
    for (size_t s = 0; s < XR_STEPS; s++)
        if (e->present[s])
            return true;
    return false;
}

/* Whether all that differs are values at the ends of the edge's range, which were left out as if they were
 * clipped: they are not where the reference's are within that range. */
static bool hides_the_difference(const xr_input_pair *pair, const xr_explanation *e,
                                 const xr_input_fit *after)
{
    const xr_input_values *v = &e->before->values;
    return pair->saturated && !has_steps(e) && !names_colors(after) && v->clipped <= 0.001 * v->counted;
}

/* Searches, and judges what was found.  Where what is left out at the ends of the range is the difference, it
 * is searched again with it.  A rendering that is exact on the searched frames but not on
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
        const bool hidden = status == EXRAY_OK && *good && hides_the_difference(pair, e, after);
        if (hidden) {
            *good = false;
            pair->whole = true;
            pair->saturated = false;
            if (attempt)
                return status;
            xr_transform_free(transform);
            continue;
        }
        if (status != EXRAY_OK || (*good && after->residual.explained) || !exact || attempt)
            return status;
        pair->required_frame = after->residual.worst_frame + 1;
        xr_transform_free(transform);
    }
    return status;
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

void xr_report_colors(const exray_comparison *comparison, const xr_input_fit *fit, exray_findings *findings)
{
    report_colors(comparison, fit, fit, NULL, findings);
    keep_colors(comparison, fit, findings);
}

/* A search: on which frames, from which difference, and what it found. */
typedef struct attempt {
    xr_input_pair *pair;
    xr_transform transform;
    xr_input_fit before, after; /* after: only where it is good */
    xr_explanation e;
    bool good;
    bool by_line; /* of some frames; the line of values is of all */
} attempt;

/* Moves an attempt; what it points to within itself, too. */
static void adopt(attempt *to, const attempt *from)
{
    *to = *from;
    to->e.before = &to->before;
    to->e.after = &to->after;
    to->e.transform = &to->transform;
    to->pair->fit = &to->before;
}

/* ---- Some frames only -------------------------------------------------------------------------- */

/* Levels rms up to which a frame is as the reference's. */
#define SAME_FRAME 1.5
/* Share of the variance that rounding leaves of a line. */
#define ON_LINE 1e-3
enum { LINED = 64 }; /* frames that a line may be of */

/* The difference of one frame under a transform, an order of channels and a map; levels rms, NAN where it
 * cannot be read. */
static double frame_difference(xr_input_pair *pair, const xr_transform *transform, const xr_input_fit *fit,
                               size_t frame)
{
    static const xr_channel_order plain = {.from = {0, 1, 2, 3}, .map = {{1, 1, 1, 1}, {0, 0, 0, 0}}};
    const xr_channel_order *o = fit && fit->orders.count ? &fit->orders.list[fit->orders.used] : &plain;
    const xr_affine *map = fit && (fit->map.named || fit->map.after_exchange) ? &o->map : &plain.map;
    xr_applied applied = {.pair = pair, .transform = transform};
    xr_placed p;
    exray_error error;
    double sum = 0, n = 0;
    if (xr_apply_transform(&applied, frame, &p, &error) == EXRAY_OK)
        for (size_t c = 0; c < p.channels; c++)
            for (size_t i = 0; i < p.width * p.height; i += 3) {
                size_t pixels = p.width * p.height;
                double d = (double)p.plane[0][c * pixels + i] -
                           map->gain[c] * (double)p.plane[1][o->from[c] * pixels + i] - map->offset[c];
                if (isfinite(d))
                    sum += d * d, n++;
            }
    xr_applied_free(&applied);
    return n > 0 ? sqrt(sum / n) / pair->fit->level[EXRAY_SIDE_EDGE] : NAN;
}

/* Two frames of one factor and offset, to a hundredth. */
static bool is_same_line(const xr_value_line *a, const xr_value_line *b)
{
    return a->known && b->known && a->rest < ON_LINE && b->rest < ON_LINE &&
           fabs(a->gain - b->gain) < 0.01 * fabs(a->gain) && fabs(a->offset - b->offset) < 0.03 * a->spread;
}

bool *xr_differing_frames(xr_input_pair *pair)
{
    size_t frames = exray_comparison_frame_count(pair->comparison), count = 0, known = 0;
    const xr_transform none = xr_transform_none(frames);
    bool *differs = calloc(frames + 1, sizeof *differs);
    for (size_t f = 0; f < frames && differs; f++) {
        double difference = frame_difference(pair, &none, NULL, f);
        known += isfinite(difference);
        differs[f] = difference > SAME_FRAME;
        count += differs[f];
    }
    if (count > 0 && count < known)
        return differs;
    free(differs);
    return NULL;
}

/* Frames that do not follow from the reference's by the line of most of the others: what is wrong in all is
 * the line, and something else in these.  NULL: there is no such line, or it is that of all. */
static bool *frames_off_the_line(const exray_comparison *comparison, const xr_input_fit *fit)
{
    size_t frames = exray_comparison_frame_count(comparison), known = 0, most = 0, seed = 0;
    xr_value_line *line = xr_value_lines(comparison, fit, XR_ALL_CHANNELS, INFINITY);
    bool *off = calloc(frames + 1, sizeof *off);
    for (size_t f = 0; line && f < frames && f < LINED; f++) {
        size_t alike = 0;
        for (size_t g = 0; line[f].known && g < frames; g++)
            alike += is_same_line(&line[f], &line[g]);
        if (alike > most)
            most = alike, seed = f;
    }
    for (size_t f = 0; line && off && f < frames; f++) {
        known += line[f].known;
        off[f] = line[f].known && !is_same_line(&line[seed], &line[f]);
    }
    free(line);
    if (off && most >= 2 && most < known)
        return off;
    free(off);
    return NULL;
}

/* Whether a frame that is left out would be wrong under what explains the others: else it says nothing, and
 * may have the same fault. */
static bool others_contradict(attempt *a)
{
    bool *only = a->pair->only, found = false;
    a->pair->only = NULL;
    for (size_t f = 0; f < a->transform.frames && !found; f++) {
        if (only[f])
            continue;
        const xr_transform none = xr_transform_none(a->transform.frames);
        double now = frame_difference(a->pair, &none, NULL, f);
        if (a->by_line && a->good)
            now = fmin(now, frame_difference(a->pair, &none, &a->after, f));
        double with = frame_difference(a->pair, &a->transform, a->good ? &a->after : &a->before, f);
        found = isfinite(with) ? with > 1.3 * now + 1 : a->transform.crop.set;
    }
    a->pair->only = only;
    return found;
}

/* ---- All of it --------------------------------------------------------------------------------- */

static exray_status out_of_memory(exray_error *error)
{
    *error = (exray_error){EXRAY_E_MEMORY, "out of memory for the search on the inputs"};
    return EXRAY_E_MEMORY;
}

static bool is_explained(const attempt *a)
{
    const xr_input_fit *fit = a->good ? &a->after : &a->before;
    return fit->state == XR_FIT_EQUAL || fit->state == XR_FIT_NOISE || fit->residual.explained;
}

static void close_attempt(attempt *a)
{
    xr_input_pair_close(a->pair);
    xr_transform_free(&a->transform);
    a->pair = NULL;
}

/* Searches on all frames, or (only not NULL, which it takes over) on those alone. */
static exray_status make_attempt(const exray_comparison *comparison, const xr_input_fit *before, bool fine,
                                 bool *only, attempt *a, exray_error *error)
{
    *a = (attempt){.before = *before, .pair = xr_input_pair_open(comparison, before->pair, before)};
    if (!a->pair) {
        free(only);
        return out_of_memory(error);
    }
    a->pair->only = only;
    a->pair->fine = fine;
    a->e = (xr_explanation){
        .comparison = comparison, .before = &a->before, .after = &a->after, .transform = &a->transform};
    a->transform = xr_transform_none(exray_comparison_frame_count(comparison));
    if (only) {
        xr_input_fit fit;
        exray_status status = fit_transform(a->pair, &a->e, &fit, error);
        if (status != EXRAY_OK)
            return status;
        a->before = fit;
    }
    a->pair->fit = &a->before;
    return a->before.residual.explained ? EXRAY_OK
                                        : search(a->pair, &a->e, &a->transform, &a->after, &a->good, error);
}

/* Explains these frames by themselves (takes `only` over); *done: they are, and the others are not so. */
static exray_status try_frames(const exray_comparison *comparison, attempt *all, bool *only, bool by_line,
                               bool *done, exray_error *error)
{
    attempt *some = malloc(sizeof *some);
    if (!some || !only) {
        free(some);
        free(only);
        return EXRAY_OK;
    }
    exray_status status = make_attempt(comparison, &all->before, all->pair->fine, only, some, error);
    some->by_line = by_line;
    *done = status == EXRAY_OK && is_explained(some) && (!by_line || some->good) && others_contradict(some);
    if (*done) {
        close_attempt(all);
        adopt(all, some);
    } else
        close_attempt(some);
    free(some);
    return status;
}

/* Where nothing explains all frames, those that differ may be explained by themselves: as they are, or behind
 * a line that is of all. */
static exray_status try_some_frames(const exray_comparison *comparison, attempt *all, exray_error *error)
{
    bool done = false;
    exray_status status = try_frames(comparison, all, xr_differing_frames(all->pair), false, &done, error);
    if (status == EXRAY_OK && !done)
        status =
            try_frames(comparison, all, frames_off_the_line(comparison, &all->before), true, &done, error);
    return status;
}

/* What the residual looks like without a step that makes it. */
static bool report_rest(attempt *a, const xr_input_fit *rest, exray_findings *findings)
{
    const xr_transform none = xr_transform_none(a->transform.frames);
    const xr_transform *best = a->good ? &a->transform : &none;
    return xr_report_gray(a->pair, rest, &a->transform, findings) ||
           xr_report_region(a->pair, rest, findings) || report_detail(a->pair, rest, best, findings) ||
           xr_report_chroma(a->pair, rest, best, findings) || xr_report_shifted_rows(a->pair, rest, findings);
}

/* Whether a gamma that was found imitates another curve: one curve of the values alone leaves far less. */
static bool is_rather_a_curve(const exray_comparison *comparison, const attempt *a)
{
    xr_tone_curve curve;
    for (size_t s = 0; s < XR_STEPS; s++)
        if (a->e.present[s] && s != XR_STEP_DECODE && s != XR_STEP_COLOR && s != XR_STEP_KERNEL)
            return false;
    const xr_decode_variant *d = &a->transform.decode;
    const bool before = d->kind == XR_DECODE_COLOR && d->color.kind == XR_COLOR_GAMMA;
    return a->good && !a->pair->only && (before || a->transform.color.kind == XR_COLOR_GAMMA) &&
           (a->after.map.named || !a->after.residual.explained) &&
           xr_find_tone_curve(comparison, &a->before, &curve) && curve.after < 0.5 * a->after.residual.pixels;
}

static void report(const exray_comparison *comparison, const xr_input_fit *all, attempt *a,
                   exray_findings *findings)
{
    xr_input_fit rest = a->good ? a->after : a->before;
    if (is_rather_a_curve(comparison, a) && xr_report_curve(comparison, &a->before, findings))
        return;
    if (!is_explained(a) && !a->pair->only && (!a->good || !has_steps(&a->e)) &&
        xr_report_table(comparison, all, false, findings))
        return;
    const exray_finding *last = findings->last;
    bool *only = a->pair->only;
    if (a->good)
        report_steps(&a->e, findings);
    if (rest.state == XR_FIT_DIFFERS && report_rest(a, &rest, findings))
        rest.residual.explained = true;
    report_colors(comparison, only ? &a->before : all, &rest, a->good ? &a->transform : NULL, findings);
    /* What is explained, but by nothing that has a name, is told as it is. */
    if (findings->last == last && !a->pair->fine && all->state == XR_FIT_DIFFERS && !all->residual.explained)
        xr_report_unknown(comparison, all, false, findings);
    for (exray_finding *f = last ? last->next : findings->first; f && only; f = f->next)
        if (!a->by_line || strcmp(f->cause, "input.normalization") != 0)
            exray_finding_frames(f, comparison, only);
    if (a->good || names_colors(&rest)) {
        if (!a->good) {
            xr_transform_free(&a->transform);
            a->transform = xr_transform_none(exray_comparison_frame_count(comparison));
        }
        bool exact = !a->good || has_only_exact_steps(&a->e);
        xr_corrected_keep(findings, a->pair, &a->transform, &rest, exact);
        a->pair = NULL;
    }
}

/* Pictures of more channels than the search knows of. */
static bool report_bands(const exray_comparison *comparison, const xr_input_fit *fit,
                         exray_findings *findings)
{
    return xr_form_of(comparison, fit) == XR_IS_BANDS &&
           (xr_report_places(comparison, fit, findings) || xr_report_columns(comparison, fit, findings));
}

exray_status xr_explain_input(const exray_comparison *comparison, const xr_input_fit *before, bool fine,
                              exray_findings *findings, exray_error *error)
{
    attempt *a = malloc(sizeof *a);
    if (!a)
        return out_of_memory(error);
    exray_status status = EXRAY_OK;
    /* Of values without a common unit, what they are read as tells nothing. */
    xr_input_pair *pair =
        before->values.open_unit ? NULL : xr_input_pair_open(comparison, before->pair, before);
    bool told =
        pair && (xr_report_words(comparison, before, findings) ||
                 xr_report_clip_order(comparison, before, findings) ||
                 xr_report_clip_axes(comparison, before, findings) ||
                 report_bands(comparison, before, findings) || xr_report_bytes(comparison, before, findings));
    xr_found_values values = {0};
    const bool mistaken = pair && !told && xr_find_values(comparison, before, &values);
    /* Of that, the search below knows how to undo it. */
    const bool searched = mistaken && values.mistake == XR_MISTAKE_SIGN_BIT && values.stored;
    if (mistaken && !searched) {
        xr_report_values(before, &values, findings);
        told = true;
    }
    told = told || (pair && !mistaken && xr_report_wrapped(comparison, before, findings));
    told = told || (pair && !mistaken && xr_report_stored(comparison, before, findings));
    told = told || (pair && (xr_report_torn(pair, findings) || xr_report_filled_bars(pair, findings)));
    xr_input_pair_close(pair);
    if (!told) {
        status = make_attempt(comparison, before, fine, NULL, a, error);
        if (status == EXRAY_OK && !is_explained(a))
            status = try_some_frames(comparison, a, error);
        if (status == EXRAY_OK && searched && !is_explained(a))
            xr_report_values(before, &values, findings);
        else if (status == EXRAY_OK)
            report(comparison, before, a, findings);
        close_attempt(a);
    }
    free(a);
    return status;
}
