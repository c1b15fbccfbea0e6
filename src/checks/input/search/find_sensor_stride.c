/* Ways to read the sensor's buffer: rows with a wrong stride, before the resize; or bytes that are copied as
 * they are, without one. */
#include "checks/input/search/find.h"

#include "checks/input/picture/sampled_rendering.h"
#include "checks/input/picture/sensor_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- Strides before a resize ------------------------------------------------------------------- */

/* The paddings, in pixels, of rows with the usual alignments, and of widths that are off by a few
 * pixels. */
static size_t usual_paddings(uint32_t width, int64_t out[64])
{
    size_t count = 0;
    static const uint32_t alignments[] = {4, 8, 16, 32, 64, 128, 256};
    for (size_t i = 0; i < sizeof alignments / sizeof *alignments; i++) {
        uint32_t a = alignments[i];
        out[count++] = (int64_t)((width + a - 1) / a * a) - width;
        if (width * 3 % a && ((width * 3 + a - 1) / a * a - width * 3) % 3 == 0)
            out[count++] = ((width * 3 + a - 1) / a * a - width * 3) / 3;
    }
    for (int k = 1; k <= 12; k++) {
        out[count++] = k;
        out[count++] = -k;
    }
    return count;
}

/* The residual of the edge by the rendering of the sensor's picture, read with that stride. */
static double strided_residual(xr_input_pair *pair, const xr_transform *transform, const xr_reading *s,
                               size_t frames)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < frames && f < pair->count; f++) {
        const xr_transform strided = {.reading = *s};
        exray_picture *picture = s->kind == XR_READ_UNPADDED
                                     ? xr_decoded_sensor(pair, &strided, pair->frame[f].source)
                                     : xr_reading_picture(s, pair->frame[f].picture);
        xr_raster r = {0};
        if (picture && xr_render(picture, &transform->resampling.reference, 0, pair->width, pair->height,
                                 pair->channels, &r))
            xr_sums_add(&sums, pair->channels, pair->frame[f].edge[0].v, r.v, NULL,
                        pair->width * pair->height, xr_search_step(pair, 3));
        xr_raster_free(&r);
        exray_picture_free(picture);
    }
    return xr_unexplained_by_color(&sums, pair->channels);
}

/* Whether the sensor record says that rows have padding. */
static bool has_padding(xr_input_pair *pair)
{
    exray_media media = {0};
    const uint8_t *data;
    size_t size;
    xr_sensor_bytes(pair->comparison, pair->frame[0].source, pair->sensor_slot, &media, &data, &size);
    return media.row_stride != 0;
}

/* A pixel of the picture as it is read with a stride. */
static void strided_pixel(const void *change, const exray_picture *picture, size_t x, size_t y,
                          double pixel[XR_FIT_CHANNELS])
{
    size_t width = exray_picture_width(picture), channels = exray_picture_channels(picture);
    size_t at = xr_reading_source(change, exray_picture_height(picture), width, y * width + x);
    for (size_t c = 0; c < channels && at != SIZE_MAX; c++)
        pixel[c] = exray_picture_pixels(picture)[at * channels + c];
}

/* Whether the edge may be the rendering of the sensor's picture, read with that stride. */
static bool may_be_strided(const xr_input_pair *pair, const xr_transform *transform, const xr_reading *s)
{
    static const double unlike = 0.6;
    return xr_sampled_residual(&pair->frame[0].edge[0], pair->frame[0].picture,
                               &transform->resampling.reference.geometry, 0, strided_pixel, s) < unlike;
}

static double find_strided(xr_input_pair *pair, const xr_transform *transform, xr_reading *best)
{
    int64_t paddings[64];
    double least = 1;
    uint32_t width = exray_picture_width(pair->frame[0].picture);
    /* Pictures of different widths are off by different amounts: only those of one width are used. */
    size_t same = 1;
    while (same < pair->count && exray_picture_width(pair->frame[same].picture) == width)
        same++;
    size_t count = usual_paddings(width, paddings);
    if (has_padding(pair)) {
        *best = (xr_reading){.set = true, .kind = XR_READ_UNPADDED, .on_sensor = true};
        least = strided_residual(pair, transform, best, 1);
    }
    for (int kind = XR_READ_AT_STEP; kind <= XR_WRITTEN_AT_STEP; kind++)
        for (size_t i = 0; i < count; i++) {
            xr_reading s = xr_reading_of_pixels((xr_reading_kind)kind, true, width, paddings[i]);
            if (paddings[i] == 0 || (kind == XR_WRITTEN_AT_STEP && paddings[i] < 0) ||
                !may_be_strided(pair, transform, &s))
                continue;
            double residual = strided_residual(pair, transform, &s, 1);
            /* The record's own padding is preferred. */
            if (residual < (best->kind == XR_READ_UNPADDED ? 0.5 * least : least)) {
                least = residual;
                *best = s;
            }
        }
    xr_reading s;
    for (size_t i = 0; xr_reading_order(i, true, &s); i++) {
        const double residual = strided_residual(pair, transform, &s, 1);
        if (residual < 0.5 * least) {
            least = residual;
            *best = s;
        }
    }
    return best->set && least <= 0.2 ? strided_residual(pair, transform, best, same < 3 ? same : 3) : 1;
}

/* ---- Bytes without a resize -------------------------------------------------------------------- */

/* The residual of the edge's pixels by the bytes of a reading: `samples` of one frame. */
static double copied_residual(const xr_input_pair *pair, const xr_pixel_unit *unit, size_t frame,
                              const xr_camera_memory *memory, const xr_reading *r, size_t samples)
{
    size_t channels = pair->channels, length = pair->width * channels, pixels = pair->width * pair->height;
    size_t step = pixels * channels / samples + 1, tried = 0;
    xr_fit_sums sums = {0};
    step += step % 2 == 0;
    for (size_t i = 0; i < pixels * channels; i += step, tried++) {
        size_t at = (size_t)r->offset + i / length * (size_t)r->step + i % length, c = i % channels;
        double e = pair->frame[frame].edge[0].v[c * pixels + i / channels];
        e = (e - unit->offset[c]) / unit->gain[c];
        double byte = at < memory->size ? (double)memory->data[at] : NAN;
        if (isfinite(e + byte))
            xr_sums_add_pixel(&sums, 1, &e, &byte, 1);
    }
    return 2 * sums.n < (double)tried ? 1 : xr_unexplained_by_order(&sums, 1, NULL);
}

enum { SAMPLES = 24 };

/* A few of the edge's values as pixels, and where they are in the input. */
typedef struct copied_samples {
    double value[SAMPLES];
    size_t row[SAMPLES], column[SAMPLES];
} copied_samples;

static void take_samples(const xr_input_pair *pair, const xr_pixel_unit *unit, copied_samples *out)
{
    size_t channels = pair->channels, length = pair->width * channels, pixels = pair->width * pair->height;
    for (size_t k = 0; k < SAMPLES; k++) {
        size_t i = (2 * k + 1) * pixels * channels / (2 * SAMPLES) / channels * channels + k % channels;
        size_t c = i % channels;
        double e = pair->frame[0].edge[0].v[c * pixels + i / channels];
        out->value[k] = (e - unit->offset[c]) / unit->gain[c];
        out->row[k] = i / length;
        out->column[k] = i % length;
    }
}

/* Whether the bytes of a reading are like the samples: for most readings a few of them tell that they are
 * not. */
static bool may_be_copied(const copied_samples *s, const xr_camera_memory *memory, size_t step, size_t offset)
{
    double difference = 0;
    for (size_t k = 0; k < SAMPLES; k++) {
        size_t at = offset + s->row[k] * step + s->column[k];
        double d = at < memory->size ? s->value[k] - (double)memory->data[at] : 0;
        difference += fabs(d);
        if (difference > 8.0 * SAMPLES)
            return false;
    }
    return true;
}

static double find_copied(xr_input_pair *pair, const xr_transform *transform, xr_reading *best)
{
    enum { COARSE = 200, FINE = 3000, MOST = 1 << 20 };
    const xr_pixel_unit *unit = &transform->unit;
    xr_camera_memory memory;
    copied_samples few;
    double least = 1, worst = 0;
    size_t length = pair->width * pair->channels;
    if (!xr_camera_bytes(pair, pair->frame[0].source, &memory))
        return 1;
    take_samples(pair, unit, &few);
    size_t steps[2] = {length, memory.row}, reach = memory.size < MOST ? memory.size : MOST;
    for (int s = 0; s < 2; s++)
        for (size_t offset = 0; offset < reach; offset++) {
            xr_reading r = {.set = true,
                            .kind = XR_READ_UNRESIZED,
                            .on_sensor = true,
                            .step = (int64_t)steps[s],
                            .offset = (int64_t)offset};
            if (steps[s] < length || !may_be_copied(&few, &memory, steps[s], offset) ||
                copied_residual(pair, unit, 0, &memory, &r, COARSE) > 0.3)
                continue;
            double residual = copied_residual(pair, unit, 0, &memory, &r, FINE);
            if (residual < least) {
                least = residual;
                *best = r;
            }
        }
    xr_camera_bytes_free(&memory);
    for (size_t f = 0; f < pair->count && least < 0.1; f++)
        if (xr_camera_bytes(pair, pair->frame[f].source, &memory)) {
            worst = fmax(worst, copied_residual(pair, unit, f, &memory, best, FINE));
            xr_camera_bytes_free(&memory);
        }
    return least < 0.1 ? fmax(least, worst) : 1;
}

/* ---- Width and height exchanged ---------------------------------------------------------------- */

static double find_exchanged(xr_input_pair *pair, const xr_transform *transform, xr_reading *found)
{
    xr_fit_sums sums = {0};
    *found = (xr_reading){.set = true, .kind = XR_READ_EXCHANGED, .on_sensor = true};
    if (pair->width == pair->height)
        return 1;
    for (size_t f = 0; f < pair->count && f < 3; f++) {
        xr_raster r = {0}, read = {0};
        if (xr_render(pair->frame[f].picture, &transform->resampling.reference, 0, pair->height, pair->width,
                      pair->channels, &r) &&
            xr_reading_raster(found, &r, &read))
            xr_sums_add(&sums, pair->channels, pair->frame[f].edge[0].v, read.v, NULL,
                        pair->width * pair->height, 3);
        xr_raster_free(&r);
        xr_raster_free(&read);
    }
    return xr_unexplained_by_color(&sums, pair->channels);
}

bool xr_find_sensor_stride(xr_input_pair *pair, xr_transform *transform)
{
    xr_reading best = {0}, copied = {0}, exchanged;
    double least = find_exchanged(pair, transform, &exchanged);
    best = exchanged;
    if (least > 0.1)
        least = find_strided(pair, transform, &best);
    if (least > 0.1) {
        double residual = find_copied(pair, transform, &copied);
        if (residual < 0.3 * least) {
            least = residual;
            best = copied;
        }
    }
    if (least > 0.3 * transform->residual || least > 0.1)
        return false;
    transform->reading = best;
    transform->resampling.edge = transform->resampling.reference;
    transform->resampling.set = true;
    transform->layout = false;
    transform->turn.orientation = transform->resampling.orientation = 0;
    transform->turn.runner_up_count = 0;
    transform->residual = least;
    return true;
}
