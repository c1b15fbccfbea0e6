#include "pipeline/audio_plan.h"

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

bool xr_audio_goes_on(const xr_audio *a)
{
    const exray_microfrontend_options *o = &a->microfrontend;
    const uint64_t rate = o->sample_rate ? o->sample_rate : a->rate,
                   step = (o->window_step ? o->window_step : 10) * rate / 1000;
    return a->features == XR_AUDIO_MICROFRONTEND && a->window && a->channels != XR_AUDIO_FIRST &&
           !o->left_context && !o->right_context && o->frame_stride <= 1 &&
           exray_microfrontend_rows(o, (size_t)a->window) * step == a->hop;
}
