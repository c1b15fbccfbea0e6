/* Rows read with another stride than they were written with: on the model's input, or on
 * the sensor's picture before all else. */
#include "checks/input/search/input_search.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Where pixel (x, y), as read, was written; SIZE_MAX: in the padding, or beyond the end. */
static size_t written_at(const xr_shear *s, size_t width, size_t height, size_t x, size_t y)
{
    /* Positive: packed rows, read as if they were longer; negative: longer rows, read as packed. */
    size_t read = width, written = width;
    if (s->kind == XR_SHEAR_READ)
        read = (size_t)((int64_t)width + s->pixels);
    else
        written = (size_t)((int64_t)width + s->pixels);
    size_t at = y * read + x, row = at / written, column = at % written;
    return row < height && column < width ? row * width + column : SIZE_MAX;
}

bool xr_shear_raster(const xr_shear *s, const xr_raster *in, xr_raster *out)
{
    if (!xr_raster_make(out, in->width, in->height, in->channels))
        return false;
    size_t pixels = in->width * in->height;
    for (size_t y = 0; y < in->height; y++)
        for (size_t x = 0; x < in->width; x++) {
            size_t from = written_at(s, in->width, in->height, x, y);
            for (size_t c = 0; c < in->channels; c++)
                out->v[c * pixels + y * in->width + x] = from == SIZE_MAX ? NAN : in->v[c * pixels + from];
        }
    return true;
}

exray_picture *xr_shear_picture(const xr_shear *s, const exray_picture *in)
{
    uint32_t width = exray_picture_width(in), height = exray_picture_height(in);
    size_t channels = exray_picture_channels(in);
    const uint8_t *from = exray_picture_pixels(in);
    uint8_t *bytes = calloc((size_t)width * height, channels);
    exray_error error;
    if (!bytes)
        return NULL;
    for (size_t y = 0; y < height; y++)
        for (size_t x = 0; x < width; x++) {
            size_t at = written_at(s, width, height, x, y);
            if (at != SIZE_MAX)
                memcpy(bytes + (y * width + x) * channels, from + at * channels, channels);
        }
    exray_picture *out = exray_picture_new(width, height, (uint32_t)channels, bytes, &error);
    free(bytes);
    return out;
}

/* ---- Searching -------------------------------------------------------------------------------- */

static double sheared_left(const xr_scene *scene, const xr_shear *s)
{
    enum { FRAMES = 3, STEP = 13 };
    xr_fit_sums sums = {0};
    size_t pixels = scene->width * scene->height, few = pixels / STEP, channels = scene->channels;
    float *edge = malloc(few * channels * sizeof *edge), *other = malloc(few * channels * sizeof *other);
    for (size_t f = 0; edge && other && f < scene->count && f < FRAMES; f++) {
        const xr_search_frame *frame = &scene->frame[f];
        for (size_t i = 0; i < few; i++) {
            size_t at = i * STEP,
                   from = written_at(s, scene->width, scene->height, at % scene->width, at / scene->width);
            for (size_t c = 0; c < channels; c++) {
                edge[c * few + i] = frame->edge[0].v[c * pixels + at];
                other[c * few + i] = from == SIZE_MAX ? NAN : frame->reference.v[c * pixels + from];
            }
        }
        xr_sums_add(&sums, channels, edge, other, NULL, few, 1);
    }
    free(edge);
    free(other);
    /* Seeing little of it must not pay. */
    return sums.n < (double)few / 4 ? 1 : xr_unexplained_by_colour(&sums, channels);
}

bool xr_find_shear(xr_scene *scene, xr_chain *chain)
{
    enum { MOST = 96 };
    double least = 1;
    xr_shear best = {0};
    for (int kind = XR_SHEAR_READ; kind <= XR_SHEAR_WRITTEN; kind++)
        for (int64_t pixels = -MOST; pixels <= MOST; pixels++) {
            xr_shear s = {true, (xr_shear_kind)kind, false, pixels};
            if (pixels == 0 || (int64_t)scene->width + pixels < 8 || (kind == XR_SHEAR_WRITTEN && pixels < 0))
                continue;
            double left = sheared_left(scene, &s);
            /* What the record itself says comes first. */
            if (left < (best.kind == XR_SHEAR_IGNORED ? 0.5 * least : least)) {
                least = left;
                best = s;
            }
        }
    if (least > 0.3 * chain->left || least > 0.2)
        return false;
    chain->shear = best;
    chain->layout = false;
    chain->orientation = 0;
    chain->rival_count = 0;
    chain->left = least;
    return true;
}

/* The usual alignments of a row, and the few pixels that a rounded width is off by. */
static size_t sensor_shears(uint32_t width, int64_t out[64])
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

static double sheared_rendering_left(xr_scene *scene, const xr_chain *chain, const xr_shear *s, size_t frames)
{
    xr_fit_sums sums = {0};
    for (size_t f = 0; f < frames && f < scene->count; f++) {
        const xr_chain sheared = {.shear = *s};
        exray_picture *picture = s->kind == XR_SHEAR_IGNORED
                                     ? xr_read_sensor(scene, &sheared, scene->frame[f].shows)
                                     : xr_shear_picture(s, scene->frame[f].picture);
        xr_raster r = {0};
        if (picture && xr_render(picture, &chain->base, 0, scene->width, scene->height, scene->channels, &r))
            xr_sums_add(&sums, scene->channels, scene->frame[f].edge[0].v, r.v, NULL,
                        scene->width * scene->height, 3);
        xr_raster_free(&r);
        exray_picture_free(picture);
    }
    return xr_unexplained_by_colour(&sums, scene->channels);
}

/* Whether the sensor record tells of padding at all. */
static bool has_padding(xr_scene *scene)
{
    exray_media media = {0};
    exray_picture_free(
        xr_sensor_picture(scene->comparison, scene->frame[0].shows, NULL, scene->sensor_slot, &media));
    return media.row_stride != 0;
}

bool xr_find_sensor_shear(xr_scene *scene, xr_chain *chain)
{
    int64_t shears[64];
    xr_shear best = {0};
    double least = 1;
    /* One width: pictures of different widths are off by different amounts. */
    size_t same = 1;
    while (same < scene->count &&
           exray_picture_width(scene->frame[same].picture) == exray_picture_width(scene->frame[0].picture))
        same++;
    size_t count = sensor_shears(exray_picture_width(scene->frame[0].picture), shears);
    if (has_padding(scene)) {
        best = (xr_shear){true, XR_SHEAR_IGNORED, true, 0};
        least = sheared_rendering_left(scene, chain, &best, 1);
    }
    for (int kind = XR_SHEAR_READ; kind <= XR_SHEAR_WRITTEN; kind++)
        for (size_t i = 0; i < count; i++) {
            xr_shear s = {true, (xr_shear_kind)kind, true, shears[i]};
            if (s.pixels == 0 || (kind == XR_SHEAR_WRITTEN && s.pixels < 0))
                continue;
            double left = sheared_rendering_left(scene, chain, &s, 1);
            /* What the record itself says comes first. */
            if (left < (best.kind == XR_SHEAR_IGNORED ? 0.5 * least : least)) {
                least = left;
                best = s;
            }
        }
    if (!best.set || least > 0.2)
        return false;
    least = sheared_rendering_left(scene, chain, &best, same < 3 ? same : 3);
    if (least > 0.3 * chain->left || least > 0.1)
        return false;
    chain->shear = best;
    chain->edge = chain->base;
    chain->rendered = true;
    chain->layout = false;
    chain->orientation = chain->render_orientation = 0;
    chain->rival_count = 0;
    chain->left = least;
    return true;
}
