/* The steps that move samples without resampling. */
#include "media/pixels.h"
#include "base/error.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

xr_pixels xr_pixels_of(const exray_picture *picture)
{
    xr_pixels pixels = {.width = picture->width,
                        .height = picture->height,
                        .channels = picture->channels,
                        .stride = (size_t)picture->width * picture->channels,
                        .bytes = picture->pixels,
                        .order = "y"};
    if (picture->channels == 3)
        memcpy(pixels.order, "rgb", 4);
    return pixels;
}

exray_status xr_pixels_new(xr_pixels *to, const xr_pixels *model, uint32_t width, uint32_t height,
                           exray_error *error)
{
    uint64_t pixels = (uint64_t)width * height;
    size_t sample = model->is_float ? sizeof(float) : 1;
    if (!pixels || pixels > XR_MAX_PIXELS) {
        xr_error_set(error, EXRAY_E_LIMIT, "a step makes a picture of %u x %u; the limit is %d pixels", width,
                     height, XR_MAX_PIXELS);
        return EXRAY_E_LIMIT;
    }
    *to = *model;
    to->width = width;
    to->height = height;
    to->stride = (size_t)width * model->channels;
    to->bytes = NULL;
    to->floats = NULL;
    to->owned = malloc((size_t)pixels * model->channels * sample);
    if (!to->owned) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a picture of %u x %u", width, height);
        return EXRAY_E_MEMORY;
    }
    if (to->is_float)
        to->floats = to->owned;
    else
        to->bytes = to->owned;
    return EXRAY_OK;
}

void xr_pixels_free(xr_pixels *picture)
{
    free(picture->owned);
    picture->owned = NULL;
}

void xr_pixels_replace(xr_pixels *picture, xr_pixels *with)
{
    free(picture->owned);
    *picture = *with;
}

/* The sample at (x, y) as raw memory, whatever its type. */
static unsigned char *at(const xr_pixels *picture, uint32_t x, uint32_t y)
{
    size_t i = y * picture->stride + (size_t)x * picture->channels;
    return picture->is_float ? (unsigned char *)(picture->floats + i) : picture->bytes + i;
}

static size_t pixel_size(const xr_pixels *picture)
{
    return picture->channels * (picture->is_float ? sizeof(float) : 1);
}

void xr_pixels_cut(xr_pixels *picture, uint32_t left, uint32_t top, uint32_t width, uint32_t height)
{
    size_t i = top * picture->stride + (size_t)left * picture->channels;
    if (picture->is_float)
        picture->floats += i;
    else
        picture->bytes += i;
    picture->width = width;
    picture->height = height;
}

exray_status xr_pixels_pad(xr_pixels *picture, uint32_t width, uint32_t height, uint32_t left, uint32_t top,
                           double pad, exray_error *error)
{
    xr_pixels out;
    exray_status status = xr_pixels_new(&out, picture, width, height, error);
    if (status)
        return status;
    size_t count = (size_t)width * height * out.channels;
    if (out.is_float)
        for (size_t i = 0; i < count; i++)
            out.floats[i] = (float)pad;
    else
        memset(out.bytes, pad < 0 ? 0 : pad > 255 ? 255 : (int)(pad + 0.5), count);
    for (uint32_t y = 0; y < picture->height; y++)
        memcpy(at(&out, left, top + y), at(picture, 0, y), picture->width * pixel_size(picture));
    xr_pixels_replace(picture, &out);
    return EXRAY_OK;
}

/* A sample of a picture at a place between pixels; 0 beyond it. */
static double sample_at(const xr_pixels *p, uint32_t c, double u, double v, bool nearest)
{
    if (!(u >= 0 && v >= 0 && u < p->width && v < p->height))
        return 0;
    double x = nearest ? floor(u) : fmax(u - 0.5, 0), y = nearest ? floor(v) : fmax(v - 0.5, 0);
    uint32_t x0 = (uint32_t)x, y0 = (uint32_t)y, x1 = x0 + 1 < p->width ? x0 + 1 : x0,
             y1 = y0 + 1 < p->height ? y0 + 1 : y0;
    double fx = x - x0, fy = y - y0, value[4];
    const uint32_t column[4] = {x0, x1, x0, x1}, row[4] = {y0, y0, y1, y1};
    for (int k = 0; k < 4; k++) {
        size_t i = row[k] * p->stride + (size_t)column[k] * p->channels + c;
        value[k] = p->is_float ? (double)p->floats[i] : p->bytes[i];
    }
    return (1 - fy) * ((1 - fx) * value[0] + fx * value[1]) + fy * ((1 - fx) * value[2] + fx * value[3]);
}

exray_status xr_pixels_region(xr_pixels *picture, const double region[5], bool nearest, uint32_t width,
                              uint32_t height, exray_error *error)
{
    xr_pixels out;
    exray_status status = xr_pixels_new(&out, picture, width, height, error);
    if (status)
        return status;
    double cosine = cos(region[4]), sine = sin(region[4]);
    for (uint32_t y = 0; y < height; y++)
        for (uint32_t x = 0; x < width; x++) {
            double dx = ((x + 0.5) / width - 0.5) * region[2], dy = ((y + 0.5) / height - 0.5) * region[3];
            double u = region[0] + cosine * dx - sine * dy, v = region[1] + sine * dx + cosine * dy;
            for (uint32_t c = 0; c < out.channels; c++) {
                size_t i = y * out.stride + (size_t)x * out.channels + c;
                double value = sample_at(picture, c, u, v, nearest);
                if (out.is_float)
                    out.floats[i] = (float)value;
                else
                    out.bytes[i] = (uint8_t)(value + 0.5);
            }
        }
    xr_pixels_replace(picture, &out);
    return EXRAY_OK;
}

/* Every turn and flip is one map of the target's (x, y) onto the source: first
 * swapped (a transpose), then each axis mirrored or not. */
static exray_status rearrange(xr_pixels *picture, bool transpose, bool mirror_x, bool mirror_y,
                              exray_error *error)
{
    xr_pixels out;
    uint32_t width = transpose ? picture->height : picture->width;
    uint32_t height = transpose ? picture->width : picture->height;
    exray_status status = xr_pixels_new(&out, picture, width, height, error);
    if (status)
        return status;
    size_t size = pixel_size(picture);
    for (uint32_t y = 0; y < height; y++) {
        unsigned char *to = at(&out, 0, y);
        for (uint32_t x = 0; x < width; x++, to += size) {
            uint32_t sx = transpose ? y : x;
            uint32_t sy = transpose ? x : y;
            if (mirror_x)
                sx = picture->width - 1 - sx;
            if (mirror_y)
                sy = picture->height - 1 - sy;
            memcpy(to, at(picture, sx, sy), size);
        }
    }
    xr_pixels_replace(picture, &out);
    return EXRAY_OK;
}

exray_status xr_pixels_turn(xr_pixels *picture, unsigned quarter_turns, exray_error *error)
{
    switch (quarter_turns & 3) {
    case 1: /* the right edge becomes the top */
        return rearrange(picture, true, true, false, error);
    case 2:
        return rearrange(picture, false, true, true, error);
    case 3: /* the left edge becomes the top, read from the bottom */
        return rearrange(picture, true, false, true, error);
    default:
        return EXRAY_OK;
    }
}

exray_status xr_pixels_flip(xr_pixels *picture, xr_flip flip, exray_error *error)
{
    if (flip == XR_FLIP_NONE)
        return EXRAY_OK;
    return rearrange(picture, false, flip == XR_FLIP_HORIZONTAL, flip == XR_FLIP_VERTICAL, error);
}

exray_status xr_pixels_orient(xr_pixels *picture, unsigned exif_orientation, exray_error *error)
{
    switch (exif_orientation) {
    case 2:
        return xr_pixels_flip(picture, XR_FLIP_HORIZONTAL, error);
    case 3:
        return xr_pixels_turn(picture, 2, error);
    case 4:
        return xr_pixels_flip(picture, XR_FLIP_VERTICAL, error);
    case 5: /* transposed */
        return rearrange(picture, true, false, false, error);
    case 6: /* upright after a quarter turn clockwise */
        return xr_pixels_turn(picture, 3, error);
    case 7: /* transposed along the other diagonal */
        return rearrange(picture, true, true, true, error);
    case 8: /* upright after a quarter turn counter-clockwise */
        return xr_pixels_turn(picture, 1, error);
    default:
        return EXRAY_OK;
    }
}

/* Luma as ITU-R BT.601, in Pillow's 16-bit fixed point. */
static void to_gray(const xr_pixels *from, xr_pixels *to)
{
    const char *order = from->order;
    size_t r = (size_t)(strchr(order, 'r') - order);
    size_t g = (size_t)(strchr(order, 'g') - order);
    size_t b = (size_t)(strchr(order, 'b') - order);
    for (uint32_t y = 0; y < from->height; y++)
        for (uint32_t x = 0; x < from->width; x++) {
            size_t i = y * from->stride + (size_t)x * 3;
            size_t o = y * to->stride + x;
            if (from->is_float)
                to->floats[o] = (float)((19595.0 * from->floats[i + r] + 38470.0 * from->floats[i + g] +
                                         7471.0 * from->floats[i + b]) /
                                        65536.0);
            else
                to->bytes[o] = (uint8_t)((19595u * from->bytes[i + r] + 38470u * from->bytes[i + g] +
                                          7471u * from->bytes[i + b] + 0x8000u) >>
                                         16);
        }
}

static void permute(const xr_pixels *from, xr_pixels *to)
{
    size_t source[3];
    for (size_t c = 0; c < 3; c++) /* one gray channel goes to all three */
        source[c] = from->channels == 1 ? 0 : (size_t)(strchr(from->order, to->order[c]) - from->order);
    for (uint32_t y = 0; y < from->height; y++)
        for (uint32_t x = 0; x < from->width; x++) {
            size_t i = y * from->stride + (size_t)x * from->channels;
            size_t o = y * to->stride + (size_t)x * 3;
            for (size_t c = 0; c < 3; c++)
                if (from->is_float)
                    to->floats[o + c] = from->floats[i + source[c]];
                else
                    to->bytes[o + c] = from->bytes[i + source[c]];
        }
}

exray_status xr_pixels_reorder(xr_pixels *picture, const char *order, exray_error *error)
{
    if (!strcmp(order, picture->order))
        return EXRAY_OK;
    xr_pixels shape = *picture;
    shape.channels = order[0] == 'y' ? 1 : 3;
    for (size_t i = 0; i < sizeof shape.order; i++)
        shape.order[i] = i < shape.channels ? order[i] : 0;
    xr_pixels out;
    exray_status status = xr_pixels_new(&out, &shape, picture->width, picture->height, error);
    if (status)
        return status;
    if (order[0] == 'y')
        to_gray(picture, &out);
    else
        permute(picture, &out);
    xr_pixels_replace(picture, &out);
    return EXRAY_OK;
}

exray_status xr_pixels_normalize(xr_pixels *picture, const double *mean, const double *std,
                                 exray_error *error)
{
    xr_pixels shape = *picture;
    shape.is_float = true;
    xr_pixels out;
    exray_status status = xr_pixels_new(&out, &shape, picture->width, picture->height, error);
    if (status)
        return status;
    for (uint32_t y = 0; y < picture->height; y++)
        for (uint32_t x = 0; x < picture->width; x++)
            for (uint32_t c = 0; c < picture->channels; c++) {
                size_t i = y * picture->stride + (size_t)x * picture->channels + c;
                double sample = picture->is_float ? picture->floats[i] : picture->bytes[i];
                out.floats[y * out.stride + (size_t)x * out.channels + c] =
                    (float)((sample - mean[c]) / std[c]);
            }
    xr_pixels_replace(picture, &out);
    return EXRAY_OK;
}
