#include "report/html/drawing/html_image.h"

#include "base/memory.h"
#include "report/html/text/html_text.h"

/* jpeglib.h needs stdio.h and stddef.h before it. */
#include <jpeglib.h>
#include <png.h>

#include <math.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

enum { SMALL = 64 * 64 }; /* pixels up to which a picture is stored exactly */

/* ---- Values to pixels ------------------------------------------------------------------ */

static uint8_t shade(const xr_shades *s, double v)
{
    if (!isfinite(v))
        return 128;
    double x = 255 * (v - s->low) / (s->high > s->low ? s->high - s->low : 1);
    return (uint8_t)(x < 0 ? 0 : x > 255 ? 255 : x + 0.5);
}

static bool can_be_shown(const xr_raster *r)
{
    return r->v && r->width && r->height && r->width <= 8192 && r->height <= 8192;
}

exray_picture *xr_image_of_raster(const xr_raster *r, const xr_shades *shades)
{
    if (!can_be_shown(r))
        return NULL;
    size_t pixels = r->width * r->height, channels = r->channels >= 3 ? 3 : 1;
    uint8_t *bytes = malloc(pixels * channels);
    exray_error error;
    for (size_t c = 0; bytes && c < channels; c++)
        for (size_t i = 0; i < pixels; i++)
            bytes[i * channels + c] = shade(shades, (double)r->v[c * pixels + i]);
    exray_picture *picture =
        bytes ? exray_picture_new((uint32_t)r->width, (uint32_t)r->height, (uint32_t)channels, bytes, &error)
              : NULL;
    free(bytes);
    return picture;
}

/* Black, violet, orange, pale yellow: lighter is more, also in grayscale. */
static void heat(double share, uint8_t rgb[3])
{
    static const double stops[4][3] = {{0, 0, 0}, {116, 28, 110}, {240, 112, 32}, {252, 250, 190}};
    double x = share > 0 ? fmin(3 * share, 3) : 0;
    size_t at = x >= 2 ? 2 : (size_t)x;
    for (int c = 0; c < 3; c++)
        rgb[c] = (uint8_t)(stops[at][c] + (x - (double)at) * (stops[at + 1][c] - stops[at][c]) + 0.5);
}

exray_picture *xr_image_of_difference(const xr_raster *a, const xr_raster *b, const xr_shades *shades,
                                      double gain)
{
    if (!can_be_shown(a) || a->width != b->width || a->height != b->height || a->channels != b->channels)
        return NULL;
    size_t pixels = a->width * a->height;
    double range = shades->high > shades->low ? shades->high - shades->low : 1;
    uint8_t *bytes = malloc(pixels * 3);
    exray_error error;
    for (size_t i = 0; bytes && i < pixels; i++) {
        double sum = 0;
        size_t known = 0;
        for (size_t c = 0; c < a->channels; c++) {
            double d = fabs((double)a->v[c * pixels + i] - (double)b->v[c * pixels + i]);
            if (isfinite(d)) {
                sum += d;
                known++;
            }
        }
        heat(known ? gain * sum / (double)known / range : 0, bytes + 3 * i);
    }
    exray_picture *picture =
        bytes ? exray_picture_new((uint32_t)a->width, (uint32_t)a->height, 3, bytes, &error) : NULL;
    free(bytes);
    return picture;
}

exray_picture *xr_image_shrunk(const exray_picture *picture, uint32_t most)
{
    uint32_t width = exray_picture_width(picture), height = exray_picture_height(picture);
    uint32_t longer = width > height ? width : height;
    exray_error error;
    if (longer <= most)
        return exray_picture_crop(picture, &(exray_rectangle){0, 0, width, height}, &error);
    uint32_t w = (uint32_t)((uint64_t)width * most / longer),
             h = (uint32_t)((uint64_t)height * most / longer);
    return exray_picture_resize(picture, NULL, EXRAY_FILTER_AREA, EXRAY_SAMPLING_HALF_PIXEL, w ? w : 1,
                                h ? h : 1, &error);
}

/* ---- Encoding ------------------------------------------------------------------------------ */

typedef struct jpeg_end {
    struct jpeg_error_mgr manager;
    jmp_buf back;
} jpeg_end;

static void give_up(j_common_ptr info)
{
    jpeg_end *end = (jpeg_end *)info->err;
    longjmp(end->back, 1);
}

static void say_nothing(j_common_ptr info)
{
    (void)info;
}

static bool encode_jpeg(const exray_picture *p, int quality, unsigned char **data, unsigned long *size)
{
    struct jpeg_compress_struct jpeg;
    jpeg_end end;
    unsigned channels = exray_picture_channels(p);
    jpeg.err = jpeg_std_error(&end.manager);
    end.manager.error_exit = give_up;
    end.manager.output_message = say_nothing;
    if (setjmp(end.back)) {
        jpeg_destroy_compress(&jpeg);
        return false;
    }
    jpeg_create_compress(&jpeg);
    jpeg_mem_dest(&jpeg, data, size);
    jpeg.image_width = exray_picture_width(p);
    jpeg.image_height = exray_picture_height(p);
    jpeg.input_components = (int)channels;
    jpeg.in_color_space = channels == 3 ? JCS_RGB : JCS_GRAYSCALE;
    jpeg_set_defaults(&jpeg);
    jpeg_set_quality(&jpeg, quality, TRUE);
    jpeg.comp_info[0].h_samp_factor = jpeg.comp_info[0].v_samp_factor =
        1; /* no chroma subsampling: colors matter here */
    jpeg.optimize_coding = TRUE;
    jpeg_start_compress(&jpeg, TRUE);
    while (jpeg.next_scanline < jpeg.image_height) {
        const uint8_t *row =
            exray_picture_pixels(p) + (size_t)jpeg.next_scanline * jpeg.image_width * channels;
        JSAMPROW rows[1] = {(JSAMPROW)(uintptr_t)row};
        jpeg_write_scanlines(&jpeg, rows, 1);
    }
    jpeg_finish_compress(&jpeg);
    jpeg_destroy_compress(&jpeg);
    return true;
}

/* libpng's simplified interface: measured first, then written. */
static bool encode_png(const exray_picture *p, unsigned char **data, unsigned long *size)
{
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = exray_picture_width(p),
                       .height = exray_picture_height(p),
                       .format = exray_picture_channels(p) == 3 ? PNG_FORMAT_RGB : PNG_FORMAT_GRAY};
    png_alloc_size_t bytes = 0;
    if (!png_image_write_to_memory(&image, NULL, &bytes, 0, exray_picture_pixels(p), 0, NULL))
        return false;
    *data = malloc(bytes);
    if (!*data || !png_image_write_to_memory(&image, *data, &bytes, 0, exray_picture_pixels(p), 0, NULL))
        return false;
    *size = (unsigned long)bytes;
    return true;
}

static bool put(FILE *out, const exray_picture *picture, bool exact, int quality, const char *alt)
{
    unsigned char *data = NULL;
    unsigned long size = 0;
    bool ok = exact ? encode_png(picture, &data, &size) : encode_jpeg(picture, quality, &data, &size);
    if (!ok) /* of pixels that are there: for nothing else */
        xr_memory_lacked();
    if (ok) {
        xr_put(out, "<img alt=\"%s\" width=\"%u\" height=\"%u\" src=\"data:image/%s;base64,", alt,
               (unsigned)exray_picture_width(picture), (unsigned)exray_picture_height(picture),
               exact ? "png" : "jpeg");
        xr_put_base64(out, data, size);
        fputs("\">", out);
    }
    free(data);
    return ok;
}

bool xr_put_image(FILE *out, const exray_picture *picture, int quality, const char *alt)
{
    size_t pixels = (size_t)exray_picture_width(picture) * exray_picture_height(picture);
    return put(out, picture, pixels <= SMALL && quality > 80, quality, alt);
}

bool xr_put_exact_image(FILE *out, const exray_picture *picture, const char *alt)
{
    return put(out, picture, true, 0, alt);
}
