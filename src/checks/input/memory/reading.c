#include "checks/input/memory/reading.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

xr_reading xr_reading_of_pixels(xr_reading_kind kind, bool on_sensor, size_t width, int64_t pixels)
{
    return (xr_reading){.set = true, .kind = kind, .on_sensor = on_sensor, .step = (int64_t)width + pixels};
}

bool xr_reading_moves_pixels(const xr_reading *r)
{
    return r->kind <= XR_WRITTEN_AT_STEP || r->kind >= XR_READ_FIELDS;
}

bool xr_reading_order(size_t i, bool on_sensor, xr_reading *out)
{
    static const int64_t tiles[] = {2, 4, 8, 16, 32, 64}, groups[] = {2, 4, 8};
    enum { TILES = sizeof tiles / sizeof *tiles, GROUPS = sizeof groups / sizeof *groups };
    *out = (xr_reading){.set = true, .kind = XR_READ_FIELDS, .on_sensor = on_sensor};
    if (i < XR_FIELD_ORDERS) {
        out->fields = (xr_field_order)i;
        return true;
    }
    i -= XR_FIELD_ORDERS;
    out->kind = i < TILES ? XR_READ_TILES : i < 2 * TILES ? XR_READ_AS_TILES : XR_READ_GROUPS;
    if (i >= 2 * TILES + GROUPS)
        return false;
    out->step = out->kind == XR_READ_GROUPS ? groups[i - 2 * TILES] : tiles[i % TILES];
    return true;
}

/* The row that is read where row y belongs. */
static size_t field_row(xr_field_order order, size_t rows, size_t y)
{
    const size_t even = (rows + 1) / 2, odd = rows / 2;
    const bool is_odd = y % 2 == 1;
    switch (order) {
    case XR_FIELDS_EXCHANGED:
        return (y ^ 1) < rows ? y ^ 1 : y;
    case XR_FIELDS_APART:
        return y < even ? 2 * y : 2 * (y - even) + 1;
    case XR_FIELDS_APART_ODD:
        return y < odd ? 2 * y + 1 : 2 * (y - odd);
    case XR_FIELDS_WOVEN:
        return is_odd ? even + y / 2 : y / 2;
    case XR_FIELDS_WOVEN_LOW:
        return is_odd ? y / 2 : odd + y / 2;
    case XR_FIELDS_EVEN_TWICE:
        return y - is_odd;
    default:
        return is_odd || y + 1 == rows ? y : y + 1;
    }
}

/* Tiles of side x side pixels; SIZE_MAX: the picture is not made of whole ones. */
static size_t tiled(bool reverse, size_t side, size_t rows, size_t length, size_t i)
{
    if (side == 0 || rows % side != 0 || length % side != 0)
        return SIZE_MAX;
    const size_t across = length / side, area = side * side;
    if (!reverse) {
        const size_t tile = i / area, in = i % area;
        return (tile / across * side + in / side) * length + tile % across * side + in % side;
    }
    const size_t y = i / length, x = i % length;
    return (y / side * across + x / side) * area + y % side * side + x % side;
}

/* The last items, where they are too few for a group, are as they were. */
static size_t in_group(size_t size, size_t count, size_t i)
{
    const size_t first = i - i % size;
    return first + size <= count ? first + size - 1 - i % size : i;
}

size_t xr_reading_source(const xr_reading *r, size_t rows, size_t length, size_t i)
{
    int64_t at = (int64_t)i, count = (int64_t)(rows * length), row_length = (int64_t)length;
    if (r->limit && at >= r->limit)
        return SIZE_MAX;
    if (r->kind == XR_WRITTEN_AT_STEP) {
        int64_t last = at / r->step, row = last < (int64_t)rows ? last : (int64_t)rows - 1;
        int64_t column = at - row * r->step;
        return column < (r->length ? r->length : row_length) ? (size_t)(row * row_length + column) : SIZE_MAX;
    }
    if (r->kind == XR_READ_AT_STEP) {
        int64_t from = at / row_length * r->step + at % row_length + r->offset;
        return from >= 0 && from < count ? (size_t)from : SIZE_MAX;
    }
    if (r->kind == XR_READ_TILES || r->kind == XR_READ_AS_TILES)
        return tiled(r->kind == XR_READ_AS_TILES, (size_t)r->step, rows, length, i);
    if (r->kind == XR_READ_GROUPS)
        return in_group((size_t)r->step, rows * length, i);
    if (r->kind == XR_READ_FIELDS)
        return field_row(r->fields, rows, i / length) * length + i % length;
    return i;
}

size_t xr_planar_place(xr_reading_items items, size_t channels, size_t pixels, size_t i)
{
    return items == XR_ITEMS_INTERLEAVED ? i % channels * pixels + i / channels : i;
}

/* Every pixel moved alike, in all channels. */
static void read_pixels(const xr_reading *r, const xr_raster *in, xr_raster *out)
{
    size_t pixels = in->width * in->height;
    for (size_t i = 0; i < pixels; i++) {
        size_t from = r->kind == XR_READ_COLUMNS ? i % in->height * in->width + i / in->height
                                                 : xr_reading_source(r, in->height, in->width, i);
        for (size_t c = 0; c < in->channels; c++)
            out->v[c * pixels + i] = from == SIZE_MAX ? NAN : in->v[c * pixels + from];
    }
}

static void read_values(const xr_reading *r, const xr_raster *in, xr_raster *out)
{
    bool planar = r->items == XR_ITEMS_PLANAR;
    size_t pixels = in->width * in->height, count = pixels * in->channels;
    size_t length = planar ? in->width : in->width * in->channels, rows = count / length;
    for (size_t i = 0; i < count; i++) {
        size_t from = xr_reading_source(r, rows, length, i);
        size_t to = xr_planar_place(r->items, in->channels, pixels, i);
        out->v[to] = from == SIZE_MAX ? NAN : in->v[xr_planar_place(r->items, in->channels, pixels, from)];
    }
}

bool xr_reading_raster(const xr_reading *r, const xr_raster *in, xr_raster *out)
{
    bool exchanged = r->kind == XR_READ_EXCHANGED;
    if (!xr_raster_make(out, exchanged ? in->height : in->width, exchanged ? in->width : in->height,
                        in->channels))
        return false;
    if (exchanged) /* the same items in the same order */
        memcpy(out->v, in->v, in->width * in->height * in->channels * sizeof *in->v);
    else if (r->items == XR_ITEMS_PIXELS)
        read_pixels(r, in, out);
    else
        read_values(r, in, out);
    return true;
}

exray_picture *xr_reading_picture(const xr_reading *r, const exray_picture *in)
{
    uint32_t width = exray_picture_width(in), height = exray_picture_height(in);
    size_t channels = exray_picture_channels(in), pixels = (size_t)width * height;
    const uint8_t *from = exray_picture_pixels(in);
    uint8_t *bytes = calloc(pixels, channels);
    exray_error error;
    if (!bytes)
        return NULL;
    for (size_t i = 0; i < pixels; i++) {
        size_t at = xr_reading_source(r, height, width, i);
        if (at != SIZE_MAX)
            memcpy(bytes + i * channels, from + at * channels, channels);
    }
    exray_picture *out = exray_picture_new(width, height, (uint32_t)channels, bytes, &error);
    free(bytes);
    return out;
}
