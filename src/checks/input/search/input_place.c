/* Which part of the sensor's picture an input shows, by averages of cells, which no kernel
 * changes.  Colours are fitted freely meanwhile. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COARSE = 24, FINE = 56 };

/* Box averages are not quite what a kernel leaves of a cell: less than this, of the variance,
 * tells nothing. */
#define SLACK 2e-4
/* Share of the variance left: the place is not yet found. */
#define POOR 0.05

/* ---- Coarse --------------------------------------------------------------------------- */

/* The input's thumbnails, turned back from each layout and orientation. */
typedef struct turned {
    exray_side of_side;
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
    *t = (turned){
        .of_side = side, .side = size, .layouts = side == EXRAY_SIDE_EDGE && scene->channels > 1 ? 2 : 1};
    bool ok = xr_thumb_make(&t->scene, size, scene->channels);
    for (size_t f = 0; ok && f < scene->count; f++)
        for (size_t l = 0; ok && l < t->layouts; l++) {
            const xr_area *area =
                side == EXRAY_SIDE_EDGE ? &scene->frame[f].edge_area[l] : &scene->frame[f].reference_area;
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

/* The part in terms of the sensor's picture, whose pixels the geometry counts. */
static xr_map map_of(const xr_search_frame *s, exray_side side, const xr_geometry *g, double width,
                     double height)
{
    const exray_picture *p = xr_frame_picture(s, side);
    return xr_geometry_map(g, exray_picture_width(p), exray_picture_height(p), width, height);
}

static double coarse_left(const xr_scene *scene, turned *t, size_t layout, xr_orientation o,
                          const xr_geometry *g)
{
    xr_fit_sums sums = {0};
    double width, height, cells = 0;
    size_before(scene, o, &width, &height);
    for (size_t f = 0; f < scene->count; f++) {
        xr_map map = map_of(&scene->frame[f], t->of_side, g, width, height);
        xr_thumb_of(&t->scene, xr_frame_area(&scene->frame[f], t->of_side), &map);
        xr_sums_add(&sums, scene->channels, t->of[f][layout][o].v, t->scene.v, t->scene.seen,
                    t->side * t->side, 1);
        cells += (double)(t->side * t->side);
    }
    return sums.n < 0.2 * cells ? 1 : xr_unexplained_by_colour(&sums, scene->channels);
}

enum { KINDS = 4 }; /* centred square, square, rectangle, letterbox */

static size_t kind_of(const xr_geometry *g)
{
    return g->kind == XR_LETTERBOX ? 3 : g->kind == XR_RECTANGLE ? 2 : g->ax == 0.5 && g->ay == 0.5 ? 0 : 1;
}

/* The thumbnails of the sensor's pictures under one geometry, against the input's in all layouts and
 * some orientations: those that leave the sides as they are, or those that exchange them. */
static void add_geometry(const xr_scene *scene, turned *t, const xr_geometry *g, bool exchanged,
                         xr_fit_sums sums[2][XR_ORIENTATIONS])
{
    double width = (double)(exchanged ? scene->height : scene->width),
           height = (double)(exchanged ? scene->width : scene->height);
    bool square = scene->width == scene->height;
    size_t first = exchanged ? 4 : 0, end = square || exchanged ? 8 : 4;
    for (size_t f = 0; f < scene->count; f++) {
        xr_map map = map_of(&scene->frame[f], t->of_side, g, width, height);
        xr_thumb_of(&t->scene, xr_frame_area(&scene->frame[f], t->of_side), &map);
        for (size_t l = 0; l < t->layouts; l++)
            for (size_t o = first; o < end; o++)
                xr_sums_add(&sums[l][o], scene->channels, t->of[f][l][o].v, t->scene.v, t->scene.seen,
                            t->side * t->side, 1);
    }
}

/* All layouts and orientations of one geometry at once. */
static void try_geometry(const xr_scene *scene, turned *t, const xr_geometry *g, xr_guess best[KINDS],
                         double by_orientation[2][XR_ORIENTATIONS])
{
    xr_fit_sums sums[2][XR_ORIENTATIONS];
    double cells = (double)(scene->count * t->side * t->side);
    memset(sums, 0, sizeof sums);
    add_geometry(scene, t, g, false, sums);
    if (scene->width != scene->height)
        add_geometry(scene, t, g, true, sums);
    xr_guess *b = &best[kind_of(g)];
    for (size_t l = 0; l < t->layouts; l++)
        for (size_t o = 0; o < XR_ORIENTATIONS; o++) {
            double left =
                sums[l][o].n < 0.2 * cells ? 1 : xr_unexplained_by_colour(&sums[l][o], scene->channels);
            if (left < by_orientation[l][o])
                by_orientation[l][o] = left;
            if (left < b->left * 0.999)
                *b = (xr_guess){*g, (xr_orientation)o, l, left};
        }
}

static void coarse(const xr_scene *scene, turned *t, xr_guess best[KINDS],
                   double by_orientation[2][XR_ORIENTATIONS])
{
    static const double fractions[] = {1, 0.875, 0.95, 0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4};
    static const double places[] = {0.5, 0, 1};
    for (size_t k = 0; k < KINDS; k++)
        best[k] = (xr_guess){.left = 2};
    for (size_t l = 0; l < 2; l++)
        for (size_t o = 0; o < XR_ORIENTATIONS; o++)
            by_orientation[l][o] = 1;
    for (size_t x = 0; x < 3; x++)
        for (size_t y = 0; y < 3; y++) {
            if (x == y) {
                xr_geometry g = {.kind = XR_LETTERBOX, .fx = 1, .fy = 1, .ax = places[x], .ay = places[y]};
                try_geometry(scene, t, &g, best, by_orientation);
            }
            for (size_t i = 0; i < sizeof fractions / sizeof *fractions; i++) {
                double f = fractions[i];
                xr_geometry g = {.kind = XR_SQUARE, .fx = f, .fy = f, .ax = places[x], .ay = places[y]};
                try_geometry(scene, t, &g, best, by_orientation);
                g.kind = XR_RECTANGLE;
                if (f < 1 || (x == 0 && y == 0))
                    try_geometry(scene, t, &g, best, by_orientation);
            }
        }
}

/* A step along one of what a kind of geometry leaves open: the sizes, then the places. */
static xr_geometry moved_by(const xr_geometry *g, int parameter, double step)
{
    xr_geometry next = *g;
    double *at[] = {&next.fx, &next.ax, &next.ay, &next.fy};
    bool place = parameter == 1 || parameter == 2;
    *at[parameter] = fmin(fmax(*at[parameter] + step * (place ? 4 : 1), place ? 0 : 0.05), 1);
    return next;
}

/* Coordinate descent. */
static void refine(const xr_scene *scene, turned *t, xr_guess *g, bool centred)
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
                    xr_guess next = *g;
                    next.geometry = moved_by(&g->geometry, p, sign * step);
                    next.left = coarse_left(scene, t, g->layout, g->orientation, &next.geometry);
                    if (next.left < g->left * 0.9999) {
                        *g = next;
                        moved = 1;
                    }
                }
        }
}

/* ---- Places in pixels ----------------------------------------------------------------------- */

/* Where one frame's part lies, by itself. */
static void place_frame(const xr_scene *scene, turned *t, const xr_guess *g, size_t frame, double at[2])
{
    xr_thumb *edge = &t->of[frame][g->layout][g->orientation];
    const xr_area *area = xr_frame_area(&scene->frame[frame], t->of_side);
    double width, height, least = 2, step = 0.02;
    xr_geometry best = g->geometry;
    size_before(scene, g->orientation, &width, &height);
    for (int halvings = 0; halvings < 5; halvings++, step /= 2)
        for (int moved = 1, rounds = 0; moved && rounds < 6; rounds++) {
            moved = 0;
            for (int p = 0; p < 4; p++) {
                xr_geometry next = moved_by(&best, 1 + p / 2, p & 1 ? step : -step);
                xr_map map = map_of(&scene->frame[frame], t->of_side, &next, width, height);
                xr_fit_sums sums = {0};
                xr_thumb_of(&t->scene, area, &map);
                xr_sums_add(&sums, scene->channels, edge->v, t->scene.v, t->scene.seen, t->side * t->side, 1);
                double left = xr_unexplained_by_colour(&sums, scene->channels);
                if (left < least * 0.9999) {
                    least = left;
                    best = next;
                    moved = 1;
                }
            }
        }
    at[0] = best.ax;
    at[1] = best.ay;
}

typedef struct spread {
    double sum, square, n;
} spread;

static void count_in(spread *s, double v)
{
    s->sum += v, s->square += v * v, s->n += 1;
}

static double mean_of(const spread *s)
{
    return s->n > 0 ? s->sum / s->n : 0;
}

static double deviation_of(const spread *s)
{
    double m = mean_of(s);
    return s->n > 0 ? sqrt(fmax(s->square / s->n - m * m, 0)) : 0;
}

/* People place a part by pixels of the picture, by pixels of the model's input, or by a share
 * of the room that is left: what varies least from frame to frame is what they meant.
 * What they are compared in: pixels of the model's input. */
static void settle_place(const xr_scene *scene, turned *t, xr_guess *g)
{
    spread share[2] = {{0}}, source[2] = {{0}}, target[2] = {{0}}, room = {0}, pixel = {0};
    for (size_t f = 0; f < scene->count; f++) {
        double at[2], size[2];
        const exray_picture *p = xr_frame_picture(&scene->frame[f], t->of_side);
        place_frame(scene, t, g, f, at);
        size[0] = exray_picture_width(p), size[1] = exray_picture_height(p);
        xr_map map =
            map_of(&scene->frame[f], t->of_side, &g->geometry, (double)scene->width, (double)scene->height);
        double part[2] = {(map.x1 - map.x0) * size[0], (map.y1 - map.y0) * size[1]};
        for (int axis = 0; axis < 2; axis++) {
            double left = size[axis] - part[axis];
            double scale = (double)(axis ? scene->height : scene->width) / part[axis];
            if (left < 4)
                continue; /* nowhere else to be */
            double by = (at[axis] - 0.5) * left;
            count_in(&share[axis], at[axis]);
            count_in(&source[axis], by);
            count_in(&target[axis], by * scale);
            count_in(&room, left * scale);
            count_in(&pixel, scale);
        }
    }
    double by_share = hypot(deviation_of(&share[0]), deviation_of(&share[1])) * mean_of(&room);
    double by_source = hypot(deviation_of(&source[0]), deviation_of(&source[1])) * mean_of(&pixel);
    double by_target = hypot(deviation_of(&target[0]), deviation_of(&target[1]));
    if (by_share < 0.8 * fmin(by_source, by_target))
        return;
    g->geometry.in_target = by_target < by_source;
    g->geometry.ax = g->geometry.ay = 0.5;
    g->geometry.dx = floor(mean_of(g->geometry.in_target ? &target[0] : &source[0]) + 0.5);
    g->geometry.dy = floor(mean_of(g->geometry.in_target ? &target[1] : &source[1]) + 0.5);
}

/* ---- All of it ------------------------------------------------------------------------- */

/* The simpler kinds come first; one that is less simple must be better by far. */
static size_t choose_kind(const xr_scene *scene, turned *t, xr_guess best[KINDS])
{
    static const size_t order[KINDS] = {0, 3, 2, 1};
    size_t chosen = KINDS;
    xr_guess whole = best[2];
    whole.geometry = (xr_geometry){.kind = XR_RECTANGLE, .fx = 1, .fy = 1, .ax = 0.5, .ay = 0.5};
    if (best[2].left < 1)
        whole.left = coarse_left(scene, t, whole.layout, whole.orientation, &whole.geometry);
    for (size_t i = 0; i < KINDS; i++) {
        size_t k = order[i];
        if (best[k].left > 1)
            continue;
        refine(scene, t, &best[k], k == 0);
        if (k == 2 && whole.left < 1.5 * best[k].left + SLACK)
            best[k] = whole;
        if (chosen == KINDS || best[k].left < 0.6 * best[chosen].left - SLACK)
            chosen = k;
    }
    return chosen;
}

/* A part as large as the other side's, which lies elsewhere in each picture. */
static void try_likely(const xr_scene *scene, turned *t, const xr_rendering *likely, xr_guess *found)
{
    xr_guess g = *found;
    g.geometry = likely->geometry;
    if (g.geometry.kind == XR_LETTERBOX)
        return;
    settle_place(scene, t, &g);
    g.left = coarse_left(scene, t, g.layout, g.orientation, &g.geometry);
    if (g.left < 0.8 * found->left)
        *found = g;
}

bool xr_find_place(xr_scene *scene, exray_side side, const xr_rendering *likely, xr_guess *found,
                   double by_orientation[XR_ORIENTATIONS])
{
    turned t;
    xr_guess best[KINDS];
    double by[2][XR_ORIENTATIONS];
    if (!scene->has_sensor || scene->count == 0 || !turned_make(&t, scene, side, COARSE))
        return false;
    coarse(scene, &t, best, by);
    turned_free(&t);
    if (!turned_make(&t, scene, side, FINE))
        return false;
    size_t chosen = choose_kind(scene, &t, best);
    if (chosen < KINDS) {
        *found = best[chosen];
        bool centred = fabs(found->geometry.ax - 0.5) < 1e-9 && fabs(found->geometry.ay - 0.5) < 1e-9;
        if (found->geometry.kind != XR_LETTERBOX && !centred)
            settle_place(scene, &t, found);
        found->left = coarse_left(scene, &t, found->layout, found->orientation, &found->geometry);
        if (likely && found->left > POOR)
            try_likely(scene, &t, likely, found);
        memcpy(by_orientation, by[found->layout], sizeof by[0]);
    }
    turned_free(&t);
    return chosen < KINDS;
}
