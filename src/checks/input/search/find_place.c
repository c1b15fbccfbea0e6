/* Which part of the sensor's picture an input shows, from the averages of cells, which hardly depend
 * on the kernel.  Colors are fitted freely meanwhile. */
#include "checks/input/search/find.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COARSE = 24, FINE = 56 };

/* Residuals below this say nothing: box averages of cells are not exactly what a kernel makes. */
#define SLACK 2e-4
/* A residual above this: the place was not found. */
#define POOR 0.05

/* ---- Coarse ------------------------------------------------------------------------------------ */

/* Thumbnails of the input, turned back from each layout and orientation. */
typedef struct turned_thumbs {
    exray_side of_side;
    size_t side;
    xr_thumb of[XR_SEARCH_FRAMES][2][XR_ORIENTATIONS];
    xr_thumb sensor; /* of the sensor's picture under the geometry that is tried */
    size_t layouts;
} turned_thumbs;

static void turned_free(turned_thumbs *t)
{
    for (size_t f = 0; f < XR_SEARCH_FRAMES; f++)
        for (size_t l = 0; l < 2; l++)
            for (size_t o = 0; o < XR_ORIENTATIONS; o++)
                xr_thumb_free(&t->of[f][l][o]);
    xr_thumb_free(&t->sensor);
}

static bool turned_make(turned_thumbs *t, const xr_input_pair *pair, exray_side side, size_t size)
{
    static const xr_part all = {0, 1, 0, 1};
    *t = (turned_thumbs){
        .of_side = side, .side = size, .layouts = side == EXRAY_SIDE_EDGE ? xr_layout_count(pair) : 1};
    bool ok = xr_thumb_make(&t->sensor, size, pair->channels);
    for (size_t f = 0; ok && f < pair->count; f++)
        for (size_t l = 0; ok && l < t->layouts; l++) {
            const xr_area *area =
                side == EXRAY_SIDE_EDGE ? &pair->frame[f].edge_area[l] : &pair->frame[f].reference_area;
            ok = xr_thumb_make(&t->of[f][l][0], size, pair->channels);
            if (ok)
                xr_thumb_of(&t->of[f][l][0], area, &all);
            for (xr_orientation o = 1; ok && o < XR_ORIENTATIONS; o++) {
                ok = xr_thumb_make(&t->of[f][l][o], size, pair->channels);
                if (ok)
                    xr_thumb_orient(&t->of[f][l][0], xr_orientation_inverse(o), &t->of[f][l][o]);
            }
        }
    if (!ok)
        turned_free(t);
    return ok;
}

/* The size of the input before it was turned. */
static void size_before(const xr_input_pair *pair, xr_orientation o, double *width, double *height)
{
    *width = (double)(o & 4 ? pair->height : pair->width);
    *height = (double)(o & 4 ? pair->width : pair->height);
}

/* The part of the sensor's picture that a geometry shows. */
static xr_part part_of(const xr_search_frame *s, exray_side side, const xr_geometry *g, double width,
                       double height)
{
    const exray_picture *p = xr_search_picture(s, side);
    return xr_geometry_part(g, exray_picture_width(p), exray_picture_height(p), width, height);
}

static double coarse_residual(const xr_input_pair *pair, turned_thumbs *t, size_t layout, xr_orientation o,
                              const xr_geometry *g)
{
    xr_fit_sums sums = {0};
    double width, height, cells = 0;
    size_before(pair, o, &width, &height);
    for (size_t f = 0; f < pair->count; f++) {
        xr_part part = part_of(&pair->frame[f], t->of_side, g, width, height);
        xr_thumb_of(&t->sensor, xr_search_area(&pair->frame[f], t->of_side), &part);
        xr_sums_add(&sums, pair->channels, t->of[f][layout][o].v, t->sensor.v, t->sensor.seen,
                    t->side * t->side, 1);
        cells += (double)(t->side * t->side);
    }
    return sums.n < 0.2 * cells ? 1 : xr_unexplained_by_color(&sums, pair->channels);
}

enum { KINDS = 4 }; /* centered square, square, rectangle, letterbox */

static size_t kind_of(const xr_geometry *g)
{
    return g->kind == XR_LETTERBOX ? 3 : g->kind == XR_RECTANGLE ? 2 : g->ax == 0.5 && g->ay == 0.5 ? 0 : 1;
}

/* Adds the sums of one geometry for all layouts, and for the orientations that keep width and height or
 * (exchanged) those that exchange them. */
static void add_geometry(const xr_input_pair *pair, turned_thumbs *t, const xr_geometry *g, bool exchanged,
                         xr_fit_sums sums[2][XR_ORIENTATIONS])
{
    double width = (double)(exchanged ? pair->height : pair->width),
           height = (double)(exchanged ? pair->width : pair->height);
    bool square = pair->width == pair->height;
    size_t first = exchanged ? 4 : 0, end = square || exchanged ? 8 : 4;
    for (size_t f = 0; f < pair->count; f++) {
        xr_part part = part_of(&pair->frame[f], t->of_side, g, width, height);
        xr_thumb_of(&t->sensor, xr_search_area(&pair->frame[f], t->of_side), &part);
        for (size_t l = 0; l < t->layouts; l++)
            for (size_t o = first; o < end; o++)
                xr_sums_add(&sums[l][o], pair->channels, t->of[f][l][o].v, t->sensor.v, t->sensor.seen,
                            t->side * t->side, 1);
    }
}

enum { FRACTIONS = 11, GEOMETRIES = 9 * (2 * FRACTIONS + 1) };

/* The geometries that are tried, what each leaves in all layouts and orientations. */
typedef struct geometry_list {
    const xr_input_pair *pair;
    turned_thumbs *thumbs;
    xr_geometry geometry[GEOMETRIES];
    double residual[GEOMETRIES][2][XR_ORIENTATIONS];
    size_t count;
} geometry_list;

/* Thumbnails with one of the sensor's picture of their own; false: out of memory. */
static bool lend(const turned_thumbs *t, size_t channels, turned_thumbs *lent)
{
    *lent = *t;
    return xr_thumb_make(&lent->sensor, t->side, channels);
}

/* Tries one geometry. */
static void try_geometry(void *user, size_t i)
{
    geometry_list *list = user;
    const xr_input_pair *pair = list->pair;
    turned_thumbs t;
    xr_fit_sums sums[2][XR_ORIENTATIONS];
    double cells = (double)(pair->count * list->thumbs->side * list->thumbs->side);
    memset(sums, 0, sizeof sums);
    if (lend(list->thumbs, pair->channels, &t)) {
        add_geometry(pair, &t, &list->geometry[i], false, sums);
        if (pair->width != pair->height)
            add_geometry(pair, &t, &list->geometry[i], true, sums);
    }
    for (size_t l = 0; l < t.layouts; l++)
        for (size_t o = 0; o < XR_ORIENTATIONS; o++)
            list->residual[i][l][o] =
                sums[l][o].n < 0.2 * cells ? 1 : xr_unexplained_by_color(&sums[l][o], pair->channels);
    xr_thumb_free(&t.sensor);
}

static void list_geometries(geometry_list *list)
{
    static const double fractions[FRACTIONS] = {1, 0.875, 0.95, 0.9, 0.8, 0.75, 0.7, 0.65, 0.6, 0.5, 0.4};
    static const double places[] = {0.5, 0, 1};
    for (size_t x = 0; x < 3; x++)
        for (size_t y = 0; y < 3; y++) {
            if (x == y)
                list->geometry[list->count++] =
                    (xr_geometry){.kind = XR_LETTERBOX, .fx = 1, .fy = 1, .ax = places[x], .ay = places[y]};
            for (size_t i = 0; i < FRACTIONS; i++) {
                double f = fractions[i];
                xr_geometry g = {.kind = XR_SQUARE, .fx = f, .fy = f, .ax = places[x], .ay = places[y]};
                list->geometry[list->count++] = g;
                g.kind = XR_RECTANGLE;
                if (f < 1 || (x == 0 && y == 0))
                    list->geometry[list->count++] = g;
            }
        }
}

static bool coarse(const xr_input_pair *pair, turned_thumbs *t, xr_place best[KINDS],
                   double by_orientation[2][XR_ORIENTATIONS])
{
    geometry_list *list = calloc(1, sizeof *list);
    if (!list)
        return false;
    list->pair = pair;
    list->thumbs = t;
    list_geometries(list);
    exray_comparison_share(pair->comparison, list->count, try_geometry, list);
    for (size_t k = 0; k < KINDS; k++)
        best[k] = (xr_place){.residual = 2};
    for (size_t l = 0; l < 2; l++)
        for (size_t o = 0; o < XR_ORIENTATIONS; o++)
            by_orientation[l][o] = 1;
    for (size_t i = 0; i < list->count; i++) {
        const xr_geometry *g = &list->geometry[i];
        xr_place *b = &best[kind_of(g)];
        for (size_t l = 0; l < t->layouts; l++)
            for (size_t o = 0; o < XR_ORIENTATIONS; o++) {
                double residual = list->residual[i][l][o];
                by_orientation[l][o] = fmin(by_orientation[l][o], residual);
                if (residual < b->residual * 0.999)
                    *b = (xr_place){*g, (xr_orientation)o, l, residual};
            }
    }
    free(list);
    return true;
}

/* The geometry with one of its parameters changed by a step. */
static xr_geometry moved_by(const xr_geometry *g, int parameter, double step)
{
    xr_geometry next = *g;
    double *at[] = {&next.fx, &next.ax, &next.ay, &next.fy};
    bool place = parameter == 1 || parameter == 2;
    *at[parameter] = fmin(fmax(*at[parameter] + step * (place ? 4 : 1), place ? 0 : 0.05), 1);
    return next;
}

/* Refines a place by coordinate descent. */
static void refine(const xr_input_pair *pair, turned_thumbs *t, xr_place *g, bool centered)
{
    g->residual = coarse_residual(pair, t, g->layout, g->orientation, &g->geometry);
    if (g->geometry.kind == XR_LETTERBOX)
        return;
    double step = 0.04;
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int moved = 1, rounds = 0; moved && rounds < 4; rounds++) {
            moved = 0;
            for (int p = 0; p < (centered ? 1 : 4); p++)
                for (int sign = -1; sign <= 1; sign += 2) {
                    xr_place next = *g;
                    next.geometry = moved_by(&g->geometry, p, sign * step);
                    next.residual = coarse_residual(pair, t, g->layout, g->orientation, &next.geometry);
                    if (next.residual < g->residual * 0.9999) {
                        *g = next;
                        moved = 1;
                    }
                }
        }
}

/* ---- Positions in pixels ----------------------------------------------------------------------- */

/* The position of the part in one frame alone. */
static void place_frame(const xr_input_pair *pair, turned_thumbs *t, const xr_place *g, size_t frame,
                        double at[2])
{
    xr_thumb *edge = &t->of[frame][g->layout][g->orientation];
    const xr_area *area = xr_search_area(&pair->frame[frame], t->of_side);
    double width, height, least = 2, step = 0.02;
    xr_geometry best = g->geometry;
    size_before(pair, g->orientation, &width, &height);
    for (int halvings = 0; halvings < 5; halvings++, step /= 2)
        for (int moved = 1, rounds = 0; moved && rounds < 6; rounds++) {
            moved = 0;
            for (int p = 0; p < 4; p++) {
                xr_geometry next = moved_by(&best, 1 + p / 2, p & 1 ? step : -step);
                xr_part part = part_of(&pair->frame[frame], t->of_side, &next, width, height);
                xr_fit_sums sums = {0};
                xr_thumb_of(&t->sensor, area, &part);
                xr_sums_add(&sums, pair->channels, edge->v, t->sensor.v, t->sensor.seen, t->side * t->side,
                            1);
                double residual = xr_unexplained_by_color(&sums, pair->channels);
                if (residual < least * 0.9999) {
                    least = residual;
                    best = next;
                    moved = 1;
                }
            }
        }
    at[0] = best.ax;
    at[1] = best.ay;
}

typedef struct position_sums {
    double sum, square, n;
} position_sums;

static void count_in(position_sums *s, double v)
{
    s->sum += v, s->square += v * v, s->n += 1;
}

static double mean_of(const position_sums *s)
{
    return s->n > 0 ? s->sum / s->n : 0;
}

static double deviation_of(const position_sums *s)
{
    double m = mean_of(s);
    return s->n > 0 ? sqrt(fmax(s->square / s->n - m * m, 0)) : 0;
}

/* Decides what the position is measured in: pixels of the picture, pixels of the model's input, or a
 * share of the room that is left.  The one that varies least from frame to frame is meant; all are
 * compared in pixels of the model's input. */
static void settle_place(const xr_input_pair *pair, turned_thumbs *t, xr_place *g)
{
    position_sums share[2] = {{0}}, source[2] = {{0}}, target[2] = {{0}}, room = {0}, pixel = {0};
    for (size_t f = 0; f < pair->count; f++) {
        double at[2], size[2];
        const exray_picture *p = xr_search_picture(&pair->frame[f], t->of_side);
        place_frame(pair, t, g, f, at);
        size[0] = exray_picture_width(p), size[1] = exray_picture_height(p);
        xr_part shown =
            part_of(&pair->frame[f], t->of_side, &g->geometry, (double)pair->width, (double)pair->height);
        double part[2] = {(shown.x1 - shown.x0) * size[0], (shown.y1 - shown.y0) * size[1]};
        for (int axis = 0; axis < 2; axis++) {
            double left = size[axis] - part[axis];
            double scale = (double)(axis ? pair->height : pair->width) / part[axis];
            if (left < 4)
                continue; /* there is only one position */
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

/* ---- All of it --------------------------------------------------------------------------------- */

typedef struct kind_refining {
    const xr_input_pair *pair;
    const turned_thumbs *thumbs;
    xr_place *best; /* [KINDS] */
} kind_refining;

static void refine_kind(void *user, size_t k)
{
    kind_refining *r = user;
    turned_thumbs t;
    if (r->best[k].residual > 1)
        return;
    if (lend(r->thumbs, r->pair->channels, &t))
        refine(r->pair, &t, &r->best[k], k == 0);
    xr_thumb_free(&t.sensor);
}

/* Simple kinds come first; a less simple one must be far better. */
static size_t choose_kind(const xr_input_pair *pair, turned_thumbs *t, xr_place best[KINDS])
{
    static const size_t order[KINDS] = {0, 3, 2, 1};
    size_t chosen = KINDS;
    xr_place whole = best[2];
    whole.geometry = (xr_geometry){.kind = XR_RECTANGLE, .fx = 1, .fy = 1, .ax = 0.5, .ay = 0.5};
    if (best[2].residual < 1)
        whole.residual = coarse_residual(pair, t, whole.layout, whole.orientation, &whole.geometry);
    kind_refining refining = {pair, t, best};
    exray_comparison_share(pair->comparison, KINDS, refine_kind, &refining);
    for (size_t i = 0; i < KINDS; i++) {
        size_t k = order[i];
        if (best[k].residual > 1)
            continue;
        if (k == 2 && whole.residual < 1.5 * best[k].residual + SLACK)
            best[k] = whole;
        if (chosen == KINDS || best[k].residual < 0.6 * best[chosen].residual - SLACK)
            chosen = k;
    }
    return chosen;
}

/* Tries a part of the other side's size at a position of its own. */
static void try_prior(const xr_input_pair *pair, turned_thumbs *t, const xr_rendering *prior, xr_place *found)
{
    xr_place g = *found;
    g.geometry = prior->geometry;
    if (g.geometry.kind == XR_LETTERBOX)
        return;
    settle_place(pair, t, &g);
    g.residual = coarse_residual(pair, t, g.layout, g.orientation, &g.geometry);
    if (g.residual < 0.8 * found->residual)
        *found = g;
}

bool xr_find_place(xr_input_pair *pair, exray_side side, const xr_rendering *prior, xr_place *found,
                   double by_orientation[XR_ORIENTATIONS])
{
    turned_thumbs t;
    xr_place best[KINDS];
    double by[2][XR_ORIENTATIONS];
    if (!pair->has_sensor || pair->count == 0 || !turned_make(&t, pair, side, COARSE))
        return false;
    bool tried = coarse(pair, &t, best, by);
    turned_free(&t);
    if (!tried || !turned_make(&t, pair, side, FINE))
        return false;
    size_t chosen = choose_kind(pair, &t, best);
    if (chosen < KINDS) {
        *found = best[chosen];
        bool centered = fabs(found->geometry.ax - 0.5) < 1e-9 && fabs(found->geometry.ay - 0.5) < 1e-9;
        if (found->geometry.kind != XR_LETTERBOX && !centered)
            settle_place(pair, &t, found);
        found->residual = coarse_residual(pair, &t, found->layout, found->orientation, &found->geometry);
        if (prior && found->residual > POOR)
            try_prior(pair, &t, prior, found);
        memcpy(by_orientation, by[found->layout], sizeof by[0]);
    }
    turned_free(&t);
    return chosen < KINDS;
}
