#include "checks/input/search/find.h"

#include "checks/input/fit/conventions.h"

#include <math.h>

/* Pixels of the input that a kernel which is not known may seem to move the picture by. */
#define NEARBY 2.0
/* Pixels by which a border moves where sizes and places are rounded: half a pixel each, and that of a reduced
 * picture's own size. */
#define ROUNDED 1.6

/* Whether an explanation is decisively better (levels rms). */
static bool decisively_less(double a, double b)
{
    return b > 1.6 * a + 0.25;
}

static double levels_of(const xr_input_pair *pair, double residual)
{
    return xr_levels_of(pair, EXRAY_SIDE_EDGE, residual);
}

/* reference = gain * rendering[from] + offset, channel by channel; false: it is not. */
static bool measure_unit(const xr_fit_sums *s, size_t channels, xr_pixel_unit *unit)
{
    double residual = xr_unexplained_by_order(s, channels, unit->from);
    for (size_t c = 0; c < channels; c++) {
        size_t k = unit->from[c];
        double variance = s->rr[k][k] - s->reference[k] * s->reference[k] / s->n;
        double both = s->er[c][k] - s->edge[c] * s->reference[k] / s->n;
        unit->gain[c] = variance > 0 ? both / variance : 1;
        unit->offset[c] = (s->edge[c] - unit->gain[c] * s->reference[k]) / s->n;
    }
    unit->measured = residual < 0.02;
    return unit->measured;
}

/* Refines gain and offset where the values are normalized whole pixels: least squares of the values on
 * their pixels.  A rendering alone may be off by a level here and there.  False: they are not. */
static bool fit_lattice(const float *value, size_t count, double *gain, double *offset)
{
    double n = 0, k = 0, kk = 0, v = 0, kv = 0, worst = 0;
    for (size_t i = 0; i < count; i++) {
        double pixel = round(((double)value[i] - *offset) / *gain);
        if (!isfinite(pixel))
            continue;
        n++, k += pixel, kk += pixel * pixel, v += (double)value[i], kv += pixel * (double)value[i];
    }
    if (!(n * kk > k * k))
        return false;
    double a = (n * kv - k * v) / (n * kk - k * k), b = (v - a * k) / n;
    for (size_t i = 0; i < count; i++)
        if (isfinite(value[i]))
            worst = fmax(worst, fabs((double)value[i] - a * round(((double)value[i] - *offset) / *gain) - b));
    if (!(worst < 0.02 * fabs(a)))
        return false;
    *gain = a;
    *offset = b;
    return true;
}

/* How far a measured unit is from a convention's, in levels. */
static double distance_to(const xr_input_pair *pair, const xr_pixel_unit *unit, const xr_convention *k)
{
    double far = 0;
    for (size_t c = 0; c < pair->channels; c++) {
        double gain = 1 / k->std[c % 3], offset = -k->mean[c % 3] / k->std[c % 3];
        far = fmax(far, fabs(unit->offset[c] - offset) / gain);
        far = fmax(far, 255 * fabs(unit->gain[c] / gain - 1));
    }
    return far;
}

/* Takes the unit of a convention that the reference's values follow exactly, where it is near what was
 * measured: a rendering whose colors differ a little (fewer bits of them) pulls the measured one off. */
static void take_convention(const xr_input_pair *pair, xr_pixel_unit *unit)
{
    const xr_convention *best = NULL;
    double least = 20;
    for (size_t i = 0; i < xr_convention_count(); i++) {
        const xr_convention *k = xr_convention_at(i);
        double far = distance_to(pair, unit, k);
        if (far < least && xr_follows_exactly(pair->fit, EXRAY_SIDE_REFERENCE, k)) {
            least = far;
            best = k;
        }
    }
    for (size_t c = 0; c < pair->channels && best; c++) {
        unit->gain[c] = 1 / best->std[c % 3];
        unit->offset[c] = -best->mean[c % 3] / best->std[c % 3];
    }
}

static void refine_unit(const xr_input_pair *pair, xr_pixel_unit *unit)
{
    const xr_raster *r = &pair->frame[0].reference;
    size_t pixels = r->width * r->height;
    bool whole = true;
    for (size_t c = 0; c < r->channels; c++)
        whole = fit_lattice(r->v + c * pixels, pixels, &unit->gain[c], &unit->offset[c]) && whole;
    if (!whole)
        take_convention(pair, unit);
}

/* Takes the reference's geometry and kernel for the edge's, where they explain it as well as those that
 * were found. */
static void prefer_reference_settings(xr_input_pair *pair, xr_transform *transform,
                                      const xr_rendering_fit *edge)
{
    const xr_rendering *reference = &transform->resampling.reference;
    xr_rendering *chosen = &transform->resampling.edge, next = edge->rendering;
    double residual = edge->residual, now;
    bool same = true;
    for (size_t f = 0; f < pair->count; f++)
        same = same && xr_same_geometry(&reference->geometry, &edge->rendering.geometry,
                                        exray_picture_width(pair->frame[f].picture),
                                        exray_picture_height(pair->frame[f].picture), (double)pair->width);
    if (same) {
        next.geometry = reference->geometry;
        next.resize_first = reference->resize_first;
        now = xr_rendering_residual(pair, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &next, NULL);
        if (!decisively_less(levels_of(pair, residual), levels_of(pair, now))) {
            *chosen = next;
            residual = now;
        }
    }
    next = *chosen;
    next.filter = reference->filter;
    next.sampling = reference->sampling;
    if (!xr_same_kernel(&next, chosen)) {
        now = xr_rendering_residual(pair, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &next, NULL);
        if (!decisively_less(levels_of(pair, residual), levels_of(pair, now))) {
            *chosen = next;
            residual = now;
        }
    }
    next = *chosen;
    next.geometry = reference->geometry;
    next.resize_first = reference->resize_first;
    now = xr_rendering_residual(pair, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &next, NULL);
    if (!decisively_less(levels_of(pair, residual), levels_of(pair, now))) {
        *chosen = next;
        residual = now;
    }
    transform->residual = residual;
}

/* The largest distance between what a rendering of the edge's picture and one of the reference's show at a
 * border: in pixels of the input, and of the edge's picture. */
static void measure_distance(const xr_input_pair *pair, const xr_rendering *edge,
                             const xr_rendering *reference, double *in_input, double *in_picture)
{
    double width = (double)pair->width, height = (double)pair->height;
    *in_input = *in_picture = 0;
    for (size_t f = 0; f < pair->count; f++) {
        const exray_picture *p = xr_search_picture(&pair->frame[f], EXRAY_SIDE_EDGE),
                            *r = pair->frame[f].picture;
        double w = exray_picture_width(p), h = exray_picture_height(p);
        xr_part a = xr_geometry_part(&edge->geometry, w, h, width, height);
        xr_part b = xr_geometry_part(&reference->geometry, exray_picture_width(r), exray_picture_height(r),
                                     width, height);
        double x = fmax(fabs(a.x0 - b.x0), fabs(a.x1 - b.x1)), y = fmax(fabs(a.y0 - b.y0), fabs(a.y1 - b.y1));
        *in_input = fmax(*in_input, fmax(x * width / fabs(b.x1 - b.x0), y * height / fabs(b.y1 - b.y0)));
        *in_picture = fmax(*in_picture, fmax(x * w, y * h));
    }
}

/* A part that is hardly another one than the reference's imitates a kernel or a blur that is not known; only
 * an exact rendering proves it.  Of a picture at a part of its size the same part is rounded to other pixels,
 * which is no other crop. */
static void judge_small_crop(xr_input_pair *pair, xr_transform *transform, const xr_rendering_fit *edge)
{
    const xr_rendering *reference = &transform->resampling.reference;
    xr_rendering *chosen = &transform->resampling.edge, same = *chosen;
    double in_input, in_picture;
    measure_distance(pair, chosen, reference, &in_input, &in_picture);
    transform->resampling.rounded = transform->decode.kind == XR_DECODE_REDUCED && in_picture < ROUNDED;
    if (transform->resampling.rounded || edge->orientation || chosen->turned_first || in_input > NEARBY)
        return;
    same.geometry = reference->geometry;
    same.resize_first = reference->resize_first;
    double without =
        xr_rendering_residual(pair, EXRAY_SIDE_EDGE, edge->layout, edge->orientation, &same, NULL);
    if (xr_is_proven(pair, transform, levels_of(pair, transform->residual), levels_of(pair, without)))
        return;
    *chosen = same;
    transform->residual = without;
}

static bool same_rendering(const xr_rendering *a, const xr_rendering *b)
{
    return xr_same_kernel(a, b) && !a->resize_first == !b->resize_first &&
           xr_geometry_equal(&a->geometry, &b->geometry);
}

/* Other orientations that the edge's rendering explains nearly as well. */
static void list_runners_up(xr_input_pair *pair, const xr_transform *transform, const xr_rendering_fit *edge,
                            xr_orientation reference, xr_turn *turn)
{
    turn->runner_up_count = 0;
    turn->runner_up_residual = 1;
    for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++) {
        double coarse = edge->by_orientation[o];
        if (o == edge->orientation || coarse >= 1)
            continue;
        turn->runner_up_residual = fmin(turn->runner_up_residual, coarse);
        if (coarse > 2 * edge->by_orientation[edge->orientation] + 0.001)
            continue;
        double residual =
            xr_rendering_residual(pair, EXRAY_SIDE_EDGE, edge->layout, o, &transform->resampling.edge, NULL);
        if (levels_of(pair, residual) < 2 * levels_of(pair, transform->residual) + 0.5 &&
            turn->runner_up_count < XR_RUNNERS_UP)
            turn->runner_up[turn->runner_up_count++] =
                xr_orientation_compose(o, xr_orientation_inverse(reference));
    }
}

bool xr_find_rendering(xr_input_pair *pair, xr_transform *transform)
{
    xr_rendering_fit reference, edge;
    xr_fit_sums sums;
    if (!xr_find_kernel(pair, EXRAY_SIDE_REFERENCE, NULL, &reference))
        return false;
    transform->resampling.reference = reference.rendering;
    transform->resampling.reference_residual = reference.residual;
    xr_rendering_residual(pair, EXRAY_SIDE_REFERENCE, false, reference.orientation, &reference.rendering,
                          &sums);
    /* The reference must be made from the sensor's picture. */
    if (reference.residual > 0.01 || !measure_unit(&sums, pair->channels, &transform->unit))
        return false;
    refine_unit(pair, &transform->unit);
    if (!xr_find_kernel(pair, EXRAY_SIDE_EDGE, &transform->resampling.reference, &edge))
        return false;
    double turned = transform->residual;
    xr_transform next = *transform;
    double levels = levels_of(pair, edge.residual);
    if (levels > XR_DECODERS_DIFFER || (!xr_is_proven(pair, transform, levels, levels) &&
                                        !same_rendering(&edge.rendering, &reference.rendering)))
        xr_find_decoding(pair, &next, &edge);
    next.resampling.edge = edge.rendering;
    next.resampling.runner_up = edge.runner_up;
    next.resampling.runner_up_residual = edge.runner_up_residual;
    next.layout = edge.layout;
    next.resampling.orientation = edge.orientation;
    next.turn.orientation =
        xr_orientation_compose(edge.orientation, xr_orientation_inverse(reference.orientation));
    prefer_reference_settings(pair, &next, &edge);
    judge_small_crop(pair, &next, &edge);
    bool reshaped = (edge.orientation & 4) != 0 &&
                    pair->width != pair->height; /* which turning the reference's input cannot do */
    next.resampling.set = reshaped || next.decode.kind || next.resampling.edge.turned_first ||
                          !same_rendering(&next.resampling.edge, &next.resampling.reference);
    if (next.resampling.set && !decisively_less(levels_of(pair, next.residual), levels_of(pair, turned)))
        return false;
    list_runners_up(pair, &next, &edge, reference.orientation, &next.turn);
    *transform = next;
    return true;
}
