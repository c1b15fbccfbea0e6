/* From pixels to the bytes of the model's input. */
#include "camera.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A generator of its own, so that a run repeats. */
static int random_level(uint32_t *state, int most)
{
    *state = *state * 1664525u + 1013904223u;
    return (int)((*state >> 16) % (uint32_t)(2 * most + 1)) - most;
}

/* A lens out of focus: a Gaussian, rows then columns. */
static void blur(picture *p, double sigma)
{
    int reach = (int)ceil(3 * sigma);
    uint8_t *from = camera_allocate((size_t)p->width * (size_t)p->height * 3);
    for (int pass = 0; pass < 2; pass++) {
        memcpy(from, p->rgb, (size_t)p->width * (size_t)p->height * 3);
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++)
                for (int c = 0; c < 3; c++) {
                    double sum = 0, total = 0;
                    for (int k = -reach; k <= reach; k++) {
                        int at_x = pass ? x : x + k, at_y = pass ? y + k : y;
                        if (at_x < 0 || at_y < 0 || at_x >= p->width || at_y >= p->height)
                            continue;
                        double w = exp(-k * k / (2 * sigma * sigma));
                        sum += w * from[((size_t)at_y * (size_t)p->width + (size_t)at_x) * 3 + (size_t)c];
                        total += w;
                    }
                    p->rgb[((size_t)y * (size_t)p->width + (size_t)x) * 3 + (size_t)c] =
                        (uint8_t)(sum / total + 0.5);
                }
    }
    free(from);
}

static size_t channel_of(char letter)
{
    return letter == 'r' ? 0 : letter == 'g' ? 1 : 2;
}

/* The real value of channel `c` (after the exchange) of a pixel. */
static double real_value(const uint8_t *pixel, size_t c, const settings *s, uint32_t *state)
{
    size_t source = channel_of(s->channels[c]);
    size_t constants = s->normalize_before_channels ? source : c;
    int level = pixel[source];
    if (s->noise) {
        level += random_level(state, s->noise);
        level = level < 0 ? 0 : level > 255 ? 255 : level;
    }
    double value = s->signed_bytes && level > 127 ? level - 256 : level;
    for (int pass = 0; pass <= s->normalize_twice; pass++)
        value = (value - s->mean[constants]) / s->std[constants];
    return value;
}

static uint8_t quantize(double real, const settings *s, const exray_tensor_info *info)
{
    bool is_signed = info->dtype == EXRAY_DTYPE_INT8;
    const exray_quantization *q = &info->quantization;
    double scale = s->scale > 0 ? s->scale : q->count ? (double)q->scale[0] : 1;
    double zero = s->zero_point != LONG_MIN   ? (double)s->zero_point
                  : q->count && q->zero_point ? (double)q->zero_point[0]
                                              : 0;
    double value = real;
    if (s->quantizing == QUANTIZE_NOT)
        value = trunc(real); /* a cast */
    else
        for (int pass = 0; pass <= (s->quantizing == QUANTIZE_TWICE); pass++)
            value = round(value / scale) + zero;
    double low = is_signed ? -128 : 0, high = is_signed ? 127 : 255;
    int stored = (int)fmin(fmax(value, low), high);
    return (uint8_t)(s->flip_sign_bit ? stored ^ 0x80 : stored);
}

void camera_fill(const picture *p, const settings *s, const exray_tensor_info *info, void *out)
{
    uint32_t state = 12345;
    size_t pixels = (size_t)p->width * (size_t)p->height;
    picture work = *p;
    if (s->blur > 0) {
        work.rgb = camera_allocate(pixels * 3);
        memcpy(work.rgb, p->rgb, pixels * 3);
        blur(&work, s->blur);
    }
    for (size_t i = 0; i < pixels; i++)
        for (size_t c = 0; c < 3; c++) {
            size_t at = s->nchw ? c * pixels + i : 3 * i + c;
            double real = real_value(work.rgb + 3 * i, c, s, &state);
            if (info->dtype == EXRAY_DTYPE_FLOAT32)
                ((float *)out)[at] = (float)real;
            else
                ((uint8_t *)out)[at] = quantize(real, s, info);
        }
    if (work.rgb != p->rgb)
        free(work.rgb);
}
