/* The input: what takes the reference's model input to the edge's, link by link. */
#include "checks/builtin.h"
#include "checks/input/input_links.h"
#include "checks/input/input_words.h"
#include "checks/input/search/input_undo.h"

#include <math.h>
#include <stdio.h>

enum { VOTES = 64, VOTES_LARGE = 12 };

/* Share of a difference that runs along columns and rows, from which on it is a kernel's. */
#define SEPARABLE 0.4
/* Share of that which moving the picture explains, from which on it is no kernel. */
#define MOSTLY 0.55
/* The edge's slopes are steeper by this share. */
#define SHARPER 0.04
/* Blocks this far apart, levels rms, show another picture. */
#define UNLIKE 12.0
/* Of a picture with fewer rows, each finds another that is like it. */
enum { FEWEST_ROWS = 64 };
/* Luma is the same up to here (median, levels), and how many times that chroma must be off. */
#define SAME_LUMA    1.2
#define OTHER_CHROMA 3.0
/* The same where the difference is no larger than noise; and how much, in levels rms, rounding
 * alone does not make. */
#define SURELY_SEPARABLE 0.55
#define FINEST           0.4

static bool is_better(const xr_input_fit *after, const xr_input_fit *before, const xr_chain *chain)
{
    if (after->state == XR_FIT_EQUAL)
        return true;
    if (after->state != XR_FIT_NOISE && after->state != XR_FIT_DIFFERS)
        return false;
    double a = after->left_pixels, b = before->left_pixels;
    if (chain->warped)
        a = after->left_blocks, b = before->left_blocks;
    return b > 1.4 * a + 0.25;
}

static void report_colours(const exray_comparison *comparison, const xr_input_fit *before,
                           const xr_input_fit *fit, bool remapped, exray_findings *findings)
{
    xr_report_channel_order(comparison, fit, findings);
    xr_report_normalization(comparison, fit, findings);
    if (!remapped)
        xr_report_quantization(comparison, before, fit, findings);
    xr_report_unknown(comparison, fit, findings);
}

/* Samples that are left out leave what no filter of the picture is; but it lies at its edges,
 * averages out, and makes the picture sharper, or softer, as no compression and no noise does. */
static bool is_aliased(const xr_input_fit *fit, const xr_detail *d)
{
    return d->separable > SEPARABLE / 4 && d->at_edges > 4 && fabs(d->sharpness - 1) > 1.5 * SHARPER &&
           fit->left_blocks < 0.45 * fit->left_pixels;
}

static exray_finding *start_detail(const char *cause, const xr_input_fit *fit, const xr_detail *d,
                                   exray_findings *findings)
{
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, 0.75);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_number(f, "residual_before_levels", fit->left_pixels);
    exray_finding_number(f, "residual_blocks_levels", fit->left_blocks);
    exray_finding_number(f, "separable_share", d->separable);
    exray_finding_number(f, "moved_share", d->moved);
    exray_finding_number(f, "shift_pixels", d->shift);
    exray_finding_number(f, "sharpness_ratio", d->sharpness);
    exray_finding_number(f, "frames", (double)fit->frames);
    return f;
}

static void report_other_kernel(xr_scene *scene, const xr_input_fit *fit, const xr_detail *d,
                                exray_findings *findings)
{
    exray_finding *f = start_detail("input.resize", fit, d, findings);
    exray_finding_summary(
        f,
        "The edge resizes with another kernel: the same scene, but its fine detail differs (%s "
        "than the reference's).",
        d->sharpness > 1.02   ? "sharper, or more aliased,"
        : d->sharpness < 0.98 ? "softer"
                              : "neither sharper nor softer");
    exray_finding_detail(
        f, "%s",
        xr_scene_has_sensor(scene)
            ? "None of the kernels that exray knows makes this input of the sensor's picture."
            : "Which kernel cannot be told without the sensor's pictures.");
    exray_finding_fix(f, "Resize with the reference's filter (pipeline: `resize`; OpenCV: the interpolation "
                         "of resize; Pillow: "
                         "resample), antialiased where it is.");
    exray_finding_alternative(f, "input.decoder", 0.2);
    if (d->moved > d->separable / 4)
        exray_finding_alternative(f, "input.crop", 0.2);
}

static void report_shift(const xr_input_fit *fit, const xr_detail *d, exray_findings *findings)
{
    exray_finding *f = start_detail("input.crop", fit, d, findings);
    exray_finding_summary(
        f, "The edge cuts the picture out a little elsewhere, or enlarges it a little: by up to %.2f pixels.",
        d->shift);
    exray_finding_detail(f, "So do sizes that are rounded otherwise, such as a resize before the crop, not "
                            "after; the sensor's pictures would tell.");
    exray_finding_fix(f, "Crop and resize in the reference's order, with its rounding (pipeline: `crop`, "
                         "`resize`, `steps`).");
    exray_finding_alternative(f, "input.resize", 0.4);
}

/* Without a rendering that fits: a difference that runs along columns and rows is another kernel's,
 * or a shift of less than a pixel. */
static bool report_detail(xr_scene *scene, const xr_input_fit *fit, const xr_chain *chain,
                          exray_findings *findings)
{
    xr_detail d;
    bool known = !fit->explained && !chain->warped && xr_look_at_detail(scene, chain, &d);
    if (!known || (d.separable < SEPARABLE && !is_aliased(fit, &d)))
        return false;
    bool moved = d.moved > MOSTLY * d.separable && d.shift > 0.6 && fabs(d.sharpness - 1) < SHARPER;
    if (moved && chain->orientation && d.shift < 1.5)
        return true; /* cut out before it was turned, not after: pixels that do not divide */
    if (moved && !xr_scene_has_sensor(scene))
        report_shift(fit, &d, findings);
    else
        report_other_kernel(scene, fit, &d, findings);
    return true;
}

/* A gamma before the resize, undone after it, leaves what lies at the picture's edges; luma taken for
 * chroma leaves its columns: without the sensor's pictures that is all that can be done. */
static bool is_all_but_detail(const xr_chain *chain, const xr_input_fit *before, const xr_input_fit *after)
{
    double allowed = chain->tint.kind == XR_TINT_GAMMA ? 0.15 : chain->tint.kind == XR_TINT_PACKED ? 0.5 : 0;
    return !chain->rendered && after->left_pixels < allowed * before->raw_pixels;
}

/* The luma is the same, the chroma is not: its bytes were read in another format or order. */
static bool report_chroma(xr_scene *scene, const xr_input_fit *fit, const xr_chain *chain,
                          exray_findings *findings)
{
    double luma, all;
    if (chain->bend.set) /* pixels that wrap around on one side, and not on the other, are few and far off */
        return !fit->explained && xr_look_at_luma(scene, chain, &luma, &all) && luma <= SAME_LUMA;
    if (fit->explained || !xr_look_at_luma(scene, chain, &luma, &all) || luma > SAME_LUMA ||
        all < OTHER_CHROMA * SAME_LUMA)
        return false;
    exray_finding *f = exray_findings_add(findings, "input.color_space", EXRAY_SEVERITY_ERROR, 0.85);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f,
                          "The edge's colours are made differently: the luma is the reference's, the chroma "
                          "is not, and no mixture of colours explains it.");
    exray_finding_detail(f,
                         "So do chroma bytes that are read in another format (NV12 as I420), or from another "
                         "place.%s",
                         xr_scene_has_sensor(scene) ? "" : " The sensor's record would tell which.");
    exray_finding_fix(f,
                      "Read the camera's bytes in the format that it delivers, with its strides and offsets "
                      "of planes (media of the sensor record).");
    exray_finding_number(f, "luma_median_levels", luma);
    exray_finding_number(f, "all_median_levels", all);
    exray_finding_number(f, "frames", (double)fit->frames);
    return true;
}

/* The worst that no chain explains may be a picture whose rows were read with a wrong stride. */
static bool report_rows(xr_scene *scene, const xr_input_fit *fit, exray_findings *findings)
{
    size_t frames, telling;
    if (fit->explained || fit->left_blocks < UNLIKE || fit->rows < FEWEST_ROWS ||
        !xr_rows_are_moved(scene, &frames, &telling))
        return false;
    exray_finding *f = exray_findings_add(findings, "input.stride", EXRAY_SEVERITY_ERROR, 0.85);
    exray_finding_where(f, "input", fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(f, "The edge reads the camera's rows with the wrong stride: its rows are the "
                             "reference's, each moved sideways by another amount.");
    exray_finding_detail(f, "%s",
                         xr_scene_has_sensor(scene)
                             ? "No stride that exray knows makes this of the sensor's picture."
                             : "By how much cannot be told without the sensor's record.");
    exray_finding_fix(f,
                      "Step from row to row by the buffer's own row stride (bytes per line), not by width * "
                      "bytes per pixel.");
    exray_finding_number(f, "residual_levels", fit->left_pixels);
    exray_finding_number(f, "frames_supporting", (double)frames);
    exray_finding_number(f, "frames", (double)telling);
    return true;
}

/* A kernel that exray does not know, of which one that it knows is a near relative. */
static bool is_near_relative(const xr_explanation *e, const xr_input_fit *after)
{
    return e->present[XR_LINK_KERNEL] && after->left_luma < 3 &&
           after->left_pixels < 0.6 * e->before->raw_pixels && after->left_blocks < 0.3 * after->left_pixels;
}

/* What a rendering leaves of the reference, too, is no fault of the edge's: its kernel is one that
 * exray does not know. */
static bool is_as_near_as_the_reference(const xr_scene *scene, const xr_chain *chain)
{
    double reference = xr_levels_of(scene, EXRAY_SIDE_REFERENCE, chain->base_left);
    return chain->rendered && xr_levels_of(scene, EXRAY_SIDE_EDGE, chain->left) < 1.6 * reference + 0.3;
}

static exray_status fit_chain(xr_scene *scene, const xr_explanation *e, xr_input_fit *after,
                              exray_error *error)
{
    xr_applied applied = {.scene = scene, .chain = e->chain};
    xr_placement placement = {&applied, xr_apply_chain, e->chain->step};
    exray_status status = xr_input_fit_make(e->comparison, e->before->pair, &placement, after, error);
    xr_applied_free(&applied);
    return status;
}

/* Whether the chain is an explanation; `e` is filled.  A link that some frame contradicts is
 * taken out, and the rest must do without it. */
static exray_status judge_chain(xr_scene *scene, xr_explanation *e, xr_chain *chain, xr_input_fit *after,
                                bool *good, exray_error *error)
{
    exray_status status;
    bool dropped;
    do {
        dropped = false;
        status = fit_chain(scene, e, after, error);
        *good = status == EXRAY_OK && is_better(after, e->before, e->chain);
        if (*good) {
            xr_compare_ground(scene, chain, after);
            xr_list_links(e);
            xr_vote_links(scene, e, xr_scene_is_large(scene) ? VOTES_LARGE : VOTES);
            dropped = xr_drop_contradicted_links(e, chain);
        }
    } while (dropped);
    if (*good && xr_drop_idle_links(e, chain))
        status = fit_chain(scene, e, after, error);
    if (*good)
        after->explained = after->explained || (e->chain->warped && e->chain->left < 0.05) ||
                           is_all_but_detail(e->chain, e->before, after) || e->chain->remap.suffices ||
                           is_near_relative(e, after) || is_as_near_as_the_reference(scene, e->chain);
    return status;
}

/* Searches, and judges what was found.  A rendering that is exact on the frames searched on, and on
 * another is not, was rounded otherwise: with that one the search is made again, once. */
static exray_status search(xr_scene *scene, xr_explanation *e, xr_chain *chain, xr_input_fit *after,
                           bool *good, exray_error *error)
{
    exray_status status = EXRAY_OK;
    *good = false;
    for (int attempt = 0; attempt < 2; attempt++) {
        if (!xr_search(scene, chain))
            return EXRAY_OK;
        e->has_sensor = xr_scene_has_sensor(scene);
        status = judge_chain(scene, e, chain, after, good, error);
        bool exact = chain->rendered && xr_levels_of(scene, EXRAY_SIDE_EDGE, chain->left) < 0.5;
        if (status != EXRAY_OK || (*good && after->explained) || !exact || attempt)
            return status;
        scene->wanted = after->left_worst_frame + 1;
        xr_chain_free(chain);
    }
    return status;
}

static bool names_colours(const xr_input_fit *fit)
{
    return fit->state == XR_FIT_DIFFERS &&
           (fit->order_named || fit->order_tied || fit->map_named || fit->map_after);
}

/* Every link can be undone on the edge's values; none needs the sensor's picture. */
static bool has_exact_links_alone(const xr_explanation *e)
{
    for (size_t l = 0; l < XR_LINKS; l++)
        if (e->present[l] && l != XR_LINK_BEND && l != XR_LINK_LAYOUT && l != XR_LINK_ORIENTATION &&
            l != XR_LINK_GROUND)
            return false;
    return true;
}

/* Colours alone explain the difference: no search was made. */
static void keep_colours(const exray_comparison *comparison, const xr_input_fit *fit,
                         exray_findings *findings)
{
    xr_chain none = {.frames = exray_comparison_frame_count(comparison), .step = 1};
    xr_scene *scene = fit->picture && names_colours(fit) ? xr_scene_open(comparison, fit->pair, fit) : NULL;
    if (scene)
        xr_undo_keep(findings, scene, &none, fit, true);
}

static exray_status explain(const exray_comparison *comparison, const xr_input_fit *before, bool fine,
                            exray_findings *findings, exray_error *error)
{
    xr_scene *scene = xr_scene_open(comparison, before->pair, before);
    xr_chain chain = {0}, none = {.frames = exray_comparison_frame_count(comparison), .step = 1};
    xr_input_fit after, rest = *before;
    xr_explanation e = {.comparison = comparison, .before = before, .after = &after, .chain = &chain};
    bool good = false;
    if (!scene) {
        *error = (exray_error){EXRAY_E_MEMORY, "out of memory for the search on the inputs"};
        return EXRAY_E_MEMORY;
    }
    scene->fine = fine;
    exray_status status = search(scene, &e, &chain, &after, &good, error);
    if (good) {
        xr_report_links(&e, findings);
        rest = after;
    }
    const xr_chain *best = good ? &chain : &none;
    if (status == EXRAY_OK && rest.state == XR_FIT_DIFFERS &&
        (report_detail(scene, &rest, best, findings) || report_chroma(scene, &rest, best, findings) ||
         report_rows(scene, &rest, findings)))
        rest.explained = true;
    if (status == EXRAY_OK)
        report_colours(comparison, before, &rest, good && chain.remap.kind, findings);
    if (status == EXRAY_OK && (good || names_colours(&rest))) {
        xr_undo_keep(findings, scene, good ? &chain : &none, &rest, !good || has_exact_links_alone(&e));
        return status;
    }
    xr_chain_free(&chain);
    xr_scene_close(scene);
    return status;
}

/* A difference no larger than noise, but of a kind that no noise is. */
static bool looks_like_a_kernel(const exray_comparison *comparison, const xr_input_fit *fit)
{
    const xr_chain none = {.frames = exray_comparison_frame_count(comparison), .step = 1};
    xr_scene *scene = xr_scene_open(comparison, fit->pair, fit);
    xr_detail d = {0};
    bool known = scene && xr_scene_load(scene, &none) && xr_look_at_detail(scene, &none, &d);
    xr_scene_close(scene);
    return known && d.separable > SURELY_SEPARABLE && d.left > FINEST;
}

/* The same of colours: one tint takes most of it away. */
static bool looks_like_a_tint(const exray_comparison *comparison, const xr_input_fit *fit)
{
    xr_chain chain = {.frames = exray_comparison_frame_count(comparison), .step = 1};
    xr_scene *scene = fit->channels == 3 ? xr_scene_open(comparison, fit->pair, fit) : NULL;
    bool found = scene && xr_scene_load(scene, &chain) &&
                 xr_find_tint(scene, &chain, xr_levels_of(scene, EXRAY_SIDE_EDGE, 1));
    if (found) {
        xr_fit_sums sums = xr_chain_sums(scene, &chain);
        found = xr_unexplained_by_order(&sums, scene->channels, NULL) < 0.12 * chain.untinted_left;
    }
    xr_scene_close(scene);
    return found;
}

static exray_status look_at(const exray_comparison *comparison, const xr_input_fit *fit,
                            exray_findings *findings, exray_error *error)
{
    xr_input_fit judged = *fit;
    bool fine =
        fit->picture && fit->state == XR_FIT_NOISE && fit->raw_pixels > FINEST &&
        (looks_like_a_kernel(comparison, fit) || (fit->raw_pixels > 1 && looks_like_a_tint(comparison, fit)));
    if (fine) {
        judged.state = XR_FIT_DIFFERS;
        judged.explained = false;
    }
    if (judged.state == XR_FIT_DIFFERS && !judged.explained && judged.picture)
        return explain(comparison, &judged, fine, findings, error);
    report_colours(comparison, fit, fit, false, findings);
    keep_colours(comparison, fit, findings);
    return EXRAY_OK;
}

static exray_status run(const exray_comparison *comparison, exray_findings *findings, exray_error *error)
{
    return xr_for_inputs(comparison, findings, error, look_at);
}

static const char *const causes[] = {
    "input.frame_order", "input.stride",        "input.layout",        "input.dtype",
    "input.rotation",    "input.flip",          "input.crop",          "input.resize",
    "input.color_space", "input.channel_order", "input.normalization", "input.quantization",
    "input.decoder",     "input.tokens",        "input.unknown",       NULL};

const exray_assertion xr_assertion_input_explain = {
    .size = sizeof(exray_assertion),
    .abi = EXRAY_ASSERTION_ABI,
    .name = "input",
    .summary = "the model is given what the reference is given; what differs is named, link by link",
    .causes = causes,
    .needs = "/input of both logs, with data; more can be told with /sensor",
    .run = run,
};
