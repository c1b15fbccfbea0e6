/* exray/picture.h: the steps of a pipeline, one by one, for assertions. */
#include "base/error.h"
#include "media/decode.h"
#include "media/resize.h"

#include <stdlib.h>
#include <string.h>

static exray_picture *allocate(exray_error *error)
{
    exray_picture *picture = calloc(1, sizeof *picture);
    if (!picture)
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for a picture");
    return picture;
}

exray_picture *exray_picture_decode(const exray_media *media, const void *data, size_t size,
                                    exray_error *error)
{
    exray_picture *picture = allocate(error);
    if (picture && xr_picture_decode(media, data, size, picture, error) == EXRAY_OK)
        return picture;
    free(picture);
    return NULL;
}

/* A packed copy of samples, which are bytes. */
static exray_picture *packed_copy(const xr_pixels *from, unsigned orientation, exray_error *error)
{
    exray_picture *picture = allocate(error);
    xr_pixels copy;
    if (!picture || xr_pixels_new(&copy, from, from->width, from->height, error) != EXRAY_OK) {
        free(picture);
        return NULL;
    }
    size_t row = (size_t)from->width * from->channels;
    for (uint32_t y = 0; y < from->height; y++)
        memcpy(copy.bytes + y * row, from->bytes + y * from->stride, row);
    *picture = (exray_picture){from->width, from->height, from->channels, copy.bytes, orientation};
    return picture;
}

exray_picture *exray_picture_new(uint32_t width, uint32_t height, uint32_t channels, const uint8_t *pixels,
                                 exray_error *error)
{
    if (!width || !height || (channels != 1 && channels != 3)) {
        xr_error_set(error, EXRAY_E_ARGUMENT, "not a picture of 1 or 3 channels");
        return NULL;
    }
    const exray_picture from = {width, height, channels, (uint8_t *)(uintptr_t)pixels, 1}; /* only read */
    xr_pixels view = xr_pixels_of(&from);
    return packed_copy(&view, 1, error);
}

void exray_picture_free(exray_picture *picture)
{
    if (picture)
        xr_picture_clear(picture);
    free(picture);
}

uint32_t exray_picture_width(const exray_picture *picture)
{
    return picture->width;
}

uint32_t exray_picture_height(const exray_picture *picture)
{
    return picture->height;
}

uint32_t exray_picture_channels(const exray_picture *picture)
{
    return picture->channels;
}

unsigned exray_picture_orientation(const exray_picture *picture)
{
    return picture->orientation;
}

const uint8_t *exray_picture_pixels(const exray_picture *picture)
{
    return picture->pixels;
}

const char *exray_picture_resize_name(exray_filter filter, exray_sampling sampling)
{
    enum { FILTERS = EXRAY_FILTER_HAMMING + 1, SAMPLINGS = EXRAY_SAMPLING_SUMMED + 1 };
    static const char *const names[FILTERS][SAMPLINGS] = {
        {"nearest", "nearest", "nearest align_corners", "nearest asymmetric", "nearest exact",
         "nearest summed"},
        {"bilinear", "bilinear antialias", "bilinear align_corners", "bilinear asymmetric", "bilinear",
         "bilinear"},
        {"bicubic", "bicubic antialias", "bicubic align_corners", "bicubic asymmetric", "bicubic", "bicubic"},
        {"area", "area antialias", "area", "area", "area", "area"},
        {"lanczos", "lanczos antialias", "lanczos", "lanczos", "lanczos", "lanczos"},
        {"hamming", "hamming antialias", "hamming", "hamming", "hamming", "hamming"},
    };
    return names[(unsigned)filter % FILTERS][(unsigned)sampling % SAMPLINGS];
}

/* A view of a part; false: the part does not lie within. */
static bool part_of(const exray_picture *picture, const exray_rectangle *part, xr_pixels *out,
                    exray_error *error)
{
    *out = xr_pixels_of(picture);
    if (!part)
        return true;
    if (!part->width || !part->height || part->left > out->width || part->top > out->height ||
        part->width > out->width - part->left || part->height > out->height - part->top) {
        xr_error_set(error, EXRAY_E_ARGUMENT, "a part of %u x %u at (%u, %u) of a picture of %u x %u",
                     part->width, part->height, part->left, part->top, out->width, out->height);
        return false;
    }
    xr_pixels_cut(out, part->left, part->top, part->width, part->height);
    return true;
}

/* Takes the result of a step, which is packed; a view that the step left unchanged is copied. */
static exray_picture *result(exray_status status, xr_pixels *pixels, unsigned orientation, exray_error *error)
{
    if (status != EXRAY_OK)
        return NULL;
    if (!pixels->owned)
        return packed_copy(pixels, orientation, error);
    exray_picture *out = allocate(error);
    if (!out) {
        xr_pixels_free(pixels);
        return NULL;
    }
    *out = (exray_picture){pixels->width, pixels->height, pixels->channels, pixels->bytes, orientation};
    return out;
}

/* A view of the part that is to be resized; false: it cannot be. */
static bool resizable(const exray_picture *picture, const exray_rectangle *part, exray_filter filter,
                      exray_sampling sampling, uint32_t width, uint32_t height, xr_pixels *view,
                      exray_error *error)
{
    if ((unsigned)filter > EXRAY_FILTER_HAMMING || (unsigned)sampling > EXRAY_SAMPLING_SUMMED || !width ||
        !height || !xr_resize_exists(filter, sampling)) {
        xr_error_set(error, EXRAY_E_ARGUMENT, "no such resize");
        return false;
    }
    return part_of(picture, part, view, error);
}

exray_picture *exray_picture_resize(const exray_picture *picture, const exray_rectangle *part,
                                    exray_filter filter, exray_sampling sampling, uint32_t width,
                                    uint32_t height, exray_error *error)
{
    xr_pixels view;
    if (!resizable(picture, part, filter, sampling, width, height, &view, error))
        return NULL;
    exray_status status = xr_pixels_resize(&view, filter, sampling, width, height, error);
    return result(status, &view, picture->orientation, error);
}

exray_picture *exray_picture_resize_rows(const exray_picture *picture, const exray_rectangle *part,
                                         exray_filter filter, exray_sampling sampling, uint32_t width,
                                         uint32_t height, const uint32_t *rows, uint32_t count,
                                         exray_error *error)
{
    xr_pixels view;
    if (!resizable(picture, part, filter, sampling, width, height, &view, error))
        return NULL;
    bool ascending = count > 0;
    for (uint32_t i = 0; i < count; i++)
        ascending = ascending && rows[i] < height && (i == 0 || rows[i - 1] < rows[i]);
    if (!ascending) {
        xr_error_set(error, EXRAY_E_ARGUMENT, "rows that are none, not ascending or not below %u", height);
        return NULL;
    }
    exray_status status = xr_pixels_resize_rows(&view, filter, sampling, width, height, rows, count, error);
    return result(status, &view, picture->orientation, error);
}

exray_picture *exray_picture_crop(const exray_picture *picture, const exray_rectangle *part,
                                  exray_error *error)
{
    xr_pixels view;
    if (!part_of(picture, part, &view, error))
        return NULL;
    return packed_copy(&view, picture->orientation, error);
}

exray_picture *exray_picture_pad(const exray_picture *picture, uint32_t width, uint32_t height, uint32_t left,
                                 uint32_t top, uint8_t pad, exray_error *error)
{
    xr_pixels view = xr_pixels_of(picture);
    if (width < view.width || height < view.height || left > width - view.width ||
        top > height - view.height) {
        xr_error_set(error, EXRAY_E_ARGUMENT, "%u x %u at (%u, %u) does not fit into %u x %u", view.width,
                     view.height, left, top, width, height);
        return NULL;
    }
    exray_status status = xr_pixels_pad(&view, width, height, left, top, pad, error);
    return result(status, &view, picture->orientation, error);
}

exray_picture *exray_picture_orient(const exray_picture *picture, unsigned orientation, exray_error *error)
{
    xr_pixels view = xr_pixels_of(picture);
    exray_status status = xr_pixels_orient(&view, orientation, error);
    return result(status, &view, 1, error);
}
