#include "checks/input/memory/find_stored.h"

#include "checks/input/fit/pixel_view.h"
#include "checks/port/tensor_type.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 8, LEVELS = 256, SAMPLES = 1 << 16, INSIDE_LEAST = 64 };

/* Of the edge's levels: what rounding moves a value by.  Values that may be otherwise. */
#define ROUNDING 0.75
#define ODD      0.001
/* Share of the edge's range: a value this near to an end is at it. */
#define AT_END 1e-4
/* Steps that are so many times those of the reference are coarser; of an even lattice. */
#define COARSER 4
#define EVEN    0.02

/* Values of both sides at the same places of several frames. */
typedef struct samples {
    float *value[2]; /* [count] by exray_side */
    size_t count, frames;
    bool one_channel;
    bool bytes; /* whole numbers of 0 to 255 on both sides, as they are stored */
    double low[2], high[2];
    double least, most, unit; /* of the edge's integers; unit 0: it has floats, or integers of no scale */
} samples;

static bool is_byte(const exray_tensor_view *v)
{
    return v->info.dtype == EXRAY_DTYPE_UINT8 && v->info.quantization.count == 0;
}

static void add_values(const float *const value[2], const xr_pixel_view view[2], size_t most, samples *to)
{
    const size_t count = view[0].rows * view[0].columns * view[0].channels, channels = view[0].channels;
    size_t step = count / most + 1;
    step += step > 1 && step % channels == 0; /* all channels */
    for (size_t i = 0; i < count && to->count < SAMPLES; i += step) {
        float v[2];
        for (int s = 0; s < 2; s++)
            v[s] = (float)xr_value_at(value[s], xr_pixel_place(&view[s], i / channels, i % channels));
        if (!isfinite(v[0]) || !isfinite(v[1]))
            continue;
        for (int s = 0; s < 2; s++) {
            to->value[s][to->count] = v[s];
            to->low[s] = fmin(to->low[s], (double)v[s]);
            to->high[s] = fmax(to->high[s], (double)v[s]);
        }
        to->count++;
    }
}

static void free_samples(samples *s)
{
    free(s->value[0]);
    free(s->value[1]);
}

static bool read_samples(const exray_comparison *c, const xr_input_fit *fit, samples *out)
{
    const size_t frames = exray_comparison_frame_count(c), step = frames / FRAMES + 1;
    exray_slot *slot[2] = {exray_slot_new(), exray_slot_new()};
    *out = (samples){.bytes = true,
                     .low = {INFINITY, INFINITY},
                     .high = {-INFINITY, -INFINITY},
                     .value = {calloc(SAMPLES, sizeof(float)), calloc(SAMPLES, sizeof(float))}};
    bool good = slot[0] && slot[1] && out->value[0] && out->value[1];
    for (size_t f = 0; good && f < frames; f += step) {
        exray_tensor_view tensor[2];
        xr_pixel_view view[2];
        const float *value[2];
        if (!xr_pixel_sides_read(c, fit->pair, f, slot, tensor, view, value))
            continue;
        good = xr_is_same_size(&view[0], &view[1]) && tensor[0].count == tensor[1].count &&
               view[0].rows * view[0].columns * view[0].channels == tensor[0].count;
        if (!good)
            break;
        out->one_channel = view[0].channels == 1;
        if (xr_byte_limits(&tensor[0].info, &out->least, &out->most))
            out->unit = tensor[0].info.quantization.scale[0];
        out->bytes = out->bytes && is_byte(&tensor[0]) && is_byte(&tensor[1]);
        add_values(value, view, SAMPLES / FRAMES, out);
        out->frames++;
    }
    exray_slot_free(slot[0]);
    exray_slot_free(slot[1]);
    good = good && out->count > INSIDE_LEAST;
    if (!good)
        free_samples(out);
    return good;
}

/* ---- Bytes of 0..1 --------------------------------------------------------------------------------- */

static bool is_cast(const samples *s)
{
    size_t odd = 0;
    for (size_t i = 0; i < s->count; i++)
        odd += (double)s->value[0][i] != floor((double)s->value[1][i] / 255) &&
               (double)s->value[0][i] != floor((double)s->value[1][i] / 255 + 0.5);
    return s->bytes && odd == 0 && s->high[0] <= 1 && s->high[1] > 2;
}

/* ---- A line within limits ---------------------------------------------------------------------------- */

static bool is_inside(const samples *s, int side, double v)
{
    const double near = AT_END * (s->high[side] - s->low[side]);
    return v > s->low[side] + near && v < s->high[side] - near;
}

static bool fit_inside(const samples *s, double *gain, double *offset)
{
    double n = 0, x = 0, y = 0, xx = 0, xy = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double e = (double)s->value[0][i], r = (double)s->value[1][i];
        if (!is_inside(s, 0, e) || !is_inside(s, 1, r))
            continue;
        n++, x += r, y += e, xx += r * r, xy += r * e;
    }
    const double spread = n > 0 ? xx - x * x / n : 0;
    if (n < INSIDE_LEAST || !(spread > 1e-9 * xx))
        return false;
    *gain = (xy - x * y / n) / spread;
    *offset = (y - *gain * x) / n;
    return *gain > 0;
}

/* Where the reference is at its own end it may have been anything beyond: that tells only where the line puts
 * the end itself beyond the edge's limits. */
static bool is_limited(const samples *s, double level, xr_found_stored *f)
{
    size_t odd = 0, clipped = 0;
    if (!s->one_channel || !fit_inside(s, &f->gain, &f->offset))
        return false;
    f->low = s->low[0], f->high = s->high[0];
    for (size_t i = 0; i < s->count; i++) {
        const double e = (double)s->value[0][i], r = (double)s->value[1][i];
        const double line = f->gain * r + f->offset, expected = fmin(fmax(line, f->low), f->high);
        const bool beyond = fabs(line - expected) > ROUNDING * level;
        clipped += beyond;
        odd += (beyond || is_inside(s, 1, r)) && fabs(e - expected) > ROUNDING * level;
    }
    f->clipped = (double)clipped / (double)s->count;
    f->by_type = s->unit > 0 && fabs(f->gain - 1) < 0.01 && fabs(f->offset) < s->unit &&
                 fabs(f->low - s->least) < s->unit && fabs(f->high - s->most) < s->unit;
    return (double)odd <= ODD * (double)s->count && f->clipped > 0.005;
}

/* ---- Coarser steps --------------------------------------------------------------------------------------
 */

static int by_value(const void *a, const void *b)
{
    float x, y;
    memcpy(&x, a, sizeof x);
    memcpy(&y, b, sizeof y);
    return (x > y) - (x < y);
}

/* The number of values that are different, at most `most` and one more; *step: the least distance of two. */
static size_t count_levels(const float *value, size_t count, size_t most, double *step)
{
    float *sorted = calloc(count, sizeof *sorted);
    size_t levels = 0;
    *step = INFINITY;
    if (!sorted)
        return most + 1;
    memcpy(sorted, value, count * sizeof *sorted);
    qsort(sorted, count, sizeof *sorted, by_value);
    for (size_t i = 1; i < count && levels <= most; i++) {
        const double d = (double)sorted[i] - (double)sorted[i - 1];
        if (d <= 1e-6 * fabs((double)sorted[i]))
            continue;
        levels++;
        *step = fmin(*step, d);
    }
    free(sorted);
    return levels + 1;
}

/* Whether all of the edge's values lie on the lattice of its least step. */
static bool is_even(const samples *s, double step)
{
    size_t odd = 0;
    for (size_t i = 0; i < s->count; i++) {
        const double place = ((double)s->value[0][i] - s->low[0]) / step;
        odd += fabs(place - floor(place + 0.5)) > EVEN;
    }
    return (double)odd <= ODD * (double)s->count;
}

/* Rounded, cut off or raised to the next step: each value within one of the reference's, all to one side or
 * by a half at most. */
static bool is_in_steps(const samples *s, xr_found_stored *f)
{
    double finer, step, low = INFINITY, high = -INFINITY;
    f->levels = s->one_channel ? count_levels(s->value[0], s->count, LEVELS, &step) : 0;
    if (f->levels < 3 || f->levels > LEVELS ||
        count_levels(s->value[1], s->count, COARSER * f->levels, &finer) <= COARSER * f->levels ||
        !is_even(s, step))
        return false;
    for (size_t i = 0; i < s->count; i++) {
        const double d = ((double)s->value[0][i] - (double)s->value[1][i]) / step;
        low = fmin(low, d), high = fmax(high, d);
    }
    f->step = step;
    return high - low < 1.1 && low > -1.1 && high < 1.1;
}

bool xr_find_stored(const exray_comparison *comparison, const xr_input_fit *fit, xr_found_stored *found)
{
    samples s;
    *found = (xr_found_stored){.kind = XR_STORED_ALIKE};
    if (fit->values.picture && read_samples(comparison, fit, &s)) {
        found->frames = s.frames;
        found->kind = is_cast(&s)                                          ? XR_STORED_CAST
                      : is_limited(&s, fit->level[EXRAY_SIDE_EDGE], found) ? XR_STORED_LIMITED
                      : is_in_steps(&s, found)                             ? XR_STORED_STEPS
                                                                           : XR_STORED_ALIKE;
        free_samples(&s);
    }
    return found->kind != XR_STORED_ALIKE;
}
