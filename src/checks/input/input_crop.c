/* input.crop: another part of the picture, or another padding of its letterbox. */
#include "checks/findings.h"
#include "checks/input/input_findings.h"
#include "checks/input/picture/bars.h"
#include "checks/input/pipeline_of.h"
#include "checks/input/words.h"

#include <math.h>
#include <stdio.h>

static const char *pipeline_crop(const xr_rendering *r, char *text, size_t size)
{
    if (r->geometry.kind == XR_LETTERBOX)
        snprintf(text, size, "crop: letterbox%s", xr_is_in_corner(&r->geometry) ? " corner" : "");
    else if (r->geometry.kind == XR_RECTANGLE && r->geometry.fx > 0.998 && r->geometry.fy > 0.998)
        snprintf(text, size, "crop: none");
    else if (r->resize_first)
        snprintf(text, size, "steps: [resize, crop]");
    else
        snprintf(text, size, "crop: center %.4g", r->geometry.fx);
    return text;
}

static void report_other_part(const xr_explanation *e, exray_findings *findings)
{
    const xr_transform *c = e->transform;
    char edge[160], reference[160], key[64];
    double target = (double)(e->before->values.columns);
    xr_geometry_text(&c->resampling.edge, target, edge, sizeof edge);
    xr_geometry_text(&c->resampling.reference, target, reference, sizeof reference);
    exray_finding *f =
        xr_begin_step(e, findings, "input.crop", XR_STEP_CROP, xr_step_confidence(e, XR_STEP_CROP));
    exray_finding_summary(f, "The edge shows the model another part of the scene: %s; the reference: %s.",
                          edge, reference);
    exray_finding_fix(
        f,
        "Cut the picture as the reference does: %s (%sin C: the same left, top, width and "
        "height, rounded alike).",
        reference,
        xr_pipeline_key(e->comparison, "%s", pipeline_crop(&c->resampling.reference, key, sizeof key)).text);
    exray_finding_text(f, "edge_part", edge);
    exray_finding_text(f, "reference_part", reference);
    exray_finding_number(f, "edge_fraction", c->resampling.edge.geometry.fx);
    exray_finding_number(f, "reference_fraction", c->resampling.reference.geometry.fx);
}

/* A part whose edges are this many of the model's pixels from the reference's is what grids, rounded sizes
 * and reduced decoding make, too. */
#define SAME_SCENE 2.0
/* A cut alone leaves less of the difference than this. */
#define CUT_LEAVES 0.4

/* By how many of the model's pixels the farthest edge of the parts is from the reference's, on average. */
static double moved_pixels(const xr_explanation *e)
{
    const xr_crop *crop = &e->transform->crop;
    double columns = (double)e->before->values.columns, rows = (double)e->before->values.rows, sum = 0,
           count = 0;
    for (size_t f = 0; f < e->transform->frames; f++) {
        const xr_part *m = &crop->part[f];
        if (!(m->x1 > m->x0))
            continue;
        double x = fmax(fabs(m->x0), fabs(m->x1 - 1)) * columns,
               y = fmax(fabs(m->y0), fabs(m->y1 - 1)) * rows;
        sum += fmax(x, y), count++;
    }
    return count > 0 ? sum / count : INFINITY;
}

/* The same scene, a little elsewhere, of which most of the difference is left: the finer half of it is
 * another kernel's, or a decoder's. */
static bool report_same_scene(const xr_explanation *e, exray_findings *findings)
{
    double size = fmin((double)e->before->values.columns, (double)e->before->values.rows);
    double moved = moved_pixels(e), before = e->before->residual.pixels, after = e->after->residual.pixels;
    if (!(moved <= SAME_SCENE * size && after > CUT_LEAVES * before))
        return false;
    exray_finding *f = xr_begin_step(e, findings, "input.resize", XR_STEP_CROP, 0.6);
    exray_finding_summary(
        f,
        "The edge resizes, or decodes, otherwise: the same scene, moved or enlarged by up to %.1f "
        "pixels, but its fine detail differs.",
        moved);
    exray_finding_detail(f,
                         "Without the sensor's pictures the kernel of the resize cannot be told: record with "
                         "--capture io and the sensor's data.");
    exray_finding_fix(
        f,
        "Decode the picture whole, as the reference does (no reduced size), and resize it with the "
        "reference's filter and grid (%sOpenCV: INTER_*; half-pixel centers).",
        xr_pipeline_key(e->comparison, "resize").text);
    exray_finding_number(f, "shift_pixels", moved);
    exray_finding_number(f, "residual_share", e->transform->residual);
    exray_finding_alternative(f, "input.decoder", 0.4);
    exray_finding_alternative(f, "input.crop", 0.3);
    return true;
}

static void report_crop(const xr_explanation *e, exray_findings *findings)
{
    if (report_same_scene(e, findings))
        return;
    const xr_transform *c = e->transform;
    double x = 0, y = 0, dx = 0, dy = 0, uneven = 0;
    size_t n = 0;
    for (size_t f = 0; f < c->frames; f++) {
        const xr_part *m = &c->crop.part[f];
        if (!(m->x1 > m->x0))
            continue;
        double sx = m->x1 - m->x0, sy = m->y1 - m->y0;
        x += sx, y += sy, n++;
        dx += (m->x0 + m->x1 - 1) / 2, dy += (m->y0 + m->y1 - 1) / 2;
        uneven += fabs(log(sx / sy));
    }
    if (n == 0)
        return;
    double count = (double)n;
    exray_finding *f = xr_begin_step(e, findings, "input.crop", XR_STEP_CROP, 0.95);
    exray_finding_summary(
        f,
        "The edge shows the model another part of the scene: on average %.0f %% of the width and "
        "%.0f %% of the height that the reference shows%s.",
        100 * x / count, 100 * y / count,
        uneven / count > 0.04 ? ", stretched otherwise (another shape)" : "");
    if (fabs(dx / count) > 0.015 || fabs(dy / count) > 0.015)
        exray_finding_detail(f, "Its middle is off by %.1f %% of the width and %.1f %% of the height.",
                             100 * dx / count, 100 * dy / count);
    exray_finding_detail(
        f, "Without the sensor's pictures the kernel of the resize cannot be told beside it: record "
           "with --capture io and the sensor's data.");
    exray_finding_fix(f,
                      "Cut the picture as the reference does: the same fraction, stretched or "
                      "letterboxed alike (%sin C: the same left, top, width and height).",
                      xr_pipeline_key(e->comparison, "crop").text);
    exray_finding_number(f, "width_ratio", x / count);
    exray_finding_number(f, "height_ratio", y / count);
    exray_finding_number(f, "offset_x", dx / count);
    exray_finding_number(f, "offset_y", dy / count);
    exray_finding_number(f, "residual_share", c->residual);
}

/* A region that is turned by some degrees: input.rotation. */
static void report_turn(const xr_explanation *e, exray_findings *findings)
{
    const xr_crop *crop = &e->transform->crop;
    double sum = 0, low = INFINITY, high = -INFINITY, scale = 0, dx = 0, dy = 0, count = 0;
    for (size_t f = 0; f < e->transform->frames; f++) {
        const xr_part *m = &crop->part[f];
        if (!(m->x1 > m->x0))
            continue;
        double degrees = crop->turn[f] * 180 / 3.14159265358979323846;
        sum += degrees, low = fmin(low, degrees), high = fmax(high, degrees), count++;
        scale += m->x1 - m->x0, dx += (m->x0 + m->x1 - 1) / 2, dy += (m->y0 + m->y1 - 1) / 2;
    }
    if (!(count > 0))
        return;
    double mean = sum / count;
    exray_finding *f = xr_begin_step(e, findings, "input.rotation", XR_STEP_CROP, 0.95);
    char angle[96];
    if (high - low < 2)
        snprintf(angle, sizeof angle, "%.1f degrees %sclockwise", fabs(mean), mean > 0 ? "counter-" : "");
    else
        snprintf(angle, sizeof angle, "another angle in each frame (%.1f to %.1f degrees counter-clockwise)",
                 low, high);
    exray_finding_summary(
        f,
        "The edge's picture is the reference's, turned by %s about its middle; which of them is right, the "
        "logs do not say.",
        angle);
    if (fabs(scale / count - 1) > 0.02 || fabs(dx / count) > 0.015 || fabs(dy / count) > 0.015)
        exray_finding_detail(f,
                             "It shows %.0f %% of the reference's width, and its middle is off by %.1f %% of "
                             "the width and %.1f %% of the height.",
                             100 * scale / count, 100 * dx / count, 100 * dy / count);
    exray_finding_fix(
        f,
        "Turn the region as the reference does (%sa tracker's rectangle has an angle, which the "
        "crop must be given).",
        xr_pipeline_key(e->comparison, "region").text);
    exray_finding_number(f, "degrees_counter_clockwise", mean);
    exray_finding_number(f, "least_degrees", low);
    exray_finding_number(f, "greatest_degrees", high);
    exray_finding_number(f, "width_ratio", scale / count);
    exray_finding_number(f, "residual_share", e->transform->residual);
}

void xr_report_crop(const xr_explanation *e, exray_findings *findings)
{
    if (e->transform->crop.set && e->transform->crop.turn)
        report_turn(e, findings);
    else if (e->transform->crop.set)
        report_crop(e, findings);
    else
        report_other_part(e, findings);
}

/* A value in levels of 8 bits, and 0 instead of -0. */
static double as_pixel(const xr_transform *c, double value)
{
    return round((value - c->unit.offset[0]) / c->unit.gain[0]) + 0.0;
}

void xr_report_padding(const xr_explanation *e, exray_findings *findings)
{
    const xr_transform *c = e->transform;
    const xr_padding *g = &c->padding;
    exray_finding *f = xr_begin_step(e, findings, "input.crop", XR_STEP_PADDING, 0.95);
    exray_finding_summary(f,
                          "The edge fills the ground of its letterbox with another colour: %.4g, where the "
                          "reference has %.4g.",
                          g->edge[0], g->reference[0]);
    if (c->unit.measured)
        exray_finding_detail(f, "As pixels: %.0f and %.0f.", as_pixel(c, g->edge[0]),
                             as_pixel(c, g->reference[0]));
    exray_finding_fix(f,
                      "Fill the ground with the reference's colour (%sbefore the normalization, or "
                      "after it with a normalized value: as the reference does).",
                      xr_pipeline_key(e->comparison, "crop: letterbox PAD").text);
    exray_finding_number(f, "edge_ground", g->edge[0]);
    exray_finding_number(f, "reference_ground", g->reference[0]);
    exray_finding_number(f, "frames_with_ground", (double)g->frames);
}

/* ---- Bars that one side fills with the picture --------------------------------------------------- */

/* Levels rms: what decoders and rounding leave; what shows something else. */
#define SAME  1.5
#define OTHER 4.0

/* Mean squares of the difference within bars and beside them, in levels. */
typedef struct bar_difference {
    double within, beside;
} bar_difference;

static bar_difference difference_by_bars(const xr_bars *bars, const xr_raster *a, const xr_raster *b,
                                         double level)
{
    const size_t pixels = a->width * a->height;
    double sum[2] = {0, 0}, count[2] = {0, 0};
    xr_bars wider = *bars; /* a resize mixes the line beside each */
    wider.top += bars->top > 0, wider.left += bars->left > 0;
    wider.bottom += bars->bottom > 0, wider.right += bars->right > 0;
    for (size_t y = 0; y < a->height; y++)
        for (size_t x = 0; x < a->width; x++) {
            const bool in = xr_is_in_bars(bars, a, x, y, 0);
            for (size_t c = 0; (in || !xr_is_in_bars(&wider, a, x, y, 0)) && c < a->channels; c++) {
                const double d =
                    (double)a->v[c * pixels + y * a->width + x] - (double)b->v[c * pixels + y * a->width + x];
                sum[in] += d * d / (level * level);
                count[in]++;
            }
        }
    return (bar_difference){count[1] > 0 ? sqrt(sum[1] / count[1]) : 0,
                            count[0] > 0 ? sqrt(sum[0] / count[0]) : INFINITY};
}

static bool is_about(size_t a, size_t b)
{
    return a <= b + 1 && b <= a + 1;
}

/* Whether bars lie on both sides of the picture: rows that nobody wrote lie on one. */
static bool are_in_pairs(const xr_bars *b)
{
    return b->top + b->left > 0 && is_about(b->top, b->bottom) && is_about(b->left, b->right);
}

/* Whether the other side has bars there, too: of another color, which is told as such. */
static bool has_bars_there(const xr_raster *other, const xr_bars *bars, double level)
{
    xr_bars own;
    return xr_find_bars(other, level, &own) && own.top >= bars->top && own.bottom >= bars->bottom &&
           own.left >= bars->left && own.right >= bars->right;
}

/* 1: the frame differs within the bars of `barred` alone; 0: it does not differ; -1: it differs elsewhere. */
static int judge_bars(xr_input_pair *pair, exray_side barred, size_t frame, bar_difference *most)
{
    xr_raster r[2] = {{0}, {0}};
    xr_bars bars;
    int says = 0;
    if (xr_input_raster(pair, EXRAY_SIDE_EDGE, frame, false, NULL, &r[0]) &&
        xr_input_raster(pair, EXRAY_SIDE_REFERENCE, frame, false, NULL, &r[1]) && r[0].width == r[1].width &&
        r[0].height == r[1].height && r[0].channels == r[1].channels) {
        const double level = pair->fit->level[EXRAY_SIDE_EDGE];
        const xr_bars none = {0};
        bar_difference d = difference_by_bars(&none, &r[0], &r[1], level);
        says = d.beside > SAME ? -1 : 0;
        if (says && xr_find_bars(&r[barred], level, &bars) &&
            (barred == EXRAY_SIDE_REFERENCE || are_in_pairs(&bars))) {
            d = difference_by_bars(&bars, &r[0], &r[1], level);
            says = d.beside < SAME && d.within > OTHER && !has_bars_there(&r[!barred], &bars, level) ? 1 : -1;
            most->within = fmax(most->within, d.within);
            most->beside = fmax(most->beside, d.beside);
        }
    }
    xr_raster_free(&r[0]);
    xr_raster_free(&r[1]);
    return says;
}

static bool differ_in_bars(xr_input_pair *pair, exray_side barred, size_t *told, bar_difference *most)
{
    enum { FRAMES = 64 };
    const size_t frames = exray_comparison_frame_count(pair->comparison);
    *told = 0;
    *most = (bar_difference){0, 0};
    for (size_t f = 0; f < frames && f < FRAMES; f++) {
        const int says = judge_bars(pair, barred, f, most);
        if (says < 0)
            return false;
        *told += says > 0;
    }
    return *told > 0;
}

bool xr_report_filled_bars(xr_input_pair *pair, exray_findings *findings)
{
    size_t told;
    bar_difference most;
    exray_side barred = EXRAY_SIDE_REFERENCE;
    if (pair->pictures != 1)
        return false;
    if (!differ_in_bars(pair, barred, &told, &most)) {
        barred = EXRAY_SIDE_EDGE;
        if (!differ_in_bars(pair, barred, &told, &most))
            return false;
    }
    const bool reference = barred == EXRAY_SIDE_REFERENCE;
    exray_finding *f = exray_findings_add(findings, "input.crop", EXRAY_SEVERITY_ERROR,
                                          xr_confidence(most.beside, most.within));
    exray_finding_where(f, "input", pair->fit->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_summary(
        f,
        "The bars of the letterbox are filled otherwise: the %s has one colour there, the %s "
        "has more (its border again, a mirror of it, what was there before).",
        reference ? "reference" : "edge", reference ? "edge" : "reference");
    exray_finding_detail(f, "Within the bars they differ by up to %.1f levels rms, beside them by %.2f.",
                         most.within, most.beside);
    exray_finding_fix(
        f, "Fill the ground of the letterbox as the reference does, all of it and in every frame.");
    exray_finding_number(f, "within_levels", most.within);
    exray_finding_number(f, "beside_levels", most.beside);
    exray_finding_number(f, "frames", (double)told);
    return true;
}

void xr_report_shift(const xr_input_pair *pair, const xr_input_fit *fit, const xr_residual_detail *d,
                     exray_findings *findings)
{
    exray_finding *f = xr_begin_detail("input.crop", fit, d, findings);
    exray_finding_summary(
        f, "The edge cuts the picture out a little elsewhere, or enlarges it a little: by up to %.2f pixels.",
        d->shift);
    exray_finding_detail(f, "So do sizes that are rounded otherwise, such as a resize before the crop, not "
                            "after; the sensor's pictures would tell.");
    exray_finding_fix(f, "Crop and resize in the reference's order, with its rounding%s.",
                      xr_has_pipeline(pair->comparison, EXRAY_SIDE_REFERENCE, NULL)
                          ? " (`crop`, `resize` and `steps` of its pipeline file)"
                          : "");
    exray_finding_alternative(f, "input.resize", 0.4);
}
