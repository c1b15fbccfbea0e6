/* Parses any text as a pipeline file; runs what was accepted on a small picture, or a short sound,
 * into a tensor of a few shapes and types. */
#include "pipeline/audio.h"
#include "pipeline/parse.h"
#include "pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const xr_pipeline *pipeline, const int64_t *shape, exray_dtype dtype, size_t element)
{
    static const float scale = 0.02f;
    static uint8_t pixels[6 * 5 * 3] = {1, 2, 3, 250, 251, 252};
    const exray_picture image = {6, 5, 3, pixels, 6};
    const exray_tensor_info info = {.dtype = dtype,
                                    .rank = 4,
                                    .shape = shape,
                                    .quantization = {.count = dtype == EXRAY_DTYPE_INT8, .scale = &scale}};
    size_t size = element * (size_t)(shape[1] * shape[2] * shape[3]);
    uint8_t *out = malloc(size); /* exact, so that a sanitizer sees a byte too many */
    exray_error error = {0};
    if (out && xr_pipeline_run_image(pipeline, &image, &info, out, size, &error) && !*error.message)
        abort();
    free(out);
}

static void *room(void *user, size_t size)
{
    void **out = user;
    free(*out);
    return *out = malloc(size);
}

static void run_audio(const xr_pipeline *pipeline, const int64_t *declared, uint32_t rank, exray_dtype dtype)
{
    static const int16_t samples[900] = {1, -1, 32767, -32768, 500};
    const exray_media media = {.format = "s16", .sample_rate = 8000, .channels = 3};
    const exray_tensor_info info = {.dtype = dtype, .rank = rank, .shape = declared};
    int64_t shape[EXRAY_MAX_RANK];
    void *out = NULL;
    exray_error error = {0};
    if (xr_pipeline_make_audio(pipeline, &media, samples, sizeof samples, NULL, NULL, &info, shape, room,
                               &out, &error) &&
        (!*error.message || strchr(error.message, '\n')))
        abort();
    free(out);
}

/* Sizes in the thousands, or many large ones, take long and show nothing new. */
static bool would_take_long(const uint8_t *data, size_t size)
{
    size_t digits = 0;
    for (size_t i = 0; i < size; i++) {
        digits = data[i] >= '0' && data[i] <= '9' ? digits + 1 : 0;
        if (digits > 3)
            return true;
    }
    return size > 600;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const int64_t shapes[3][4] = {{1, 8, 8, 3}, {1, 3, 4, 9}, {1, 224, 224, 1}};
    static const int64_t open[3] = {-1, -1, -1};
    exray_error error = {0};
    xr_pipeline *pipeline = xr_pipeline_parse((const char *)data, size, "p.yaml", &error);
    if (!pipeline) {
        if (strncmp(error.message, "p.yaml:", 7) != 0 || strchr(error.message, '\n'))
            abort(); /* every refusal names the file, on one line */
        return 0;
    }
    if (!*xr_pipeline_task(pipeline))
        abort();
    if (!would_take_long(data, size)) {
        run(pipeline, shapes[0], EXRAY_DTYPE_FLOAT32, 4);
        run(pipeline, shapes[1], EXRAY_DTYPE_INT8, 1);
        run(pipeline, shapes[2], EXRAY_DTYPE_FLOAT16, 2);
        run_audio(pipeline, open, 3, EXRAY_DTYPE_FLOAT32);
        run_audio(pipeline, open + 1, 2, EXRAY_DTYPE_INT8);
    }
    xr_pipeline_free(pipeline);
    return 0;
}
