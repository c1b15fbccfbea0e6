#include "checks/input/memory/find_wrapped.h"

#include "checks/input/fit/pixel_view.h"

#include <math.h>
#include <stdlib.h>

enum { FRAMES = 6, SAMPLES = 4000, FEWEST = 500, MOST_WRAPS = 3 };

/* Levels of a pixel; what rounding may move a value by; values that may be otherwise. */
#define LEVELS 256.0
#define OFF    1.2
#define ODD    0.003
/* A wrap of fewer values is none; the search begins with so many levels of the reference's. */
#define LEAST_SHARE 0.005
#define OTHERS      3.0
#define BEGIN       40.0

/* Both sides' values of all frames, in levels. */
typedef struct pixel_samples {
    double edge[FRAMES * SAMPLES], reference[FRAMES * SAMPLES];
    size_t count, frames;
} pixel_samples;

static void add_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame,
                      exray_slot *const slot[2], pixel_samples *s)
{
    exray_tensor_view tensor[2];
    xr_pixel_view v[2];
    const float *value[2];
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, tensor, v, value) || !xr_is_same_size(&v[0], &v[1]))
        return;
    const size_t count = v->rows * v->columns * v->channels;
    size_t step = count / SAMPLES + 1;
    step += step > 1 && step % v->channels == 0; /* all channels */
    for (size_t i = 0, n = 0; i < count && n < SAMPLES; i += step, n++) {
        const double e = xr_value_at(value[0], xr_pixel_place(&v[0], i / v->channels, i % v->channels)),
                     r = xr_value_at(value[1], xr_pixel_place(&v[1], i / v->channels, i % v->channels));
        if (!isfinite(e + r))
            continue;
        s->edge[s->count] = e / fit->level[EXRAY_SIDE_EDGE];
        s->reference[s->count++] = r / fit->level[EXRAY_SIDE_REFERENCE];
    }
    s->frames++;
}

/* The line of the unwrapped values on the reference's, of those of the reference from `low` to `high`; false:
 * there is none. */
static bool fit_line(const pixel_samples *s, double gain, double offset, double low, double high, bool unwrap,
                     double line[2])
{
    double n = 0, sx = 0, sy = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double x = s->reference[i];
        if (x < low || x > high)
            continue;
        const double turns = unwrap ? round((gain * x + offset - s->edge[i]) / LEVELS) : 0;
        const double y = s->edge[i] + LEVELS * turns;
        n++, sx += x, sy += y, xx += x * x, xy += x * y;
    }
    const double square = n > 0 ? xx - sx * sx / n : 0;
    if (n < FEWEST / 10.0 || !(square > 0))
        return false;
    line[0] = (xy - sx * sy / n) / square;
    line[1] = (sy - line[0] * sx) / n;
    return true;
}

/* What wraps under a line, and what is otherwise. */
static void judge_line(const pixel_samples *s, const double line[2], xr_wrapped *out)
{
    enum { TURNS = 2 * MOST_WRAPS + 1 };
    size_t turned[TURNS] = {0}, odd = 0, most = 0;
    double least[TURNS], largest[TURNS]; /* of the reference's values that turn so often */
    for (size_t k = 0; k < TURNS; k++)
        least[k] = INFINITY, largest[k] = -INFINITY;
    for (size_t i = 0; i < s->count; i++) {
        const double expected = line[0] * s->reference[i] + line[1];
        const double turns = round((expected - s->edge[i]) / LEVELS);
        if (fabs(turns) > MOST_WRAPS || fabs(expected - LEVELS * turns - s->edge[i]) > OFF)
            odd++;
        else {
            const size_t k = (size_t)(turns + MOST_WRAPS);
            turned[k]++;
            least[k] = fmin(least[k], s->reference[i]);
            largest[k] = fmax(largest[k], s->reference[i]);
        }
    }
    /* One value alone that is elsewhere is no wrap (a ground that is white for black), nor are those among
     * which others are not. */
    for (size_t k = 0; k < TURNS; k++) {
        most = turned[k] > most ? turned[k] : most;
        const bool alone = turned[k] > 0 && largest[k] - least[k] < OTHERS;
        const bool mixed = k > 0 && turned[k] > 0 && turned[k - 1] > 0 && largest[k - 1] > least[k] + OTHERS;
        odd += alone || mixed ? turned[k] : 0;
    }
    out->odd = (double)odd / (double)s->count;
    out->share = 1 - out->odd - (double)most / (double)s->count;
}

/* The line from the reference's lowest values on, with ever more of them; or from its highest. */
static bool follow(const pixel_samples *s, double low, double high, bool downwards, double line[2])
{
    enum { ROUNDS = 6 };
    const double rest = high - low - BEGIN;
    bool ok = true;
    for (int k = 0; k <= ROUNDS && ok; k++) {
        const double reach = BEGIN + rest * k / ROUNDS;
        ok = fit_line(s, line[0], line[1], downwards ? high - reach : low, downwards ? high : low + reach,
                      k > 0, line);
    }
    return ok;
}

static bool search(const pixel_samples *s, xr_wrapped *out)
{
    double low = INFINITY, high = -INFINITY, edge_low = INFINITY, edge_high = -INFINITY, line[2] = {0, 0};
    for (size_t i = 0; i < s->count; i++) {
        low = fmin(low, s->reference[i]), high = fmax(high, s->reference[i]);
        edge_low = fmin(edge_low, s->edge[i]), edge_high = fmax(edge_high, s->edge[i]);
    }
    if (edge_high - edge_low > LEVELS || high - low > LEVELS || high - low < LEVELS / 4)
        return false;
    const bool upwards = follow(s, low, high, false, line);
    if (upwards)
        judge_line(s, line, out);
    if (!upwards || out->odd > ODD) {
        if (!follow(s, low, high, true, line))
            return false;
        judge_line(s, line, out);
    }
    out->gain = line[0];
    /* As pixels: the lowest value is black where the whole range is used. */
    out->offset = remainder(line[1] + line[0] * low - edge_low, LEVELS);
    return out->odd <= ODD && out->share >= LEAST_SHARE && line[0] > 0.2 && line[0] < 4;
}

bool xr_find_wrapped(const exray_comparison *comparison, const xr_input_fit *fit, xr_wrapped *found)
{
    exray_slot *const slot[2] = {exray_slot_new(), exray_slot_new()};
    pixel_samples *s = calloc(1, sizeof *s);
    const size_t frames = exray_comparison_frame_count(comparison), step = frames / FRAMES + 1;
    *found = (xr_wrapped){0};
    for (size_t f = 0; s && slot[0] && slot[1] && fit->values.picture && f < frames && s->frames < FRAMES;
         f += step)
        add_frame(comparison, fit, f, slot, s);
    const bool is_so = s && s->count >= FEWEST && search(s, found);
    if (is_so)
        found->frames = s->frames;
    free(s);
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    return is_so;
}
