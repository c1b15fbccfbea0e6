#include "checks/input/features/feature_frontend.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* The variance that options leave if they make a side's features: rounding, and tables of others. */
#define MADE 0.01
/* Resamplers leave so many times as much. */
#define RESAMPLED 5

typedef struct frontend_options {
    uint32_t window, step, stride, pcan; /* ms; every stride-th row is taken */
    double gain;                         /* of the samples */
    bool raw;
} frontend_options;

static int16_t *whole_samples(const xr_feature_sounds *h, size_t i, const frontend_options *o, size_t *length)
{
    const float *v = o->raw ? h->raw[i] : h->made[i];
    *length = o->raw ? h->raw_length[i] : h->made_length[i];
    int16_t *out = malloc((*length + 1) * sizeof *out);
    for (size_t k = 0; out && k < *length; k++)
        out[k] = (int16_t)fmax(-32768, fmin(32767, round(v[k] * o->gain * 32768)));
    return out;
}

/* The variance of a side's features that the front end leaves. */
static double rest_by(const xr_feature_frames *f, const xr_feature_sounds *h, int side,
                      const frontend_options *o)
{
    exray_microfrontend_options how = EXRAY_MICROFRONTEND_OPTIONS_TFLM;
    xr_feature_line s = {0};
    how.window_size = o->window, how.window_step = o->step, how.enable_pcan = o->pcan;
    how.num_channels = (uint32_t)f->bins;
    for (size_t i = 0; i < h->count; i++) {
        size_t length;
        int16_t *samples = whole_samples(h, i, o, &length);
        size_t rows = exray_microfrontend_rows(&how, length);
        uint16_t *made = samples && rows ? malloc(rows * f->bins * sizeof *made) : NULL;
        exray_error error;
        bool known = made && exray_microfrontend_run(&how, samples, length, made, &error) == EXRAY_OK;
        for (size_t r = 0; known && r < f->rows && r * o->stride < rows; r++)
            for (size_t b = 0; b < f->bins; b++)
                xr_feature_line_add(&s, f->list[h->frame[i]].side[side][r * f->bins + b],
                                    made[r * o->stride * f->bins + b]);
        free(samples);
        free(made);
        if (!known)
            return 1;
    }
    return xr_feature_line_rest(&s);
}

/* The best window, step and PCAN of a side, at one level. */
static double find_options(const xr_feature_frames *f, const xr_feature_sounds *h, int side,
                           frontend_options *best)
{
    static const uint32_t windows[] = {30, 25, 20, 32}, steps[][2] = {{10, 2}, {10, 1}, {20, 1}, {10, 3}};
    double least = rest_by(f, h, side, best);
    for (size_t w = 0; w < 4; w++)
        for (size_t s = 0; s < 4; s++)
            for (uint32_t pcan = 0; pcan < 2; pcan++) {
                frontend_options o = *best;
                o.window = windows[w], o.step = steps[s][0], o.stride = steps[s][1], o.pcan = pcan;
                double now = rest_by(f, h, side, &o);
                if (now < 0.95 * least)
                    least = now, *best = o;
            }
    return least;
}

/* The level of the samples: by halves, tenths and full scales first, then finer. */
static double find_gain(const xr_feature_frames *f, const xr_feature_sounds *h, frontend_options *best)
{
    static const double gains[] = {0.5, 2,        0.25, 4,        0.125, 8,    0.1,
                                   10,  1.0 / 16, 16,   1.0 / 32, 32,    0.01, 1.0 / 32768};
    double least = rest_by(f, h, EXRAY_SIDE_EDGE, best);
    for (size_t i = 0; i < sizeof gains / sizeof *gains; i++) {
        frontend_options o = *best;
        o.gain = gains[i];
        double now = rest_by(f, h, EXRAY_SIDE_EDGE, &o);
        if (now < least)
            least = now, *best = o;
    }
    const double around = best->gain;
    for (int i = -4; i <= 4 && around != 1; i++) {
        frontend_options o = *best;
        o.gain = around * pow(2, i / 8.0);
        double now = rest_by(f, h, EXRAY_SIDE_EDGE, &o);
        if (now < 0.9 * least)
            least = now, *best = o;
    }
    return least;
}

static void write_differences(const frontend_options *e, const frontend_options *r, char *text, size_t size)
{
    int used = 0;
    text[0] = 0;
    if (e->window != r->window)
        used += snprintf(text, size, "window_size: %u for %u ms", (unsigned)e->window, (unsigned)r->window);
    if (e->step * e->stride != r->step * r->stride)
        used += snprintf(text + used, size - (size_t)used, "%swindow_step (hop): %u for %u ms",
                         used ? ", " : "", (unsigned)(e->step * e->stride), (unsigned)(r->step * r->stride));
    if (e->pcan != r->pcan)
        snprintf(text + used, size - (size_t)used, "%senable_pcan: %s for %s", used ? ", " : "",
                 e->pcan ? "true" : "false", r->pcan ? "true" : "false");
}

static bool explain(const xr_feature_frames *f, const xr_feature_sounds *h, xr_frontend_rendering *out)
{
    frontend_options reference = {30, 10, 2, 1, 1, false}, edge;
    double allowed = fmax(MADE, 3 * f->allowed);
    out->rest[EXRAY_SIDE_REFERENCE] = find_options(f, h, EXRAY_SIDE_REFERENCE, &reference);
    edge = reference;
    edge.raw = h->rate != XR_FEATURE_RATE;
    double rest = edge.raw ? rest_by(f, h, EXRAY_SIDE_EDGE, &edge) : 1;
    /* The options that make the edge's of the record as it is are certain: only resamplers differ then. */
    double exact = rest <= allowed / 10 ? RESAMPLED : 1;
    if (out->rest[EXRAY_SIDE_REFERENCE] > exact * allowed)
        return false;
    out->rest_swapped = rest_by(f, h, EXRAY_SIDE_EDGE, &reference);
    if (rest > allowed) {
        edge.raw = false;
        rest = find_gain(f, h, &edge);
    }
    if (rest > allowed) {
        edge = reference;
        rest = find_options(f, h, EXRAY_SIDE_EDGE, &edge);
    }
    out->rest[EXRAY_SIDE_EDGE] = rest;
    out->gain = edge.gain, out->raw = edge.raw, out->rate = h->rate;
    write_differences(&edge, &reference, out->differences, sizeof out->differences);
    snprintf(out->options, sizeof out->options,
             "microfrontend {window_size: %u, window_step: %u, num_channels: %zu, enable_pcan: %s}",
             (unsigned)reference.window, (unsigned)(reference.step * reference.stride), f->bins,
             reference.pcan ? "true" : "false");
    return rest <= allowed && rest < out->rest_swapped / 3 &&
           (out->raw || out->gain != 1 || *out->differences);
}

bool xr_render_frontend(const xr_feature_frames *frames, xr_frontend_rendering *out)
{
    xr_feature_sounds h;
    *out = (xr_frontend_rendering){.gain = 1, .rest = {1, 1}};
    bool made = xr_feature_sounds_read(frames, &h) && explain(frames, &h, out);
    xr_feature_sounds_free(&h);
    return made;
}
