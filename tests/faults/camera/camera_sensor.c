/* From a camera's buffer to RGB. */
#include "camera.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef CAMERA_RAW_ONLY
#include "media/decode.h"

#include <jpeglib.h> /* needs stdio.h before it */
#endif

static uint8_t to_byte(double value)
{
    return (uint8_t)(value <= 0 ? 0 : value >= 255 ? 255 : value + 0.5);
}

static picture new_picture(int width, int height)
{
    return (picture){width, height, camera_allocate((size_t)width * (size_t)height * 3)};
}

#ifndef CAMERA_RAW_ONLY
/* ---- JPEG, PNG -------------------------------------------------------------------------- */

static picture decode_jpeg(const uint8_t *data, size_t size, const settings *s)
{
    struct jpeg_decompress_struct decoder = {0};
    struct jpeg_error_mgr manager;
    decoder.err = jpeg_std_error(&manager);
    jpeg_create_decompress(&decoder);
    jpeg_mem_src(&decoder, data, (unsigned long)size);
    jpeg_read_header(&decoder, TRUE);
    decoder.out_color_space = JCS_RGB;
    decoder.dct_method = !strcmp(s->dct, "ifast")   ? JDCT_IFAST
                         : !strcmp(s->dct, "float") ? JDCT_FLOAT
                                                    : JDCT_ISLOW;
    decoder.do_fancy_upsampling = s->plain_upsampling ? FALSE : TRUE;
    decoder.scale_num = 1;
    decoder.scale_denom = (unsigned)s->jpeg_shrink;
    jpeg_start_decompress(&decoder);
    picture out = new_picture((int)decoder.output_width, (int)decoder.output_height);
    while (decoder.output_scanline < decoder.output_height) {
        JSAMPROW row = out.rgb + (size_t)decoder.output_scanline * (size_t)out.width * 3;
        jpeg_read_scanlines(&decoder, &row, 1);
    }
    jpeg_destroy_decompress(&decoder);
    return out;
}

/* The picture after another round of compression: it came over a network, say. */
static picture recompress(picture in, const settings *s)
{
    struct jpeg_compress_struct encoder = {0};
    struct jpeg_error_mgr manager;
    unsigned char *data = NULL;
    unsigned long size = 0;
    encoder.err = jpeg_std_error(&manager);
    jpeg_create_compress(&encoder);
    jpeg_mem_dest(&encoder, &data, &size);
    encoder.image_width = (unsigned)in.width;
    encoder.image_height = (unsigned)in.height;
    encoder.input_components = 3;
    encoder.in_color_space = JCS_RGB;
    jpeg_set_defaults(&encoder);
    jpeg_set_quality(&encoder, s->recompress, TRUE);
    jpeg_start_compress(&encoder, TRUE);
    while (encoder.next_scanline < encoder.image_height) {
        JSAMPROW row = in.rgb + (size_t)encoder.next_scanline * (size_t)in.width * 3;
        jpeg_write_scanlines(&encoder, &row, 1);
    }
    jpeg_finish_compress(&encoder);
    jpeg_destroy_compress(&encoder);
    picture out = decode_jpeg(data, size, s);
    free(data);
    free(in.rgb);
    return out;
}

static picture decode_png(const frame *f)
{
    exray_picture image;
    exray_error error;
    if (xr_picture_decode(NULL, f->data, f->size, &image, &error))
        camera_die("%s: %s", f->source, error.message);
    picture out = new_picture((int)image.width, (int)image.height);
    for (size_t i = 0; i < (size_t)image.width * image.height; i++)
        for (uint32_t c = 0; c < 3; c++)
            out.rgb[3 * i + c] = image.pixels[i * image.channels + (image.channels == 3 ? c : 0)];
    xr_picture_clear(&image);
    return out;
}

#else
static picture decode_jpeg(const uint8_t *data, size_t size, const settings *s)
{
    (void)data, (void)size, (void)s;
    camera_die("built for raw formats only");
}

static picture decode_png(const frame *f)
{
    return decode_jpeg(f->data, f->size, NULL);
}

static picture recompress(picture in, const settings *s)
{
    return decode_jpeg(in.rgb, 0, s);
}
#endif

/* ---- Raw formats --------------------------------------------------------------------- */

/* A buffer as the application believes it to be.  Bytes beyond its end read as 0:
 * a wrong stride runs past it. */
typedef struct raw {
    const uint8_t *data;
    size_t size;
    const char *format;
    int width, height;
    size_t stride;
    double kr, kb;
    bool full, linear_chroma;
} raw;

static uint8_t at(const raw *r, size_t i)
{
    return i < r->size ? r->data[i] : 0;
}

static bool is(const raw *r, const char *format)
{
    return strcmp(r->format, format) == 0;
}

static bool is_packed(const raw *r)
{
    return is(r, "yuyv") || is(r, "uyvy");
}

/* Chroma sample (x, y) of the half-size planes; which: 0 U, 1 V. */
static double chroma_sample(const raw *r, int x, int y, int which)
{
    int w = (r->width + 1) / 2, h = is_packed(r) ? r->height : (r->height + 1) / 2;
    x = x < 0 ? 0 : x >= w ? w - 1 : x;
    y = y < 0 ? 0 : y >= h ? h - 1 : y;
    size_t column = (size_t)x, row = (size_t)y;
    if (is_packed(r))
        return at(r, row * r->stride + 4 * column + (is(r, "yuyv") ? 1 : 0) + 2 * (size_t)which);
    size_t base = r->stride * (size_t)r->height;
    if (is(r, "i420"))
        return at(r, base + ((size_t)which * (size_t)h + row) * ((r->stride + 1) / 2) + column);
    return at(r, base + row * r->stride + 2 * column + (size_t)(is(r, "nv21") ? !which : which));
}

static double chroma(const raw *r, int x, int y, int which)
{
    int half_y = is_packed(r) ? y : y / 2;
    if (!r->linear_chroma)
        return chroma_sample(r, x / 2, half_y, which);
    /* Centres of the chroma samples lie between two pixels, as in JPEG. */
    int other_x = x % 2 ? x / 2 + 1 : x / 2 - 1, other_y = is_packed(r) ? y : y % 2 ? y / 2 + 1 : y / 2 - 1;
    return 0.5625 * chroma_sample(r, x / 2, half_y, which) +
           0.1875 * chroma_sample(r, other_x, half_y, which) +
           0.1875 * chroma_sample(r, x / 2, other_y, which) +
           0.0625 * chroma_sample(r, other_x, other_y, which);
}

static void yuv_pixel(const raw *r, int x, int y, uint8_t *rgb)
{
    size_t step = is_packed(r) ? 2 : 1;
    double luma = at(r, (size_t)y * r->stride + (size_t)x * step + is(r, "uyvy"));
    double u = chroma(r, x, y, 0) - 128, v = chroma(r, x, y, 1) - 128;
    if (!r->full) {
        luma = (luma - 16) * 255 / 219;
        u *= 255.0 / 224;
        v *= 255.0 / 224;
    }
    double red = luma + 2 * (1 - r->kr) * v, blue = luma + 2 * (1 - r->kb) * u;
    rgb[0] = to_byte(red);
    rgb[1] = to_byte((luma - r->kr * red - r->kb * blue) / (1 - r->kr - r->kb));
    rgb[2] = to_byte(blue);
}

static picture decode_raw(const frame *f, const settings *s)
{
    raw r = {.data = f->data, .size = f->size, .width = f->width, .height = f->height};
    r.format = s->read_as ? s->read_as : f->format;
    const char *matrix = s->matrix ? s->matrix : f->matrix;
    r.kr = strcmp(matrix, "bt709") == 0 ? 0.2126 : strcmp(matrix, "bt2020") == 0 ? 0.2627 : 0.299;
    r.kb = strcmp(matrix, "bt709") == 0 ? 0.0722 : strcmp(matrix, "bt2020") == 0 ? 0.0593 : 0.114;
    r.full = s->full_range < 0 ? f->full_range : s->full_range != 0;
    r.linear_chroma = s->linear_chroma;
    bool three = is(&r, "rgb8") || is(&r, "bgr8"), four = is(&r, "rgba8") || is(&r, "bgra8");
    size_t packed = (size_t)f->width * (three ? 3u : four ? 4u : is_packed(&r) ? 2u : 1u);
    int stride = s->stride < 0 ? f->stride : s->stride;
    r.stride = stride > 0 ? (size_t)stride : packed;
    picture out = new_picture(r.width, r.height);
    for (int y = 0; y < r.height; y++) {
        for (int x = 0; x < r.width; x++) {
            uint8_t *to = out.rgb + ((size_t)y * (size_t)r.width + (size_t)x) * 3;
            size_t row = (size_t)y * r.stride;
            if (three || four)
                for (size_t c = 0; c < 3; c++)
                    to[c] = at(&r, row + (size_t)x * (three ? 3 : 4) + (r.format[0] == 'b' ? 2 - c : c));
            else if (is(&r, "gray8"))
                to[0] = to[1] = to[2] = at(&r, row + (size_t)x);
            else
                yuv_pixel(&r, x, y, to);
        }
    }
    return out;
}

/* ---- Both ------------------------------------------------------------------------------ */

static void adjust(picture *p, const settings *s)
{
    uint8_t table[256];
    for (int i = 0; i < 256; i++)
        table[i] = to_byte(255 * pow(i / 255.0, s->gamma));
    for (size_t i = 0; i < (size_t)p->width * (size_t)p->height; i++) {
        uint8_t *v = p->rgb + 3 * i;
        for (int c = 0; c < 3; c++)
            v[c] = table[v[c]];
        if (s->gray)
            v[0] = v[1] = v[2] = to_byte(0.299 * v[0] + 0.587 * v[1] + 0.114 * v[2]);
    }
}

picture camera_decode(const frame *f, const settings *s)
{
    picture out;
    if (strcmp(f->format, "jpeg") == 0)
        out = decode_jpeg(f->data, f->size, s);
    else if (strcmp(f->format, "png") == 0)
        out = decode_png(f);
    else
        out = decode_raw(f, s);
    if (s->recompress)
        out = recompress(out, s);
    if (s->gamma != 1 || s->gray)
        adjust(&out, s);
    return s->ignore_rotation ? out : camera_turn(out, f->rotation);
}
