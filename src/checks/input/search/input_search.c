#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SMALLEST = 16 };
/* Levels rms: nothing is left that a place, a kernel or a colour could explain; where even
 * small differences look like a kernel's. */
#define FLOOR      0.8
#define FINE_FLOOR 0.2
/* What healthy decoders leave of an exact rendering: above, the bytes may have been read otherwise. */
#define READING_FLOOR 2.0

/* An explanation is decisively better (levels rms). */
static bool decisively_less(double a, double b)
{
    return b > 1.6 * a + 0.25;
}

/* ---- The reference's own picture, turned or re-read ----------------------------------------- */

static double turned_left(const xr_scene *scene, bool layout, xr_orientation o, size_t step)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < scene->count; f++) {
        const xr_search_frame *s = &scene->frame[f];
        xr_raster turned;
        if (!xr_raster_orient(&s->reference, o, &turned))
            return 1;
        if (turned.width == s->edge[0].width)
            xr_sums_add(&sums, scene->channels, s->edge[layout].v, turned.v, NULL,
                        scene->width * scene->height, step);
        xr_raster_free(&turned);
    }
    return xr_unexplained_by_colour(&sums, scene->channels);
}

static double levels_of(const xr_scene *scene, double left)
{
    return xr_levels_of(scene, EXRAY_SIDE_EDGE, left);
}

static void search_turns(xr_scene *scene, xr_chain *chain)
{
    size_t turns = scene->width == scene->height ? 8 : 4;
    double by[2][XR_ORIENTATIONS], best = 2;
    for (size_t l = 0; l < (scene->channels > 1 ? 2 : 1); l++)
        for (xr_orientation o = 0; o < turns; o++) {
            by[l][o] = turned_left(scene, l == 1, o, 3);
            if (by[l][o] < best * 0.98) {
                best = by[l][o];
                chain->layout = l == 1;
                chain->orientation = o;
            }
        }
    chain->upright_left = by[0][0];
    if (best > 0.5 * by[0][0]) {
        chain->layout = false;
        chain->orientation = 0;
        best = by[0][0];
    }
    chain->left = best;
    chain->orientation_rival_left = 1;
    for (xr_orientation o = 0; o < turns; o++) {
        double left = by[chain->layout][o];
        if (o == chain->orientation)
            continue;
        chain->orientation_rival_left = fmin(chain->orientation_rival_left, left);
        if (levels_of(scene, left) < 2 * levels_of(scene, best) + 0.5 && chain->rival_count < XR_RIVALS)
            chain->rival[chain->rival_count++] = o;
    }
}

/* ---- From the sensor ------------------------------------------------------------------------ */

/* reference = gain * rendering[from] + offset, channel by channel. */
static bool scale_of(const xr_fit_sums *s, size_t channels, xr_chain *chain)
{
    double left = xr_unexplained_by_order(s, channels, chain->from);
    for (size_t c = 0; c < channels; c++) {
        size_t k = chain->from[c];
        double variance = s->rr[k][k] - s->reference[k] * s->reference[k] / s->n;
        double both = s->er[c][k] - s->edge[c] * s->reference[k] / s->n;
        chain->gain[c] = variance > 0 ? both / variance : 1;
        chain->offset[c] = (s->edge[c] - chain->gain[c] * s->reference[k]) / s->n;
    }
    chain->scaled = left < 0.02;
    return chain->scaled;
}

/* Where values are whole pixels, normalized, gain and offset are known better than a rendering that
 * is a level off here and there tells: least squares of the values on their pixels. */
static void fit_lattice(const float *value, size_t count, double *gain, double *offset)
{
    double n = 0, k = 0, kk = 0, v = 0, kv = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double pixel = round(((double)value[i] - *offset) / *gain);
        if (!isfinite(pixel))
            continue;
        n++, k += pixel, kk += pixel * pixel, v += (double)value[i], kv += pixel * (double)value[i];
    }
    if (!(n * kk > k * k))
        return;
    double a = (n * kv - k * v) / (n * kk - k * k), b = (v - a * k) / n;
    for (size_t i = 0; i < count; i++)
        if (isfinite(value[i]))
            worst = fmax(worst, fabs((double)value[i] - a * round(((double)value[i] - *offset) / *gain) - b));
    if (worst < 0.02 * fabs(a)) {
        *gain = a;
        *offset = b;
    }
}

static void scale_by_lattice(const xr_scene *scene, xr_chain *chain)
{
    const xr_raster *r = &scene->frame[0].reference;
    size_t pixels = r->width * r->height;
    for (size_t c = 0; c < r->channels; c++)
        fit_lattice(r->v + c * pixels, pixels, &chain->gain[c], &chain->offset[c]);
}

static bool same_corners(const float *a, const float *b)
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

/* outer after inner. */
static xr_orientation compose(xr_orientation outer, xr_orientation inner)
{
    float corners[4] = {0, 1, 2, 3};
    xr_raster start = {2, 2, 1, corners}, once = {0}, twice = {0}, one = {0};
    xr_orientation found = 0;
    if (xr_raster_orient(&start, inner, &once) && xr_raster_orient(&once, outer, &twice))
        for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++) {
            if (xr_raster_orient(&start, o, &one) && same_corners(one.v, twice.v))
                found = o;
            xr_raster_free(&one);
        }
    xr_raster_free(&once);
    xr_raster_free(&twice);
    return found;
}

static bool same_kernel(const xr_rendering *a, const xr_rendering *b)
{
    return a->filter == b->filter && a->sampling == b->sampling;
}

/* Settings of the reference's that do as well as what was found are the edge's, too. */
static void simplify(xr_scene *scene, xr_chain *chain, const xr_found *edge)
{
    double left = edge->left, now;
    xr_rendering next = edge->rendering;
    bool same = true;
    for (size_t f = 0; f < scene->count; f++)
        same = same && xr_same_geometry(&chain->base.geometry, &edge->rendering.geometry,
                                        exray_picture_width(scene->frame[f].picture),
                                        exray_picture_height(scene->frame[f].picture), (double)scene->width);
    if (same) {
        next = edge->rendering;
        next.geometry = chain->base.geometry;
        next.resize_first = chain->base.resize_first;
        now = xr_rendering_left(scene, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &next, NULL);
        if (!decisively_less(levels_of(scene, left), levels_of(scene, now))) {
            chain->edge = next;
            left = now;
        }
    }
    next = chain->edge;
    next.filter = chain->base.filter;
    next.sampling = chain->base.sampling;
    if (!same_kernel(&next, &chain->edge)) {
        now = xr_rendering_left(scene, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &next, NULL);
        chain->base_kernel_left = now;
        if (!decisively_less(levels_of(scene, left), levels_of(scene, now))) {
            chain->edge = next;
            left = now;
        }
    }
    next = chain->edge;
    next.geometry = chain->base.geometry;
    next.resize_first = chain->base.resize_first;
    chain->geometry_rival_left =
        xr_rendering_left(scene, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &next, NULL);
    /* The whole chain at the reference's settings: all differences came to nothing. */
    if (!decisively_less(levels_of(scene, left), levels_of(scene, chain->geometry_rival_left))) {
        chain->edge = next;
        left = chain->geometry_rival_left;
    }
    chain->left = left;
}

static bool same_rendering(const xr_rendering *a, const xr_rendering *b)
{
    return same_kernel(a, b) && !a->resize_first == !b->resize_first &&
           xr_geometry_is(&a->geometry, &b->geometry);
}

static bool search_sensor(xr_scene *scene, xr_chain *chain)
{
    xr_found base, edge;
    xr_fit_sums sums;
    if (!xr_find_rendering(scene, EXRAY_SIDE_REFERENCE, NULL, &base))
        return false;
    chain->base = base.rendering;
    chain->base_left = base.left;
    xr_rendering_left(scene, EXRAY_SIDE_REFERENCE, false, base.orientation, &base.rendering, &sums);
    /* A reference that is not made of the sensor's picture says nothing of the edge. */
    if (base.left > 0.01 || !scale_of(&sums, scene->channels, chain))
        return false;
    scale_by_lattice(scene, chain);
    if (!xr_find_rendering(scene, EXRAY_SIDE_EDGE, &chain->base, &edge))
        return false;
    double turned = chain->left;
    xr_chain next = *chain;
    if (levels_of(scene, edge.left) > READING_FLOOR)
        xr_find_reading(scene, &next, &edge);
    next.edge = edge.rendering;
    next.kernel_rival = edge.rival;
    next.kernel_rival_left = edge.rival_left;
    next.layout = edge.layout;
    next.render_orientation = edge.orientation;
    next.orientation = compose(edge.orientation, xr_orientation_inverse(base.orientation));
    simplify(scene, &next, &edge);
    bool reshaped = (edge.orientation & 4) != 0 && scene->width != scene->height; /* no raster turns so */
    next.rendered =
        reshaped || next.reading.kind || next.edge.turned_first || !same_rendering(&next.edge, &next.base);
    if (next.rendered && !decisively_less(levels_of(scene, next.left), levels_of(scene, turned)))
        return false;
    next.upright_left = edge.by_orientation[base.orientation];
    next.rival_count = 0;
    next.orientation_rival_left = 1;
    for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++) {
        if (o == edge.orientation || edge.by_orientation[o] >= 1)
            continue;
        next.orientation_rival_left = fmin(next.orientation_rival_left, edge.by_orientation[o]);
        if (edge.by_orientation[o] > 2 * edge.by_orientation[edge.orientation] + 0.001)
            continue;
        double left = xr_rendering_left(scene, EXRAY_SIDE_EDGE, edge.layout, o, &next.edge, NULL);
        if (levels_of(scene, left) < 2 * levels_of(scene, next.left) + 0.5 && next.rival_count < XR_RIVALS)
            next.rival[next.rival_count++] = compose(o, xr_orientation_inverse(base.orientation));
    }
    *chain = next;
    return true;
}

/* ---- All of it -------------------------------------------------------------------------------- */

static bool is_something(const xr_chain *chain)
{
    return chain->moved || chain->layout || chain->bend.set || chain->orientation || chain->rendered ||
           chain->warped || chain->tint.kind || chain->shear.set || chain->remap.kind;
}

/* Less than a pixel is a matter of where a kernel takes its samples, and in some frames of how
 * sizes were rounded. */
static bool is_another_part(const xr_scene *scene, const xr_chain *chain)
{
    size_t far = 0, known = 0;
    for (size_t f = 0; f < chain->frames; f++) {
        const xr_map *m = &chain->map[f];
        if (m->x1 <= m->x0)
            continue;
        double x = fmax(fabs(m->x0), fabs(m->x1 - 1)) * (double)scene->width;
        double y = fmax(fabs(m->y0), fabs(m->y1 - 1)) * (double)scene->height;
        far += fmax(x, y) > 1.2;
        known++;
    }
    return 2 * far > known || chain->layout;
}

xr_fit_sums xr_chain_sums(xr_scene *scene, const xr_chain *chain)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < scene->count; f++) {
        xr_applied applied = {.scene = scene, .chain = chain};
        xr_placed p;
        exray_error error;
        if (xr_apply_chain(&applied, scene->frame[f].frame, &p, &error) == EXRAY_OK)
            xr_sums_add(&sums, p.channels, p.plane[0], p.plane[1], NULL, p.width * p.height, 5);
        xr_applied_free(&applied);
    }
    return sums;
}

/* Whether the values of the integers leave nothing that a place or a colour could explain: where a
 * map has steps, a few pixels fall on their other side. */
static bool remap_suffices(xr_scene *scene, const xr_chain *chain)
{
    double other = 0, all = 0;
    for (size_t f = 0; f < scene->count; f++) {
        xr_applied applied = {.scene = scene, .chain = chain};
        xr_placed p;
        exray_error error;
        if (xr_apply_chain(&applied, scene->frame[f].frame, &p, &error) == EXRAY_OK)
            for (size_t i = 0; i < p.channels * p.width * p.height; i++) {
                double apart = fabs((double)p.plane[0][i] - (double)p.plane[1][i]);
                other += apart > 1.5 * scene->fit->level[0];
                all += isfinite(apart);
            }
        xr_applied_free(&applied);
    }
    return other < 0.02 * all;
}

/* Whether the tint leaves next to nothing, without any other part of the scene. */
static bool tint_suffices(xr_scene *scene, const xr_chain *chain)
{
    xr_fit_sums sums = xr_chain_sums(scene, chain);
    return levels_of(scene, xr_unexplained_by_colour(&sums, scene->channels)) < 2 * FLOOR;
}

/* Long logs are sampled; fewer frames where a picture takes long to decode. */
static size_t frame_step(const xr_scene *scene, size_t frames)
{
    enum { MOST = 160, MOST_LARGE = 16 };
    size_t most = xr_scene_is_large(scene) ? MOST_LARGE : MOST;
    return frames > most ? (frames + most - 1) / most : 1;
}

bool xr_search(xr_scene *scene, xr_chain *chain)
{
    *chain = (xr_chain){.frames = exray_comparison_frame_count(scene->comparison), .step = 1};
    if (!xr_scene_load(scene, chain) || scene->width < SMALLEST || scene->height < SMALLEST)
        return false;
    xr_find_remap(scene, chain);
    if (!chain->remap.kind)
        xr_find_bend(scene, chain);
    xr_find_frame_order(scene, chain);
    if ((chain->bend.set || chain->moved || chain->remap.kind || scene->censored) &&
        !xr_scene_load(scene, chain))
        return false;
    if (!chain->remap.kind)
        xr_find_ground(scene);
    chain->step = frame_step(scene, chain->frames);
    if (chain->remap.kind && remap_suffices(scene, chain)) {
        chain->remap.suffices = true;
        return true;
    }
    search_turns(scene, chain);
    double spread = levels_of(scene, 1);
    if (levels_of(scene, chain->left) < (scene->fine ? FINE_FLOOR : FLOOR)) {
        xr_find_tint(scene, chain, spread);
        return is_something(chain) || scene->censored || scene->clamped || scene->ground;
    }
    xr_chain tinted = *chain;
    if (!scene->has_sensor && xr_find_tint(scene, &tinted, spread) && tinted.tint.kind == XR_TINT_GAMMA &&
        tint_suffices(scene, &tinted)) {
        *chain = tinted;
        return true;
    }
    if (xr_find_shear(scene, chain)) {
        xr_find_tint(scene, chain, spread);
        return true;
    }
    bool by_sensor = scene->has_sensor && search_sensor(scene, chain);
    if (chain->scaled && (!by_sensor || chain->left > 0.1) && xr_find_sensor_shear(scene, chain))
        by_sensor = true;
    /* A place that is none of those that a rendering knows may still be found. */
    bool poor = by_sensor && !chain->rendered && chain->left > 0.05;
    if (by_sensor && !poor) {
        xr_find_tint(scene, chain, spread);
        return is_something(chain) || scene->censored || scene->clamped || scene->ground;
    }
    double turned = chain->left;
    if (turned > 0.004) {
        xr_chain warp = *chain;
        warp.rival_count = 0;
        if (xr_find_warp(scene, &warp) && warp.left < 0.3 * turned && warp.left < 0.1 &&
            is_another_part(scene, &warp))
            *chain = warp;
        else
            free(warp.map);
    }
    xr_find_tint(scene, chain, spread);
    return is_something(chain) || scene->censored || scene->clamped || scene->ground;
}

void xr_chain_free(xr_chain *chain)
{
    free(chain->shows);
    free(chain->map);
    *chain = (xr_chain){0};
}

/* ---- Applying a chain ---------------------------------------------------------------------------- */

static bool rendered_reference(xr_scene *scene, const xr_chain *chain, size_t shows, xr_raster *out)
{
    exray_picture *picture = xr_read_sensor(scene, chain, shows);
    xr_raster r = {0};
    bool ok = picture &&
              xr_render(picture, &chain->edge, chain->render_orientation, scene->width, scene->height,
                        scene->channels, &r) &&
              xr_raster_make(out, r.width, r.height, r.channels);
    size_t pixels = r.width * r.height;
    for (size_t c = 0; ok && c < r.channels; c++)
        for (size_t i = 0; i < pixels; i++)
            out->v[c * pixels + i] =
                (float)(chain->gain[c] * (double)r.v[chain->from[c] * pixels + i] + chain->offset[c]);
    if (ok)
        xr_tint_apply(chain, out);
    xr_raster_free(&r);
    exray_picture_free(picture);
    return ok;
}

static bool recorded_reference(xr_scene *scene, const xr_chain *chain, size_t frame, size_t shows,
                               xr_raster *out)
{
    xr_raster r = {0}, warped = {0};
    bool ok = xr_scene_raster(scene, EXRAY_SIDE_REFERENCE, shows, false, NULL, &r);
    if (ok)
        xr_hide_ground(scene, &r);
    if (ok)
        xr_tint_apply(chain, &r);
    if (ok && chain->shear.set) {
        ok = xr_shear_raster(&chain->shear, &r, &warped);
        xr_raster_free(&r);
        r = warped;
        warped = (xr_raster){0};
    }
    if (ok && chain->warped) {
        bool swap = (chain->orientation & 4) != 0;
        ok = xr_warp_raster(&r, &chain->map[frame], swap ? scene->height : scene->width,
                            swap ? scene->width : scene->height, &warped);
        xr_raster_free(&r);
        r = warped;
    }
    ok = ok && xr_raster_orient(&r, chain->orientation, out);
    xr_raster_free(&r);
    return ok;
}

exray_status xr_apply_chain(void *user, size_t frame, xr_placed *out, exray_error *error)
{
    xr_applied *a = user;
    const xr_chain *chain = a->chain;
    size_t shows = chain->shows ? chain->shows[frame] : frame;
    xr_applied_free(a);
    bool ok = shows < chain->frames && (!chain->warped || chain->map[frame].x1 > chain->map[frame].x0) &&
              xr_scene_raster(a->scene, EXRAY_SIDE_EDGE, frame, chain->layout, &chain->bend, &a->edge) &&
              (chain->rendered ? rendered_reference(a->scene, chain, shows, &a->reference)
                               : recorded_reference(a->scene, chain, frame, shows, &a->reference));
    if (!ok || a->edge.width != a->reference.width || a->edge.height != a->reference.height ||
        a->edge.channels != a->reference.channels) {
        error->status = EXRAY_E_STATE;
        return EXRAY_E_STATE;
    }
    xr_remap_towards(a->scene, chain, &a->reference, &a->edge);
    /* What the tensor cannot hold is clipped on both sides; where it could hold all, and is
     * clipped nevertheless, nothing is known of those values. */
    if (a->scene->clamped)
        xr_clamp(a->scene, &a->reference);
    else
        xr_censor(a->scene, &a->edge);
    *out = (xr_placed){a->edge.width, a->edge.height, a->edge.channels, {a->edge.v, a->reference.v}};
    return EXRAY_OK;
}

void xr_applied_free(xr_applied *applied)
{
    xr_raster_free(&applied->edge);
    xr_raster_free(&applied->reference);
}
