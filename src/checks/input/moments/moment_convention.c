#include "checks/input/moments/moment_convention.h"
#include "checks/port/tensor_type.h"

#include <math.h>

void xr_moment_range(const xr_moment_frames *frames, exray_side side, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    for (size_t i = 0; i < frames->count; i++) {
        *low = fmin(*low, frames->of[side][i].min);
        *high = fmax(*high, frames->of[side][i].max);
    }
}

/* The range of a convention over all its channels, in its unit; its level. */
static double range_of(const xr_convention *k, double *low, double *high)
{
    *low = INFINITY;
    *high = -INFINITY;
    double level = 0;
    for (int c = 0; c < 3; c++) {
        *low = fmin(*low, -k->mean[c] / k->std[c]);
        *high = fmax(*high, (255 - k->mean[c]) / k->std[c]);
        level = fmax(level, 1 / k->std[c]);
    }
    return level;
}

/* Whether values of that range may have been made so; `share` of its range they use at least. */
static bool holds(const xr_convention *k, double low, double high, double share)
{
    double from, to, level = range_of(k, &from, &to);
    return low >= from - 1.5 * level && high <= to + 1.5 * level && high - low >= share * (to - from);
}

double xr_moment_level(const xr_moment_frames *frames, exray_side side)
{
    double low, high;
    if (frames->scale[side] > 0 && xr_is_byte(frames->type[side]))
        return frames->scale[side];
    if (frames->picture && frames->type[side] == EXRAY_DTYPE_UINT8)
        return 1;
    xr_moment_range(frames, side, &low, &high);
    double level = high > low ? (high - low) / 255 : fmax(fabs(high), 1) / 255, from, to;
    for (size_t i = 0; frames->picture && i < xr_convention_count(); i++)
        if (holds(xr_convention_at(i), low, high, 1.0 / 3))
            return fmax(level, range_of(xr_convention_at(i), &from, &to));
    return level;
}

static bool is_map_between(const xr_moment_pairs *p, const xr_moment_fit *f, const xr_convention *edge,
                           const xr_convention *reference)
{
    for (size_t c = 0; c < p->frames->parts; c++) {
        const size_t at = c % 3, from = f->from[c] % 3;
        const double gain = reference->std[from] / edge->std[at];
        const double offset = (reference->mean[from] - edge->mean[at]) / edge->std[at];
        if (fabs(f->gain[c] / gain - 1) > 0.003 ||
            fabs(f->offset[c] - offset) > 0.3 * xr_moment_unit(p, gain))
            return false;
    }
    return true;
}

bool xr_moment_conventions(const xr_moment_pairs *p, const xr_moment_fit *f, const xr_convention *by_side[2])
{
    double low[2], high[2];
    by_side[0] = by_side[1] = NULL;
    for (int s = 0; s < 2; s++)
        xr_moment_range(p->frames, (exray_side)s, &low[s], &high[s]);
    if (!p->frames->picture || p->frames->parts > XR_FIT_CHANNELS)
        return false;
    for (size_t e = 0; e < xr_convention_count(); e++)
        for (size_t r = 0; r < xr_convention_count(); r++) {
            const xr_convention *edge = xr_convention_at(e), *reference = xr_convention_at(r);
            if (e == r || !holds(edge, low[0], high[0], 0) || !holds(reference, low[1], high[1], 0) ||
                !is_map_between(p, f, edge, reference))
                continue;
            by_side[EXRAY_SIDE_EDGE] = edge;
            by_side[EXRAY_SIDE_REFERENCE] = reference;
            return true;
        }
    for (int s = 0; s < 2; s++)
        for (size_t i = 0; i < xr_convention_count() && !by_side[s]; i++)
            if (holds(xr_convention_at(i), low[s], high[s], 0.5))
                by_side[s] = xr_convention_at(i);
    if (by_side[0] == by_side[1])
        by_side[0] = NULL;
    return false;
}
