#include "checks/input/features/feature_sounds.h"

#include "checks/input/sound/sound_frames.h"
#include "checks/input/sound/sound_math.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SAMPLES = 4 * 48000, MOST_RATE = 192000 };

/* All samples of a sound, interleaved, up to a limit; *length: of each channel. */
static float *all_samples(const exray_sound *sound, size_t *length)
{
    uint32_t channels = exray_sound_channels(sound);
    size_t n = exray_sound_length(sound);
    const float *v = exray_sound_samples(sound);
    *length = n < MOST_SAMPLES ? n : MOST_SAMPLES;
    float *out = malloc((*length * channels + 1) * sizeof *out);
    for (size_t i = 0; out && i < *length * channels; i++)
        out[i] = isfinite(v[i]) ? v[i] : 0;
    return out;
}

/* The sounds of frames that follow each other in a recording, each from its own sample on, in one. */
static float *joined_samples(const xr_feature_frames *f, const xr_feature_frame *frame, size_t *length,
                             uint32_t *rate, uint32_t *channels)
{
    float *out = NULL;
    size_t room = 0;
    *length = 0;
    for (size_t j = 0; j < frame->joined; j++) {
        exray_sound *sound = xr_sensor_sound(f->comparison, frame->frame + j);
        size_t n = 0, at = (size_t)frame->hop * j;
        float *v = sound ? all_samples(sound, &n) : NULL;
        if (v && j == 0) {
            *rate = exray_sound_rate(sound), *channels = exray_sound_channels(sound);
            room = (size_t)frame->hop * frame->joined + n;
            room = room < MOST_SAMPLES ? room : MOST_SAMPLES;
            out = calloc(room * *channels + 1, sizeof *out);
        }
        bool same = v && out && exray_sound_rate(sound) == *rate && exray_sound_channels(sound) == *channels;
        exray_sound_free(sound);
        if (!same || at > *length) {
            free(v);
            free(out);
            return NULL;
        }
        if (at >= room) { /* enough */
            free(v);
            break;
        }
        n = at + n < room ? n : room - at;
        memcpy(out + at * *channels, v, n * *channels * sizeof *out);
        *length = at + n > *length ? at + n : *length;
        free(v);
    }
    return out;
}

static float *samples_of(const xr_feature_frames *f, const xr_feature_frame *frame, size_t *length,
                         uint32_t *rate, uint32_t *channels)
{
    if (frame->joined > 1)
        return frame->hop > 0 ? joined_samples(f, frame, length, rate, channels) : NULL;
    exray_sound *sound = xr_sensor_sound(f->comparison, frame->frame);
    float *out = sound ? all_samples(sound, length) : NULL;
    if (sound)
        *rate = exray_sound_rate(sound), *channels = exray_sound_channels(sound);
    exray_sound_free(sound);
    return out;
}

/* false: memory is lacking, or the rate is none. */
static bool take_sound(xr_feature_sounds *h, float *all, size_t n, uint32_t rate, uint32_t channels)
{
    size_t i = h->count++;
    exray_error error;
    h->mixed[i] = all;
    h->mixed_length[i] = n * channels;
    h->raw[i] = xr_mean_of_channels(all, n, channels);
    h->raw_length[i] = n;
    h->rate = rate ? rate : XR_FEATURE_RATE;
    h->channels = channels;
    if (h->rate < 1000 || h->rate > MOST_RATE)
        return false;
    h->made_length[i] = exray_resampling_length(n, (uint32_t)h->rate, XR_FEATURE_RATE);
    h->made[i] = malloc((h->made_length[i] + 1) * sizeof *h->made[i]);
    return h->raw[i] && h->made[i] &&
           exray_resampling_run(NULL, h->raw[i], n, (uint32_t)h->rate, XR_FEATURE_RATE, h->made[i], &error) ==
               EXRAY_OK;
}

bool xr_feature_sounds_read(const xr_feature_frames *f, xr_feature_sounds *h)
{
    bool known = true;
    *h = (xr_feature_sounds){0};
    for (size_t i = 0; known && f->has_sensor && i < f->count && h->count < XR_FEATURE_SOUNDS; i++) {
        size_t length = 0;
        uint32_t rate = 0, channels = 1;
        float *all = f->list[i].differs ? samples_of(f, &f->list[i], &length, &rate, &channels) : NULL;
        if (!all)
            continue;
        h->frame[h->count] = i;
        known = take_sound(h, all, length, rate, channels);
    }
    return known && h->count > 0;
}

void xr_feature_sounds_free(xr_feature_sounds *h)
{
    for (size_t i = 0; i < h->count; i++) {
        free(h->made[i]);
        free(h->raw[i]);
        free(h->mixed[i]);
    }
    h->count = 0;
}

bool xr_rows_fit_sound(const xr_feature_frames *f, size_t rows)
{
    enum { SHORTEST_MS = 5, LONGEST_MS = 50 };
    exray_sound *sound = f->count && rows ? xr_sensor_sound(f->comparison, f->list[0].frame) : NULL;
    double rate = sound && exray_sound_rate(sound) ? exray_sound_rate(sound) : XR_FEATURE_RATE;
    double apart = sound ? 1000 * (double)exray_sound_length(sound) / rate / (double)rows : 0;
    exray_sound_free(sound);
    return apart >= SHORTEST_MS && apart <= LONGEST_MS;
}

size_t xr_rows_to_search(const xr_feature_frames *f, const xr_feature_sounds *h, int side)
{
    enum { ENOUGH_ROWS = 64 };
    const float *v = f->list[h->frame[0]].side[side];
    double sum = 0, square = 0, all = 0;
    for (int pass = 0; pass < 2; pass++) {
        sum = square = 0;
        for (size_t row = 0; row < f->rows; row++) {
            for (size_t k = row * f->bins; k < (row + 1) * f->bins; k++)
                sum += v[k], square += (double)v[k] * v[k];
            const double n = (double)((row + 1) * f->bins), varies = square / n - sum * sum / (n * n);
            if (pass == 1 && row + 1 >= ENOUGH_ROWS && varies >= all / 2)
                return row + 1;
            all = pass == 0 ? varies : all;
        }
    }
    return f->rows;
}

bool xr_is_greatest(const xr_feature_frames *f, double v)
{
    return f->bytes && v > (f->low + 254.5 - f->zero[0]) * f->scale;
}

void xr_feature_line_add(xr_feature_line *s, double y, double x)
{
    s->n++, s->x += x, s->y += y, s->xx += x * x, s->yy += y * y, s->xy += x * y;
}

double xr_feature_line_rest(const xr_feature_line *s)
{
    double xx = s->xx - s->x * s->x / s->n, yy = s->yy - s->y * s->y / s->n, xy = s->xy - s->x * s->y / s->n;
    return s->n > 64 && xx > 0 && yy > 0 && xy > 0 ? fmax(0, 1 - xy * xy / (xx * yy)) : 1;
}

void xr_feature_line_fit(const xr_feature_line *s, double *gain, double *offset)
{
    double xx = s->xx - s->x * s->x / s->n, xy = s->xy - s->x * s->y / s->n;
    *gain = s->n > 0 && xx > 0 ? xy / xx : 1;
    *offset = s->n > 0 ? (s->y - *gain * s->x) / s->n : 0;
}

double xr_feature_line_rest_by(const xr_feature_line *s, double a, double b)
{
    double yy = s->yy - s->y * s->y / s->n;
    double left = s->yy - 2 * a * s->xy - 2 * b * s->y + a * a * s->xx + 2 * a * b * s->x + s->n * b * b;
    return s->n > 64 && yy > 0 ? fmax(0, left / yy) : 1;
}
