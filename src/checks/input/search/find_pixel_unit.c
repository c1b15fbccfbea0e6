#include "checks/input/search/find.h"

#include "checks/input/fit/conventions.h"

/* Without a known convention: assumes that the values use the whole range of a pixel, as those of a few
 * photographs do. */
static bool unit_of_range(const xr_input_fit *fit, xr_pixel_unit *unit)
{
    for (size_t c = 0; c < fit->values.channels; c++) {
        double range = fit->values.max[EXRAY_SIDE_REFERENCE][c] - fit->values.min[EXRAY_SIDE_REFERENCE][c];
        /* The level is that of the channel with the largest. */
        if (!(range > 0) || range / fit->level[EXRAY_SIDE_REFERENCE] > 600)
            return false;
        unit->from[c] = (unsigned char)c;
        unit->gain[c] = range / 255;
        unit->offset[c] = fit->values.min[EXRAY_SIDE_REFERENCE][c];
    }
    return fit->values.channels > 0;
}

/* The convention that both sides' values follow exactly: where the reference's are of a narrow range, it
 * follows several, such as (x - 127) / 128 and (x - 128) / 128. */
static const xr_convention *convention_of_both(const xr_input_fit *fit)
{
    for (size_t i = 0; i < xr_convention_count(); i++) {
        const xr_convention *k = xr_convention_at(i);
        if (xr_follows_exactly(fit, EXRAY_SIDE_REFERENCE, k) && xr_follows_exactly(fit, EXRAY_SIDE_EDGE, k))
            return k;
    }
    return NULL;
}

bool xr_find_pixel_unit(const xr_input_pair *pair, xr_pixel_unit *unit)
{
    if (unit->measured)
        return true;
    bool exact;
    const xr_convention *k = convention_of_both(pair->fit);
    if (!k)
        k = xr_convention_of(pair->fit, EXRAY_SIDE_REFERENCE, &exact);
    if (!k)
        return unit_of_range(pair->fit, unit);
    for (size_t c = 0; c < XR_FIT_CHANNELS; c++) {
        unit->from[c] = (unsigned char)c;
        unit->gain[c] = 1 / k->std[c % 3];
        unit->offset[c] = -k->mean[c % 3] / k->std[c % 3];
    }
    return true;
}
