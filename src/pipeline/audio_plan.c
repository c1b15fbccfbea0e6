#include "pipeline/audio_plan.h"

enum {
    REACH = 160,         /* samples of the lower rate that the resampler's filters reach, and some */
    MOST_STEP = 1 << 13, /* samples until the times of both rates meet again */
    MOST_RATE = 1 << 20,
};
static const uint64_t MOST_BEGIN = (uint64_t)1 << 42;

uint64_t xr_audio_window_length(const xr_audio *a, uint32_t sound_rate, uint64_t length)
{
    if (!a->window)
        return length;
    if (!a->rate || !sound_rate || a->rate == sound_rate)
        return a->window;
    /* As few as become `window` samples, rounded as resampling rounds. */
    return (a->window * sound_rate - sound_rate / 2 + a->rate - 1) / a->rate;
}

uint64_t xr_audio_window_begin(const xr_audio *a, uint32_t sound_rate, uint64_t i)
{
    if (!a->rate || !sound_rate)
        return i * a->hop;
    return i * a->hop * sound_rate / a->rate;
}

uint64_t xr_audio_window_count(const xr_audio *a, uint32_t sound_rate, uint64_t length)
{
    const uint64_t window = xr_audio_window_length(a, sound_rate, length);
    if (!a->window || length < window)
        return a->window || !length ? 0 : 1;
    if (!a->rate || !sound_rate)
        return 1 + (length - window) / a->hop;
    return 1 + ((length - window + 1) * a->rate - 1) / (a->hop * sound_rate);
}

/* Every so many samples of a recording lie at a time of the other rate, too. */
static uint64_t step_of(uint32_t from, uint32_t to)
{
    uint32_t a = from, b = to;
    while (b) {
        const uint32_t rest = a % b;
        a = b;
        b = rest;
    }
    return from / a;
}

uint64_t xr_audio_reach(const xr_audio *a, uint32_t from)
{
    if (!a->window || !a->rate || !from || a->rate == from || a->rate > MOST_RATE || from > MOST_RATE)
        return 0;
    const uint32_t low = from < a->rate ? from : a->rate;
    const uint64_t step = step_of(from, a->rate);
    return ((uint64_t)REACH * from + low - 1) / low + (step <= MOST_STEP ? step : 0);
}

xr_audio_part xr_audio_part_at(const xr_audio *a, uint32_t from, uint64_t begin)
{
    const uint64_t reach = xr_audio_reach(a, from), to = a->rate;
    if (!reach || begin > MOST_BEGIN)
        return (xr_audio_part){0, 0};
    const uint64_t step = step_of(from, a->rate);
    if (step > MOST_STEP) { /* the nearest time */
        const uint64_t before = begin < reach ? begin : reach;
        return (xr_audio_part){before, (before * to + from / 2) / from};
    }
    const uint64_t filter = reach - step, start = begin < filter ? 0 : (begin - filter) / step * step;
    uint64_t first = (begin * to + from - 1) / from;
    /* Where the other rate has several samples in one of the recording, a window begins at a whole hop. */
    if (a->hop) {
        const uint64_t whole = (first + a->hop - 1) / a->hop * a->hop;
        first = whole * from < (begin + 1) * to ? whole : first;
    }
    return (xr_audio_part){begin - start, first - start / step * (to * step / from)};
}

bool xr_audio_goes_on(const xr_audio *a)
{
    const exray_microfrontend_options *o = &a->microfrontend;
    const uint64_t rate = o->sample_rate ? o->sample_rate : a->rate,
                   step = (o->window_step ? o->window_step : 10) * rate / 1000;
    return a->features == XR_AUDIO_MICROFRONTEND && a->window && a->channels != XR_AUDIO_FIRST &&
           !o->left_context && !o->right_context && o->frame_stride <= 1 &&
           exray_microfrontend_rows(o, (size_t)a->window) * step == a->hop;
}
