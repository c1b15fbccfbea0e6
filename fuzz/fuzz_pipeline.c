/* Parses any text as a pipeline file; runs what was accepted on a small picture,
 * into a tensor of a few shapes and types. */
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
    exray_error error = {0};
    xr_pipeline *pipeline = xr_pipeline_parse((const char *)data, size, "p.yaml", &error);
    if (!pipeline) {
        if (strncmp(error.message, "p.yaml:", 7) != 0 || strchr(error.message, '\n'))
            abort(); /* every refusal names the file, on one line */
        return 0;
    }
    if (!*xr_pipeline_task(pipeline) || !xr_pipeline_top_k(pipeline))
        abort();
    if (!would_take_long(data, size)) {
        run(pipeline, shapes[0], EXRAY_DTYPE_FLOAT32, 4);
        run(pipeline, shapes[1], EXRAY_DTYPE_INT8, 1);
        run(pipeline, shapes[2], EXRAY_DTYPE_FLOAT16, 2);
    }
    xr_pipeline_free(pipeline);
    return 0;
}
