/* By which kernel an input was made of the part of the sensor's picture that it shows, and
 * which part that is to the pixel: by making the input with the pipeline's own functions. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <string.h>

enum { EXACT_FRAMES = 3, KERNELS = 13, FINALISTS = 4, MOST_SHIFT = 12 };

/* Levels rms: a rendering that leaves less is the one that was used. */
#define EXACT 0.35

static const struct {
    exray_filter filter;
    exray_sampling sampling;
} kernels[KERNELS] = {
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_AREA, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_HALF_PIXEL},
    {EXRAY_FILTER_AREA, EXRAY_SAMPLING_ANTIALIAS},
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_ALIGN_CORNERS},
    {EXRAY_FILTER_BILINEAR, EXRAY_SAMPLING_ASYMMETRIC},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_EXACT},
    {EXRAY_FILTER_NEAREST, EXRAY_SAMPLING_ALIGN_CORNERS},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_ALIGN_CORNERS},
    {EXRAY_FILTER_BICUBIC, EXRAY_SAMPLING_ASYMMETRIC},
};

double xr_rendering_left(xr_scene *scene, exray_side side, bool layout, xr_orientation orientation,
                         const xr_rendering *how, xr_fit_sums *out)
{
    xr_fit_sums sums = {0};
    size_t frames = xr_scene_is_large(scene) ? 1 : scene->count < EXACT_FRAMES ? scene->count : EXACT_FRAMES;
    for (size_t f = 0; f < scene->count; f++) {
        /* What is exact on a few frames is put to all, whose sizes round otherwise. */
        if (f >= frames &&
            xr_levels_of(scene, side, xr_unexplained_by_colour(&sums, scene->channels)) > EXACT)
            break;
        const xr_search_frame *s = &scene->frame[f];
        const xr_raster *input = side == EXRAY_SIDE_EDGE ? &s->edge[layout] : &s->reference;
        xr_raster rendered;
        if (!xr_render(xr_frame_picture(s, side), how, orientation, scene->width, scene->height,
                       scene->channels, &rendered)) {
            xr_raster_free(&rendered);
            return 1;
        }
        xr_sums_add(&sums, scene->channels, input->v, rendered.v, NULL, scene->width * scene->height, 1);
        xr_raster_free(&rendered);
    }
    if (out)
        *out = sums;
    return xr_unexplained_by_colour(&sums, scene->channels);
}

typedef struct attempt {
    xr_scene *scene;
    exray_side side;
    bool layout;
    xr_orientation orientation;
    const xr_rendering *likely; /* the reference's, which the edge shares most of; or NULL */
} attempt;

static double left_by(const attempt *a, const xr_rendering *how)
{
    return xr_rendering_left(a->scene, a->side, a->layout, a->orientation, how, NULL);
}

static bool is_exact(const attempt *a, double left)
{
    return xr_levels_of(a->scene, a->side, left) < EXACT;
}

static bool same_kernel(const xr_rendering *a, const xr_rendering *b)
{
    return a->filter == b->filter && a->sampling == b->sampling;
}

/* One rendering's place among those tried: the best, and the best by another kernel. */
static void note(xr_found *found, const xr_rendering *tried, double left)
{
    bool same = same_kernel(tried, &found->rendering);
    if (left < found->left) {
        if (!same) {
            found->rival = found->rendering;
            found->rival_left = found->left;
        }
        found->rendering = *tried;
        found->left = left;
    } else if (!same && left < found->rival_left) {
        found->rival = *tried;
        found->rival_left = left;
    }
}

/* ---- Fractions ----------------------------------------------------------------------------- */

/* Tries a fraction; keeps it where it is better. */
static void try_fraction(const attempt *a, xr_rendering *best, double *left, double fx, double fy)
{
    xr_rendering next = *best;
    next.geometry.fx = fmin(fmax(fx, 0.01), 1);
    next.geometry.fy = fmin(fmax(fy, 0.01), 1);
    if (next.geometry.fx == best->geometry.fx && next.geometry.fy == best->geometry.fy)
        return;
    double now = left_by(a, &next);
    if (now < *left) {
        *left = now;
        *best = next;
    }
}

/* People write round fractions; a whole number of pixels follows from them. */
static void exact_fractions(const attempt *a, xr_rendering *best, double *left)
{
    double fx = best->geometry.fx, fy = best->geometry.fy;
    if (best->geometry.kind == XR_LETTERBOX)
        return;
    bool same = best->geometry.kind == XR_SQUARE || fabs(fx - fy) < 0.004;
    double nearest = floor(fx * 40 + 0.5) / 40;
    if (fabs(nearest - fx) < 0.008)
        try_fraction(a, best, left, nearest, same ? nearest : floor(fy * 40 + 0.5) / 40);
    double side = (double)a->scene->width, resized = floor(side / fx / 16 + 0.5) * 16;
    if (resized >= side && fabs(side / resized - fx) < 0.008)
        try_fraction(a, best, left, side / resized, same ? side / resized : fy);
    if (is_exact(a, *left))
        return;
    for (int k = -2; k <= 2; k++) {
        double round = (floor(fx * 200 + 0.5) + k) / 200;
        try_fraction(a, best, left, round, same ? round : fy);
    }
    double around = best->geometry.fx;
    for (int k = -1; k <= 1; k += 2) {
        double next = around + k * 0.0017;
        try_fraction(a, best, left, next, same ? next : fy);
    }
}

/* The roundest fraction nearby. */
static double round_fraction(double f)
{
    double coarse_round = floor(f * 40 + 0.5) / 40;
    return fmin(fabs(coarse_round - f) < 0.006 ? coarse_round : floor(f * 200 + 0.5) / 200, 1);
}

/* ---- Whole pixels ----------------------------------------------------------------------------- */

/* Moves the part by whole pixels, as long as that is better. */
static void exact_shifts(const attempt *a, const xr_rendering *start, xr_found *found)
{
    xr_rendering best = *start;
    double least = left_by(a, start);
    for (int rounds = 0; rounds < MOST_SHIFT && !is_exact(a, least); rounds++) {
        xr_rendering from = best;
        double before = least;
        for (int p = 0; p < 4; p++) {
            xr_rendering next = from;
            next.geometry.dx += p == 0 ? 1 : p == 1 ? -1 : 0;
            next.geometry.dy += p == 2 ? 1 : p == 3 ? -1 : 0;
            double left = left_by(a, &next);
            if (left < least) {
                least = left;
                best = next;
            }
        }
        if (least >= before * 0.999)
            break;
    }
    note(found, &best, least);
}

/* The rendering found, with the kernel that is most likely beside its own. */
static xr_rendering with_likely_kernel(const attempt *a, const xr_found *found)
{
    xr_rendering r = found->rendering;
    r.filter = a->likely->filter;
    r.sampling = a->likely->sampling;
    return r;
}

static void exact_kernels(const attempt *a, const xr_geometry *geometry, unsigned char resize_first,
                          xr_found *found, double left[KERNELS])
{
    for (size_t k = 0; k < KERNELS; k++) {
        xr_rendering next = {.geometry = *geometry,
                             .filter = kernels[k].filter,
                             .sampling = kernels[k].sampling,
                             .resize_first = resize_first,
                             .pad = NAN};
        left[k] = left_by(a, &next);
        note(found, &next, left[k]);
    }
}

/* The whole resized, then the part cut out: by either rounding of the whole's size. */
static void exact_resize_first(const attempt *a, xr_found *found)
{
    enum { ORDERS = 4 };
    static const unsigned char orders[ORDERS] = {XR_RESIZE_FIRST, XR_RESIZE_FIRST | XR_RESIZE_ROUNDED,
                                                 XR_RESIZE_FIRST | XR_RESIZE_FLOORED,
                                                 XR_RESIZE_FIRST | XR_RESIZE_ROUNDED | XR_RESIZE_FLOORED};
    static const signed char shift_x[] = {0, -1, 1, 0, 0, -1, 1, -1, 1},
                             shift_y[] = {0, 0, 0, -1, 1, -1, -1, 1, 1};
    double left[KERNELS];
    xr_geometry part = found->rendering.geometry;
    if (part.kind == XR_LETTERBOX || part.fx >= 0.995)
        return;
    if (!part.in_target) { /* pixels of the first picture, as those of what it becomes */
        const exray_picture *p = xr_frame_picture(&a->scene->frame[0], a->side);
        double shorter = fmin(exray_picture_width(p), exray_picture_height(p));
        double scale = (double)a->scene->width / (part.fx * shorter);
        part.dx = floor(part.dx * scale + 0.5);
        part.dy = floor(part.dy * scale + 0.5);
        part.in_target = true;
    }
    xr_rendering best = found->rendering;
    double least = 2;
    for (int kernel = 0; kernel < (a->likely ? 2 : 1); kernel++)
        for (int order = 0; order < ORDERS; order++)
            for (int shift = 0; shift < (order & 2 ? 9 : 1) && !is_exact(a, least); shift++) {
                xr_rendering next = kernel ? with_likely_kernel(a, found) : found->rendering;
                next.geometry = part;
                next.geometry.dx += shift_x[shift];
                next.geometry.dy += shift_y[shift];
                next.resize_first = orders[order];
                double now = left_by(a, &next);
                if (now < least) {
                    least = now;
                    best = next;
                }
            }
    note(found, &best, least);
    if (!is_exact(a, found->left))
        exact_kernels(a, &best.geometry, best.resize_first, found, left);
}

/* ---- All of it ----------------------------------------------------------------------------------- */

/* A part whose size is rounded down. */
static void exact_floored(const attempt *a, xr_found *found)
{
    for (int kernel = 0; kernel < (a->likely ? 2 : 1) && !is_exact(a, found->left); kernel++) {
        xr_rendering next = kernel ? with_likely_kernel(a, found) : found->rendering;
        next.geometry.floored = true;
        exact_shifts(a, &next, found);
    }
}

/* An edge that turns its picture, or does not, before the part is cut out. */
static bool exact_turned_first(const attempt *a, xr_found *found)
{
    for (int kernel = 0; a->orientation && kernel < (a->likely ? 2 : 1); kernel++) {
        xr_rendering next = kernel ? with_likely_kernel(a, found) : found->rendering;
        next.turned_first = true;
        note(found, &next, left_by(a, &next));
    }
    return is_exact(a, found->left);
}

static void exact_from(xr_scene *scene, exray_side side, const xr_guess *g, const xr_rendering *likely,
                       xr_found *found)
{
    attempt a = {scene, side, g->layout != 0, g->orientation, likely};
    xr_geometry start = g->geometry;
    double left[KERNELS];
    if (start.kind != XR_LETTERBOX) {
        bool same = start.kind == XR_SQUARE || fabs(start.fx - start.fy) < 0.004;
        start.fx = round_fraction(start.fx);
        start.fy = same ? start.fx : round_fraction(start.fy);
    }
    *found = (xr_found){.rendering = {.geometry = start, .pad = NAN},
                        .orientation = g->orientation,
                        .layout = g->layout != 0,
                        .left = 2,
                        .rival_left = 2};
    exact_kernels(&a, &start, XR_CROP_FIRST, found, left);
    if (start.kind == XR_LETTERBOX || is_exact(&a, found->left))
        return;
    /* As the other side's, but moved: no more than that. */
    if (likely && likely->geometry.kind == start.kind && !likely->resize_first) {
        xr_rendering moved = *likely;
        moved.geometry.dx = start.in_target ? 0 : start.dx;
        moved.geometry.dy = start.in_target ? 0 : start.dy;
        moved.pad = NAN;
        exact_shifts(&a, &moved, found);
        if (is_exact(&a, found->left))
            return;
    }
    /* Fraction and kernel depend on each other: each of the better kernels gets its own. */
    for (int i = 0; i < FINALISTS; i++) {
        size_t k = 0;
        for (size_t j = 1; j < KERNELS; j++)
            k = left[j] < left[k] ? j : k;
        xr_rendering best = {
            .geometry = start, .filter = kernels[k].filter, .sampling = kernels[k].sampling, .pad = NAN};
        double now = left[k];
        left[k] = 2;
        exact_fractions(&a, &best, &now);
        note(found, &best, now);
        if (is_exact(&a, found->left))
            return;
    }
    if (exact_turned_first(&a, found))
        return;
    xr_rendering from = found->rendering;
    exact_shifts(&a, &from, found);
    if (likely && !is_exact(&a, found->left)) {
        from = with_likely_kernel(&a, found);
        exact_shifts(&a, &from, found);
    }
    if (is_exact(&a, found->left))
        return;
    exact_floored(&a, found);
    if (is_exact(&a, found->left))
        return;
    xr_geometry part = found->rendering.geometry;
    exact_kernels(&a, &part, XR_CROP_FIRST, found, left);
    if (!is_exact(&a, found->left))
        exact_resize_first(&a, found);
}

static double nice_place(double a)
{
    static const double nice[] = {0.5, 0, 1};
    for (size_t i = 0; i < 3; i++)
        if (fabs(a - nice[i]) < 0.12)
            return nice[i];
    return a;
}

/* A place nearly in the middle, or at a border, is most likely there; kernels seem to move a
 * picture by a pixel. */
static xr_guess nice_guess(const xr_guess *g)
{
    enum { NEAR = 2 };
    xr_guess nice = *g;
    nice.geometry.ax = nice_place(g->geometry.ax);
    nice.geometry.ay = nice_place(g->geometry.ay);
    if (fabs(g->geometry.dx) <= NEAR && fabs(g->geometry.dy) <= NEAR)
        nice.geometry.dx = nice.geometry.dy = 0;
    return nice;
}

static void exact(xr_scene *scene, exray_side side, const xr_guess *g, const xr_rendering *likely,
                  xr_found *found)
{
    attempt a = {scene, side, g->layout != 0, g->orientation, likely};
    xr_guess nice = nice_guess(g);
    xr_found other;
    exact_from(scene, side, &nice, likely, found);
    if (is_exact(&a, found->left) || xr_geometry_is(&nice.geometry, &g->geometry))
        return;
    exact_from(scene, side, g, likely, &other);
    if (other.left < 0.7 * found->left)
        *found = other;
}

bool xr_find_rendering(xr_scene *scene, exray_side side, const xr_rendering *likely, xr_found *found)
{
    xr_guess place;
    double by_orientation[XR_ORIENTATIONS];
    if (!xr_find_place(scene, side, likely, &place, by_orientation))
        return false;
    exact(scene, side, &place, likely, found);
    memcpy(found->by_orientation, by_orientation, sizeof by_orientation);
    return true;
}
