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

static double levels_of(const xr_input_pair *pair, double residual)
{
    return xr_levels_of(pair, EXRAY_SIDE_EDGE, residual);
}

void xr_find_orientation(xr_input_pair *pair, xr_transform *transform)
{
    size_t turns = xr_orientation_count(pair);
    double by[2][XR_ORIENTATIONS], best = 2;
    xr_turn *turn = &transform->turn;
    for (size_t l = 0; l < xr_layout_count(pair); l++)
        for (xr_orientation o = 0; o < turns; o++) {
            /* Not every 3rd or 4th pixel: in the other layout these are of one channel. */
            by[l][o] = turned_residual(pair, l == 1, o, 5);
            if (by[l][o] < best * 0.98) {
                best = by[l][o];
                transform->layout = l == 1;
                turn->orientation = o;
            }
        }
    if (best > 0.5 * by[0][0]) {
        transform->layout = false;
        turn->orientation = 0;
        best = by[0][0];
    }
    transform->residual = best;
    turn->runner_up_residual = 1;
    for (xr_orientation o = 0; o < turns; o++) {
        double residual = by[transform->layout][o];
        if (o == turn->orientation)
            continue;
        turn->runner_up_residual = fmin(turn->runner_up_residual, residual);
        if (levels_of(pair, residual) < 2 * levels_of(pair, best) + 0.5 &&
            turn->runner_up_count < XR_RUNNERS_UP)
            turn->runner_up[turn->runner_up_count++] = o;
    }
}
