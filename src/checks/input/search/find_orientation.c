#include "checks/input/search/find.h"

#include "checks/input/picture/turned_sums.h"

#include <math.h>

/* The residual of the edge, in a layout, by the oriented reference, with any mixture of colors. */
static double turned_residual(const xr_input_pair *pair, bool layout, xr_orientation o, size_t step)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < pair->count; f++) {
        const xr_search_frame *s = &pair->frame[f];
        xr_sums_add_turned(&sums, &s->edge[layout], &s->reference, o, step);
    }
    return xr_unexplained_by_color(&sums, pair->channels);
}

/* Layouts and orientations that are tried at the same time. */
typedef struct turned_sides {
    const xr_input_pair *pair;
    size_t turns;
    double by[2][XR_ORIENTATIONS];
} turned_sides;

static void try_turn(void *user, size_t i)
{
    turned_sides *t = user;
    size_t l = i / t->turns, o = i % t->turns;
    /* Not every 3rd or 4th pixel: in the other layout these are of one channel. */
    t->by[l][o] = turned_residual(t->pair, l == 1, (xr_orientation)o, 5);
}

static double levels_of(const xr_input_pair *pair, double residual)
{
    return xr_levels_of(pair, EXRAY_SIDE_EDGE, residual);
}

void xr_find_orientation(xr_input_pair *pair, xr_transform *transform)
{
    turned_sides sides = {.pair = pair, .turns = xr_orientation_count(pair)};
    double best = 2;
    xr_turn *turn = &transform->turn;
    exray_comparison_share(pair->comparison, xr_layout_count(pair) * sides.turns, try_turn, &sides);
    for (size_t l = 0; l < xr_layout_count(pair); l++)
        for (xr_orientation o = 0; o < sides.turns; o++)
            if (sides.by[l][o] < best * 0.98) {
                best = sides.by[l][o];
                transform->layout = l == 1;
                turn->orientation = o;
            }
    if (best > 0.5 * sides.by[0][0]) {
        transform->layout = false;
        turn->orientation = 0;
        best = sides.by[0][0];
    }
    transform->residual = best;
    turn->runner_up_residual = 1;
    for (xr_orientation o = 0; o < sides.turns; o++) {
        double residual = sides.by[transform->layout][o];
        if (o == turn->orientation)
            continue;
        turn->runner_up_residual = fmin(turn->runner_up_residual, residual);
        if (levels_of(pair, residual) < 2 * levels_of(pair, best) + 0.5 &&
            turn->runner_up_count < XR_RUNNERS_UP)
            turn->runner_up[turn->runner_up_count++] = o;
    }
}
