/* Sensor records of pictures and files: linked only where they are called. */
#include "core/events/events.h"
#include "core/recorder_error.h"

static exray_status bad_argument(xr_recorder *r, const char *call, const char *what)
{
    return xr_refuse_call(r, EXRAY_E_ARGUMENT, 1, call, ": ", what);
}

/* Raw formats: bytes of a pixel in one plane, or chroma at half resolution. */
typedef struct picture_format {
    const char *name;
    uint32_t pixel_bytes; /* of the first plane */
    bool half_chroma;     /* planes of half width and height follow */
    bool no_array;        /* its bytes are no [height, width, channels] array */
} picture_format;

static const picture_format picture_formats[] = {
    {"rgb8", 3, false, false},  {"bgr8", 3, false, false},  {"rgba8", 4, false, false},
    {"bgra8", 4, false, false}, {"gray8", 1, false, false}, {"nv12", 1, true, true},
    {"nv21", 1, true, true},    {"i420", 1, true, true},    {"yv12", 1, true, true},
    {"yuyv", 2, false, true},   {"uyvy", 2, false, true},   {"argb8", 4, false, false},
    {"rgb565", 2, false, true}, {"gray16", 2, false, true}, {"p010", 2, true, true},
};

/* "bayer_", the order of its filters, its bits. */
static const picture_format *find_bayer(const char *name)
{
    static const picture_format bytes = {"", 1, false, true}, words = {"", 2, false, true};
    static const char *const orders[] = {"rggb", "grbg", "gbrg", "bggr"};
    if (strncmp(name, "bayer_", 6) != 0)
        return NULL;
    for (size_t i = 0; i < sizeof orders / sizeof *orders; i++)
        if (strncmp(name + 6, orders[i], 4) == 0) {
            const char *bits = name + 10;
            if (strcmp(bits, "8") == 0)
                return &bytes;
            return strcmp(bits, "10") == 0 || strcmp(bits, "12") == 0 || strcmp(bits, "16") == 0 ? &words
                                                                                                 : NULL;
        }
    return NULL;
}

static const picture_format *find_format(const char *name)
{
    for (size_t i = 0; name && i < sizeof picture_formats / sizeof *picture_formats; i++)
        if (strcmp(name, picture_formats[i].name) == 0)
            return &picture_formats[i];
    return name ? find_bayer(name) : NULL;
}

/* The bytes that a picture takes at least; the last row may end without its
 * padding. */
static uint64_t picture_size(const picture_format *format, const exray_media *media)
{
    const uint64_t packed = (uint64_t)media->width * format->pixel_bytes;
    const uint64_t stride = media->row_stride ? media->row_stride : packed;
    const uint64_t plane = stride * (media->height - 1) + packed;
    if (!format->half_chroma)
        return plane;
    const uint64_t half_height = ((uint64_t)media->height + 1) / 2,
                   half_width = ((uint64_t)media->width + 1) / 2;
    return stride * media->height + 2 * half_width * half_height * format->pixel_bytes;
}

exray_status exray_recorder_log_image(exray_recorder *recorder, const char *name, const exray_media *media,
                                      const void *data, size_t size)
{
    static const char call[] = "exray_recorder_log_image";
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!media || !media->width || !media->height || media->width > INT32_MAX || media->height > INT32_MAX)
        return bad_argument(r, call, "media with a width and a height of 1 to 2^31 - 1 is needed");
    const picture_format *format = find_format(media->format);
    if (!format)
        return bad_argument(
            r, call,
            "media.format is none of rgb8 bgr8 rgba8 bgra8 argb8 rgb565 gray8 gray16 nv12 nv21 "
            "i420 yv12 yuyv uyvy p010 bayer_rggb8 (grbg, gbrg, bggr; 8, 10, 12, 16)");
    if (!data || size < picture_size(format, media))
        return bad_argument(r, call, "data is smaller than width, height and row_stride say");
    const uint64_t packed = (uint64_t)media->width * format->pixel_bytes;
    if (media->row_stride && media->row_stride < packed)
        return bad_argument(r, call, "media.row_stride is less than a row");
    /* Rows with padding, YUV, filters and pixels of 16 bits are no array of bytes: they are kept as they lie.
     */
    const bool array = !format->no_array && size == packed * media->height;
    const int64_t pixels[3] = {media->height, media->width, format->pixel_bytes};
    const int64_t bytes[1] = {(int64_t)size};
    return exray_recorder_log_tensor(recorder, &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                                                               .info = {.name = name,
                                                                        .layout = array ? "HWC" : NULL,
                                                                        .dtype = EXRAY_DTYPE_UINT8,
                                                                        .rank = array ? 3 : 1,
                                                                        .shape = array ? pixels : bytes},
                                                               .data = data,
                                                               .size = size,
                                                               .media = media});
}

exray_status exray_recorder_log_encoded(exray_recorder *recorder, const char *name, const char *format,
                                        const void *data, size_t size)
{
    xr_recorder *r = xr_of(recorder);
    const exray_status status = xr_check(r);
    if (status)
        return status;
    if (!format || (strcmp(format, "jpeg") != 0 && strcmp(format, "png") != 0 && strcmp(format, "wav") != 0))
        return bad_argument(r, "exray_recorder_log_encoded", "format is none of \"jpeg\", \"png\", \"wav\"");
    if (!data)
        return bad_argument(r, "exray_recorder_log_encoded", "data is NULL");
    const exray_media media = {.format = format};
    const int64_t bytes[1] = {(int64_t)size};
    return exray_recorder_log_tensor(
        recorder,
        &(exray_tensor){.kind = EXRAY_KIND_SENSOR,
                        .info = {.name = name, .dtype = EXRAY_DTYPE_UINT8, .rank = 1, .shape = bytes},
                        .data = data,
                        .size = size,
                        .media = &media});
}

exray_status exray_recorder_frame_begin_encoded(exray_recorder *recorder, const char *source,
                                                const char *format, const void *data, size_t size)
{
    const exray_status status = exray_recorder_frame_begin(recorder, source);
    return status ? status : exray_recorder_log_encoded(recorder, "camera", format, data, size);
}
