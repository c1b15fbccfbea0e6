/* PNG of every kind, to 8-bit gray or RGB: alpha is dropped, not blended, and
 * 16 bits keep their high byte. */
#include "base/error.h"
#include "media/decoders.h"

#include <png.h>

#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

typedef struct png_source {
    const uint8_t *data;
    size_t size, at;
    bool ends_early, lacks_memory;
    png_bytep *rows;
    uint8_t *blended; /* rows with alpha, where it is blended; else NULL */
    char message[160];
} png_source;

static void on_read(png_structp png, png_bytep to, size_t size)
{
    png_source *r = png_get_io_ptr(png);
    if (size > r->size - r->at) {
        r->ends_early = true;
        png_error(png, "ends early");
    }
    memcpy(to, r->data + r->at, size);
    r->at += size;
}

static png_voidp allocate(png_structp png, png_alloc_size_t size)
{
    png_source *r = png_get_mem_ptr(png);
    void *memory = malloc(size);
    r->lacks_memory = r->lacks_memory || !memory;
    return memory;
}

static void release(png_structp png, png_voidp memory)
{
    (void)png;
    free(memory);
}

static void on_error(png_structp png, png_const_charp text)
{
    png_source *r = png_get_error_ptr(png);
    strncpy(r->message, text, sizeof r->message - 1);
    longjmp(png_jmpbuf(png), 1);
}

static void on_warning(png_structp png, png_const_charp text)
{
    (void)png; /* nothing on the standard error stream */
    (void)text;
}

/* What libpng shall turn the rows into: 8 bits, gray or RGB, with alpha where it is asked for. */
static void set_transforms(png_structp png, png_infop info, bool with_alpha)
{
    int type = png_get_color_type(png, info);
    int bits = png_get_bit_depth(png, info);
    if (bits == 16)
        png_set_strip_16(png);
    if (type == PNG_COLOR_TYPE_PALETTE)
        png_set_palette_to_rgb(png); /* makes an alpha channel of tRNS, ... */
    else if (bits < 8)
        png_set_expand_gray_1_2_4_to_8(png);
    if (!with_alpha)
        png_set_strip_alpha(png); /* ... which goes with the others */
    else {
        if (png_get_valid(png, info, PNG_INFO_tRNS))
            png_set_tRNS_to_alpha(png);
        png_set_add_alpha(png, 255, PNG_FILLER_AFTER); /* where there is none */
    }
    png_set_interlace_handling(png);
}

/* Blends rows of colors and alpha into the picture. */
static void blend_rows(const uint8_t *from, xr_decode_way way, exray_picture *out)
{
    size_t pixels = (size_t)out->width * out->height, channels = out->channels;
    for (size_t i = 0; i < pixels; i++, from += channels + 1)
        for (size_t c = 0; c < channels; c++)
            out->pixels[i * channels + c] = xr_blend(way, from[c], from[channels]);
}

/* Whether each pixel is one number of at most 8 bits. */
static bool has_ids(png_structp png, png_infop info)
{
    const int type = png_get_color_type(png, info);
    return (type == PNG_COLOR_TYPE_GRAY || type == PNG_COLOR_TYPE_PALETTE) &&
           png_get_bit_depth(png, info) <= 8;
}

static exray_status read_rows(png_structp png, png_infop info, png_source *r, xr_decode_way way,
                              exray_picture *out, exray_error *error)
{
    bool with_alpha = way == XR_DECODE_ON_BLACK || way == XR_DECODE_ON_WHITE;
    png_read_info(png, info);
    if (way == XR_DECODE_IDS && !has_ids(png, info))
        return xr_error_set(
            error, EXRAY_E_FORMAT,
            "the PNG has %s; a mask has a number of at most 8 bits for each pixel, gray or of a "
            "palette",
            png_get_bit_depth(png, info) == 16 ? "16 bits" : "colors or alpha");
    out->width = png_get_image_width(png, info);
    out->height = png_get_image_height(png, info);
    out->channels = way != XR_DECODE_IDS && png_get_color_type(png, info) & PNG_COLOR_MASK_COLOR ? 3 : 1;
    /* deflate makes at most 1032 bytes of one. */
    if ((uint64_t)out->width * out->height / 8 / 1032 > r->size)
        return xr_error_set(error, EXRAY_E_FORMAT,
                            "the PNG says %u x %u pixels, far more than its %zu bytes hold", out->width,
                            out->height, r->size);
    exray_status status = xr_picture_allocate(out, "PNG", error);
    if (status)
        return status;
    if (way == XR_DECODE_IDS) {
        png_set_packing(png);
        png_set_interlace_handling(png);
    } else
        set_transforms(png, info, with_alpha);
    png_read_update_info(png, info);
    const size_t stride = (size_t)out->width * (out->channels + with_alpha);
    if (png_get_rowbytes(png, info) != stride)
        return xr_error_set(error, EXRAY_E_FORMAT, "the PNG's rows have %zu bytes, not %zu",
                            png_get_rowbytes(png, info), stride);
    r->rows = malloc(out->height * sizeof *r->rows);
    r->blended = with_alpha ? malloc(stride * out->height) : NULL;
    if (!r->rows || (with_alpha && !r->blended))
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a PNG");
    for (uint32_t y = 0; y < out->height; y++)
        r->rows[y] = (with_alpha ? r->blended : out->pixels) + y * stride;
    png_read_image(png, r->rows);
    if (with_alpha)
        blend_rows(r->blended, way, out);
    png_read_end(png, info);
    png_bytep exif;
    png_uint_32 exif_size;
    if (png_get_eXIf_1(png, info, &exif_size, &exif))
        out->orientation = xr_exif_orientation(exif, exif_size);
    return EXRAY_OK;
}

exray_status xr_decode_png(const uint8_t *data, size_t size, xr_decode_way way, exray_picture *out,
                           exray_error *error)
{
    png_source *r = calloc(1, sizeof *r); /* on the heap: it must survive the longjmp */
    if (!r)
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a PNG");
    r->data = data;
    r->size = size;
    exray_status status;
    png_structp png =
        png_create_read_struct_2(PNG_LIBPNG_VER_STRING, r, on_error, on_warning, r, allocate, release);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info) {
        png_destroy_read_struct(&png, NULL, NULL);
        free(r);
        return xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a PNG");
    }
    if (setjmp(png_jmpbuf(png))) {
        if (r->lacks_memory)
            status = xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a PNG");
        else if (r->ends_early)
            status =
                xr_error_set(error, EXRAY_E_FORMAT, "the PNG ends early (%zu bytes); fetch it again", size);
        else
            status = xr_error_set(error, EXRAY_E_FORMAT, "the PNG is damaged: %s", r->message);
    } else {
        png_set_read_fn(png, r, on_read);
        png_set_user_limits(png, XR_MAX_SIDE, XR_MAX_SIDE);
        png_set_chunk_malloc_max(png, 8u << 20);
        png_set_chunk_cache_max(png, 128);
        status = read_rows(png, info, r, way, out, error);
    }
    png_destroy_read_struct(&png, &info, NULL);
    free(r->rows);
    free(r->blended);
    free(r);
    return status;
}
