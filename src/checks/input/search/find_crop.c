/* Without the sensor: the edge's picture as a part of the reference's, or more than it.  Each frame has
 * a part of its own, as pictures differ in shape. */
#include "checks/input/search/find.h"

#include <math.h>
#include <stdlib.h>

enum { COARSE = 20, FINE = 48, SCALES = 15 };

/* Shares of the reference's width or height that the edge may show. */
static const double scales[SCALES] = {1,    0.94, 1.06, 0.875, 1.14, 0.8,  1.25, 0.7,
                                      1.43, 0.6,  1.67, 0.5,   2,    0.42, 2.4};

/* A residual above this: the part was not found. */
#define FAILED 0.15
/* Where the grid leaves more in every orientation, no finer part makes it little. */
#define HOPELESS 0.75

static const xr_part whole = {0, 1, 0, 1};

/* The residual of the edge by what a part shows. */
static double residual_by(const xr_thumb *edge, const xr_thumb *shown)
{
    xr_fit_sums sums = {0};
    size_t cells = edge->side * edge->side;
    xr_sums_add(&sums, edge->channels, edge->v, shown->v, shown->seen, cells, 1);
    /* Penalize low coverage. */
    double seen = sums.n / (double)cells;
    return seen < 0.15 ? 1 : xr_unexplained_by_color(&sums, edge->channels) / fmin(1, 0.5 + seen);
}

static double residual_of(const xr_thumb *edge, xr_thumb *shown, const xr_area *area, const xr_part *part)
{
    xr_thumb_of(shown, area, part);
    return residual_by(edge, shown);
}

/* The edge's picture in one layout and orientation, and the best part so far. */
typedef struct turned_edge {
    xr_thumb thumb;
    xr_part part;
    double least;
    bool fits; /* it needs no other part */
} turned_edge;

/* Tries a part for several orientations at once, as what it shows is the same for all. */
static void try_part(turned_edge *edge, size_t count, xr_thumb *shown, const xr_area *area,
                     const xr_part *part)
{
    xr_thumb_of(shown, area, part);
    for (size_t i = 0; i < count; i++) {
        double residual = edge[i].fits ? 2 : residual_by(&edge[i].thumb, shown);
        if (residual < edge[i].least) {
            edge[i].least = residual;
            edge[i].part = *part;
        }
    }
}

static xr_part centered(double sx, double sy)
{
    return (xr_part){0.5 - sx / 2, 0.5 + sx / 2, 0.5 - sy / 2, 0.5 + sy / 2};
}

/* Tries parts of about the same size at any position, where none fitted. */
static void shifted_grid(turned_edge *edge, size_t count, xr_thumb *shown, const xr_area *area)
{
    enum { SIZES = 7, PLACES = 5, STEPS = 11 };
    for (int x = -STEPS / 2; x <= STEPS / 2; x++)
        for (int y = -STEPS / 2; y <= STEPS / 2; y++) {
            xr_part part = {0.08 * x, 1 + 0.08 * x, 0.08 * y, 1 + 0.08 * y};
            try_part(edge, count, shown, area, &part);
        }
    for (size_t i = 0; i < SIZES; i++)
        for (int x = -PLACES / 2; x <= PLACES / 2; x++)
            for (int y = -PLACES / 2; y <= PLACES / 2; y++) {
                xr_part part = centered(scales[i], scales[i]);
                part.x0 += 0.17 * x, part.x1 += 0.17 * x;
                part.y0 += 0.17 * y, part.y1 += 0.17 * y;
                try_part(edge, count, shown, area, &part);
            }
}

/* Tries parts in the middle and at the corners; where none fits, at any position. */
static void grid(turned_edge *edge, size_t count, xr_thumb *shown, const xr_area *area)
{
    bool all_fit = true;
    for (size_t i = 0; i < count; i++) {
        edge[i].least = 2;
        edge[i].fits = false;
    }
    for (size_t x = 0; x < SCALES; x++)
        for (size_t y = 0; y < SCALES; y++) {
            xr_part part = centered(scales[x], scales[y]);
            try_part(edge, count, shown, area, &part);
            /* Parts at the corners. */
            if (x != y || scales[x] > 0.96)
                continue;
            for (int corner = 0; corner < 4; corner++) {
                double dx = (corner & 1 ? 1 : -1) * (1 - scales[x]) / 2,
                       dy = (corner & 2 ? 1 : -1) * (1 - scales[y]) / 2;
                xr_part moved = {part.x0 + dx, part.x1 + dx, part.y0 + dy, part.y1 + dy};
                try_part(edge, count, shown, area, &moved);
            }
        }
    for (size_t i = 0; i < count; i++) {
        edge[i].fits = edge[i].least <= FAILED;
        all_fit = all_fit && edge[i].fits;
    }
    if (!all_fit)
        shifted_grid(edge, count, shown, area);
}

/* Refines a part by coordinate descent on center and scale of both axes. */
static double descend(const xr_thumb *edge, xr_thumb *shown, const xr_area *area, xr_part *part, double step)
{
    double least = residual_of(edge, shown, area, part);
    for (int halvings = 0; halvings < 6 && step > 0.0008; halvings++, step /= 2)
        for (int rounds = 0, moved = 1; moved && rounds < 6; rounds++) {
            moved = 0;
            for (int p = 0; p < 8; p++) {
                double by = p & 1 ? step : -step;
                xr_part next = *part;
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
                double residual = residual_of(edge, shown, area, &next);
                if (residual < least * 0.9999) {
                    least = residual;
                    *part = next;
                    moved = 1;
                }
            }
        }
    return least;
}

/* A thumbnail of the edge's picture, turned back. */
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

enum { TURNED = 2 * XR_ORIENTATIONS }; /* layouts and orientations */

/* Adds the residual of a frame in each layout and orientation, [layout * turns + orientation]. */
static void try_frame(const xr_input_pair *pair, const xr_search_frame *s, size_t turns, double sum[TURNED])
{
    turned_edge edge[TURNED] = {{.least = 2}};
    size_t count = xr_layout_count(pair) * turns;
    xr_thumb shown;
    bool ok = xr_thumb_make(&shown, COARSE, pair->channels);
    for (size_t i = 0; ok && i < count; i++)
        ok = turned_back(&s->edge_area[i / turns], (xr_orientation)(i % turns), COARSE, &edge[i].thumb);
    if (ok)
        grid(edge, count, &shown, &s->reference_area);
    for (size_t i = 0; i < count; i++) {
        sum[i] += ok ? edge[i].least : 1;
        xr_thumb_free(&edge[i].thumb);
    }
    xr_thumb_free(&shown);
}

/* Finds the part of one frame; seed: another frame's part, which may be the same; or NULL. */
static double fit_frame(const xr_area *edge_area, const xr_area *reference, xr_orientation o,
                        const xr_part *seed, xr_part *part)
{
    xr_thumb edge = {0}, other = {0};
    double residual = 1;
    *part = whole;
    if (turned_back(edge_area, o, COARSE, &edge) && xr_thumb_make(&other, COARSE, edge_area->channels)) {
        turned_edge upright = {.thumb = edge, .part = whole};
        grid(&upright, 1, &other, reference);
        *part = upright.part;
        double own = descend(&edge, &other, reference, part, 0.03);
        if (seed) {
            xr_part next = *seed;
            if (descend(&edge, &other, reference, &next, 0.03) < own)
                *part = next;
        }
    }
    xr_thumb_free(&edge);
    xr_thumb_free(&other);
    if (turned_back(edge_area, o, FINE, &edge) && xr_thumb_make(&other, FINE, edge_area->channels))
        residual = descend(&edge, &other, reference, part, 0.01);
    xr_thumb_free(&edge);
    xr_thumb_free(&other);
    return residual;
}

/* Frames that are fitted at the same time. */
typedef struct part_work {
    const xr_input_pair *pair;
    xr_transform *transform;
    const xr_part *seed;
} part_work;

/* Finds the parts of the searched frames, then again with the best one as a seed.  One after another: a
 * better part is at once the seed of the frames that follow, which finds parts that the frames alone do not.
 */
static double fit_search_frames(xr_input_pair *pair, xr_transform *transform, xr_part *best)
{
    double sum = 0, least = 2;
    const xr_part *seed = NULL;
    for (int pass = 0; pass < 2; pass++) {
        sum = 0;
        for (size_t f = 0; f < pair->count; f++) {
            const xr_search_frame *s = &pair->frame[f];
            double residual = fit_frame(&s->edge_area[transform->layout], &s->reference_area,
                                        transform->turn.orientation, seed, &transform->crop.part[s->frame]);
            sum += residual;
            if (residual < least) {
                least = residual;
                *best = transform->crop.part[s->frame];
            }
        }
        seed = best;
    }
    return sum / (double)pair->count;
}

/* Fits one of the frames that were not searched. */
static void fit_other_frame(void *user, size_t i)
{
    part_work *w = user;
    xr_transform *transform = w->transform;
    size_t f = i * transform->every;
    xr_input_pair lent;
    xr_raster edge = {0}, reference = {0};
    xr_area edge_area = {0}, reference_area = {0};
    xr_part *part = &transform->crop.part[f];
    bool known = part->x1 > part->x0;
    if (known || (w->pair->only && !w->pair->only[f]))
        return;
    if (xr_input_pair_lend(w->pair, &lent) &&
        xr_input_raster(&lent, EXRAY_SIDE_EDGE, f, transform->layout, &transform->sign_wrap, &edge) &&
        xr_input_raster(&lent, EXRAY_SIDE_REFERENCE, xr_source_frame(transform, f), false, NULL,
                        &reference) &&
        xr_area_make(&edge_area, &edge) && xr_area_make(&reference_area, &reference))
        fit_frame(&edge_area, &reference_area, transform->turn.orientation, w->seed, part);
    xr_raster_free(&edge);
    xr_raster_free(&reference);
    xr_area_free(&edge_area);
    xr_area_free(&reference_area);
    xr_input_pair_return(&lent);
}

/* Finds layout and orientation on a few of the searched frames; on two, where none of them is like any part.
 */
static void find_turn(const xr_input_pair *pair, xr_transform *transform)
{
    enum { FRAMES = 4, FEWEST = 2 };
    double sum[TURNED] = {0}, least = 2;
    size_t turns = xr_orientation_count(pair), layouts = xr_layout_count(pair), count = 0;
    while (count < pair->count && count < FRAMES && (count < FEWEST || least < HOPELESS)) {
        try_frame(pair, &pair->frame[count++], turns, sum);
        least = 2;
        for (size_t i = 0; i < layouts * turns; i++)
            least = fmin(least, sum[i] / (double)count);
    }
    least = 2;
    for (size_t i = 0; i < layouts * turns; i++) {
        double residual = sum[i] / (double)count;
        if (residual < least * 0.95) {
            least = residual;
            transform->layout = i / turns == 1;
            transform->turn.orientation = (xr_orientation)(i % turns);
        }
    }
}

bool xr_find_crop(xr_input_pair *pair, xr_transform *transform)
{
    find_turn(pair, transform);
    transform->crop.part = calloc(transform->frames + 1, sizeof *transform->crop.part);
    if (!transform->crop.part)
        return false;
    xr_part best = whole;
    transform->residual = fit_search_frames(pair, transform, &best);
    if (transform->residual > FAILED)
        return true; /* the other frames need not be tried */
    part_work work = {.pair = pair, .transform = transform, .seed = &best};
    exray_comparison_share(pair->comparison, (transform->frames + transform->every - 1) / transform->every,
                           fit_other_frame, &work);
    transform->crop.set = true;
    return true;
}
