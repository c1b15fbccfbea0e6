#include "checks/input/picture/raster.h"

#include "checks/input/fit/pixel_view.h"

#include <stdlib.h>
#include <string.h>

bool xr_raster_make(xr_raster *r, size_t width, size_t height, size_t channels)
{
    *r = (xr_raster){width, height, channels, calloc(width * height * channels + 1, sizeof(float))};
    return r->v != NULL;
}

void xr_raster_free(xr_raster *r)
{
    free(r->v);
    *r = (xr_raster){0};
}

bool xr_raster_copy(const xr_raster *from, xr_raster *out)
{
    if (!xr_raster_make(out, from->width, from->height, from->channels))
        return false;
    memcpy(out->v, from->v, from->width * from->height * from->channels * sizeof *out->v);
    return true;
}

bool xr_raster_load(xr_raster *r, const exray_tensor_info *info, uint64_t count, const float *values,
                    bool other_layout, size_t picture)
{
    xr_pixel_view v = xr_pixel_view_of(info, count);
    const bool all = picture == XR_ALL_PICTURES;
    const size_t first = all ? 0 : picture * v.picture_rows, rows = all ? v.rows : v.picture_rows;
    const size_t pixels = rows * v.columns;
    if (rows < 2 || v.columns < 2 || count != v.rows * v.columns * v.channels || first + rows > v.rows ||
        !xr_raster_make(r, v.columns, rows, v.channels))
        return false;
    if (other_layout && v.channels > 1)
        v = v.column_stride == 1 ? xr_interleaved_view(v.columns, v.rows, v.channels)
                                 : xr_plane_view(v.columns, v.rows, v.channels);
    if (rows == v.rows && v.column_stride == 1 && v.row_stride == v.columns && v.picture_rows == v.rows &&
        (v.channels == 1 || v.channel_stride == pixels)) {
        memcpy(r->v, values, (size_t)count * sizeof(float));
        return true;
    }
    for (size_t y = 0; y < rows; y++) {
        const char *from = (const char *)values + xr_row_place(&v, first + y) * sizeof(float);
        for (size_t x = 0; x < v.columns; x++, from += v.column_stride * sizeof(float))
            for (size_t c = 0; c < v.channels; c++)
                memcpy(&r->v[c * pixels + y * v.columns + x], from + c * v.channel_stride * sizeof(float),
                       sizeof(float));
    }
    return true;
}

bool xr_raster_stack(xr_raster *stack, const xr_raster *one, size_t at, size_t count)
{
    const size_t pixels = one->width * one->height;
    if (!stack->v && !xr_raster_make(stack, one->width, one->height * count, one->channels))
        return false;
    if (stack->width != one->width || stack->height != one->height * count ||
        stack->channels != one->channels)
        return false;
    for (size_t c = 0; c < one->channels; c++)
        memcpy(stack->v + (c * count + at) * pixels, one->v + c * pixels, pixels * sizeof *one->v);
    return true;
}

bool xr_raster_unstack(const xr_raster *stack, size_t at, size_t count, xr_raster *one)
{
    if (!xr_raster_make(one, stack->width, stack->height / count, stack->channels))
        return false;
    const size_t pixels = one->width * one->height;
    for (size_t c = 0; c < one->channels; c++)
        memcpy(one->v + c * pixels, stack->v + (c * count + at) * pixels, pixels * sizeof *one->v);
    return true;
}

bool xr_raster_of_picture(xr_raster *r, const exray_picture *picture, size_t channels)
{
    size_t width = exray_picture_width(picture), height = exray_picture_height(picture);
    size_t own = exray_picture_channels(picture), pixels = width * height;
    const uint8_t *from = exray_picture_pixels(picture);
    if (!xr_raster_make(r, width, height, channels))
        return false;
    for (size_t p = 0; p < pixels; p++, from += own) {
        if (channels == 1 && own == 3)
            r->v[p] = 0.299F * from[0] + 0.587F * from[1] + 0.114F * from[2];
        else
            for (size_t c = 0; c < channels; c++)
                r->v[c * pixels + p] = from[own == 1 ? 0 : c % own];
    }
    return true;
}

/* ---- Orientation ----------------------------------------------------------------- */

xr_orientation xr_orientation_inverse(xr_orientation o)
{
    if (!(o & 4))
        return o;
    /* Transposing exchanges the two mirrors. */
    return 4 | (o & 1) << 1 | (o >> 1 & 1);
}

void xr_orientation_parts(xr_orientation o, unsigned *quarter_turns, bool *flip_horizontal,
                          bool *flip_vertical)
{
    static const unsigned char turns[XR_ORIENTATIONS] = {0, 0, 0, 2, 1, 1, 3, 1};
    *flip_horizontal = o == 1 || o == 7;
    *flip_vertical = o == 2 || o == 4;
    *quarter_turns = turns[o & 7];
}

size_t xr_orientation_source(size_t x, size_t y, size_t in_width, size_t in_height, xr_orientation o)
{
    size_t sx = o & 4 ? y : x, sy = o & 4 ? x : y;
    if (o & 1)
        sx = in_width - 1 - sx;
    if (o & 2)
        sy = in_height - 1 - sy;
    return sy * in_width + sx;
}

bool xr_raster_orient(const xr_raster *in, xr_orientation o, xr_raster *out)
{
    bool swap = (o & 4) != 0;
    if (!xr_raster_make(out, swap ? in->height : in->width, swap ? in->width : in->height, in->channels))
        return false;
    size_t pixels = in->width * in->height;
    for (size_t y = 0; y < out->height; y++)
        for (size_t x = 0; x < out->width; x++) {
            size_t from = xr_orientation_source(x, y, in->width, in->height, o);
            for (size_t c = 0; c < in->channels; c++)
                out->v[c * pixels + y * out->width + x] = in->v[c * pixels + from];
        }
    return true;
}

static bool same_corners(const float *a, const float *b)
{
    return a[0] == b[0] && a[1] == b[1] && a[2] == b[2] && a[3] == b[3];
}

xr_orientation xr_orientation_compose(xr_orientation outer, xr_orientation inner)
{
    float corners[4] = {0, 1, 2, 3};
    xr_raster start = {2, 2, 1, corners}, once = {0}, twice = {0}, one = {0};
    xr_orientation found = 0;
    if (xr_raster_orient(&start, inner, &once) && xr_raster_orient(&once, outer, &twice))
        for (xr_orientation o = 0; o < XR_ORIENTATIONS; o++) {
            if (xr_raster_orient(&start, o, &one) && same_corners(one.v, twice.v))
                found = o;
            xr_raster_free(&one);
        }
    xr_raster_free(&once);
    xr_raster_free(&twice);
    return found;
}
