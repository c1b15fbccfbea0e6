/* The distance between neighboring values of a model's input.
 *
 * A picture of 8 bits a channel, normalized, keeps its 256 levels: its values lie
 * on a lattice, whose spacing is the unit in which rounding, decoders and 8-bit
 * quantization err.  Where a float resize has blurred the lattice, the nominal
 * range of the usual conventions gives the unit. */
#include "compare/measure/step.h"
#include "base/sort.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLED_FRAMES = 8 };

static bool few(int64_t channels)
{
    return channels >= 1 && channels <= XR_STEP_CHANNELS;
}

enum { COLORS = 3, MOST_STACKED = 4 };

/* Whether channels are those of several color pictures behind each other. */
static bool are_stacked(int64_t channels, int64_t rows, int64_t columns)
{
    enum { SMALLEST = 32 };
    return channels > COLORS && channels <= (int64_t)COLORS * MOST_STACKED && channels % COLORS == 0 &&
           rows >= SMALLEST && columns >= SMALLEST;
}

/* The dimension of the channels of a clip of pictures ([1, T, H, W, C], [1, C, T, H, W] or [1, T, C, H, W];
 * where two may be it, that of three); 0: it is none. */
static uint32_t clip_channels(const int64_t shape[5])
{
    static const uint32_t ways[] = {4, 1, 2};
    uint32_t found = 0;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (few(shape[ways[i]]) && (!found || (shape[ways[i]] == 3 && shape[found] != 3)))
            found = ways[i];
    return found;
}

/* The channel of element i is (i / stride) % channels. */
static xr_pictures channel_layout(const exray_tensor_info *info, size_t *channels, uint64_t *stride)
{
    *channels = 1;
    *stride = 1;
    if (info->rank < 3)
        return XR_NO_PICTURE;
    if (info->rank == 5) {
        const uint32_t at = clip_channels(info->shape);
        for (uint32_t i = at + 1; at && i < 5; i++)
            *stride *= (uint64_t)info->shape[i];
        *channels = at ? (size_t)info->shape[at] : 1;
        /* One channel before the depth is a volume as well. */
        return !at ? XR_NO_PICTURE : at == 1 && *channels != COLORS ? XR_PERHAPS_PICTURES : XR_PICTURES;
    }
    int64_t last = info->shape[info->rank - 1], first = info->shape[info->rank - 3],
            rows = info->shape[info->rank - 2];
    if (few(last))
        *channels = (size_t)last;
    else if (few(first)) {
        *channels = (size_t)first;
        *stride = (uint64_t)rows * (uint64_t)last;
    } else {
        const bool planes = are_stacked(first, rows, last);
        if (!planes && !are_stacked(last, first, rows))
            return XR_NO_PICTURE;
        *channels = COLORS;
        *stride = planes ? (uint64_t)rows * (uint64_t)last : 1;
        return XR_PERHAPS_PICTURES; /* or features, or the bands of a satellite */
    }
    return XR_PICTURES;
}

void xr_samples_add(xr_samples *samples, const exray_tensor_info *info, const float *values, uint64_t count,
                    size_t frame)
{
    size_t channels;
    uint64_t stride;
    xr_pictures pictures = channel_layout(info, &channels, &stride);
    if (samples->table)
        pictures = XR_NO_PICTURE;
    if (frame >= SAMPLED_FRAMES || count == 0 || stride == 0)
        return;
    samples->channels = channels;
    samples->pictures = pictures;
    uint64_t each = XR_STEP_SAMPLES / SAMPLED_FRAMES;
    uint64_t pixels = count / channels;
    /* An odd stride visits rows and columns evenly. */
    uint64_t hop = pixels / each | 1;
    for (size_t c = 0; c < channels; c++)
        for (uint64_t p = 0; p < pixels && samples->count[c] < (frame + 1) * each; p += hop) {
            uint64_t i =
                stride == 1 ? p * channels + c : p / stride * stride * channels + c * stride + p % stride;
            float value;
            memcpy(&value, (const char *)values + i * sizeof value, sizeof value);
            if (isfinite(value))
                samples->value[c][samples->count[c]++] = value;
        }
}

/* Spacing of sorted values if they lie on a lattice, else 0. */
static double lattice(const float *v, size_t n)
{
    if (n < 16)
        return 0;
    double range = (double)v[n - 1] - v[0], gap = range;
    double same = range * 2e-6; /* closer values are one value and float rounding */
    for (size_t i = 1; i < n; i++) {
        double d = (double)v[i] - v[i - 1];
        if (d > same && d < gap)
            gap = d;
    }
    if (!(range > 0) || gap < range / 70000)
        return 0;
    /* Walk up, with the spacing that was found so far. */
    double position = 0;
    for (size_t i = 1; i < n; i++) {
        double d = (double)v[i] - v[0];
        double k = round(d / gap);
        if (k < 1)
            continue;
        if (fabs(d - k * gap) > 0.1 * gap)
            return 0;
        if (k > position) {
            position = k;
            gap = d / k;
        }
    }
    return gap;
}

/* One level of 8 bits in the convention that the range suggests; for other tensors than pictures, 12 bits
 * of the range. */
static double nominal(double min, double max, bool picture, bool gray)
{
    /* Decibels: pixels of one channel, less a mean, are on both sides of 0. */
    enum { BRIGHT = 64 };
    if (!picture)
        return (max - min) / 4095;
    if (min >= -0.01 && max <= 1.01)
        return 1 / 255.0;
    if (min >= -1.05 && max <= 1.05)
        return 2 / 255.0;
    if (min >= -3 && max <= 3)
        return 1 / (255 * 0.225); /* mean and standard deviation of ImageNet */
    if (min >= -130 && max <= 256 && max - min >= 64 && !(gray && min < -1 && max < BRIGHT))
        return 1;
    return (max - min) / 255;
}

/* How far the levels of conventions of one range are apart: 1/127 and 1/128. */
#define CONVENTIONS 0.01

double xr_samples_step(xr_samples *samples)
{
    double min = INFINITY, max = -INFINITY, step = 0;
    bool all = true;
    for (size_t c = 0; c < samples->channels; c++) {
        float *v = samples->value[c];
        size_t n = samples->count[c];
        if (n == 0)
            continue;
        qsort(v, n, sizeof *v, xr_by_float);
        min = fmin(min, v[0]);
        max = fmax(max, v[n - 1]);
        double own = lattice(v, n);
        all = all && own > 0;
        step = fmax(step, own);
    }
    if (!(min <= max))
        return NAN;
    /* A coarse lattice is a picture of few colors, not the tensor's resolution; but pixels of a dark one are
     * of few levels, which have the spacing of a convention. */
    const double most = max > min ? (max - min) / 8 : INFINITY;
    const double level = nominal(min, max, samples->pictures != XR_NO_PICTURE, samples->channels == 1);
    const bool pixels = samples->pictures == XR_PICTURES && step <= (1 + CONVENTIONS) * level &&
                        step >= level / (1 + CONVENTIONS);
    if (all && step > 0 && (pixels || step <= 2 * fmin(level, most)))
        return step;
    return fmin(nominal(min, max, samples->pictures == XR_PICTURES, samples->channels == 1), most);
}
