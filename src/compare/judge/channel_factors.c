#include "compare/judge/channel_factors.h"

#include "compare/match/pairs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    FEWEST_PER_CHANNEL = 8, /* values for each factor that is fitted */
    MOST_CHANNELS = 1 << 16,
    MOST_FRAMES = 4,
};

/* What a factor is fitted from, and what is left of it. */
typedef struct channel_products {
    double ab, bb, aa;
} channel_products;

/* Where the channel of an element is: at i / behind % channels. */
typedef struct channel_axis {
    uint64_t channels, behind;
} channel_axis;

static channel_axis axis_of(const exray_tensor_info *info, uint32_t axis)
{
    channel_axis found = {(uint64_t)info->shape[axis], 1};
    for (uint32_t d = axis + 1; d < info->rank; d++)
        found.behind *= (uint64_t)info->shape[d];
    return found;
}

static bool have_one_shape(const exray_tensor_view view[2])
{
    const exray_tensor_info *a = &view[0].info, *b = &view[1].info;
    return view[0].count == view[1].count && a->rank == b->rank && a->rank > 1 &&
           memcmp(a->shape, b->shape, a->rank * sizeof *a->shape) == 0;
}

/* A factor for each channel along one axis, fitted over some frames. */
typedef struct channel_fit {
    channel_axis axis;
    channel_products *sums; /* [axis.channels]; NULL: there is no such axis */
    double n, sum, square;
} channel_fit;

static void begin(channel_fit *fit, channel_axis axis)
{
    *fit = (channel_fit){.axis = axis};
    if (axis.channels >= 2 && axis.channels <= MOST_CHANNELS)
        fit->sums = calloc(axis.channels, sizeof *fit->sums);
}

static void add(channel_fit *fit, const float *a, const float *b, uint64_t count)
{
    for (uint64_t i = 0; fit->sums && i < count; i++) {
        channel_products *s = &fit->sums[i / fit->axis.behind % fit->axis.channels];
        s->ab += (double)a[i] * b[i];
        s->bb += (double)b[i] * b[i];
        s->aa += (double)a[i] * a[i];
        fit->sum += a[i];
        fit->square += (double)a[i] * a[i];
        fit->n++;
    }
}

/* The share of the edge's deviation that is left, of the reference's values times the best factors. */
static double left_by(const channel_fit *fit)
{
    if (!fit->sums || fit->n < FEWEST_PER_CHANNEL * (double)fit->axis.channels)
        return INFINITY;
    double left = 0, mean = fit->sum / fit->n;
    for (uint64_t k = 0; k < fit->axis.channels; k++) {
        const channel_products *s = &fit->sums[k];
        left += s->bb > 0 ? s->aa - s->ab * s->ab / s->bb : s->aa;
    }
    double deviation = sqrt(fmax(fit->square / fit->n - mean * mean, 0));
    return deviation > 0 && isfinite(left) ? sqrt(fmax(left, 0) / fit->n) / deviation : INFINITY;
}

static bool read_both(const exray_comparison *comparison, size_t layer, size_t frame, exray_slot *slot[2],
                      exray_tensor_view view[2], const float *value[2])
{
    exray_error ignored; /* a frame without data tells nothing */
    for (int s = 0; s < 2; s++) {
        const exray_record *record =
            comparison->behind[frame]
                ? NULL
                : xr_pair_record(comparison, &comparison->layers.pair[layer], (exray_side)s, frame);
        if (!record || !record->has_data ||
            exray_log_read_values(comparison->log[s], record, slot[s], &view[s], &value[s], &ignored) !=
                EXRAY_OK ||
            !value[s])
            return false;
    }
    return have_one_shape(view);
}

bool xr_differs_by_channel_factors(const exray_comparison *comparison, size_t layer)
{
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    channel_fit fit[2] = {{.sums = NULL}, {.sums = NULL}};
    size_t frames = 0;
    for (size_t f = 0; slot[0] && slot[1] && frames < MOST_FRAMES && f < comparison->frame_count; f++) {
        exray_tensor_view view[2];
        const float *value[2] = {NULL, NULL};
        if (!read_both(comparison, layer, f, slot, view, value))
            continue;
        const exray_tensor_info *info = &view[0].info;
        channel_axis axis[2] = {axis_of(info, info->rank - 1), axis_of(info, 1)};
        if (frames == 0) {
            begin(&fit[0], axis[0]);
            if (info->rank > 2)
                begin(&fit[1], axis[1]);
        }
        for (int k = 0; k < 2; k++)
            if (fit[k].axis.channels == axis[k].channels && fit[k].axis.behind == axis[k].behind)
                add(&fit[k], value[0], value[1], view[0].count);
        frames++;
    }
    const double noise = comparison->layers.pair[layer].noise;
    bool differs = left_by(&fit[0]) <= noise || left_by(&fit[1]) <= noise;
    for (int s = 0; s < 2; s++) {
        exray_slot_free(slot[s]);
        free(fit[s].sums);
    }
    return differs;
}
