#include "checks/input/memory/find_words.h"

#include "checks/ascending.h"
#include "checks/input/fit/pixel_view.h"
#include "checks/input/picture/sensor_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES = 8, SAMPLES = 4000, FEWEST = 256, MOST_REDUCED = 4, WORDS = 65536 };

/* Of the spread of the words: what rounding to float16 leaves. */
#define EXACT 1e-3
/* Counts by which a value may be off an integer; the share that may be further off. */
#define OFF 0.05
#define ODD 0.005

/* Both sides' values of the frames that are looked at, and the sensor's words where it has any. */
typedef struct word_samples {
    double edge[FRAMES * SAMPLES], reference[FRAMES * SAMPLES];
    double word[FRAMES * SAMPLES], other[FRAMES * SAMPLES]; /* other: what is made of a side's values */
    size_t count, frames, channels;
    bool has_sensor;
} word_samples;

/* Takes the sensor's 16-bit pixels at the places of a frame's samples; false: it has none of this size. */
static bool add_sensor(const exray_comparison *c, const xr_pixel_view *v, size_t frame, exray_slot *slot,
                       size_t step, double *word)
{
    exray_media media;
    const uint8_t *data;
    size_t size, n = 0;
    if (!xr_sensor_bytes(c, frame, slot, &media, &data, &size) || !media.format ||
        strcmp(media.format, "gray16") != 0 || media.width != v->columns || media.height != v->rows)
        return false;
    size_t row = media.row_stride ? media.row_stride : 2 * v->columns;
    for (size_t i = 0; i < v->rows * v->columns && n < SAMPLES; i += step, n++) {
        size_t at = i / v->columns * row + 2 * (i % v->columns);
        if (at + 1 >= size)
            return false;
        word[n] = (double)(data[at] | (unsigned)data[at + 1] << 8);
    }
    return true;
}

static void add_frame(const exray_comparison *c, const xr_input_fit *fit, size_t frame,
                      exray_slot *const slot[3], word_samples *s)
{
    exray_tensor_view view[2];
    const float *values[2];
    xr_pixel_view v[2];
    if (!xr_pixel_sides_read(c, fit->pair, frame, slot, view, v, values) || !xr_is_same_size(&v[0], &v[1]) ||
        v[0].rows < 2 || view[0].count != view[1].count ||
        view[1].count != v->rows * v->columns * v->channels)
        return;
    size_t step = (size_t)view[1].count / SAMPLES + 1, n = 0;
    step += step > 1 && step % v->channels == 0; /* all channels */
    s->has_sensor =
        s->has_sensor && v->channels == 1 && add_sensor(c, v, frame, slot[2], step, s->word + s->count);
    for (size_t i = 0; i < view[1].count && n < SAMPLES; i += step, n++) {
        const size_t pixel = i / v->channels, channel = i % v->channels;
        s->edge[s->count + n] = xr_value_at(values[0], xr_pixel_place(&v[0], pixel, channel));
        s->reference[s->count + n] = xr_value_at(values[1], xr_pixel_place(&v[1], pixel, channel));
    }
    s->channels = v->channels;
    s->count += n;
    s->frames++;
}

/* The largest number of which both are multiples, up to rounding. */
static double common_divisor(double a, double b, double finest, double rounding)
{
    while (b > finest) {
        double times = round(a / b), rest = fabs(a - b * times);
        a = b;
        b = rest > rounding * (1 + times) ? rest : 0;
    }
    return a;
}

/* The unit of sorted values: first what their small differences are multiples of, which rounding makes
 * uncertain, then the range by the number of units in it.  0: they have none. */
static double unit_of(const double *sorted, size_t count, double top)
{
    const double rounding = top * 1e-6;
    double least = INFINITY, units = 0;
    for (size_t i = 0; i + 1 < count; i++)
        if (sorted[i + 1] - sorted[i] > rounding)
            least = fmin(least, sorted[i + 1] - sorted[i]);
    /* Differences of a few units, and none of less than a sixteenth of the least one. */
    const double small = 32 * least, finest = fmax(rounding, least / 16);
    for (size_t i = 0; i + 1 < count && isfinite(least); i++) {
        double step = sorted[i + 1] - sorted[i];
        if (step > rounding && step < small)
            least = common_divisor(step, least, finest, top * 3e-7);
    }
    double sum = 0;
    for (size_t i = 0; i + 1 < count && isfinite(least); i++)
        if (sorted[i + 1] - sorted[i] < small) {
            sum += sorted[i + 1] - sorted[i];
            units += round((sorted[i + 1] - sorted[i]) / least);
        }
    if (!(units > 0))
        return 0;
    least = sum / units; /* many of them make it certain enough for the large ones */
    units = 0;
    for (size_t i = 0; i + 1 < count && isfinite(least); i++)
        units += round((sorted[i + 1] - sorted[i]) / least);
    return units > 0 ? (sorted[count - 1] - sorted[0]) / units : 0;
}

/* Counts a side's values in their unit, from 0 on; false: they are no integers of it, or of more than 16
 * bits. */
static bool count_in_unit(const double *value, size_t count, double *sorted, double *out, double *unit)
{
    memcpy(sorted, value, count * sizeof *value);
    qsort(sorted, count, sizeof *sorted, xr_ascending_doubles);
    double top = fmax(fabs(sorted[0]), fabs(sorted[count - 1])), odd = 0;
    *unit = isfinite(top) ? unit_of(sorted, count, top) : 0;
    if (!(*unit > 0) || top / *unit < 2 || top / *unit >= WORDS || sorted[0] < -OFF * *unit)
        return false;
    for (size_t i = 0; i < count; i++) {
        out[i] = round(value[i] / *unit);
        odd += fabs(value[i] / *unit - out[i]) > OFF;
    }
    return odd <= ODD * (double)count;
}

static double mistaken(xr_word_mistake m, double word)
{
    unsigned w = (unsigned)word & 0xFFFF;
    switch (m) {
    case XR_WORD_EXCHANGED:
        return (double)((w & 0xFF) << 8 | w >> 8);
    case XR_WORD_LOW_BYTE:
        return (double)(w & 0xFF);
    case XR_WORD_SIGNED:
        return w & 0x8000 ? (double)w - WORDS : (double)w;
    default:
        return word;
    }
}

/* The share of the edge's variance that a line on the words with the mistake leaves, over all samples. */
static double line_residual(const word_samples *s, const double *word, xr_word_mistake m)
{
    double n = (double)s->count, sx = 0, sy = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < s->count; i++) {
        double x = mistaken(m, word[i]), y = s->edge[i];
        sx += x, sy += y, xx += x * x, yy += y * y, xy += x * y;
    }
    xx -= sx * sx / n, yy -= sy * sy / n, xy -= sx * sy / n;
    return xx > 0 && yy > 0 && isfinite(xy) ? fmax(0, 1 - xy * xy / (xx * yy)) : 1;
}

/* Tries the mistakes that are a function of the words. */
static bool try_words(const word_samples *s, const double *word, xr_word_reading *found)
{
    double plain = line_residual(s, word, XR_WORD_MISTAKES);
    found->least = INFINITY, found->most = -INFINITY;
    for (size_t i = 0; i < s->count; i++) {
        found->least = fmin(found->least, word[i]);
        found->most = fmax(found->most, word[i]);
    }
    found->residual = 1;
    for (int m = XR_WORD_EXCHANGED; m <= XR_WORD_SIGNED && found->most > 255; m++) {
        double residual = line_residual(s, word, (xr_word_mistake)m);
        if (residual < found->residual) {
            found->residual = residual;
            found->mistake = (xr_word_mistake)m;
        }
    }
    return found->residual < EXACT && plain > 10 * (found->residual + EXACT);
}

/* The reference keeps the high bits of words of which the edge keeps the low byte: they have bits in common.
 */
static bool try_reduced(const word_samples *s, const double *edge, const double *reference,
                        xr_word_reading *found)
{
    for (unsigned bits = 1; bits <= MOST_REDUCED; bits++) {
        size_t odd = 0, wrapped = 0;
        for (size_t i = 0; i < s->count; i++) {
            unsigned e = (unsigned)edge[i], r = (unsigned)reference[i];
            odd += e > 255 || e >> bits != (r & 255U >> bits);
            wrapped += r > 255U >> bits;
        }
        if ((double)odd <= ODD * (double)s->count && 10 * wrapped > s->count) {
            *found = (xr_word_reading){.mistake = XR_WORD_LOW_OF_REDUCED, .bits = bits, .unit = found->unit};
            return true;
        }
    }
    return false;
}

static bool search(word_samples *s, double *sorted, xr_word_reading *found)
{
    double unit;
    if (s->has_sensor && try_words(s, s->word, found)) {
        found->by_sensor = true;
        return true;
    }
    if (!count_in_unit(s->reference, s->count, sorted, s->word, &found->unit))
        return false;
    /* Colors of 8 bits that wrap are as if they were the low bits of more. */
    return try_words(s, s->word, found) ||
           (s->channels == 1 && count_in_unit(s->edge, s->count, sorted, s->other, &unit) &&
            try_reduced(s, s->other, s->word, found));
}

bool xr_find_words(const exray_comparison *comparison, const xr_input_fit *fit, xr_word_reading *found)
{
    exray_slot *slot[3] = {exray_slot_new(), exray_slot_new(), exray_slot_new()};
    word_samples *s = calloc(1, sizeof *s);
    double *sorted = calloc((size_t)FRAMES * SAMPLES, sizeof *sorted);
    size_t frames = exray_comparison_frame_count(comparison), step = frames / FRAMES + 1;
    bool ok = slot[0] && slot[1] && slot[2] && s && sorted && fit->values.picture;
    *found = (xr_word_reading){0};
    if (ok)
        s->has_sensor = true;
    for (size_t f = 0; ok && f < frames && s->frames < FRAMES; f += step)
        add_frame(comparison, fit, f, slot, s);
    ok = ok && s->count >= FEWEST && search(s, sorted, found);
    if (ok)
        found->frames = s->frames;
    free(sorted);
    free(s);
    for (int k = 0; k < 3; k++)
        exray_slot_free(slot[k]);
    return ok;
}
