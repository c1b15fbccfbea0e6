#include "checks/input/features/feature_sounds.h"

#include "checks/input/sound/sound_frames.h"

#include <math.h>
#include <stdlib.h>

enum { MOST_SAMPLES = 4 * 48000, MOST_RATE = 192000 };

static float *one_channel(const exray_sound *sound, size_t *length)
{
    uint32_t channels = exray_sound_channels(sound);
    size_t n = exray_sound_length(sound);
    const float *v = exray_sound_samples(sound);
    *length = n < MOST_SAMPLES ? n : MOST_SAMPLES;
    float *out = malloc((*length + 1) * sizeof *out);
    for (size_t i = 0; out && i < *length; i++) {
        double sum = 0;
        for (uint32_t c = 0; c < channels; c++)
            sum += v[i * channels + c];
        sum /= channels;
        out[i] = isfinite(sum) ? (float)sum : 0;
    }
    return out;
}

static bool take_sound(xr_feature_sounds *h, const exray_sound *sound)
{
    size_t i = h->count++, n;
    uint32_t rate = exray_sound_rate(sound) ? exray_sound_rate(sound) : XR_FEATURE_RATE;
    exray_error error;
    h->raw[i] = one_channel(sound, &n);
    h->raw_length[i] = n;
    h->made_length[i] = exray_resampling_length(n, rate, XR_FEATURE_RATE);
    h->rate = rate;
    if (rate < 1000 || rate > MOST_RATE)
        return false;
    h->made[i] = malloc((h->made_length[i] + 1) * sizeof *h->made[i]);
    return h->raw[i] && h->made[i] &&
           exray_resampling_run(NULL, h->raw[i], n, rate, XR_FEATURE_RATE, h->made[i], &error) == EXRAY_OK;
}

bool xr_feature_sounds_read(const xr_feature_frames *f, xr_feature_sounds *h)
{
    bool known = true;
    *h = (xr_feature_sounds){0};
    for (size_t i = 0; known && f->has_sensor && i < f->count && h->count < XR_FEATURE_SOUNDS; i++) {
        exray_sound *sound = f->list[i].differs ? xr_sensor_sound(f->comparison, f->list[i].frame) : NULL;
        if (!sound)
            continue;
        h->frame[h->count] = i;
        known = take_sound(h, sound);
        exray_sound_free(sound);
    }
    return known && h->count > 0;
}

void xr_feature_sounds_free(xr_feature_sounds *h)
{
    for (size_t i = 0; i < h->count; i++) {
        free(h->made[i]);
        free(h->raw[i]);
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

void xr_feature_line_add(xr_feature_line *s, double y, double x)
{
    s->n++, s->x += x, s->y += y, s->xx += x * x, s->yy += y * y, s->xy += x * y;
}

double xr_feature_line_rest(const xr_feature_line *s)
{
    double xx = s->xx - s->x * s->x / s->n, yy = s->yy - s->y * s->y / s->n, xy = s->xy - s->x * s->y / s->n;
    return s->n > 64 && xx > 0 && yy > 0 && xy > 0 ? fmax(0, 1 - xy * xy / (xx * yy)) : 1;
}
