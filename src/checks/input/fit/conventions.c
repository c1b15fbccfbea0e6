#include "checks/input/fit/conventions.h"

#include <math.h>

static const xr_convention conventions[] = {
    {"[0,1]", {0, 0, 0}, {255, 255, 255}},
    {"[-1,1]", {127.5, 127.5, 127.5}, {127.5, 127.5, 127.5}},
    {"(x - 127) / 128", {127, 127, 127}, {128, 128, 128}},
    {"(x - 128) / 128", {128, 128, 128}, {128, 128, 128}},
    {"0..255", {0, 0, 0}, {1, 1, 1}},
    {"ImageNet mean and std", {123.675, 116.28, 103.53}, {58.395, 57.12, 57.375}},
    {"ImageNet mean and std, constants in BGR order", {103.53, 116.28, 123.675}, {57.375, 57.12, 58.395}},
    {"0..255, BGR means of Caffe subtracted", {103.939, 116.779, 123.68}, {1, 1, 1}},
};

size_t xr_convention_count(void)
{
    return sizeof conventions / sizeof *conventions;
}

const xr_convention *xr_convention_at(size_t i)
{
    return &conventions[i];
}

static bool follows(const xr_input_fit *fit, int side, const xr_convention *k, bool exact)
{
    double span = 0;
    for (size_t c = 0; c < fit->values.channels; c++) {
        double mean = k->mean[c % 3], std = k->std[c % 3];
        /* In levels of 0..255. */
        double low = fit->values.min[side][c] * std + mean, high = fit->values.max[side][c] * std + mean;
        double slack = exact ? 0.1 : 1.5;
        if (low < -slack || high > 255 + slack)
            return false;
        if (exact && (fabs(low - round(low)) > 0.1 || fabs(high - round(high)) > 0.1))
            return false;
        span = fmax(span, high - low);
    }
    /* Photographs use most of the range. */
    return span >= (exact ? 16 : 128);
}

/* Whether a side's level is that of a convention, to within a share of it. */
static bool has_level(const xr_input_fit *fit, exray_side side, const xr_convention *k, double tolerance)
{
    /* The level is that of the channel with the largest. */
    double least = fmin(k->std[0], fmin(k->std[1], k->std[2]));
    return fabs(fit->level[side] * least - 1) <= tolerance;
}

bool xr_follows_exactly(const xr_input_fit *fit, exray_side side, const xr_convention *k)
{
    return has_level(fit, side, k, 0.003) && follows(fit, (int)side, k, true);
}

const xr_convention *xr_convention_of(const xr_input_fit *fit, exray_side side, bool *exact)
{
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < sizeof conventions / sizeof *conventions; i++) {
            const xr_convention *k = &conventions[i];
            *exact = pass == 0;
            if (*exact ? xr_follows_exactly(fit, side, k)
                       : has_level(fit, side, k, 0.5) && follows(fit, (int)side, k, false))
                return k;
        }
    return NULL;
}

bool xr_map_on_pixels(const xr_input_fit *fit, xr_affine *out)
{
    bool exact;
    const xr_convention *k = xr_convention_of(fit, EXRAY_SIDE_REFERENCE, &exact);
    if (!k || !fit->orders.count)
        return false;
    const xr_channel_order *o = &fit->orders.list[fit->orders.used];
    for (size_t c = 0; c < fit->values.channels; c++) {
        const size_t to = c % 3, from = o->from[c] % 3;
        out->gain[c] = o->map.gain[c] * k->std[to] / k->std[from];
        out->offset[c] = o->map.offset[c] * k->std[to] + k->mean[to] - out->gain[c] * k->mean[from];
    }
    return true;
}

double xr_map_on_pixels_effect(const xr_input_fit *fit, const xr_affine *map)
{
    double most = 0;
    for (size_t c = 0; c < fit->values.channels; c++)
        most = fmax(most, fmax(fabs(map->offset[c]), fabs(255 * (map->gain[c] - 1) + map->offset[c])));
    return most;
}
