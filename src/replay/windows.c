#include "replay/windows.h"

#include "base/error.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool xr_is_wav(const void *data, size_t size)
{
    return size >= 12 && memcmp(data, "RIFF", 4) == 0 && memcmp((const uint8_t *)data + 8, "WAVE", 4) == 0;
}

void xr_windows_close(xr_windows *w)
{
    exray_sound_free(w->sound);
    free(w->bytes);
    free(w->source);
    *w = (xr_windows){0};
}

static bool is_whole(const exray_sound *sound)
{
    const size_t count = exray_sound_length(sound) * exray_sound_channels(sound);
    const float *samples = exray_sound_samples(sound);
    for (size_t i = 0; i < count; i++) {
        float scaled = samples[i] * 32768;
        if (!(scaled >= -32768 && scaled <= 32767 && scaled == floorf(scaled)))
            return false;
    }
    return true;
}

bool xr_windows_open(xr_windows *w, const xr_audio *audio, const void *data, size_t size, exray_error *error)
{
    xr_windows_close(w);
    exray_sound *sound = exray_sound_decode(NULL, data, size, error);
    if (!sound)
        return false;
    const uint32_t rate = exray_sound_rate(sound);
    const size_t length = exray_sound_length(sound);
    const uint64_t window = xr_audio_window_length(audio, rate, length);
    if (length < window) {
        xr_error_set(error, EXRAY_E_FORMAT,
                     "the recording has %zu samples at %u Hz, a window of audio.window takes %llu", length,
                     rate, (unsigned long long)window);
        exray_sound_free(sound);
        return false;
    }
    *w = (xr_windows){.audio = audio,
                      .sound = sound,
                      .whole = is_whole(sound),
                      .count = xr_audio_window_count(audio, rate, length),
                      .length = window};
    return true;
}

bool xr_windows_left(const xr_windows *w)
{
    return w->sound && w->at < w->count;
}

static uint64_t begin_of(const xr_windows *w, uint64_t i)
{
    return xr_audio_window_begin(w->audio, exray_sound_rate(w->sound), i);
}

/* Whether the next window goes on from this one, without a gap, as xr_sound_joined_add takes it. */
static bool goes_on(const xr_windows *w, uint64_t i)
{
    const uint64_t begin = begin_of(w, i), next = i + 1 < w->count ? begin_of(w, i + 1) : begin;
    return next > begin && next - begin <= w->length;
}

/* The first sample behind window i that no window has which follows it without a gap; no farther than needed
 * for `reach`. */
static uint64_t run_end(const xr_windows *w, uint64_t i, uint64_t reach)
{
    const uint64_t enough = begin_of(w, i) + w->length + reach;
    while (begin_of(w, i) + w->length < enough && goes_on(w, i))
        i++;
    return begin_of(w, i) + w->length;
}

bool xr_windows_next(xr_windows *w, const char *name, xr_item *item, exray_error *error)
{
    const uint32_t channels = exray_sound_channels(w->sound), rate = exray_sound_rate(w->sound);
    const uint64_t i = w->at++, begin = begin_of(w, i);
    const size_t each = w->whole ? sizeof(int16_t) : sizeof(float);
    if (i == 0 || !goes_on(w, i - 1))
        w->run_begin = begin;
    /* What no window has, a replay of them cannot hear either. */
    const uint64_t reach = xr_audio_reach(w->audio, rate), had = begin - w->run_begin,
                   left = run_end(w, i, reach) - begin - w->length;
    const uint64_t before = had < reach ? had : reach, behind = left < reach ? left : reach;
    const size_t count = (size_t)(before + w->length + behind) * channels;
    const float *samples = exray_sound_samples(w->sound) + (begin - before) * channels;
    const size_t room = strlen(name) + 24;
    free(w->bytes);
    free(w->source);
    w->bytes = malloc(count * each + 1);
    w->source = malloc(room);
    if (!w->bytes || !w->source) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a window of %s", name);
        return false;
    }
    snprintf(w->source, room, "%s@%llu", name, (unsigned long long)begin);
    for (size_t k = 0; w->whole && k < count; k++)
        ((int16_t *)w->bytes)[k] = (int16_t)(samples[k] * 32768);
    if (!w->whole)
        memcpy(w->bytes, samples, count * each);
    item->source = w->source;
    item->media =
        (exray_media){.format = w->whole ? "s16" : "f32", .sample_rate = rate, .channels = channels};
    item->data = (uint8_t *)w->bytes + before * channels * each;
    item->size = (size_t)w->length * channels * each;
    w->around = (xr_sound_around){.begin = begin,
                                  .before = w->bytes,
                                  .before_size = (size_t)before * channels * each,
                                  .behind = (const uint8_t *)item->data + item->size,
                                  .behind_size = (size_t)behind * channels * each};
    item->around = reach ? &w->around : NULL;
    return true;
}
