/* Which part of the sensor's picture an input shows, and by which kernel it was made:
 * first coarse, by averages of cells, which no kernel changes; then exactly, by making
 * the input with the pipeline's own functions.  Colours are fitted freely meanwhile. */
#include "input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COARSE = 24, FINE = 56, EXACT_FRAMES = 3, KERNELS = 10 };

static const struct {
    exray_filter filter;
    exray_sampling sampling;
} kernels[KERNELS] = {
    {EXRAY_BILINEAR, EXRAY_HALF_PIXEL},   {EXRAY_BILINEAR, EXRAY_ANTIALIAS},
    {EXRAY_BICUBIC, EXRAY_ANTIALIAS},     {EXRAY_AREA, EXRAY_HALF_PIXEL},
    {EXRAY_BICUBIC, EXRAY_HALF_PIXEL},    {EXRAY_NEAREST, EXRAY_HALF_PIXEL},
    {EXRAY_AREA, EXRAY_ANTIALIAS},        {EXRAY_BILINEAR, EXRAY_ALIGN_CORNERS},
    {EXRAY_NEAREST, EXRAY_ALIGN_CORNERS}, {EXRAY_BICUBIC, EXRAY_ALIGN_CORNERS},
};

/* Box averages are not quite what a kernel leaves of a cell: less than this, of the variance,
 * tells nothing. */
#define SLACK 2e-4

/* ---- Coarse --------------------------------------------------------------------------- */

/* The input's thumbnails, turned back from each layout and orientation. */
typedef struct turned {
    size_t side;
    bool square; /* transposes make sense */
    xr_thumb of[XR_SEARCH_FRAMES][2][XR_ORIENTATIONS];
    xr_thumb scene;
    size_t layouts;
} turned;

static void turned_free(turned *t)
{
    for (size_t f = 0; f < XR_SEARCH_FRAMES; f++)
        for (size_t l = 0; l < 2; l++)
            for (size_t o = 0; o < XR_ORIENTATIONS; o++)
                xr_thumb_free(&t->of[f][l][o]);
    xr_thumb_free(&t->scene);
}

static bool turned_make(turned *t, const xr_scene *scene, exray_side side, size_t size)
{
    static const xr_map all = {0, 1, 0, 1};
    *t = (turned){.side = size, .layouts = side == EXRAY_EDGE && scene->channels > 1 ? 2 : 1};
    bool ok = xr_thumb_make(&t->scene, size, scene->channels);
    for (size_t f = 0; ok && f < scene->count; f++)
        for (size_t l = 0; ok && l < t->layouts; l++) {
            const xr_area *area =
                side == EXRAY_EDGE ? &scene->frame[f].edge_area[l] : &scene->frame[f].reference_area;
            ok = xr_thumb_make(&t->of[f][l][0], size, scene->channels);
            if (ok)
                xr_thumb_of(&t->of[f][l][0], area, &all);
            for (xr_orientation o = 1; ok && o < XR_ORIENTATIONS; o++) {
                ok = xr_thumb_make(&t->of[f][l][o], size, scene->channels);
                if (ok)
                    xr_thumb_orient(&t->of[f][l][0], xr_orientation_inverse(o), &t->of[f][l][o]);
            }
        }
    if (!ok)
        turned_free(t);
    return ok;
}

/* The size of the input before it was turned. */
static void size_before(const xr_scene *scene, xr_orientation o, double *width, double *height)
{
    *width = (double)(o & 4 ? scene->height : scene->width);
    *height = (double)(o & 4 ? scene->width : scene->height);
}

static double coarse_left(const xr_scene *scene, turned *t, size_t layout, xr_orientation o,
                          const xr_geometry *g)
{
    xr_fit_sums sums = {0};
    double width, height, cells = 0;
    size_before(scene, o, &width, &height);
    for (size_t f = 0; f < scene->count; f++) {
        const xr_search_frame *s = &scene->frame[f];
        xr_map map =
            xr_geometry_map(g, (double)s->scene_area.width, (double)s->scene_area.height, width, height);
        xr_thumb_of(&t->scene, &s->scene_area, &map);
        xr_sums_add(&sums, scene->channels, t->of[f][layout][o].v, t->scene.v, t->scene.seen,
                    t->side * t->side, 1);
        cells += (double)(t->side * t->side);
    }
    return sums.n < 0.2 * cells ? 1 : xr_unexplained_by_colour(&sums, scene->channels);
}

typedef struct guess {
    xr_geometry geometry;
    xr_orientation orientation;
    size_t layout;
    double left;
} guess;

enum { KINDS = 4 }; /* centred square, square, rectangle, letterbox */

static size_t kind_of(const xr_geometry *g)
{
    return g->kind == XR_LETTERBOX ? 3 : g->kind == XR_RECTANGLE ? 2 : g->ax == 0.5 && g->ay == 0.5 ? 0 : 1;
}

/* All layouts and orientations of one geometry at once. */
static void try_geometry(const xr_scene *scene, turned *t, const xr_geometry *g, guess best[KINDS],
                         double by_orientation[2][XR_ORIENTATIONS])
{
    xr_fit_sums sums[2][XR_ORIENTATIONS];
    double cells = 0;
    bool square = scene->width == scene->height;
    memset(sums, 0, sizeof sums);
    for (size_t f = 0; f < scene->count; f++) {
        const xr_search_frame *s = &scene->frame[f];
        xr_map map = xr_geometry_map(g, (double)s->scene_area.width, (double)s->scene_area.height,
                                     (double)scene->width, (double)scene->height);
        xr_thumb_of(&t->scene, &s->scene_area, &map);
        cells += (double)(t->side * t->side);
        for (size_t l = 0; l < t->layouts; l++)
            for (size_t o = 0; o < (square ? 8 : 4); o++)
                xr_sums_add(&sums[l][o], scene->channels, t->of[f][l][o].v, t->scene.v, t->scene.seen,
                            t->side * t->side, 1);
    }
    guess *b = &best[kind_of(g)];
    for (size_t l = 0; l < t->layouts; l++)
        for (size_t o = 0; o < (square ? 8 : 4); o++) {
            double left =
                sums[l][o].n < 0.2 * cells ? 1 : xr_unexplained_by_colour(&sums[l][o], scene->channels);
            if (left < by_orientation[l][o])
                by_orientation[l][o] = left;
            if (left < b->left * 0.999)
                *b = (guess){*g, (xr_orientation)o, l, left};
        }
}

static void coarse(const xr_scene *scene, turned *t, guess best[KINDS],
                   double by_orientation[2][XR_ORIENTATIONS])
{
    static const double fractions[] = {1, 0.875, 0.95, 0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4};
    static const double places[] = {0.5, 0, 1};
    for (size_t k = 0; k < KINDS; k++)
        best[k] = (guess){.left = 2};
    for (size_t l = 0; l < 2; l++)
        for (size_t o = 0; o < XR_ORIENTATIONS; o++)
            by_orientation[l][o] = 1;
    for (size_t x = 0; x < 3; x++)
        for (size_t y = 0; y < 3; y++) {
            if (x == y) {
                xr_geometry g = {XR_LETTERBOX, 1, 1, places[x], places[y]};
                try_geometry(scene, t, &g, best, by_orientation);
            }
            for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
                double f = fractions[i];
                xr_geometry g = {XR_SQUARE, f, f, places[x], places[y]};
                try_geometry(scene, t, &g, best, by_orientation);
                g.kind = XR_RECTANGLE;
                if (f < 1 || (x == 0 && y == 0))
                    try_geometry(scene, t, &g, best, by_orientation);
            }
        }
}

/* Coordinate descent on what a kind of geometry leaves open. */
static void refine(const xr_scene *scene, turned *t, guess *g, bool centred)
{
    g->left = coarse_left(scene, t, g->layout, g->orientation, &g->geometry);
    if (g->geometry.kind == XR_LETTERBOX)
        return;
    double step = 0.04;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int moved = 1, rounds = 0; moved && rounds < 4; rounds++) {
            moved = 0;
            for (int p = 0; p < (centred ? 1 : 4); p++)
                for (int sign = -1; sign <= 1; sign += 2) {
                    guess next = *g;
                    double *at[] = {&next.geometry.fx, &next.geometry.ax, &next.geometry.ay,
                                    &next.geometry.fy};
                    *at[p] = fmin(
                        fmax(*at[p] + sign * step * (p == 1 || p == 2 ? 4 : 1), p == 1 || p == 2 ? 0 : 0.05),
                        1);
                    next.left = coarse_left(scene, t, g->layout, g->orientation, &next.geometry);
                    if (next.left < g->left * 0.9999) {
                        *g = next;
                        moved = 1;
                    }
                }
        }
}

/* ---- Exact ------------------------------------------------------------------------------ */

double xr_rendering_left(xr_scene *scene, exray_side side, bool layout, xr_orientation orientation,
                         const xr_rendering *how, xr_fit_sums *out)
{
    xr_fit_sums sums = {0};
    bool swap = (orientation & 4) != 0;
    size_t frames = xr_scene_is_large(scene) ? 1 : scene->count < EXACT_FRAMES ? scene->count : EXACT_FRAMES;
    for (size_t f = 0; f < frames; f++) {
        const xr_search_frame *s = &scene->frame[f];
        const xr_raster *input = side == EXRAY_EDGE ? &s->edge[layout] : &s->reference;
        xr_raster rendered, turned_raster;
        if (!xr_render(s->picture, how, swap ? scene->height : scene->width,
                       swap ? scene->width : scene->height, scene->channels, &rendered)) {
            xr_raster_free(&rendered);
            return 1;
        }
        if (orientation) {
            if (xr_raster_orient(&rendered, orientation, &turned_raster)) {
                xr_raster_free(&rendered);
                rendered = turned_raster;
            }
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
} attempt;

static double left_by(const attempt *a, const xr_rendering *how)
{
    return xr_rendering_left(a->scene, a->side, a->layout, a->orientation, how, NULL);
}

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

/* One rendering's place among those tried: the best, and the best by another kernel. */
static void note(xr_found *found, const xr_rendering *tried, double left)
{
    bool same_kernel =
        tried->filter == found->rendering.filter && tried->sampling == found->rendering.sampling;
    if (left < found->left) {
        if (!same_kernel) {
            found->rival = found->rendering;
            found->rival_left = found->left;
        }
        found->rendering = *tried;
        found->left = left;
    } else if (!same_kernel && left < found->rival_left) {
        found->rival = *tried;
        found->rival_left = left;
    }
}

static void exact_kernels(const attempt *a, const xr_geometry *geometry, bool resize_first, xr_found *found,
                          double left[KERNELS])
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

/* The roundest fraction nearby. */
static double round_fraction(double f)
{
    double coarse_round = floor(f * 40 + 0.5) / 40;
    return fmin(fabs(coarse_round - f) < 0.006 ? coarse_round : floor(f * 200 + 0.5) / 200, 1);
}

static void exact_from(xr_scene *scene, exray_side side, const guess *g, xr_found *found)
{
    enum { FINALISTS = 4 };
    attempt a = {scene, side, g->layout != 0, g->orientation};
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
    exact_kernels(&a, &start, false, found, left);
    if (start.kind == XR_LETTERBOX || found->left < 1e-5)
        return;
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
    }
    xr_geometry part = found->rendering.geometry;
    exact_kernels(&a, &part, false, found, left);
    if (part.fx < 0.995 && found->left > 1e-5)
        exact_kernels(&a, &part, true, found, left);
}

static double nice_place(double a)
{
    static const double nice[] = {0.5, 0, 1};
    for (size_t i = 0; i < 3; i++)
        if (fabs(a - nice[i]) < 0.12)
            return nice[i];
    return a;
}

/* A place nearly in the middle, or at a border, is most likely there: tried as well. */
static void exact(xr_scene *scene, exray_side side, const guess *g, xr_found *found)
{
    guess nice = *g;
    xr_found other;
    nice.geometry.ax = nice_place(g->geometry.ax);
    nice.geometry.ay = nice_place(g->geometry.ay);
    exact_from(scene, side, &nice, found);
    if (found->left < 1e-4 || (nice.geometry.ax == g->geometry.ax && nice.geometry.ay == g->geometry.ay))
        return;
    exact_from(scene, side, g, &other);
    if (other.left < 0.7 * found->left)
        *found = other;
}

bool xr_find_rendering(xr_scene *scene, exray_side side, xr_found *found)
{
    turned t;
    guess best[KINDS];
    double by_orientation[2][XR_ORIENTATIONS];
    if (!scene->has_sensor || scene->count == 0 || !turned_make(&t, scene, side, COARSE))
        return false;
    coarse(scene, &t, best, by_orientation);
    turned_free(&t);
    if (!turned_make(&t, scene, side, FINE))
        return false;
    /* The simpler kinds first; one that is less simple must be better by far. */
    static const size_t order[KINDS] = {0, 3, 2, 1};
    size_t chosen = KINDS;
    guess whole = best[2];
    whole.geometry = (xr_geometry){XR_RECTANGLE, 1, 1, 0.5, 0.5};
    if (best[2].left < 1)
        whole.left = coarse_left(scene, &t, whole.layout, whole.orientation, &whole.geometry);
    for (size_t i = 0; i < KINDS; i++) {
        size_t k = order[i];
        if (best[k].left > 1)
            continue;
        refine(scene, &t, &best[k], k == 0);
        if (k == 2 && whole.left < 1.5 * best[k].left + SLACK)
            best[k] = whole;
        if (chosen == KINDS || best[k].left < 0.6 * best[chosen].left - SLACK)
            chosen = k;
    }
    turned_free(&t);
    if (chosen == KINDS)
        return false;
    exact(scene, side, &best[chosen], found);
    memcpy(found->by_orientation, by_orientation[best[chosen].layout], sizeof found->by_orientation);
    return true;
}
