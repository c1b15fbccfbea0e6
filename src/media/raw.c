/* Cameras' raw formats to RGB. */
#include "base/error.h"
#include "media/decoders.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_STRIDE = 1 << 28, YUV_BITS = 16 };

typedef struct raw_format {
    const char *name;
    unsigned bytes;    /* of a pixel; 0: a YUV format */
    uint8_t offset[3]; /* interleaved formats: where R, G, B lie */
    uint8_t alpha;     /* of those with 4 bytes: where it lies */
    bool gray, rgb565; /* of 2 bytes, the low one first: 5 bits of red on top, 6 of green, 5 of blue */
} raw_format;

static const raw_format formats[] = {
    {"rgb8", 3, {0, 1, 2}, 0, false, false},  {"bgr8", 3, {2, 1, 0}, 0, false, false},
    {"rgba8", 4, {0, 1, 2}, 3, false, false}, {"bgra8", 4, {2, 1, 0}, 3, false, false},
    {"argb8", 4, {1, 2, 3}, 0, false, false}, {"gray8", 1, {0, 0, 0}, 0, true, false},
    {"gray16", 2, {1, 1, 1}, 0, true, false}, /* the high byte, as of a file with 16 bits */
    {"rgb565", 2, {0, 0, 0}, 0, false, true}, {"nv12", 0, {0}, 0, false, false},
    {"nv21", 0, {0}, 0, false, false},        {"i420", 0, {0}, 0, false, false},
    {"yv12", 0, {0}, 0, false, false},        {"yuyv", 0, {0}, 0, false, false},
    {"uyvy", 0, {0}, 0, false, false},        {"p010", 0, {0}, 0, false, false},
};

/* Three planes, or interleaved samples seen as such: sample (x, y) of the picture is at [y * stride + x *
 * step]; for chroma with x and y shifted. */
typedef struct planes {
    const uint8_t *y, *u, *v; /* u, v: NULL where it is read as 0 */
    size_t y_stride, uv_stride;
    unsigned y_step, uv_step;
    unsigned shift_y; /* chroma has half the rows */
    bool ten;         /* samples of 10 bits, the high ones of two bytes of which the low one comes first */
} planes;

/* YUV to RGB in fixed point: R = cy (Y - y0) + rv V, ... */
typedef struct matrix {
    int32_t y0, cy, rv, gu, gv, bu;
} matrix;

/* bits: of a sample, 8 or 10.  Limited range is the same at every depth but for zeros behind; full range
 * ends at the largest number. */
static bool find_matrix(const exray_media *media, unsigned bits, matrix *m)
{
    const char *name = media->matrix && *media->matrix ? media->matrix : "bt601";
    double kr, kb;
    if (!strcmp(name, "bt601")) {
        kr = 0.299;
        kb = 0.114;
    } else if (!strcmp(name, "bt709")) {
        kr = 0.2126;
        kb = 0.0722;
    } else if (!strcmp(name, "bt2020")) {
        kr = 0.2627;
        kb = 0.0593;
    } else {
        return false;
    }
    double one = 1 << YUV_BITS, finer = 1u << (bits - 8);
    double luma = media->full_range ? 255.0 / (256 * finer - 1) : 255.0 / 219 / finer;
    double chroma = media->full_range ? 255.0 / (256 * finer - 1) : 255.0 / 224 / finer;
    double kg = 1 - kr - kb;
    m->y0 = media->full_range ? 0 : 16 << (bits - 8);
    m->cy = (int32_t)lround(one * luma);
    m->rv = (int32_t)lround(one * chroma * 2 * (1 - kr));
    m->bu = (int32_t)lround(one * chroma * 2 * (1 - kb));
    m->gu = (int32_t)lround(one * chroma * -2 * (1 - kb) * kb / kg);
    m->gv = (int32_t)lround(one * chroma * -2 * (1 - kr) * kr / kg);
    return true;
}

static uint8_t clip(int32_t value)
{
    if (value < 0)
        return 0;
    value = (value + (1 << (YUV_BITS - 1))) >> YUV_BITS;
    return (uint8_t)(value > 255 ? 255 : value);
}

static int32_t sample(const planes *p, const uint8_t *at)
{
    return p->ten ? (at[0] | at[1] << 8) >> 6 : at[0];
}

/* Chroma is repeated, not interpolated: what OpenCV and most devices do. */
static void convert(const planes *p, const matrix *m, exray_picture *out)
{
    uint8_t *to = out->pixels;
    const int32_t gray = p->ten ? 512 : 128;
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *luma = p->y + y * p->y_stride;
        size_t chroma = (y >> p->shift_y) * p->uv_stride;
        for (uint32_t x = 0; x < out->width; x++, to += 3) {
            size_t at = chroma + (size_t)(x / 2) * p->uv_step;
            int32_t l = sample(p, &luma[(size_t)x * p->y_step]);
            int32_t u = (p->u ? sample(p, &p->u[at]) : 0) - gray;
            int32_t v = (p->v ? sample(p, &p->v[at]) : 0) - gray;
            l = (l > m->y0 ? l - m->y0 : 0) * m->cy;
            to[0] = clip(l + m->rv * v);
            to[1] = clip(l + m->gu * u + m->gv * v);
            to[2] = clip(l + m->bu * u);
        }
    }
}

static exray_status too_short(const exray_media *media, uint64_t need, size_t size, exray_error *error)
{
    return xr_error_set(error, EXRAY_E_FORMAT,
                        "a %s picture of %u x %u needs %llu bytes, the record has %zu; check width, height, "
                        "row_stride",
                        media->format, media->width, media->height, (unsigned long long)need, size);
}

exray_status xr_take_size(const exray_media *media, exray_picture *out, exray_error *error)
{
    if (!media->width || !media->height || media->width > XR_MAX_SIDE || media->height > XR_MAX_SIDE)
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "a %s picture of %u x %u pixels; each side must be 1 to %d", media->format,
                            media->width, media->height, XR_MAX_SIDE);
    out->width = media->width;
    out->height = media->height;
    out->channels = 3;
    return EXRAY_OK;
}

exray_status xr_check_rows(const exray_media *media, uint64_t row, uint64_t stride, size_t size,
                           exray_error *error)
{
    if (stride < row)
        return xr_error_set(error, EXRAY_E_FORMAT, "row_stride %llu of a %s picture %u wide; at least %llu",
                            (unsigned long long)stride, media->format, media->width, (unsigned long long)row);
    const uint64_t need = stride * (media->height - 1) + row;
    return need > size ? too_short(media, need, size, error) : EXRAY_OK;
}

static exray_status decode_yuv(const exray_media *media, const uint8_t *data, size_t size, xr_decode_way way,
                               exray_picture *out, exray_error *error)
{
    const uint64_t w = media->width, h = media->height;
    const uint64_t half_w = (w + 1) / 2, half_h = (h + 1) / 2;
    const bool uyvy = !strcmp(media->format, "uyvy"), yv12 = !strcmp(media->format, "yv12");
    const bool packed = uyvy || !strcmp(media->format, "yuyv");
    const bool planar = yv12 || !strcmp(media->format, "i420");
    const bool ten = !strcmp(media->format, "p010");
    const uint64_t bytes = ten ? 2 : 1;
    const uint64_t least = packed ? half_w * 4 : w * bytes;
    const uint64_t stride = media->row_stride ? media->row_stride : least;
    matrix m;
    planes p = {.y = data, .y_stride = stride, .y_step = (unsigned)bytes, .shift_y = 1, .ten = ten};
    uint64_t need;
    if (stride < least || stride > MAX_STRIDE)
        return xr_error_set(error, EXRAY_E_FORMAT, "row_stride %llu of a %s picture %u wide; at least %llu",
                            (unsigned long long)stride, media->format, media->width,
                            (unsigned long long)least);
    if (!find_matrix(media, ten ? 10 : 8, &m)) {
        char shown[XR_SHOWN];
        return xr_error_set(error, EXRAY_E_FORMAT, "unknown YUV matrix '%s'; one of bt601, bt709, bt2020",
                            xr_show(media->matrix, shown));
    }
    if (packed) { /* Y U Y V, or U Y V Y */
        need = stride * (h - 1) + least;
        p = (planes){data + uyvy, data + !uyvy, data + !uyvy + 2, stride, stride, 2, 4, 0, false};
    } else if (planar) { /* Y, then U, then V (yv12: V, then U) with half the stride */
        uint64_t half_stride = (stride + 1) / 2;
        need = stride * h + half_stride * (2 * half_h - 1) + half_w;
        p.uv_stride = half_stride;
        p.uv_step = 1;
        if (need > size)
            return too_short(media, need, size, error);
        p.u = data + stride * h + (yv12 ? half_stride * half_h : 0);
        p.v = data + stride * h + (yv12 ? 0 : half_stride * half_h);
    } else { /* Y, then U V (nv12, p010) or V U (nv21) */
        uint64_t uv_row = 2 * half_w * bytes, uv_stride = stride > uv_row ? stride : uv_row;
        need = stride * h + uv_stride * (half_h - 1) + uv_row;
        p.uv_stride = uv_stride;
        p.uv_step = 2 * (unsigned)bytes;
        if (need > size)
            return too_short(media, need, size, error);
        bool swapped = !strcmp(media->format, "nv21");
        p.u = data + stride * h + (swapped ? bytes : 0);
        p.v = data + stride * h + (swapped ? 0 : bytes);
        if (way == XR_DECODE_STEP_1 ||
            way == XR_DECODE_STEP_1_PACKED) { /* rows of half the bytes: within both */
            p.uv_step = (unsigned)bytes;
            p.uv_stride = way == XR_DECODE_STEP_1 ? uv_stride : half_w * bytes;
        }
    }
    if (need > size)
        return too_short(media, need, size, error);
    if (way == XR_DECODE_NO_U || way == XR_DECODE_NO_CHROMA)
        p.u = NULL;
    if (way == XR_DECODE_NO_V || way == XR_DECODE_NO_CHROMA)
        p.v = NULL;
    exray_status status = xr_picture_allocate(out, media->format, error);
    if (!status)
        convert(&p, &m, out);
    return status;
}

/* All bits set is 255, as none is 0: the high bits are repeated below. */
static uint8_t *put_rgb565(uint8_t *to, const uint8_t *from)
{
    unsigned v = from[0] | (unsigned)from[1] << 8, r = v >> 11, g = v >> 5 & 63, b = v & 31;
    *to++ = (uint8_t)(r << 3 | r >> 2);
    *to++ = (uint8_t)(g << 2 | g >> 4);
    *to++ = (uint8_t)(b << 3 | b >> 2);
    return to;
}

static uint8_t *put_pixel(uint8_t *to, const raw_format *format, const uint8_t *from, uint32_t channels,
                          xr_decode_way way)
{
    if (format->rgb565)
        return put_rgb565(to, from);
    for (uint32_t c = 0; c < channels; c++)
        *to++ = format->bytes == 4 ? xr_blend(way, from[format->offset[c]], from[format->alpha])
                                   : from[format->offset[c]];
    return to;
}

static exray_status decode_interleaved(const exray_media *media, const raw_format *format,
                                       const uint8_t *data, size_t size, xr_decode_way way,
                                       exray_picture *out, exray_error *error)
{
    const uint64_t row = (uint64_t)media->width * format->bytes;
    const uint64_t stride = media->row_stride ? media->row_stride : row;
    out->channels = format->gray ? 1 : 3;
    exray_status status = xr_check_rows(media, row, stride, size, error);
    if (!status)
        status = xr_picture_allocate(out, media->format, error);
    if (status)
        return status;
    uint8_t *to = out->pixels;
    for (uint32_t y = 0; y < out->height; y++) {
        const uint8_t *from = data + y * stride;
        for (uint32_t x = 0; x < out->width; x++, from += format->bytes)
            to = put_pixel(to, format, from, out->channels, way);
    }
    return EXRAY_OK;
}

exray_status xr_decode_raw(const exray_media *media, const uint8_t *data, size_t size, xr_decode_way way,
                           exray_picture *out, exray_error *error)
{
    const raw_format *format = NULL;
    for (size_t i = 0; i < sizeof formats / sizeof *formats; i++)
        if (!strcmp(media->format, formats[i].name))
            format = &formats[i];
    if (!format) {
        char shown[XR_SHOWN];
        return xr_error_set(
            error, EXRAY_E_UNSUPPORTED,
            "unknown picture format '%s'; one of jpeg, png, rgb8, bgr8, rgba8, bgra8, argb8, "
            "rgb565, gray8, gray16, nv12, nv21, i420, yv12, yuyv, uyvy, p010, bayer_rggb8 (grbg, gbrg, "
            "bggr; 8, 10, 12, 16)",
            xr_show(media->format, shown));
    }
    exray_status status = xr_take_size(media, out, error);
    if (status)
        return status;
    if (format->bytes)
        return decode_interleaved(media, format, data, size, way, out, error);
    return decode_yuv(media, data, size, way, out, error);
}
