/* Without the sensor: the edge's picture as a part of the reference's, or beyond it.
 * Each frame has a map of its own, for pictures differ in shape. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>

enum { COARSE = 20, FINE = 48, SCALES = 15 };

/* Of the reference's width or height, what the edge shows. */
static const double scales[SCALES] = {1,    0.94, 1.06, 0.875, 1.14, 0.8,  1.25, 0.7,
                                      1.43, 0.6,  1.67, 0.5,   2,    0.42, 2.4};

/* Share of the variance left: the part that is shown is another one altogether. */
#define FAILED 0.15

static const xr_map whole = {0, 1, 0, 1};

static double left_of(const xr_thumb *edge, xr_thumb *scene, const xr_area *area, const xr_map *map)
{
    xr_fit_sums sums = {0};
    size_t cells = edge->side * edge->side;
    xr_thumb_of(scene, area, map);
    xr_sums_add(&sums, edge->channels, edge->v, scene->v, scene->seen, cells, 1);
    /* Seeing less of it must not pay. */
    double seen = sums.n / (double)cells;
    return seen < 0.15 ? 1 : xr_unexplained_by_colour(&sums, edge->channels) / fmin(1, 0.5 + seen);
}

static xr_map centred(double sx, double sy)
{
    return (xr_map){0.5 - sx / 2, 0.5 + sx / 2, 0.5 - sy / 2, 0.5 + sy / 2};
}

/* Parts that lie anywhere, of about the same size. */
static double shifted_grid(const xr_thumb *edge, xr_thumb *scene, const xr_area *area, xr_map *best,
                           double least)
{
    enum { SIZES = 7, PLACES = 5, STEPS = 11 };
    for (int x = -STEPS / 2; x <= STEPS / 2; x++)
        for (int y = -STEPS / 2; y <= STEPS / 2; y++) {
            xr_map map = {0.08 * x, 1 + 0.08 * x, 0.08 * y, 1 + 0.08 * y};
            double left = left_of(edge, scene, area, &map);
            if (left < least) {
                least = left;
                *best = map;
            }
        }
    for (size_t i = 0; i < SIZES; i++)
        for (int x = -PLACES / 2; x <= PLACES / 2; x++)
            for (int y = -PLACES / 2; y <= PLACES / 2; y++) {
                xr_map map = centred(scales[i], scales[i]);
                map.x0 += 0.17 * x, map.x1 += 0.17 * x;
                map.y0 += 0.17 * y, map.y1 += 0.17 * y;
                double left = left_of(edge, scene, area, &map);
                if (left < least) {
                    least = left;
                    *best = map;
                }
            }
    return least;
}

static double grid(const xr_thumb *edge, xr_thumb *scene, const xr_area *area, xr_map *best)
{
    double least = 2;
    for (size_t x = 0; x < SCALES; x++)
        for (size_t y = 0; y < SCALES; y++) {
            xr_map map = centred(scales[x], scales[y]);
            double left = left_of(edge, scene, area, &map);
            if (left < least) {
                least = left;
                *best = map;
            }
            /* Parts that do not lie in the middle. */
            if (x != y || scales[x] > 0.96)
                continue;
            for (int corner = 0; corner < 4; corner++) {
                double dx = (corner & 1 ? 1 : -1) * (1 - scales[x]) / 2,
                       dy = (corner & 2 ? 1 : -1) * (1 - scales[y]) / 2;
                xr_map moved = {map.x0 + dx, map.x1 + dx, map.y0 + dy, map.y1 + dy};
                left = left_of(edge, scene, area, &moved);
                if (left < least) {
                    least = left;
                    *best = moved;
                }
            }
        }
    return least > FAILED ? shifted_grid(edge, scene, area, best, least) : least;
}

/* Coordinate descent on centre and scale of both axes. */
static double descend(const xr_thumb *edge, xr_thumb *scene, const xr_area *area, xr_map *map, double step)
{
    double least = left_of(edge, scene, area, map);
    for (int halvings = 0; halvings < 6 && step > 0.0008; halvings++, step /= 2)
        for (int rounds = 0, moved = 1; moved && rounds < 6; rounds++) {
            moved = 0;
            for (int p = 0; p < 8; p++) {
                double by = p & 1 ? step : -step;
                xr_map next = *map;
                switch (p / 2) {
                case 0:
                    next.x0 += by, next.x1 += by;
                    break;
                case 1:
                    next.y0 += by, next.y1 += by;
                    break;
                case 2:
                    next.x0 -= by, next.x1 += by;
                    break;
                default:
                    next.y0 -= by, next.y1 += by;
                }
                if (next.x1 - next.x0 < 0.2 || next.y1 - next.y0 < 0.2)
                    continue;
                double left = left_of(edge, scene, area, &next);
                if (left < least * 0.9999) {
                    least = left;
                    *map = next;
                    moved = 1;
                }
            }
        }
    return least;
}

/* The thumbnail of an edge's picture, turned back. */
static bool turned_back(const xr_area *area, xr_orientation o, size_t side, xr_thumb *out)
{
    xr_thumb plain;
    bool ok = xr_thumb_make(&plain, side, area->channels);
    ok = xr_thumb_make(out, side, area->channels) && ok;
    if (ok) {
        xr_thumb_of(&plain, area, &whole);
        xr_thumb_orient(&plain, xr_orientation_inverse(o), out);
    }
    xr_thumb_free(&plain);
    return ok;
}

/* What one layout and orientation leaves over the frames searched on. */
static double try_orientation(xr_scene *scene, bool layout, xr_orientation o)
{
    double sum = 0;
    size_t count = scene->count < 4 ? scene->count : 4;
    for (size_t f = 0; f < count; f++) {
        const xr_search_frame *s = &scene->frame[f];
        xr_thumb edge, other;
        xr_map map = whole;
        bool ok = turned_back(&s->edge_area[layout], o, COARSE, &edge);
        ok = xr_thumb_make(&other, COARSE, scene->channels) && ok;
        sum += ok ? grid(&edge, &other, &s->reference_area, &map) : 1;
        xr_thumb_free(&edge);
        xr_thumb_free(&other);
    }
    return sum / (double)count;
}

/* `seed`: another frame's map, which may be this one's too; or NULL. */
static double fit_frame(const xr_area *edge_area, const xr_area *reference, xr_orientation o,
                        const xr_map *seed, xr_map *map)
{
    xr_thumb edge = {0}, other = {0};
    double left = 1;
    *map = whole;
    if (turned_back(edge_area, o, COARSE, &edge) && xr_thumb_make(&other, COARSE, edge_area->channels)) {
        grid(&edge, &other, reference, map);
        double own = descend(&edge, &other, reference, map, 0.03);
        if (seed) {
            xr_map next = *seed;
            if (descend(&edge, &other, reference, &next, 0.03) < own)
                *map = next;
        }
    }
    xr_thumb_free(&edge);
    xr_thumb_free(&other);
    if (turned_back(edge_area, o, FINE, &edge) && xr_thumb_make(&other, FINE, edge_area->channels))
        left = descend(&edge, &other, reference, map, 0.01);
    xr_thumb_free(&edge);
    xr_thumb_free(&other);
    return left;
}

/* The frames searched on, each by itself and from the best of the others. */
static double fit_search_frames(xr_scene *scene, xr_chain *chain, xr_map *best)
{
    double sum = 0, least = 2;
    const xr_map *seed = NULL;
    for (int pass = 0; pass < 2; pass++) {
        sum = 0;
        for (size_t f = 0; f < scene->count; f++) {
            const xr_search_frame *s = &scene->frame[f];
            double left = fit_frame(&s->edge_area[chain->layout], &s->reference_area, chain->orientation,
                                    seed, &chain->map[s->frame]);
            sum += left;
            if (left < least) {
                least = left;
                *best = chain->map[s->frame];
            }
        }
        seed = best;
    }
    return sum / (double)scene->count;
}

bool xr_find_warp(xr_scene *scene, xr_chain *chain)
{
    double least = 2;
    size_t turns = scene->width == scene->height ? 8 : 4;
    for (int layout = 0; layout < (scene->channels > 1 ? 2 : 1); layout++)
        for (xr_orientation o = 0; o < turns; o++) {
            double left = try_orientation(scene, layout == 1, o);
            if (left < least * 0.95) {
                least = left;
                chain->layout = layout == 1;
                chain->orientation = o;
            }
        }
    chain->map = calloc(chain->frames + 1, sizeof *chain->map);
    if (!chain->map)
        return false;
    xr_map best = whole;
    chain->left = fit_search_frames(scene, chain, &best);
    if (chain->left > FAILED)
        return true; /* the other frames need not be looked at */
    /* The other frames, each by itself. */
    for (size_t f = 0; f < chain->frames; f += chain->step) {
        xr_raster edge = {0}, reference = {0};
        xr_area edge_area = {0}, reference_area = {0};
        bool known = chain->map[f].x1 > chain->map[f].x0;
        if (!known && xr_scene_raster(scene, EXRAY_SIDE_EDGE, f, chain->layout, &chain->bend, &edge) &&
            xr_scene_raster(scene, EXRAY_SIDE_REFERENCE, chain->shows ? chain->shows[f] : f, false, NULL,
                            &reference) &&
            xr_area_make(&edge_area, &edge) && xr_area_make(&reference_area, &reference))
            fit_frame(&edge_area, &reference_area, chain->orientation, &best, &chain->map[f]);
        xr_raster_free(&edge);
        xr_raster_free(&reference);
        xr_area_free(&edge_area);
        xr_area_free(&reference_area);
    }
    chain->warped = true;
    return true;
}

/* Averages over what each pixel covers: what a good resize of that part would give. */
bool xr_warp_raster(const xr_raster *in, const xr_map *map, size_t width, size_t height, xr_raster *out)
{
    if (!xr_raster_make(out, width, height, in->channels))
        return false;
    double sx = (map->x1 - map->x0) * (double)in->width / (double)width;
    double sy = (map->y1 - map->y0) * (double)in->height / (double)height;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            double u = map->x0 * (double)in->width + sx * ((double)x + 0.5) - 0.5;
            double v = map->y0 * (double)in->height + sy * ((double)y + 0.5) - 0.5;
            bool inside = u > -0.5 && v > -0.5 && u < (double)in->width - 0.5 && v < (double)in->height - 0.5;
            size_t x0 = u > 0 ? (size_t)u : 0, y0 = v > 0 ? (size_t)v : 0;
            size_t x1 = x0 + 1 < in->width ? x0 + 1 : x0, y1 = y0 + 1 < in->height ? y0 + 1 : y0;
            double fx = fmax(u - (double)x0, 0), fy = fmax(v - (double)y0, 0);
            for (size_t c = 0; c < in->channels; c++) {
                const float *p = in->v + c * in->width * in->height;
                double value = inside ? (1 - fy) * ((1 - fx) * (double)p[y0 * in->width + x0] +
                                                    fx * (double)p[y0 * in->width + x1]) +
                                            fy * ((1 - fx) * (double)p[y1 * in->width + x0] +
                                                  fx * (double)p[y1 * in->width + x1])
                                      : (double)NAN;
                out->v[(c * height + y) * width + x] = (float)value;
            }
        }
    return true;
}
