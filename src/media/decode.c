/* Which decoder. */
#include "media/decode.h"

#include "base/error.h"
#include "media/decoders.h"

#include <string.h>

static bool begins_with(const uint8_t *data, size_t size, const char *magic, size_t length)
{
    return size >= length && !memcmp(data, magic, length);
}

/* Names the format of a file that is neither JPEG nor PNG, where that is easy. */
static const char *guess(const uint8_t *data, size_t size)
{
    if (begins_with(data, size, "GIF8", 4))
        return "a GIF";
    if (begins_with(data, size, "BM", 2))
        return "a BMP";
    if (size >= 12 && !memcmp(data, "RIFF", 4) && !memcmp(data + 8, "WEBP", 4))
        return "a WebP";
    if (begins_with(data, size, "II*\0", 4) || begins_with(data, size, "MM\0*", 4))
        return "a TIFF";
    if (size >= 12 && !memcmp(data + 4, "ftyp", 4))
        return "HEIC, AVIF or a video";
    return NULL;
}

/* "jpeg/4": at a quarter of the size. */
static unsigned reduction_of(const char *format)
{
    return strncmp(format, "jpeg/", 5) == 0 && strchr("248", format[5]) && format[5] && !format[6]
               ? (unsigned)(format[5] - '0')
               : 1;
}

/* "nv12/v0": splits a format into what is in front of the slash and the way behind it; false: there is none
 * that is known. */
static bool split_way(const char *format, char base[16], xr_decode_way *way)
{
    static const struct {
        const char *name;
        xr_decode_way way;
    } ways[] = {{"/black", XR_DECODE_ON_BLACK},
                {"/white", XR_DECODE_ON_WHITE},
                {"/u0", XR_DECODE_NO_U},
                {"/v0", XR_DECODE_NO_V},
                {"/uv0", XR_DECODE_NO_CHROMA},
                {"/step1", XR_DECODE_STEP_1},
                {"/step1p", XR_DECODE_STEP_1_PACKED},
                {"/cmy", XR_DECODE_CMY},
                {"/plain", XR_DECODE_CMYK_PLAIN},
                {"/ids", XR_DECODE_IDS}};
    const char *slash = strchr(format, '/');
    size_t length = slash ? (size_t)(slash - format) : 0;
    if (!slash || length >= 16)
        return false;
    for (size_t i = 0; i < sizeof ways / sizeof *ways; i++)
        if (!strcmp(slash, ways[i].name)) {
            memcpy(base, format, length);
            base[length] = 0;
            *way = ways[i].way;
            return true;
        }
    return false;
}

static exray_status decode_file(const char *format, const uint8_t *data, size_t size, xr_decode_way way,
                                exray_picture *out, exray_error *error)
{
    if (begins_with(data, size, "\xFF\xD8", 2))
        return xr_decode_jpeg(data, size, reduction_of(format), way, out, error);
    if (begins_with(data, size, "\x89PNG\r\n\x1A\n", 8))
        return xr_decode_png(data, size, way, out, error);
    if (!size)
        return xr_error_set(error, EXRAY_E_FORMAT, "the picture is empty (0 bytes)");
    const char *what = guess(data, size);
    if (what)
        return xr_error_set(error, EXRAY_E_UNSUPPORTED,
                            "the picture is %s; only JPEG and PNG are read: convert it", what);
    return xr_error_set(error, EXRAY_E_FORMAT, "not a picture: neither JPEG nor PNG (%zu bytes)", size);
}

/* media->rotation in terms of EXIF; 0: not a quarter turn. */
static unsigned orientation_of_rotation(uint32_t degrees)
{
    switch (degrees) {
    case 0:
        return 1;
    case 90:
        return 8;
    case 180:
        return 3;
    case 270:
        return 6;
    default:
        return 0;
    }
}

exray_status xr_picture_decode(const exray_media *media, const void *data, size_t size, exray_picture *out,
                               exray_error *error)
{
    static const exray_media unknown = {0};
    if (!media)
        media = &unknown;
    const char *format = media->format ? media->format : "";
    exray_media as = *media;
    char base[16];
    xr_decode_way way = XR_DECODE_USUAL;
    if (split_way(format, base, &way))
        as.format = format = base;
    unsigned orientation = orientation_of_rotation(media->rotation);
    *out = (exray_picture){.orientation = 1};
    if (!orientation)
        return xr_error_set(error, EXRAY_E_FORMAT, "a picture's rotation is %u; one of 0, 90, 180, 270",
                            media->rotation);
    /* Encoded files are detected by their content: names are often wrong. */
    bool encoded = !*format || !strcmp(format, "jpeg") || !strcmp(format, "png") || reduction_of(format) > 1;
    exray_status status = encoded               ? decode_file(format, data, size, way, out, error)
                          : xr_is_bayer(format) ? xr_decode_bayer(&as, data, size, out, error)
                                                : xr_decode_raw(&as, data, size, way, out, error);
    if (status) {
        xr_picture_clear(out);
        return status;
    }
    if (orientation != 1) /* the recorder overrides the file */
        out->orientation = orientation;
    return EXRAY_OK;
}

exray_status xr_mask_decode(const void *data, size_t size, exray_picture *out, exray_error *error)
{
    *out = (exray_picture){.orientation = 1};
    if (!begins_with(data, size, "\x89PNG\r\n\x1A\n", 8))
        return xr_error_set(error, EXRAY_E_FORMAT, "not a PNG (%zu bytes)", size);
    const exray_status status = xr_decode_png(data, size, XR_DECODE_IDS, out, error);
    if (status)
        xr_picture_clear(out);
    return status;
}
