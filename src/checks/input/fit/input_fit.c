#include "checks/input/fit/input_fit.h"

#include "checks/input/fit/next_order.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In levels.  Decoders, rounding and noise of +-1 stay below these limits; the residual of another resize
 * kernel exceeds them on real pictures (docs/causes-input.md has figures).  Decoders differ in how they
 * enlarge the chroma, and hardly in the luma. */
#define NOISE_LUMA  1.5
#define NOISE_COLOR 4.0
#define NOISE_FRAME 2.5  /* a single frame's luma */
#define FLOAT_NOISE 1e-3 /* from arithmetic in float */
/* An explanation is decisively better if its residual is less than half, and by more than half a level. */
#define RATIO  2.0
#define MARGIN 0.5
/* A map is beyond noise if its effect exceeds two levels (one of rounding, one of a decoder), and four
 * times the residual. */
#define MAP_LEVELS 2.0
#define MAP_RATIO  4.0
/* Share of elements out of the edge's range that is more than a few highlights. */
#define CLIPPED 0.01

/* ---- Residuals -------------------------------------------------------------------- */

/* Sum of (edge - gain reference - offset)^2 over a channel. */
static double residual_sum(const xr_fit_sums *s, size_t c, size_t from, double gain, double offset)
{
    double sum = s->ee[c][c] - 2 * gain * s->er[c][from] - 2 * offset * s->edge[c] +
                 gain * gain * s->rr[from][from] + 2 * gain * offset * s->reference[from] +
                 s->n * offset * offset;
    return fmax(sum, 0);
}

static double lower(const double m[XR_FIT_CHANNELS][XR_FIT_CHANNELS], size_t a, size_t b)
{
    return a > b ? m[a][b] : m[b][a];
}

/* Sum of the products of the differences of two channels. */
static double residual_product(const xr_fit_sums *s, const xr_channel_order *o, const xr_affine *m, size_t c,
                               size_t k)
{
    size_t p = o->from[c], q = o->from[k];
    double a = m->gain[c], b = m->offset[c], g = m->gain[k], h = m->offset[k];
    return lower(s->ee, c, k) - g * s->er[c][q] - h * s->edge[c] - a * s->er[k][p] +
           a * g * lower(s->rr, p, q) + a * h * s->reference[p] - b * s->edge[k] + b * g * s->reference[q] +
           b * h * s->n;
}

/* The size of a level for an edge channel whose values are the reference's times a gain: the coarser one
 * of both sides. */
static double unit(const xr_input_fit *fit, double gain)
{
    return fmax(fit->level[0], fabs(gain) * fit->level[1]);
}

static const xr_affine no_map = {{1, 1, 1, 1}, {0, 0, 0, 0}};

/* The residual of all channels, levels rms. */
static double residual(const xr_input_fit *fit, const xr_fit_sums *s, const xr_channel_order *o,
                       const xr_affine *m)
{
    double sum = 0;
    for (size_t c = 0; c < fit->values.channels; c++) {
        double u = unit(fit, m->gain[c]);
        sum += residual_sum(s, c, o->from[c], m->gain[c], m->offset[c]) / (u * u);
    }
    return s->n > 0 ? sqrt(sum / (s->n * (double)fit->values.channels)) : 0;
}

/* The residual of the luma, levels rms, whether the channels are RGB or BGR; of all channels where it is not
 * a color picture. */
static double luma_residual(const xr_input_fit *fit, const xr_fit_sums *s, const xr_channel_order *o,
                            const xr_affine *m)
{
    static const double weights[2][3] = {{0.299, 0.587, 0.114}, {0.114, 0.587, 0.299}};
    if (fit->values.channels != 3 || !fit->values.picture)
        return residual(fit, s, o, m);
    double least = INFINITY;
    for (int w = 0; w < 2; w++) {
        double sum = 0;
        for (size_t c = 0; c < 3; c++)
            for (size_t k = 0; k < 3; k++)
                sum += weights[w][c] / unit(fit, m->gain[c]) * weights[w][k] / unit(fit, m->gain[k]) *
                       residual_product(s, o, m, c, k);
        least = fmin(least, sum);
    }
    return s->n > 0 ? sqrt(fmax(least, 0) / s->n) : 0;
}

/* The residual of all channels in the edge's unit. */
static double rmse(const xr_input_fit *fit, const xr_fit_sums *s, const xr_channel_order *o,
                   const xr_affine *m)
{
    double sum = 0;
    for (size_t c = 0; c < fit->values.channels; c++)
        sum += residual_sum(s, c, o->from[c], m->gain[c], m->offset[c]);
    return s->n > 0 ? sqrt(sum / (s->n * (double)fit->values.channels)) : 0;
}

/* ---- Orders -------------------------------------------------------------------------- */

static void list_orders(xr_input_fit *fit)
{
    size_t n = fit->values.channels;
    unsigned char p[XR_FIT_CHANNELS] = {0, 1, 2, 3};
    do /* the identity comes first */
        memcpy(fit->orders.list[fit->orders.count++].from, p, sizeof p);
    while (xr_next_order(p, n));
}

/* Least squares of a channel on another. */
static void fit_channel(const xr_fit_sums *s, size_t c, size_t from, double level, double *gain,
                        double *offset)
{
    double n = s->n, mean_e = s->edge[c] / n, mean_r = s->reference[from] / n;
    double variance = s->rr[from][from] / n - mean_r * mean_r;
    double covariance = s->er[c][from] / n - mean_e * mean_r;
    /* A channel without contrast does not determine a gain. */
    *gain = variance > level * level ? covariance / variance : 1;
    *offset = mean_e - *gain * mean_r;
}

static void fit_orders(xr_input_fit *fit, const xr_fit_sums *blocks)
{
    list_orders(fit);
    for (size_t i = 0; i < fit->orders.count; i++) {
        xr_channel_order *o = &fit->orders.list[i];
        o->map = no_map;
        for (size_t c = 0; c < fit->values.channels; c++)
            fit_channel(blocks, c, o->from[c], fit->level[1], &o->map.gain[c], &o->map.offset[c]);
        o->residual = residual(fit, blocks, o, &o->map);
        o->plain = residual(fit, blocks, o, &no_map);
        if (o->residual < fit->orders.list[fit->orders.best].residual)
            fit->orders.best = i;
    }
}

static bool decisively_less(double a, double b)
{
    return b > RATIO * a + MARGIN;
}

/* Of orders that are equally good with a map, prefers one that is good without any. */
static void prefer_plain(xr_input_fit *fit)
{
    size_t best = fit->orders.best;
    for (size_t i = 0; i < fit->orders.count; i++)
        if (!decisively_less(fit->orders.list[best].residual, fit->orders.list[i].residual) &&
            decisively_less(fit->orders.list[i].plain, fit->orders.list[fit->orders.best].plain))
            fit->orders.best = i;
}

/* The residual of one frame by an order, with the map that fits this frame best. */
static double own_residual(const xr_input_fit *fit, const xr_fit_sums *s, const xr_channel_order *order)
{
    xr_channel_order own = *order;
    for (size_t c = 0; c < fit->values.channels && s->n > 0; c++)
        fit_channel(s, c, own.from[c], fit->level[1], &own.map.gain[c], &own.map.offset[c]);
    return residual(fit, s, &own, &own.map);
}

/* A frame supports an order where the other one fails with any map; gray frames support neither. */
static void vote(xr_input_fit *fit, const xr_fit_frames *frames)
{
    const xr_channel_order *best = &fit->orders.list[fit->orders.best], *identity = &fit->orders.list[0];
    for (size_t f = 0; f < frames->count; f++) {
        const xr_fit_sums *s = &frames->blocks[f];
        fit->orders.supporting +=
            decisively_less(residual(fit, s, best, &best->map), own_residual(fit, s, identity));
        fit->orders.opposing +=
            decisively_less(residual(fit, s, identity, &identity->map), own_residual(fit, s, best));
    }
}

static void judge_order(xr_input_fit *fit, const xr_fit_frames *frames)
{
    prefer_plain(fit);
    fit->orders.runner_up = fit->orders.best == 0 && fit->orders.count > 1 ? 1 : 0;
    for (size_t i = 0; i < fit->orders.count; i++)
        if (i != fit->orders.best &&
            fit->orders.list[i].residual < fit->orders.list[fit->orders.runner_up].residual)
            fit->orders.runner_up = i;
    fit->orders.used = 0;
    if (fit->orders.best == 0)
        return;
    const xr_channel_order *best = &fit->orders.list[fit->orders.best], *identity = &fit->orders.list[0];
    vote(fit, frames);
    if (decisively_less(best->residual, identity->residual)) {
        /* Frames of one color each do not determine the order alone, but no single map explains all of
         * them. */
        bool together = fit->orders.supporting == 0 && frames->count > 2 &&
                        decisively_less(best->plain, identity->residual);
        fit->orders.named = (fit->orders.supporting > 0 || together) && fit->orders.opposing == 0;
        if (fit->orders.named)
            fit->orders.used = fit->orders.best;
    } else if (decisively_less(best->plain, identity->plain) &&
               !decisively_less(best->residual, best->plain)) {
        /* An exchange of channels explains it, and so does a map without an exchange. */
        fit->orders.tied = true;
        fit->orders.tie = fit->orders.best;
    }
}

/* ---- The map --------------------------------------------------------------------------- */

typedef struct map_effect {
    double rms, max; /* levels */
} map_effect;

/* The effect of x -> gain x + offset on the reference's channel `from`. */
static map_effect effect_of(const xr_input_fit *fit, const xr_fit_sums *s, size_t from, double gain,
                            double offset)
{
    double u = unit(fit, gain), g = gain - 1;
    double sum = g * g * s->rr[from][from] + 2 * g * offset * s->reference[from] + s->n * offset * offset;
    double low = fabs(g * fit->values.min[1][from] + offset),
           high = fabs(g * fit->values.max[1][from] + offset);
    return (map_effect){s->n > 0 ? sqrt(fmax(sum, 0) / s->n) / u : 0, fmax(low, high) / u};
}

/* Whether the edge's channels follow the reference's: one that is constant, or hardly does, has no
 * meaningful gain. */
static bool follows_reference(const xr_input_fit *fit, const xr_fit_sums *s, const xr_channel_order *o)
{
    for (size_t c = 0; c < fit->values.channels; c++) {
        size_t from = o->from[c];
        double mean_e = s->edge[c] / s->n, mean_r = s->reference[from] / s->n;
        double variance_e = s->ee[c][c] / s->n - mean_e * mean_e;
        double variance_r = s->rr[from][from] / s->n - mean_r * mean_r;
        if (variance_r <= fit->level[1] * fit->level[1])
            continue; /* a flat reference determines an offset only */
        double remaining = residual_sum(s, c, from, o->map.gain[c], o->map.offset[c]) / s->n;
        if (remaining > variance_e / 2 || variance_e < 1e-6 * variance_r * o->map.gain[c] * o->map.gain[c] ||
            variance_e <= 1e-12 * mean_e * mean_e)
            return false;
    }
    return true;
}

static bool has_contrast(const xr_input_fit *fit, const xr_fit_sums *s)
{
    for (size_t c = 0; c < fit->values.channels; c++) {
        double mean = s->reference[c] / s->n, variance = s->rr[c][c] / s->n - mean * mean;
        if (variance > 4 * fit->level[1] * fit->level[1])
            return true;
    }
    return false;
}

/* Whether the map is the reference's own normalization, applied after the exchange of channels: then the
 * maps cancel out around every cycle of the exchange. */
static bool is_map_after_exchange(const xr_input_fit *fit, const xr_fit_sums *s, const xr_channel_order *o,
                                  double remaining)
{
    for (size_t c = 0; c < fit->values.channels; c++) {
        double gain = 1, offset = 0;
        size_t at = c, length = 0;
        do {
            offset += gain * o->map.offset[at];
            gain *= o->map.gain[at];
            at = o->from[at];
            length++;
        } while (at != c);
        map_effect e = effect_of(fit, s, c, gain, offset);
        if (e.max > 0.5 + MAP_RATIO * remaining + (fit->values.floats ? 0 : 0.5) * (double)length)
            return false;
    }
    return true;
}

/* What an order leaves of the pixels with the map that fits them best, which it gets. */
static double residual_of_pixels(const xr_input_fit *fit, const xr_fit_sums *pixels, xr_channel_order *o)
{
    for (size_t c = 0; c < fit->values.channels; c++)
        fit_channel(pixels, c, o->from[c], FLOAT_NOISE * fit->level[1], &o->map.gain[c], &o->map.offset[c]);
    return residual(fit, pixels, o, &o->map);
}

/* Whether another order makes every pixel of the edge's, to float noise, and the order as it is does not:
 * however little the pictures hold, as at night, that is no chance.  The order is used then, and every frame
 * that it changes is for it. */
static bool is_exact_exchange(xr_input_fit *fit, const xr_fit_frames *frames, const xr_fit_sums *pixels)
{
    const double seen = 20 * FLOAT_NOISE;
    xr_channel_order identity = fit->orders.list[0];
    if (!(fit->raw.pixels > seen) || !(residual_of_pixels(fit, pixels, &identity) > seen))
        return false;
    for (size_t i = 1; i < fit->orders.count; i++) {
        xr_channel_order o = fit->orders.list[i];
        if (residual_of_pixels(fit, pixels, &o) > FLOAT_NOISE)
            continue;
        fit->orders.list[i] = o;
        fit->orders.best = fit->orders.used = i;
        fit->orders.named = true;
        if (is_map_after_exchange(fit, pixels, &o, FLOAT_NOISE))
            fit->map.after_exchange = true;
        else {
            fit->map.named = true;
            fit->map.effect = fit->raw.pixels;
        }
        for (size_t f = 0; f < frames->count; f++)
            fit->orders.supporting += own_residual(fit, &frames->pixels[f], &identity) > FLOAT_NOISE;
        return true;
    }
    return false;
}

static void judge_map(xr_input_fit *fit, const xr_fit_sums *pixels, const xr_fit_sums *blocks)
{
    const xr_channel_order *o = &fit->orders.list[fit->orders.used];
    double sum = 0;
    for (size_t c = 0; c < fit->values.channels; c++) {
        map_effect e = effect_of(fit, pixels, o->from[c], o->map.gain[c], o->map.offset[c]);
        sum += e.rms * e.rms;
        fit->map.effect_max = fmax(fit->map.effect_max, e.max);
    }
    fit->map.effect = sqrt(sum / (double)fit->values.channels);
    double remaining = residual(fit, pixels, o, &o->map),
           remaining_blocks = residual(fit, blocks, o, &o->map);
    bool beyond = fit->map.effect_max > MAP_LEVELS && fit->map.effect > MAP_RATIO * remaining_blocks;
    /* Between float tensors nothing is rounded, so an effect of less than a level is certain where the
     * residual is still smaller. */
    bool exact = fit->values.floats && fit->map.effect > MAP_RATIO * remaining && fit->map.effect > 0.05;
    /* No map fits values that are clipped. */
    bool clipped = fit->values.clipped > CLIPPED * fit->values.counted;
    if ((!beyond && !exact) || clipped || !has_contrast(fit, pixels) || !follows_reference(fit, blocks, o))
        return;
    if (fit->orders.used != 0 && is_map_after_exchange(fit, pixels, o, remaining_blocks))
        fit->map.after_exchange = true;
    else
        fit->map.named = true;
}

/* ---- The residual ------------------------------------------------------------------------ */

static bool is_noise(const xr_input_fit *fit, double luma, double pixels, double worst)
{
    double color = fit->values.channels == 3 && fit->values.picture ? NOISE_COLOR : NOISE_LUMA;
    return luma <= NOISE_LUMA && pixels <= color && worst <= NOISE_FRAME;
}

static double worst_frame(const xr_input_fit *fit, const xr_fit_frames *frames, const xr_channel_order *o,
                          const xr_affine *map, size_t *which)
{
    double worst = 0;
    for (size_t f = 0; f < frames->count; f++) {
        double remaining = luma_residual(fit, &frames->pixels[f], o, map);
        if (remaining > worst || f == 0) {
            worst = remaining;
            *which = frames->frame[f];
        }
    }
    return worst;
}

static void judge_residual(xr_input_fit *fit, const xr_fit_frames *frames, const xr_fit_sums *pixels,
                           const xr_fit_sums *blocks)
{
    const xr_channel_order *o = &fit->orders.list[fit->orders.tied ? fit->orders.tie : fit->orders.used];
    const xr_affine *map = fit->map.named || fit->map.after_exchange ? &o->map : &no_map;
    if (fit->orders.tied)
        map = &no_map;
    fit->residual.blocks = residual(fit, blocks, o, map);
    fit->residual.pixels = residual(fit, pixels, o, map);
    fit->residual.luma = luma_residual(fit, pixels, o, map);
    fit->residual.worst = worst_frame(fit, frames, o, map, &fit->residual.worst_frame);
    fit->residual.explained = is_noise(fit, fit->residual.luma, fit->residual.pixels, fit->residual.worst);
    double low = INFINITY, high = -INFINITY;
    for (size_t c = 0; c < fit->values.channels; c++) {
        low = fmin(low, fit->values.min[1][c]);
        high = fmax(high, fit->values.max[1][c]);
    }
    double range = high > low ? high - low : NAN;
    fit->residual.nrmse_before = rmse(fit, pixels, &fit->orders.list[0], &no_map) / range;
    fit->residual.nrmse_reordered = rmse(fit, pixels, o, fit->map.after_exchange ? &o->map : &no_map) / range;
    fit->residual.nrmse_after = rmse(fit, pixels, o, map) / range;
}

/* Notes gray, constant and flat inputs, for findings without a cause. */
static void note_flat_sides(xr_input_fit *fit, const xr_fit_sums *s)
{
    double unequal[2] = {0, 0}, spread = 0;
    for (size_t c = 0; c < fit->values.channels; c++) {
        double mean = s->edge[c] / s->n;
        spread = fmax(spread, s->ee[c][c] / s->n - mean * mean);
        size_t k = (c + 1) % fit->values.channels;
        unequal[0] = fmax(unequal[0], s->ee[c][c] + s->ee[k][k] - 2 * lower(s->ee, c, k));
        unequal[1] = fmax(unequal[1], s->rr[c][c] + s->rr[k][k] - 2 * lower(s->rr, c, k));
    }
    double level = fit->level[0] * fit->level[0];
    for (size_t c = 0; c < fit->values.channels; c++)
        fit->channel_same[c] = residual_sum(s, c, c, 1, 0) <= FLOAT_NOISE * FLOAT_NOISE * level * s->n;
    fit->reference_flat = !has_contrast(fit, s);
    fit->edge_constant = spread < 1e-6 * level;
    fit->edge_gray = fit->values.channels == 3 && unequal[0] / s->n < level / 4 &&
                     unequal[1] / s->n > 16 * fit->level[1] * fit->level[1];
}

/* ---- All of it ----------------------------------------------------------------------------- */

static void set_levels(xr_input_fit *fit)
{
    for (int s = 0; s < 2; s++) {
        double low = INFINITY, high = -INFINITY;
        for (size_t c = 0; c < fit->values.channels; c++) {
            low = fmin(low, fit->values.min[s][c]);
            high = fmax(high, fit->values.max[s][c]);
        }
        double step = fit->io->step[s];
        fit->level[s] = step > 0 ? step : high > low ? (high - low) / 255 : fmax(fabs(high), 1) / 255;
    }
}

static void vote_on_map(xr_input_fit *fit, const xr_fit_frames *frames)
{
    const xr_channel_order *o = &fit->orders.list[fit->orders.used];
    for (size_t f = 0; f < frames->count && fit->map.named; f++) {
        double with = residual(fit, &frames->blocks[f], o, &o->map);
        double without = residual(fit, &frames->blocks[f], o, &no_map);
        fit->map.supporting += without > 1.3 * with + 0.05;
        fit->map.opposing += with > 1.3 * without + 1;
    }
}

/* Whether a difference within noise is an exchange of channels: another order explains nearly all of it. */
static bool is_exchange(const xr_input_fit *fit)
{
    double least = INFINITY;
    for (size_t i = 1; i < fit->orders.count; i++)
        least = fmin(least, fit->orders.list[i].plain);
    return fit->orders.list[0].plain > 1 && least < 0.2 * fit->orders.list[0].plain;
}

static void set_unjudged(xr_input_fit *fit, const char *why)
{
    fit->state = XR_FIT_UNJUDGED;
    fit->why = why;
}

static void judge_together(xr_input_fit *fit, const xr_fit_frames *frames)
{
    xr_fit_sums pixels = {0}, blocks = {0};
    for (size_t f = 0; f < frames->count; f++) {
        xr_sums_join(&pixels, &frames->pixels[f]);
        xr_sums_join(&blocks, &frames->blocks[f]);
    }
    if (pixels.n == 0 || blocks.n == 0) {
        set_unjudged(fit, "no element of the inputs is finite on both sides");
        return;
    }
    set_levels(fit);
    fit_orders(fit, &blocks);
    const xr_channel_order *identity = &fit->orders.list[0];
    fit->raw.pixels = residual(fit, &pixels, identity, &no_map);
    fit->raw.worst = worst_frame(fit, frames, identity, &no_map, &fit->raw.worst_frame);
    if (fit->raw.pixels <= FLOAT_NOISE) {
        fit->state = XR_FIT_EQUAL;
        return;
    }
    if (fit->values.tokens) {
        fit->state = XR_FIT_DIFFERS;
        return;
    }
    double luma = luma_residual(fit, &pixels, identity, &no_map);
    fit->state = is_noise(fit, luma, fit->raw.pixels, fit->raw.worst) ? XR_FIT_NOISE : XR_FIT_DIFFERS;
    const bool exact = fit->state == XR_FIT_NOISE && is_exact_exchange(fit, frames, &pixels);
    if (exact || (fit->state == XR_FIT_NOISE && is_exchange(fit)))
        fit->state = XR_FIT_DIFFERS;
    if (fit->state == XR_FIT_DIFFERS && !exact)
        judge_order(fit, frames);
    if (fit->values.open_unit)
        fit->map.named = has_contrast(fit, &pixels);
    else if (!exact)
        judge_map(fit, &pixels, &blocks);
    if (fit->map.named)
        fit->state = XR_FIT_DIFFERS;
    vote_on_map(fit, frames);
    judge_residual(fit, frames, &pixels, &blocks);
    note_flat_sides(fit, &pixels);
}

/* ---- Some frames only ------------------------------------------------------------------------ */

static bool is_noise_frame(const xr_input_fit *fit, const xr_fit_sums *s)
{
    const xr_channel_order *identity = &fit->orders.list[0];
    double luma = luma_residual(fit, s, identity, &no_map);
    return is_noise(fit, luma, residual(fit, s, identity, &no_map), luma);
}

/* Whether a frame is as the reference's, and would not be under the order and the map that other frames
 * show; a frame that says nothing (gray under an exchange of channels) is not. */
static bool is_unaffected(const xr_input_fit *fit, const xr_fit_sums *s)
{
    const xr_channel_order *o = &fit->orders.list[fit->orders.used], *identity = &fit->orders.list[0];
    const xr_affine *map = fit->map.named || fit->map.after_exchange ? &o->map : &no_map;
    return is_noise_frame(fit, s) &&
           decisively_less(residual(fit, s, identity, &no_map), residual(fit, s, o, map));
}

/* The frames that differ by more than noise; false: all or none of them do. */
static bool take_differing(const xr_input_fit *fit, const xr_fit_frames *all, xr_fit_frames *out)
{
    *out = (xr_fit_frames){.pixels = calloc(all->count + 1, sizeof *out->pixels),
                           .blocks = calloc(all->count + 1, sizeof *out->blocks),
                           .frame = calloc(all->count + 1, sizeof *out->frame)};
    for (size_t f = 0; out->pixels && out->blocks && out->frame && f < all->count; f++) {
        if (is_noise_frame(fit, &all->pixels[f]))
            continue;
        out->pixels[out->count] = all->pixels[f];
        out->blocks[out->count] = all->blocks[f];
        out->frame[out->count++] = all->frame[f];
    }
    return out->count > 0 && out->count < all->count;
}

/* Where no order and no map explains all frames, those that differ may have one of their own. */
static void judge_some(xr_input_fit *fit, const xr_input_fit *before, const xr_fit_frames *frames)
{
    xr_fit_frames some;
    xr_input_fit part = *before;
    if (take_differing(fit, frames, &some)) {
        judge_together(&part, &some);
        for (size_t f = 0; f < frames->count && (part.orders.named || part.map.named); f++)
            part.unaffected += is_unaffected(&part, &frames->pixels[f]);
        if (part.unaffected && part.residual.explained)
            *fit = part;
    }
    xr_fit_frames_free(&some);
}

static void judge(xr_input_fit *fit, const xr_fit_frames *frames)
{
    const xr_input_fit before = *fit;
    judge_together(fit, frames);
    if (fit->state == XR_FIT_DIFFERS && !fit->values.tokens && !fit->residual.explained)
        judge_some(fit, &before, frames);
}

/* Whether all that differs is what a unit may be. */
static bool is_but_a_unit(const xr_input_fit *fit)
{
    return fit->values.open_unit && fit->state == XR_FIT_DIFFERS && !fit->orders.named &&
           fit->residual.explained;
}

exray_status xr_input_fit_affected(const exray_comparison *comparison, const xr_input_fit *fit,
                                   bool *affected, exray_error *error)
{
    xr_fit_frames frames = {0};
    xr_input_values values = {0};
    exray_status status = xr_fit_read(comparison, fit->pair, NULL, &values, &frames, error);
    for (size_t f = 0; status == EXRAY_OK && f < frames.count; f++)
        affected[frames.frame[f]] = !is_unaffected(fit, &frames.pixels[f]);
    xr_fit_frames_free(&frames);
    return status;
}

exray_status xr_input_fit_make(const exray_comparison *comparison, size_t pair, const xr_placement *placement,
                               xr_input_fit *fit, exray_error *error)
{
    *fit =
        (xr_input_fit){.state = XR_FIT_EQUAL, .pair = pair, .io = exray_comparison_input(comparison, pair)};
    const exray_metrics *m = &fit->io->metrics;
    if (!placement && fit->io->comparable && m->max_abs == 0 && fit->io->problem == NULL &&
        m->nan_count[0] + m->inf_count[0] == 0)
        return EXRAY_OK;
    xr_fit_frames frames = {0};
    exray_status status = xr_fit_read(comparison, pair, placement, &fit->values, &frames, error);
    fit->values.frames = frames.count;
    if (status == EXRAY_OK && frames.count == 0 && fit->values.other_shape)
        fit->state = XR_FIT_SHAPES;
    else if (status == EXRAY_OK && fit->values.problem)
        set_unjudged(fit, fit->values.problem);
    else if (status == EXRAY_OK && frames.count) {
        judge(fit, &frames);
        if (!placement && is_but_a_unit(fit))
            set_unjudged(fit, "the two sides are the same but for a factor and an offset, and one side's are "
                              "integers without quantization: whether the model makes up for these is not "
                              "known");
    } else if (status == EXRAY_OK)
        set_unjudged(fit, fit->io->problem ? fit->io->problem : "no matched frame has both inputs");
    xr_fit_frames_free(&frames);
    return status;
}
