#include "checks/input/input_links.h"

#include "checks/input/input_words.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- Which links there are ------------------------------------------------------------------ */

static bool other_kernel(const xr_chain *c)
{
    return c->rendered && (c->base.filter != c->edge.filter || c->base.sampling != c->edge.sampling);
}

static bool other_geometry(const xr_chain *c)
{
    const xr_geometry *a = &c->base.geometry, *b = &c->edge.geometry;
    return c->rendered && (!xr_geometry_is(a, b) || !c->base.resize_first != !c->edge.resize_first);
}

void xr_list_links(xr_explanation *e)
{
    const xr_chain *c = e->chain;
    memset(e->votes, 0, sizeof e->votes);
    e->present[XR_LINK_FRAMES] = c->moved > 0;
    e->present[XR_LINK_READING] = c->reading.kind != XR_READ_AS_RECORDED;
    e->present[XR_LINK_BEND] = c->bend.set;
    e->present[XR_LINK_LAYOUT] = c->layout;
    e->present[XR_LINK_SHEAR] = c->shear.set;
    e->present[XR_LINK_ORIENTATION] = c->orientation != 0;
    e->present[XR_LINK_GEOMETRY] = other_geometry(c) || c->warped;
    e->present[XR_LINK_GROUND] = c->ground.differs;
    e->present[XR_LINK_KERNEL] = other_kernel(c);
    e->present[XR_LINK_TINT] = c->tint.kind != XR_TINT_NONE;
    e->present[XR_LINK_REMAP] = c->remap.kind != XR_REMAP_NONE;
}

/* The chain with one link undone. */
static xr_chain without(const xr_chain *chain, xr_link link)
{
    xr_chain c = *chain;
    switch (link) {
    case XR_LINK_FRAMES:
        c.shows = NULL;
        break;
    case XR_LINK_READING:
        c.reading = (xr_reading){.kind = XR_READ_AS_RECORDED};
        break;
    case XR_LINK_BEND:
        c.bend.set = false;
        break;
    case XR_LINK_LAYOUT:
        c.layout = false;
        break;
    case XR_LINK_SHEAR:
        c.shear.set = false;
        break;
    case XR_LINK_ORIENTATION:
        c.orientation = c.render_orientation = 0;
        break;
    case XR_LINK_GEOMETRY:
        c.warped = false;
        c.edge.geometry = c.base.geometry;
        c.edge.resize_first = c.base.resize_first;
        break;
    case XR_LINK_GROUND:
        c.ground.differs = false;
        break;
    case XR_LINK_KERNEL:
        c.edge.filter = c.base.filter;
        c.edge.sampling = c.base.sampling;
        break;
    case XR_LINK_TINT:
        c.tint.kind = XR_TINT_NONE;
        break;
    default:
        c.remap.kind = XR_REMAP_NONE;
    }
    return c;
}

/* Takes links out of the chain, for good; whether any was. */
static bool drop_links(xr_explanation *e, xr_chain *chain, const bool drop[XR_LINKS])
{
    bool any = false;
    for (size_t l = 0; l < XR_LINKS; l++)
        if (drop[l]) {
            xr_chain less = without(chain, (xr_link)l);
            if (l == XR_LINK_FRAMES)
                free(chain->shows), less.moved = 0;
            *chain = less;
            e->present[l] = false;
            any = true;
        }
    return any;
}

bool xr_drop_contradicted_links(xr_explanation *e, xr_chain *chain)
{
    bool drop[XR_LINKS];
    for (size_t l = 0; l < XR_LINKS; l++)
        drop[l] = e->present[l] && e->votes[l].contradict > 0;
    return drop_links(e, chain, drop);
}

bool xr_drop_idle_links(xr_explanation *e, xr_chain *chain)
{
    bool drop[XR_LINKS];
    for (size_t l = 0; l < XR_LINKS; l++)
        drop[l] = e->present[l] && l != XR_LINK_REMAP && l != XR_LINK_GROUND && e->votes[l].agree == 0;
    return drop_links(e, chain, drop);
}

/* ---- What the frames say ------------------------------------------------------------------------ */

/* What a chain leaves of one frame, with the colours that suit this frame best; levels
 * rms, NAN where the frame cannot be read. */
static double frame_left(xr_scene *scene, const xr_chain *chain, size_t frame, bool any_colour)
{
    xr_applied applied = {.scene = scene, .chain = chain};
    xr_placed placed;
    exray_error error;
    double left = NAN;
    if (xr_apply_chain(&applied, frame, &placed, &error) == EXRAY_OK) {
        xr_fit_sums sums = {0};
        xr_sums_add(&sums, placed.channels, placed.plane[0], placed.plane[1], NULL,
                    placed.width * placed.height, 3);
        left = sqrt(any_colour ? xr_unexplained_by_colour(&sums, placed.channels)
                               : xr_unexplained_by_order(&sums, placed.channels, NULL)) *
               xr_sums_spread(&sums, placed.channels) / scene->fit->level[0];
    }
    xr_applied_free(&applied);
    return left;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void xr_vote_links(xr_scene *scene, xr_explanation *e, size_t most)
{
    /* A multiple of the chain's own step: the frames that it knows. */
    size_t frames = e->chain->frames, count = 0;
    size_t step = (frames / e->chain->step + most) / most * e->chain->step;
    double *values = calloc((frames / step + 2) * (XR_LINKS + 1), sizeof *values);
    if (!values)
        return;
    size_t room = frames / step + 2, seen[XR_LINKS] = {0};
    for (size_t f = 0; f < frames; f += step, count++) {
        double mixed = frame_left(scene, e->chain, f, true);
        double ordered = e->present[XR_LINK_TINT] ? frame_left(scene, e->chain, f, false) : NAN;
        for (size_t l = 0; l < XR_LINKS; l++) {
            xr_votes *v = &e->votes[l];
            if (!e->present[l] || l == XR_LINK_GROUND)
                continue;
            /* Where any mixture of the channels is allowed, no colour matters. */
            double with = l == XR_LINK_TINT ? ordered : mixed;
            xr_chain less = without(e->chain, (xr_link)l);
            double now = isfinite(with) ? frame_left(scene, &less, f, l != XR_LINK_TINT) : NAN;
            if (!isfinite(now) || !isfinite(with)) {
                v->abstain++;
                continue;
            }
            values[l * room + seen[l]++] = now;
            /* Any two pictures have something in common. */
            bool needed = now > (l == XR_LINK_FRAMES ? 2 : 1.3) * with + 0.2;
            v->agree += needed;
            v->contradict += with > 1.3 * now + 1;
            v->abstain += !needed && !(with > 1.3 * now + 1);
        }
    }
    for (size_t l = 0; l < XR_LINKS; l++)
        if (seen[l]) {
            qsort(values + l * room, seen[l], sizeof *values, ascending);
            e->votes[l].without = values[l * room + seen[l] / 2];
        }
    free(values);
}

/* ---- Findings ----------------------------------------------------------------------------------- */

static exray_finding *start(const xr_explanation *e, exray_findings *findings, const char *cause,
                            xr_link link, double confidence)
{
    const xr_votes *v = &e->votes[link];
    exray_finding *f = exray_findings_add(findings, cause, EXRAY_SEVERITY_ERROR, confidence);
    exray_finding_where(f, "input", e->before->io->name[EXRAY_SIDE_EDGE], EXRAY_NO_INDEX);
    exray_finding_number(f, "residual_before_levels", e->before->raw_pixels);
    exray_finding_number(f, "residual_after_levels", e->after->left_pixels);
    exray_finding_number(f, "residual_without_levels", v->without);
    /* What comes next to a link is the same chain without it; kernels name theirs. */
    if (link != XR_LINK_KERNEL)
        exray_finding_text(f, "runner_up", "the same without it");
    exray_finding_number(f, "runner_up_residual_levels", v->without);
    exray_finding_number(f, "nrmse_before", e->before->nrmse_before);
    exray_finding_number(f, "nrmse_after", e->after->nrmse_after);
    exray_finding_number(f, "frames", (double)(v->agree + v->abstain + v->contradict));
    exray_finding_number(f, "frames_supporting", (double)v->agree);
    exray_finding_number(f, "frames_contradicting", (double)v->contradict);
    exray_finding_number(f, "frames_abstaining", (double)v->abstain);
    exray_finding_text(f, "sensor", e->chain->rendered ? "used" : e->has_sensor ? "not needed" : "none");
    return f;
}

static double certainty(const xr_explanation *e, xr_link link)
{
    return xr_confidence(e->after->left_pixels, e->votes[link].without);
}

static void report_frames(const xr_explanation *e, exray_findings *findings)
{
    const xr_chain *c = e->chain;
    size_t late[3] = {0}, repeats = 0, example = SIZE_MAX;
    for (size_t f = 0; f < c->frames; f++) {
        if (c->shows[f] == SIZE_MAX || c->shows[f] == f)
            continue;
        example = example == SIZE_MAX ? f : example;
        late[0] += c->shows[f] + 1 == f;
        late[1] += c->shows[f] == f + 1;
        late[2]++;
        repeats += f > 0 && c->shows[f] == c->shows[f - 1];
    }
    exray_finding *f = start(e, findings, "input.frame_order", XR_LINK_FRAMES, certainty(e, XR_LINK_FRAMES));
    const char *how = repeats * 2 >= c->moved       ? "repeats frames"
                      : late[0] * 10 >= late[2] * 8 ? "is one frame late"
                      : late[1] * 10 >= late[2] * 8 ? "is one frame early"
                                                    : "shows other frames";
    exray_finding_summary(f, "The edge %s: in %zu of %zu frames the model is given another frame's picture.",
                          how, c->moved, c->frames);
    if (example != SIZE_MAX)
        exray_finding_detail(f, "Frame %zu shows the picture of frame %zu.", example, c->shows[example]);
    exray_finding_fix(
        f, "Log and infer the same buffer: fill the model's input before each run, and wait for the "
           "camera's frame before using it.");
    exray_finding_text(f, "pattern", how);
    exray_finding_number(f, "frames_moved", (double)c->moved);
}

static void report_bend(const xr_explanation *e, exray_findings *findings)
{
    exray_finding *f = start(e, findings, "input.dtype", XR_LINK_BEND, certainty(e, XR_LINK_BEND));
    exray_finding_summary(
        f,
        "The edge's %s have the wrong sign: signed bytes taken for unsigned, or the other way "
        "round (values wrap around at half of their range).",
        e->chain->bend.stored ? "stored input bytes" : "pixels");
    exray_finding_fix(
        f, "%s",
        e->chain->bend.stored
            ? "Write the type that the model takes: for int8, (int8_t)(pixel - 128), not a cast."
            : "Keep pixels as uint8_t until they are normalized; not char or int8_t.");
}

static void report_layout(const xr_explanation *e, exray_findings *findings)
{
    exray_finding *f = start(e, findings, "input.layout", XR_LINK_LAYOUT, certainty(e, XR_LINK_LAYOUT));
    exray_finding_summary(f,
                          "The edge writes the picture in another layout than the model reads: planes where "
                          "interleaved pixels belong, or the other way round (NCHW and NHWC exchanged).");
    exray_finding_fix(
        f, "Transpose the tensor to the model's layout (pipeline: leave `layout` out); in C, "
           "out[(y * width + x) * channels + c] for NHWC, out[(c * height + y) * width + x] for NCHW.");
}

static void orientation_words(xr_orientation o, char *text, size_t size)
{
    unsigned turns;
    bool horizontal, vertical;
    xr_orientation_parts(o, &turns, &horizontal, &vertical);
    snprintf(text, size, "%s%s%s",
             turns == 1   ? "rotation by 90"
             : turns == 2 ? "rotation by 180"
             : turns == 3 ? "rotation by 270"
                          : "",
             turns && (horizontal || vertical) ? " and " : "",
             horizontal ? "flip left to right"
             : vertical ? "flip top to bottom"
                        : "");
    if (!*text)
        snprintf(text, size, "upright");
}

/* Orientations that these pictures do not tell from the one named. */
static void add_rivals(const xr_explanation *e, const char *own, exray_finding *f)
{
    const xr_chain *c = e->chain;
    char names[256] = "";
    bool flip = false, rotation = false;
    for (size_t i = 0; i < c->rival_count; i++) {
        char words[64];
        unsigned turns;
        bool horizontal, vertical;
        orientation_words(c->rival[i], words, sizeof words);
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", words);
        xr_orientation_parts(c->rival[i], &turns, &horizontal, &vertical);
        flip = flip || horizontal || vertical;
        rotation = rotation || turns;
    }
    if (!*names)
        return;
    exray_finding_detail(f, "Ambiguous: these pictures are too symmetric to tell it from: %s.", names);
    exray_finding_text(f, "ambiguous_with", names);
    double share = 1.0 / (double)(c->rival_count + 1);
    if (flip && strcmp(own, "input.flip") != 0)
        exray_finding_alternative(f, "input.flip", share);
    if (rotation && strcmp(own, "input.rotation") != 0)
        exray_finding_alternative(f, "input.rotation", share);
}

static void report_orientation(const xr_explanation *e, exray_findings *findings)
{
    const xr_chain *c = e->chain;
    unsigned turns;
    bool horizontal, vertical;
    xr_orientation_parts(c->orientation, &turns, &horizontal, &vertical);
    double confidence = certainty(e, XR_LINK_ORIENTATION) / (double)(c->rival_count + 1);
    if (turns) {
        exray_finding *f = start(e, findings, "input.rotation", XR_LINK_ORIENTATION, confidence);
        exray_finding_summary(f, "The edge's picture is rotated by %u degrees counter-clockwise.",
                              90 * turns);
        exray_finding_fix(
            f,
            "Turn the camera's picture upright before the model: rotate it by %u degrees "
            "counter-clockwise (pipeline: `rotate: 0`, `orient: exif`; Pillow: ImageOps.exif_transpose; "
            "OpenCV: rotate).",
            360 - 90 * turns);
        exray_finding_number(f, "degrees_counter_clockwise", 90.0 * turns);
        exray_finding_number(f, "runner_up_share", c->orientation_rival_left);
        add_rivals(e, "input.rotation", f);
    }
    if (horizontal || vertical) {
        exray_finding *f = start(e, findings, "input.flip", XR_LINK_ORIENTATION, confidence);
        exray_finding_summary(f, "The edge's picture is flipped %s%s.",
                              horizontal ? "left to right" : "top to bottom",
                              turns ? ", after the rotation" : "");
        exray_finding_fix(f, "Do not mirror the picture before the model (pipeline: `flip: none`; OpenCV: no "
                             "flip); a front camera's "
                             "preview is mirrored, its frames need not be.");
        exray_finding_text(f, "axis", horizontal ? "horizontal" : "vertical");
        exray_finding_number(f, "runner_up_share", c->orientation_rival_left);
        add_rivals(e, "input.flip", f);
    }
}

static const char *pipeline_crop(const xr_rendering *r, char *text, size_t size)
{
    if (r->geometry.kind == XR_LETTERBOX)
        snprintf(text, size, "crop: letterbox");
    else if (r->geometry.kind == XR_RECTANGLE && r->geometry.fx > 0.998 && r->geometry.fy > 0.998)
        snprintf(text, size, "crop: none");
    else if (r->resize_first)
        snprintf(text, size, "steps: [resize, crop]");
    else
        snprintf(text, size, "crop: center %.4g", r->geometry.fx);
    return text;
}

static void report_rendered_geometry(const xr_explanation *e, exray_findings *findings)
{
    const xr_chain *c = e->chain;
    char edge[160], reference[160], key[64];
    double target = (double)(e->before->columns);
    xr_geometry_text(&c->edge, target, edge, sizeof edge);
    xr_geometry_text(&c->base, target, reference, sizeof reference);
    exray_finding *f = start(e, findings, "input.crop", XR_LINK_GEOMETRY, certainty(e, XR_LINK_GEOMETRY));
    exray_finding_summary(f, "The edge shows the model another part of the scene: %s; the reference: %s.",
                          edge, reference);
    exray_finding_fix(
        f,
        "Cut the picture as the reference does: %s (pipeline: `%s`; in C: the same left, top, width and "
        "height, rounded alike, in exray_picture_resize or your own resize).",
        reference, pipeline_crop(&c->base, key, sizeof key));
    exray_finding_text(f, "edge_part", edge);
    exray_finding_text(f, "reference_part", reference);
    exray_finding_number(f, "edge_fraction", c->edge.geometry.fx);
    exray_finding_number(f, "reference_fraction", c->base.geometry.fx);
}

static void report_warp(const xr_explanation *e, exray_findings *findings)
{
    const xr_chain *c = e->chain;
    double x = 0, y = 0, dx = 0, dy = 0, uneven = 0;
    size_t n = 0;
    for (size_t f = 0; f < c->frames; f++) {
        const xr_map *m = &c->map[f];
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
    exray_finding *f = start(e, findings, "input.crop", XR_LINK_GEOMETRY, 0.95);
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
    exray_finding_fix(f, "Cut the picture as the reference does (pipeline: `crop`; in C: the same left, top, "
                         "width and height): the "
                         "same fraction, stretched or letterboxed alike.");
    exray_finding_number(f, "width_ratio", x / count);
    exray_finding_number(f, "height_ratio", y / count);
    exray_finding_number(f, "offset_x", dx / count);
    exray_finding_number(f, "offset_y", dy / count);
    exray_finding_number(f, "residual_share", c->left);
}

static void report_ground(const xr_explanation *e, exray_findings *findings)
{
    const xr_chain *c = e->chain;
    const xr_ground *g = &c->ground;
    exray_finding *f = start(e, findings, "input.crop", XR_LINK_GROUND, 0.95);
    exray_finding_summary(f,
                          "The edge fills the ground of its letterbox with another colour: %.4g, where the "
                          "reference has %.4g.",
                          g->edge[0], g->reference[0]);
    if (c->scaled)
        exray_finding_detail(f, "As pixels: %.0f and %.0f.", (g->edge[0] - c->offset[0]) / c->gain[0],
                             (g->reference[0] - c->offset[0]) / c->gain[0]);
    exray_finding_fix(f, "Fill the ground with the reference's colour, before the normalization (pipeline: "
                         "`crop: letterbox PAD`).");
    exray_finding_number(f, "edge_ground", g->edge[0]);
    exray_finding_number(f, "reference_ground", g->reference[0]);
    exray_finding_number(f, "frames_with_ground", (double)g->frames);
}

static void report_kernel(const xr_explanation *e, exray_findings *findings)
{
    const xr_chain *c = e->chain;
    const char *edge = exray_picture_resize_name(c->edge.filter, c->edge.sampling);
    const char *reference = exray_picture_resize_name(c->base.filter, c->base.sampling);
    exray_finding *f = start(e, findings, "input.resize", XR_LINK_KERNEL, certainty(e, XR_LINK_KERNEL));
    exray_finding_summary(f, "The edge resizes with another kernel: %s; the reference: %s.", edge, reference);
    exray_finding_fix(f, "Resize as the reference does (pipeline: `resize: %s`)%s.", reference,
                      c->base.sampling == EXRAY_SAMPLING_ANTIALIAS
                          ? "; antialias is Pillow's: in OpenCV, INTER_AREA comes nearest"
                          : "; OpenCV: INTER_NEAREST, INTER_LINEAR, INTER_CUBIC, INTER_AREA");
    exray_finding_text(f, "edge_kernel", edge);
    exray_finding_text(f, "reference_kernel", reference);
    exray_finding_text(f, "runner_up",
                       exray_picture_resize_name(c->kernel_rival.filter, c->kernel_rival.sampling));
    exray_finding_number(f, "share_unexplained", c->left);
    exray_finding_number(f, "runner_up_share", c->kernel_rival_left);
}

static void report_shear(const xr_explanation *e, exray_findings *findings)
{
    const xr_shear *s = &e->chain->shear;
    exray_finding *f = start(e, findings, "input.stride", XR_LINK_SHEAR, certainty(e, XR_LINK_SHEAR));
    exray_finding_summary(f, "The edge reads rows with the wrong stride%s: %s.",
                          s->on_sensor ? " of the sensor's picture" : "",
                          s->kind == XR_SHEAR_READ ? "packed rows as if they were of another length"
                                                   : "rows with padding as if they were packed");
    exray_finding_fix(
        f, "Step from row to row by the buffer's own row stride (bytes per line), not by width * bytes "
           "per pixel.");
    if (s->kind != XR_SHEAR_IGNORED)
        exray_finding_number(f, "pixels_per_row", (double)s->pixels);
}

static void report_reading(const xr_explanation *e, exray_findings *findings)
{
    const xr_reading *r = &e->chain->reading;
    const char *cause = r->kind == XR_READ_REDUCED ? "input.decoder" : "input.color_space";
    exray_finding *f = start(e, findings, cause, XR_LINK_READING, certainty(e, XR_LINK_READING));
    if (r->kind == XR_READ_REDUCED) {
        exray_finding_summary(f,
                              "The edge decodes the JPEG at 1/%s of its size and enlarges what is left: fine "
                              "detail is lost.",
                              r->format + 5);
        exray_finding_fix(
            f, "Decode the picture in full (libjpeg: scale_denom = 1; Android: inSampleSize = 1; Pillow: no "
               "draft mode), then resize it.");
        exray_finding_text(f, "read_as", r->format);
    } else if (r->kind == XR_READ_FORMAT) {
        exray_finding_summary(f, "The edge reads the camera's bytes as %s, which they are not.", r->format);
        exray_finding_fix(
            f, "Read the camera's bytes in the format that it delivers (media.format of the sensor record).");
        exray_finding_text(f, "read_as", r->format);
    } else {
        exray_finding_summary(f, "The edge's colours are made differently: a gamma of %.3g is applied.",
                              r->gamma);
        exray_finding_fix(
            f, "Feed the camera's sRGB values as they are: neither linearize them nor apply a gamma.");
        exray_finding_number(f, "gamma", r->gamma);
    }
}

static void report_tint(const xr_explanation *e, exray_findings *findings)
{
    const xr_tint *t = &e->chain->tint;
    exray_finding *f = start(e, findings, "input.color_space", XR_LINK_TINT, certainty(e, XR_LINK_TINT));
    char text[192];
    const char *fix;
    xr_tint_text(t, text, sizeof text, &fix);
    exray_finding_summary(f, "The edge's colours are made differently: %s.", text);
    exray_finding_fix(f, "%s", fix);
    exray_finding_number(f, "untinted_share", e->chain->untinted_left);
    if (t->kind == XR_TINT_GAMMA)
        exray_finding_number(f, "gamma", t->gamma);
}

static void report_remap(const xr_explanation *e, exray_findings *findings)
{
    const xr_remap *m = &e->chain->remap;
    if (m->kind == XR_REMAP_NORMALIZED || m->kind == XR_REMAP_AGAIN) {
        exray_finding *f = start(e, findings, "input.normalization", XR_LINK_REMAP, m->tied ? 0.5 : 0.9);
        exray_finding_summary(
            f,
            "The edge normalizes %s%s, far out of the range that its 8-bit input can hold: most values are "
            "clipped.",
            m->kind == XR_REMAP_AGAIN ? "twice" : "to ", m->kind == XR_REMAP_AGAIN ? "" : m->name);
        exray_finding_fix(
            f, "Normalize as the reference does, then quantize with the input's scale and zero point.");
        exray_finding_alternative(f, "input.quantization", m->tied ? 0.5 : 0.2);
        if (m->tied)
            exray_finding_detail(f, "Ambiguous: an input that is %s has the same values here.",
                                 m->tied == XR_REMAP_TWICE ? "quantized twice" : "not quantized at all");
        return;
    }
    exray_finding *f = start(e, findings, "input.quantization", XR_LINK_REMAP, m->tied ? 0.5 : 0.9);
    if (m->tied) {
        exray_finding_detail(f, "Ambiguous: an input that is normalized otherwise has the same values here.");
        exray_finding_alternative(f, "input.normalization", 0.5);
    }
    exray_finding_summary(
        f, "%s",
        m->kind == XR_REMAP_TWICE
            ? "The edge quantizes its input twice: stored values are scaled as if they were "
              "real ones."
            : "The edge does not quantize its input: real values are cast to integers.");
    exray_finding_fix(f, "Store round(real / scale) + zero_point, once (scale %.6g, zero point %g).",
                      m->scale, m->zero);
    exray_finding_number(f, "scale", m->scale);
    exray_finding_number(f, "zero_point", m->zero);
}

void xr_report_links(const xr_explanation *e, exray_findings *findings)
{
    if (e->present[XR_LINK_FRAMES])
        report_frames(e, findings);
    if (e->present[XR_LINK_READING])
        report_reading(e, findings);
    if (e->present[XR_LINK_SHEAR])
        report_shear(e, findings);
    if (e->present[XR_LINK_LAYOUT])
        report_layout(e, findings);
    if (e->present[XR_LINK_BEND])
        report_bend(e, findings);
    if (e->present[XR_LINK_ORIENTATION])
        report_orientation(e, findings);
    if (e->present[XR_LINK_GEOMETRY]) {
        if (e->chain->warped)
            report_warp(e, findings);
        else
            report_rendered_geometry(e, findings);
    }
    if (e->present[XR_LINK_GROUND])
        report_ground(e, findings);
    if (e->present[XR_LINK_KERNEL])
        report_kernel(e, findings);
    if (e->present[XR_LINK_TINT])
        report_tint(e, findings);
    if (e->present[XR_LINK_REMAP])
        report_remap(e, findings);
}
