/* Decodes any bytes: as a JPEG or PNG, and as the raw format that the last bytes
 * describe; then runs the default pipeline on what came out. */
#include "media/decode.h"
#include "pipeline/parse.h"
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const int64_t shape[4] = {1, 5, 7, 3};
static const exray_tensor_info info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 4, .shape = shape};

static void decode(const exray_media *media, const uint8_t *data, size_t size)
{
    static xr_pipeline *pipeline;
    exray_error error;
    exray_picture image;
    float tensor[5 * 7 * 3];
    if (!pipeline && !(pipeline = xr_pipeline_parse("", 0, "default", &error)))
        abort();
    if (xr_picture_decode(media, data, size, &image, &error)) {
        if (image.pixels || strlen(error.message) >= sizeof error.message || strchr(error.message, '\n'))
            abort(); /* nothing is left behind, and the message is one line */
        return;
    }
    /* Every promised sample can be read. */
    size_t count = (size_t)image.width * image.height * image.channels;
    unsigned sum = 0;
    for (size_t i = 0; i < count; i++)
        sum += image.pixels[i];
    if (image.orientation < 1 || image.orientation > 8 || sum > count * 255)
        abort();
    /* Decoded pictures may be long and thin beyond what a resize affords; no other error is due. */
    exray_status status = xr_pipeline_run_image(pipeline, &image, &info, tensor, sizeof tensor, &error);
    if (status != EXRAY_OK && status != EXRAY_E_LIMIT && status != EXRAY_E_MEMORY)
        abort();
    xr_picture_clear(&image);
}

static void decode_mask(const uint8_t *data, size_t size)
{
    exray_error error;
    exray_picture mask;
    if (xr_mask_decode(data, size, &mask, &error)) {
        if (mask.pixels || strchr(error.message, '\n'))
            abort();
        return;
    }
    size_t sum = 0;
    for (size_t i = 0; i < (size_t)mask.width * mask.height; i++)
        sum += mask.pixels[i];
    if (mask.channels != 1 || sum > (size_t)mask.width * mask.height * 255)
        abort();
    xr_picture_clear(&mask);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const formats[] = {"rgb8", "bgr8", "rgba8", "bgra8", "gray8",       "nv12",
                                          "nv21", "i420", "yuyv",  "p010",  "bayer_rggb8", "bayer_gbrg12"};
    static const char *const matrices[] = {NULL, "bt601", "bt709", "bt2020"};
    decode(NULL, data, size);
    decode_mask(data, size);
    if (size >= 5) {
        const uint8_t *tail = data + size - 5;
        const exray_media media = {
            .format = formats[tail[0] % (sizeof formats / sizeof *formats)],
            .matrix = matrices[tail[1] & 3],
            .full_range = tail[1] & 4,
            .rotation = (tail[1] >> 3) % 4 * 90,
            .width = tail[2],
            .height = tail[3],
            .row_stride = tail[4],
        };
        decode(&media, data, size - 5);
    }
    return 0;
}
