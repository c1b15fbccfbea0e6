/* The front end on a stream and on a whole sound. */
#include "media/sound/microfrontend.h"

#include "base/error.h"
#include "media/sound/fixed_fft.h"
#include "media/sound/front_end.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { WINDOW_BITS = 12 };

struct exray_microfrontend {
    exray_microfrontend_options o;
    size_t window, step; /* samples */
    int bits;            /* that amplitudes lack after the transform */
    int16_t *shape;      /* [window] */
    int16_t *waiting;    /* [window]: samples of the next window */
    size_t used, skip;   /* of them; samples to be dropped first, where the step is longer than the window */
    int16_t *scaled;     /* [fft.n] */
    xr_fixed *bins;      /* [fft.n / 2 + 1] */
    uint32_t *energy;    /* [fft.n / 2 + 1] */
    uint32_t *signal, *noise; /* [num_channels] */
    xr_fixed_fft fft;
    xr_mel_channels channels;
    xr_gain gain;
    xr_log_table log;
};

static size_t samples_of(const exray_microfrontend_options *o, uint32_t milliseconds)
{
    return (size_t)((uint64_t)milliseconds * o->sample_rate / 1000);
}

/* ---- Making ----------------------------------------------------------------------------------------- */

static bool allocate(exray_microfrontend *f)
{
    uint32_t n = 4;
    while (n < f->window)
        n *= 2;
    f->shape = malloc(f->window * sizeof *f->shape);
    f->waiting = calloc(f->window, sizeof *f->waiting);
    f->scaled = calloc(n, sizeof *f->scaled);
    f->bins = malloc((n / 2 + 1) * sizeof *f->bins);
    f->energy = malloc((n / 2 + 1) * sizeof *f->energy);
    f->signal = malloc(f->o.num_channels * sizeof *f->signal);
    f->noise = calloc(f->o.num_channels, sizeof *f->noise);
    f->bits = (int)xr_bits_of(n) - 1 - XR_CHANNEL_BITS / 2;
    return xr_fixed_fft_make(&f->fft, n) && f->shape && f->waiting && f->scaled && f->bins && f->energy &&
           f->signal && f->noise;
}

/* A Hann window whose samples lie between those of the periodic one. */
static void make_shape(exray_microfrontend *f)
{
    const float turn = (float)3.14159265358979323846 * 2.0f / (float)f->window,
                step = (float)(3.14159265358979323846 * 2.0 / (double)(float)f->window);
    for (size_t i = 0; i < f->window; i++) {
        float value = f->o.tables == EXRAY_MICROFRONTEND_FLOATS
                          ? 0.5f - 0.5f * cosf(turn * ((float)i + 0.5f))
                          : (float)(0.5 - 0.5 * cos((double)step * ((double)i + 0.5)));
        f->shape[i] = (int16_t)floor((double)(value * (1 << WINDOW_BITS)) + 0.5);
    }
}

exray_microfrontend *exray_microfrontend_new(const exray_microfrontend_options *options, exray_error *error)
{
    exray_microfrontend *f = calloc(1, sizeof *f);
    if (!f) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a microfrontend");
        return NULL;
    }
    bool ok = xr_front_end_options(&f->o, options, error);
    if (ok) {
        f->window = samples_of(&f->o, f->o.window_size);
        f->step = samples_of(&f->o, f->o.window_step);
        ok = allocate(f);
        if (!ok)
            xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a microfrontend");
    }
    ok = ok && !xr_channels_make(&f->channels, &f->o, f->fft.n / 2 + 1, error) &&
         (!f->o.enable_pcan || !xr_gain_make(&f->gain, &f->o, f->bits, error));
    if (!ok) {
        exray_microfrontend_free(f);
        return NULL;
    }
    make_shape(f);
    xr_log_table_make(&f->log);
    return f;
}

void exray_microfrontend_free(exray_microfrontend *f)
{
    if (!f)
        return;
    free(f->shape);
    free(f->waiting);
    free(f->scaled);
    free(f->bins);
    free(f->energy);
    free(f->signal);
    free(f->noise);
    xr_fixed_fft_free(&f->fft);
    xr_channels_free(&f->channels);
    free(f);
}

void exray_microfrontend_reset(exray_microfrontend *f)
{
    memset(f->noise, 0, f->o.num_channels * sizeof *f->noise);
    f->used = f->skip = 0;
}

/* ---- A row ------------------------------------------------------------------------------------------ */

/* The window's samples, as large as 16 bits hold; returns the bits that they were raised by. */
static unsigned scale_window(exray_microfrontend *f)
{
    int16_t most = 0;
    for (size_t i = 0; i < f->window; i++) {
        int16_t value = (int16_t)(f->waiting[i] * f->shape[i] >> WINDOW_BITS);
        int16_t size = (int16_t)(value < 0 ? -value : value);
        f->scaled[i] = value;
        most = size > most ? size : most;
    }
    const unsigned raised = 15 - xr_bits_of((uint32_t)most);
    for (size_t i = 0; i < f->window; i++)
        f->scaled[i] = (int16_t)(uint16_t)((uint32_t)(uint16_t)f->scaled[i] << raised);
    return raised;
}

static void make_row(exray_microfrontend *f, uint16_t *row)
{
    const unsigned raised = scale_window(f);
    xr_fixed_fft_run(&f->fft, f->scaled, f->bins);
    const uint32_t first = f->channels.first[0], end = f->channels.first[f->channels.count];
    for (uint32_t k = first; k < end; k++) {
        const int32_t re = f->bins[k].re, im = f->bins[k].im;
        f->energy[k - first] = (uint32_t)(re * re) + (uint32_t)(im * im);
    }
    xr_channels_sum(&f->channels, f->energy, raised, f->signal);
    xr_noise_subtract(&f->o, f->noise, f->signal);
    if (f->o.enable_pcan)
        xr_gain_apply(&f->gain, f->noise, f->signal, f->o.num_channels);
    for (uint32_t i = 0; i < f->o.num_channels; i++)
        row[i] = xr_log_scaled(&f->log, &f->o, f->signal[i], f->bits);
}

size_t exray_microfrontend_feed(exray_microfrontend *f, const int16_t *samples, size_t count, uint16_t *row,
                                bool *made)
{
    const size_t skipped = f->skip < count ? f->skip : count, left = count - skipped;
    const size_t room = f->window - f->used, taken = left < room ? left : room;
    *made = false;
    f->skip -= skipped;
    if (taken)
        memcpy(f->waiting + f->used, samples + skipped, taken * sizeof *samples);
    f->used += taken;
    if (f->used < f->window)
        return skipped + taken;
    make_row(f, row);
    *made = true;
    const size_t kept = f->step < f->window ? f->window - f->step : 0;
    memmove(f->waiting, f->waiting + (f->window - kept), kept * sizeof *samples);
    f->used = kept;
    f->skip = f->step > f->window ? f->step - f->window : 0;
    return skipped + taken;
}

/* ---- A whole sound ---------------------------------------------------------------------------------- */

/* Windows that lie within it. */
static size_t windows_of(const exray_microfrontend_options *o, size_t length)
{
    const size_t window = samples_of(o, o->window_size);
    return length < window ? 0 : 1 + (length - window) / samples_of(o, o->window_step);
}

size_t exray_microfrontend_rows(const exray_microfrontend_options *options, size_t length)
{
    exray_microfrontend_options o;
    exray_error error;
    if (!xr_front_end_options(&o, options, &error))
        return 0;
    const size_t windows = windows_of(&o, length);
    return windows ? 1 + (windows - 1) / o.frame_stride : 0;
}

size_t exray_microfrontend_columns(const exray_microfrontend_options *options)
{
    exray_microfrontend_options o;
    exray_error error;
    return xr_front_end_options(&o, options, &error)
               ? (size_t)o.num_channels * (1 + o.left_context + o.right_context)
               : 0;
}

/* Row `at`, which may lie outside, beside another. */
static void copy_row(const exray_microfrontend_options *o, const uint16_t *rows, size_t count, ptrdiff_t at,
                     uint16_t *out)
{
    const bool outside = at < 0 || (size_t)at >= count;
    if (outside && o->zero_padding) {
        memset(out, 0, o->num_channels * sizeof *out);
        return;
    }
    const size_t row = at < 0 ? 0 : (size_t)at < count ? (size_t)at : count - 1;
    for (uint32_t i = 0; i < o->num_channels; i++)
        out[i] = (uint16_t)(rows[row * o->num_channels + i] / o->out_scale);
}

exray_status xr_microfrontend_run_on(const exray_microfrontend_options *options, const int16_t *samples,
                                     size_t length, uint32_t *noise, uint16_t *out, exray_error *error)
{
    exray_error why = {EXRAY_OK, ""};
    exray_microfrontend *f = exray_microfrontend_new(options, &why);
    if (!f)
        return xr_error_set(error, why.status, "%s", why.message);
    const exray_microfrontend_options *o = &f->o;
    const size_t count = windows_of(o, length), each = o->num_channels * sizeof *noise;
    uint16_t *rows = malloc((count + 1) * o->num_channels * sizeof *rows);
    exray_status status = EXRAY_OK;
    if (!rows)
        status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory for %zu rows of a microfrontend", count);
    else if (count && (!samples || !out))
        status = xr_error_set(error, EXRAY_E_ARGUMENT, "a microfrontend of no samples, or without room");
    if (noise)
        memcpy(f->noise, noise, each);
    for (size_t made_rows = 0, at = 0; !status && made_rows < count;) {
        bool made;
        at +=
            exray_microfrontend_feed(f, samples + at, length - at, rows + made_rows * o->num_channels, &made);
        made_rows += made;
    }
    if (noise && !status)
        memcpy(noise, f->noise, each);
    for (size_t anchor = 0; !status && anchor < count; anchor += o->frame_stride)
        for (ptrdiff_t at = -(ptrdiff_t)o->left_context; at <= (ptrdiff_t)o->right_context;
             at++, out += o->num_channels)
            copy_row(o, rows, count, (ptrdiff_t)anchor + at, out);
    free(rows);
    exray_microfrontend_free(f);
    return status;
}

exray_status exray_microfrontend_run(const exray_microfrontend_options *options, const int16_t *samples,
                                     size_t length, uint16_t *out, exray_error *error)
{
    return xr_microfrontend_run_on(options, samples, length, NULL, out, error);
}

int8_t exray_microfrontend_int8(uint16_t raw)
{
    const int32_t value = ((int32_t)raw * 256 + 333) / 666 - 128;
    return (int8_t)(value < -128 ? -128 : value > 127 ? 127 : value);
}
