#include "checks/input/region/locate_part.h"

#include "checks/input/fit/fit_sums.h"

#include <math.h>

enum { COARSE = 8, MIDDLE = 20, FINE = 48, KEPT = 6 };

/* The least width; widths that follow each other; how far places lie apart, in cells. */
#define LEAST_WIDTH 0.14
#define NEXT_WIDTH  0.86
#define APART       1.0
/* Residual of the place that needs no search. */
#define FOUND 0.02

typedef struct located {
    xr_part part;
    double residual;
} located;

static double residual_of(const xr_thumb *shown, xr_thumb *seen, const xr_area *picture, const xr_part *part)
{
    xr_fit_sums sums = {0};
    const size_t cells = shown->side * shown->side;
    xr_thumb_of(seen, picture, part);
    xr_sums_add(&sums, shown->channels, shown->v, seen->v, seen->seen, cells, 1);
    return 2 * sums.n < (double)cells ? 1 : xr_unexplained_by_color(&sums, shown->channels);
}

/* Keeps the best places, the best first. */
static void keep(located kept[KEPT], const located *p)
{
    size_t at = KEPT;
    while (at > 0 && p->residual < kept[at - 1].residual)
        at--;
    for (size_t i = KEPT; i-- > at + 1;)
        kept[i] = kept[i - 1];
    if (at < KEPT)
        kept[at] = *p;
}

/* Tries parts of one size. */
static void try_places(const xr_thumb *shown, xr_thumb *seen, const xr_area *picture, double width,
                       double height, located kept[KEPT])
{
    const double across = (1 - width) / (width * APART / COARSE),
                 down = (1 - height) / (height * APART / COARSE);
    const size_t columns = (size_t)ceil(across) + 1, rows = (size_t)ceil(down) + 1;
    for (size_t y = 0; y < rows; y++)
        for (size_t x = 0; x < columns; x++) {
            const double left = columns > 1 ? (1 - width) * (double)x / (double)(columns - 1) : 0,
                         top = rows > 1 ? (1 - height) * (double)y / (double)(rows - 1) : 0;
            located p = {{left, left + width, top, top + height}, 1};
            p.residual = residual_of(shown, seen, picture, &p.part);
            keep(kept, &p);
        }
}

/* Moves and sizes a part, both axes by themselves. */
static void descend(const xr_thumb *shown, xr_thumb *seen, const xr_area *picture, double step, located *p)
{
    static const double least = LEAST_WIDTH / 3;
    p->residual = residual_of(shown, seen, picture, &p->part);
    for (int halvings = 0; halvings < 7; halvings++, step /= 2)
        for (int rounds = 0, moved = 1; moved && rounds < 8; rounds++) {
            moved = 0;
            for (int k = 0; k < 8; k++) {
                located next = *p;
                const double w = p->part.x1 - p->part.x0, h = p->part.y1 - p->part.y0,
                             by = k & 1 ? step : -step;
                next.part.x0 += k / 2 == 0 ? by * w : k / 2 == 2 ? -by * w : 0;
                next.part.x1 += k / 2 == 0 || k / 2 == 2 ? by * w : 0;
                next.part.y0 += k / 2 == 1 ? by * h : k / 2 == 3 ? -by * h : 0;
                next.part.y1 += k / 2 == 1 || k / 2 == 3 ? by * h : 0;
                if (next.part.x1 - next.part.x0 < least || next.part.y1 - next.part.y0 < least)
                    continue;
                next.residual = residual_of(shown, seen, picture, &next.part);
                if (next.residual < p->residual * 0.9999) {
                    *p = next;
                    moved = 1;
                }
            }
        }
}

static bool make_both(size_t side, const xr_area *shown, xr_thumb *of, xr_thumb *seen)
{
    static const xr_part whole = {0, 1, 0, 1};
    bool ok = xr_thumb_make(of, side, shown->channels);
    ok = xr_thumb_make(seen, side, shown->channels) && ok;
    if (ok)
        xr_thumb_of(of, shown, &whole);
    return ok;
}

/* Refines each of the places by thumbnails of that side; the best is the first. */
static bool refine(const xr_area *picture, const xr_area *shown, size_t side, double step, located *p,
                   size_t count)
{
    xr_thumb of = {0}, seen = {0};
    const bool ok = make_both(side, shown, &of, &seen);
    for (size_t i = 0; ok && i < count; i++) {
        if (p[i].residual < 2)
            descend(&of, &seen, picture, step, &p[i]);
        if (p[i].residual < p[0].residual)
            p[0] = p[i];
    }
    xr_thumb_free(&of);
    xr_thumb_free(&seen);
    return ok;
}

static bool search(const xr_area *picture, const xr_area *shown, located *best)
{
    static const double shapes[] = {1, 0.8, 1.25};
    const double alike =
        (double)picture->width * (double)shown->height / ((double)picture->height * (double)shown->width);
    located kept[KEPT];
    xr_thumb of = {0}, seen = {0};
    for (size_t i = 0; i < KEPT; i++)
        kept[i] = (located){{0, 1, 0, 1}, 2};
    const bool ok = make_both(COARSE, shown, &of, &seen);
    for (double width = 1; ok && width >= LEAST_WIDTH; width *= NEXT_WIDTH)
        for (size_t k = 0; k < sizeof shapes / sizeof *shapes; k++) {
            const double height = width * alike * shapes[k];
            if (height <= 1 && height >= LEAST_WIDTH / 2)
                try_places(&of, &seen, picture, width, height, kept);
        }
    xr_thumb_free(&of);
    xr_thumb_free(&seen);
    if (!ok || !refine(picture, shown, MIDDLE, 0.08, kept, KEPT))
        return false;
    *best = kept[0];
    return refine(picture, shown, FINE, 0.02, best, 1);
}

double xr_locate_part(const xr_area *picture, const xr_area *shown, const xr_part *seed, xr_part *part)
{
    located best = {{0, 1, 0, 1}, 2};
    if (picture->channels != shown->channels || shown->channels > XR_FIT_CHANNELS || !shown->width ||
        !shown->height)
        return 1;
    if (seed) {
        best.part = *seed;
        best.residual = 1;
        if (!refine(picture, shown, FINE, 0.02, &best, 1))
            return 1;
    }
    located other = best;
    if (best.residual > FOUND && search(picture, shown, &other) && other.residual < best.residual)
        best = other;
    *part = best.part;
    return fmin(best.residual, 1);
}
