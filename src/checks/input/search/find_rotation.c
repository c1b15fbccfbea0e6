/* The edge's picture as the reference's, turned by some degrees about its middle, perhaps enlarged and moved:
 * regions that follow a face or a hand are turned by the application.  Each frame has an angle of its own. */
#include "checks/input/search/find.h"

#include <math.h>
#include <stdlib.h>

enum { COARSE = 24, FINE = 60 };

/* A residual above this: the angle was not found. */
#define FAILED 0.1
/* Degrees from the nearest quarter turn: less is a crop of one of the eight orientations (find_crop.c), and
 * more than sampling makes. */
#define LEAST_DEGREES 1.0

#define DEGREE 0.017453292519943295

/* Edge to reference: turned by `angle` (radians), enlarged, moved by shares of width and height. */
typedef struct turned_place {
    double angle, scale, dx, dy;
} turned_place;

/* ---- Trying one -------------------------------------------------------------------------------- */

static double sample(const xr_thumb *t, size_t c, double u, double v)
{
    size_t n = t->side, x = (size_t)u, y = (size_t)v;
    size_t right = x + 1 < n ? x + 1 : x, below = y + 1 < n ? y + 1 : y;
    double fx = u - (double)x, fy = v - (double)y;
    const float *p = t->v + c * n * n;
    return (1 - fy) * ((1 - fx) * (double)p[y * n + x] + fx * (double)p[y * n + right]) +
           fy * ((1 - fx) * (double)p[below * n + x] + fx * (double)p[below * n + right]);
}

/* The residual of the edge's thumbnail by the reference's; aspect: width over height. */
static double residual_of(const xr_thumb *edge, const xr_thumb *reference, double aspect,
                          const turned_place *p)
{
    double n = (double)edge->side, cosine = cos(p->angle) * p->scale, sine = sin(p->angle) * p->scale;
    size_t cells = edge->side * edge->side;
    xr_fit_sums sums = {0};
    for (size_t i = 0; i < cells; i++) {
        double x = (((double)(i % edge->side) + 0.5) / n - 0.5) * aspect;
        double y = ((double)(i / edge->side) + 0.5) / n - 0.5;
        double u = ((cosine * x - sine * y) / aspect + 0.5 + p->dx) * n - 0.5;
        double v = (sine * x + cosine * y + 0.5 + p->dy) * n - 0.5;
        double e[XR_FIT_CHANNELS], r[XR_FIT_CHANNELS];
        if (u < 0 || v < 0 || u > n - 1 || v > n - 1)
            continue;
        for (size_t c = 0; c < edge->channels; c++) {
            e[c] = (double)edge->v[c * cells + i];
            r[c] = sample(reference, c, u, v);
        }
        xr_sums_add_pixel(&sums, edge->channels, e, r, 1);
    }
    double seen = sums.n / (double)cells;
    /* Penalize low coverage. */
    return seen < 0.3 ? 1 : xr_unexplained_by_color(&sums, edge->channels) / fmin(1, 0.4 + seen);
}

/* Every few degrees, in three sizes. */
static double grid(const xr_thumb *edge, const xr_thumb *reference, double aspect, turned_place *best)
{
    static const double scales[] = {1, 0.85, 1.18};
    double least = 2;
    for (int degrees = -180; degrees < 180; degrees += 4)
        for (size_t s = 0; s < 3; s++) {
            turned_place p = {degrees * DEGREE, scales[s], 0, 0};
            double residual = residual_of(edge, reference, aspect, &p);
            if (residual < least * 0.98) {
                least = residual;
                *best = p;
            }
        }
    return least;
}

/* Coordinate descent with steps that are halved. */
static double descend(const xr_thumb *edge, const xr_thumb *reference, double aspect, double step,
                      turned_place *best)
{
    double least = residual_of(edge, reference, aspect, best);
    for (int halvings = 0; halvings < 6; halvings++, step /= 2)
        for (int rounds = 0, moved = 1; moved && rounds < 4; rounds++) {
            moved = 0;
            for (int k = 0; k < 8; k++) {
                turned_place p = *best;
                double *at[] = {&p.angle, &p.scale, &p.dx, &p.dy};
                *at[k / 2] += (k % 2 ? step : -step) * (k < 4 ? 1 : 0.5);
                double residual =
                    p.scale > 0.4 && p.scale < 2.5 ? residual_of(edge, reference, aspect, &p) : 2;
                if (residual < least * 0.9999) {
                    least = residual;
                    *best = p;
                    moved = 1;
                }
            }
        }
    return least;
}

/* ---- Frames ------------------------------------------------------------------------------------ */

static bool small_copy(const xr_area *area, size_t side, xr_thumb *out)
{
    static const xr_part whole = {0, 1, 0, 1};
    bool ok = xr_thumb_make(out, side, area->channels);
    if (ok)
        xr_thumb_of(out, area, &whole);
    return ok;
}

/* Finds the place of one frame; seed: another frame's, which may be the same; or NULL. */
static double fit_frame(const xr_area *edge_area, const xr_area *reference_area, const turned_place *seed,
                        turned_place *place)
{
    xr_thumb edge = {0}, reference = {0};
    double aspect = (double)edge_area->width / (double)edge_area->height, residual = 1;
    if (small_copy(edge_area, COARSE, &edge) && small_copy(reference_area, COARSE, &reference)) {
        turned_place from_seed = seed ? *seed : (turned_place){0, 1, 0, 0};
        residual = seed ? descend(&edge, &reference, aspect, 0.02, &from_seed) : 2;
        *place = from_seed;
        if (residual > FAILED) {
            turned_place own = {0, 1, 0, 0};
            grid(&edge, &reference, aspect, &own);
            if (descend(&edge, &reference, aspect, 0.05, &own) < residual)
                *place = own;
        }
    }
    xr_thumb_free(&edge);
    xr_thumb_free(&reference);
    if (small_copy(edge_area, FINE, &edge) && small_copy(reference_area, FINE, &reference))
        residual = descend(&edge, &reference, aspect, 0.01, place);
    xr_thumb_free(&edge);
    xr_thumb_free(&reference);
    return residual;
}

static void keep(xr_crop *crop, size_t frame, const turned_place *p)
{
    double half = p->scale / 2;
    crop->part[frame] =
        (xr_part){0.5 + p->dx - half, 0.5 + p->dx + half, 0.5 + p->dy - half, 0.5 + p->dy + half};
    crop->turn[frame] = p->angle;
}

/* The other frames, each from the best place of those that are searched. */
static void fit_other_frames(xr_input_pair *pair, xr_transform *transform, const turned_place *seed)
{
    xr_crop *crop = &transform->crop;
    for (size_t f = 0; f < transform->frames; f += transform->every) {
        xr_raster edge = {0}, reference = {0};
        xr_area edge_area = {0}, reference_area = {0};
        turned_place place = *seed;
        if (crop->part[f].x1 <= crop->part[f].x0 && (!pair->only || pair->only[f]) &&
            xr_source_frame(transform, f) < transform->frames &&
            xr_input_raster(pair, EXRAY_SIDE_EDGE, f, false, &transform->sign_wrap, &edge) &&
            xr_input_raster(pair, EXRAY_SIDE_REFERENCE, xr_source_frame(transform, f), false, NULL,
                            &reference) &&
            edge.channels == reference.channels && xr_area_make(&edge_area, &edge) &&
            xr_area_make(&reference_area, &reference)) {
            fit_frame(&edge_area, &reference_area, seed, &place);
            keep(crop, f, &place);
        }
        xr_raster_free(&edge);
        xr_raster_free(&reference);
        xr_area_free(&edge_area);
        xr_area_free(&reference_area);
    }
}

bool xr_find_rotation(xr_input_pair *pair, xr_transform *transform)
{
    xr_crop *crop = &transform->crop;
    turned_place best = {0, 1, 0, 0};
    double sum = 0, least = 2;
    size_t turned = 0;
    *crop = (xr_crop){.part = calloc(transform->frames + 1, sizeof *crop->part),
                      .turn = calloc(transform->frames + 1, sizeof *crop->turn)};
    if (!crop->part || !crop->turn || pair->count == 0)
        return false;
    for (size_t f = 0; f < pair->count; f++) {
        const xr_search_frame *s = &pair->frame[f];
        turned_place place = best;
        double residual =
            fit_frame(&s->edge_area[0], &s->reference_area, least < FAILED ? &best : NULL, &place);
        if (f == 0 && residual > 3 * FAILED)
            return false; /* hopeless */
        if (residual < least) {
            least = residual;
            best = place;
        }
        sum += residual;
        turned += fabs(remainder(place.angle, 90 * DEGREE)) > LEAST_DEGREES * DEGREE;
        keep(crop, s->frame, &place);
    }
    transform->residual = sum / (double)pair->count;
    if (transform->residual > FAILED || 2 * turned <= pair->count)
        return false;
    fit_other_frames(pair, transform, &best);
    transform->layout = false;
    transform->turn.orientation = 0;
    transform->turn.runner_up_count = 0;
    crop->set = true;
    return true;
}
