#include "checks/input/search/find.h"

#include "checks/input/picture/sensor_picture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The residual of the edge by the reference's input, read with that stride. */
static double strided_residual(const xr_input_pair *pair, const xr_stride *s)
{
    enum { FRAMES = 3, STEP = 13 };
    xr_fit_sums sums = {0};
    size_t pixels = pair->width * pair->height, few = pixels / STEP, channels = pair->channels;
    float *edge = malloc(few * channels * sizeof *edge), *other = malloc(few * channels * sizeof *other);
    for (size_t f = 0; edge && other && f < pair->count && f < FRAMES; f++) {
        const xr_search_frame *frame = &pair->frame[f];
        for (size_t i = 0; i < few; i++) {
            size_t at = i * STEP,
                   from = xr_stride_source(s, pair->width, pair->height, at % pair->width, at / pair->width);
            for (size_t c = 0; c < channels; c++) {
                edge[c * few + i] = frame->edge[0].v[c * pixels + at];
                other[c * few + i] = from == SIZE_MAX ? NAN : frame->reference.v[c * pixels + from];
            }
        }
        xr_sums_add(&sums, channels, edge, other, NULL, few, 1);
    }
    free(edge);
    free(other);
    /* Penalize low coverage. */
    return sums.n < (double)few / 4 ? 1 : xr_unexplained_by_color(&sums, channels);
}

bool xr_find_stride(xr_input_pair *pair, xr_transform *transform)
{
    enum { MOST = 96 };
    double least = 1;
    xr_stride best = {0};
    for (int kind = XR_STRIDE_READ; kind <= XR_STRIDE_WRITTEN; kind++)
        for (int64_t pixels = -MOST; pixels <= MOST; pixels++) {
            xr_stride s = {true, (xr_stride_kind)kind, false, pixels};
            if (pixels == 0 || (int64_t)pair->width + pixels < 8 || (kind == XR_STRIDE_WRITTEN && pixels < 0))
                continue;
            double residual = strided_residual(pair, &s);
            if (residual < least) {
                least = residual;
                best = s;
            }
        }
    if (least > 0.3 * transform->residual || least > 0.2)
        return false;
    transform->stride = best;
    transform->layout = false;
    transform->turn.orientation = 0;
    transform->turn.runner_up_count = 0;
    transform->residual = least;
    return true;
}

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

/* The same by the rendering of the sensor's picture, read with that stride. */
static double strided_rendering_residual(xr_input_pair *pair, const xr_transform *transform,
                                         const xr_stride *s, size_t frames)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < frames && f < pair->count; f++) {
        const xr_transform strided = {.stride = *s};
        exray_picture *picture = s->kind == XR_STRIDE_IGNORED
                                     ? xr_decoded_sensor(pair, &strided, pair->frame[f].source)
                                     : xr_stride_picture(s, pair->frame[f].picture);
        xr_raster r = {0};
        if (picture && xr_render(picture, &transform->resampling.reference, 0, pair->width, pair->height,
                                 pair->channels, &r))
            xr_sums_add(&sums, pair->channels, pair->frame[f].edge[0].v, r.v, NULL,
                        pair->width * pair->height, 3);
        xr_raster_free(&r);
        exray_picture_free(picture);
    }
    return xr_unexplained_by_color(&sums, pair->channels);
}

/* Whether the sensor record says that rows have padding. */
static bool has_padding(xr_input_pair *pair)
{
    exray_media media = {0};
    exray_picture_free(
        xr_sensor_picture(pair->comparison, pair->frame[0].source, NULL, pair->sensor_slot, &media));
    return media.row_stride != 0;
}

bool xr_find_sensor_stride(xr_input_pair *pair, xr_transform *transform)
{
    int64_t paddings[64];
    xr_stride best = {0};
    double least = 1;
    /* Pictures of different widths are off by different amounts: only those of one width are used. */
    size_t same = 1;
    while (same < pair->count &&
           exray_picture_width(pair->frame[same].picture) == exray_picture_width(pair->frame[0].picture))
        same++;
    size_t count = usual_paddings(exray_picture_width(pair->frame[0].picture), paddings);
    if (has_padding(pair)) {
        best = (xr_stride){true, XR_STRIDE_IGNORED, true, 0};
        least = strided_rendering_residual(pair, transform, &best, 1);
    }
    for (int kind = XR_STRIDE_READ; kind <= XR_STRIDE_WRITTEN; kind++)
        for (size_t i = 0; i < count; i++) {
            xr_stride s = {true, (xr_stride_kind)kind, true, paddings[i]};
            if (s.pixels == 0 || (kind == XR_STRIDE_WRITTEN && s.pixels < 0))
                continue;
            double residual = strided_rendering_residual(pair, transform, &s, 1);
            /* The record's own padding is preferred. */
            if (residual < (best.kind == XR_STRIDE_IGNORED ? 0.5 * least : least)) {
                least = residual;
                best = s;
            }
        }
    if (!best.set || least > 0.2)
        return false;
    least = strided_rendering_residual(pair, transform, &best, same < 3 ? same : 3);
    if (least > 0.3 * transform->residual || least > 0.1)
        return false;
    transform->stride = best;
    transform->resampling.edge = transform->resampling.reference;
    transform->resampling.set = true;
    transform->layout = false;
    transform->turn.orientation = transform->resampling.orientation = 0;
    transform->turn.runner_up_count = 0;
    transform->residual = least;
    return true;
}
