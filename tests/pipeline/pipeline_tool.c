/* Runs a pipeline on one picture, for tests that compare the tensor with other
 * libraries' (tests/{media,pipeline}/test_*.py).
 *
 *   pipeline_tool PIPELINE PICTURE [--dtype float32] [--shape 1,224,224,3] [--layout NCHW]
 *                 [--scale S] [--zero-point Z] [--repeat N] [media options]
 *       writes the tensor's bytes to standard output;
 *       with --repeat, the mean milliseconds of decoding and of the steps instead.
 *   pipeline_tool decode PICTURE [media options]
 *       writes "WIDTH HEIGHT CHANNELS ORIENTATION\n" and the pixels.
 *
 * Media options: --format F --width N --height N --stride N --matrix M --full-range 1 --rotation N.
 * An error is one line on standard error, and exit status 2. */
#define _POSIX_C_SOURCE 200809L
#include "media/decode.h"
#include "pipeline/parse.h"
#include "pipeline/pipeline.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct options {
    exray_media media;
    exray_tensor_info info;
    int64_t shape[EXRAY_MAX_RANK];
    float scale;
    int64_t zero_point;
    unsigned repeat;
} options;

static int give_up(const char *message)
{
    fprintf(stderr, "%s\n", message);
    return 2;
}

static void parse_shape(options *o, const char *text)
{
    o->info.rank = 0;
    for (char *end; *text && o->info.rank < EXRAY_MAX_RANK; text = *end ? end + 1 : end)
        o->shape[o->info.rank++] = strtoll(text, &end, 10);
}

static bool parse_option(options *o, const char *name, const char *value)
{
    if (!strcmp(name, "--format"))
        o->media.format = value;
    else if (!strcmp(name, "--width"))
        o->media.width = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--height"))
        o->media.height = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--stride"))
        o->media.row_stride = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--matrix"))
        o->media.matrix = value;
    else if (!strcmp(name, "--full-range"))
        o->media.full_range = *value == '1';
    else if (!strcmp(name, "--rotation"))
        o->media.rotation = (uint32_t)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--layout"))
        o->info.layout = value;
    else if (!strcmp(name, "--scale"))
        o->scale = strtof(value, NULL);
    else if (!strcmp(name, "--zero-point"))
        o->zero_point = strtoll(value, NULL, 10);
    else if (!strcmp(name, "--repeat"))
        o->repeat = (unsigned)strtoul(value, NULL, 10);
    else if (!strcmp(name, "--shape"))
        parse_shape(o, value);
    else if (!strcmp(name, "--dtype")) {
        for (int d = EXRAY_DTYPE_UNSPECIFIED; d <= EXRAY_DTYPE_FLOAT8_E5M2; d++)
            if (!strcmp(value, exray_dtype_name((exray_dtype)d)))
                o->info.dtype = (exray_dtype)d;
    } else
        return false;
    return true;
}

static void *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    char *data = NULL;
    if (!file)
        return NULL;
    if (!fseek(file, 0, SEEK_END)) {
        long end = ftell(file);
        rewind(file);
        *size = end > 0 ? (size_t)end : 0;
        data = malloc(*size + 1);
        if (data && fread(data, 1, *size, file) != *size) {
            free(data);
            data = NULL;
        }
    }
    fclose(file);
    return data;
}

static double milliseconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int decode_only(const options *o, const void *data, size_t size)
{
    exray_picture image;
    exray_error error;
    if (xr_picture_decode(&o->media, data, size, &image, &error))
        return give_up(error.message);
    printf("%u %u %u %u\n", image.width, image.height, image.channels, image.orientation);
    fwrite(image.pixels, 1, (size_t)image.width * image.height * image.channels, stdout);
    xr_picture_clear(&image);
    return 0;
}

static int run(const options *o, const char *path, const void *data, size_t size)
{
    exray_error error;
    xr_pipeline *pipeline = xr_pipeline_read(path, &error);
    if (!pipeline)
        return give_up(error.message);
    size_t bytes = exray_dtype_bits(o->info.dtype) / 8;
    for (uint32_t i = 0; i < o->info.rank; i++)
        bytes *= (size_t)o->shape[i];
    void *tensor = malloc(bytes ? bytes : 1);
    double decoding = 0, steps = 0;
    int result = tensor ? 0 : give_up("out of memory");
    for (unsigned i = 0; !result && i < (o->repeat ? o->repeat : 1); i++) {
        exray_picture image;
        double begin = milliseconds();
        if (xr_picture_decode(&o->media, data, size, &image, &error)) {
            result = give_up(error.message);
            break;
        }
        double middle = milliseconds();
        if (xr_pipeline_run_image(pipeline, &image, &o->info, tensor, bytes, &error))
            result = give_up(error.message);
        steps += milliseconds() - middle;
        decoding += middle - begin;
        xr_picture_clear(&image);
    }
    if (!result && o->repeat)
        printf("decode %.3f ms, steps %.3f ms\n", decoding / o->repeat, steps / o->repeat);
    else if (!result)
        fwrite(tensor, 1, bytes, stdout);
    free(tensor);
    xr_pipeline_free(pipeline);
    return result;
}

int main(int argc, char **argv)
{
    options o = {.shape = {1, 224, 224, 3}, .info = {.dtype = EXRAY_DTYPE_FLOAT32, .rank = 4}};
    size_t size = 0;
    if (argc < 3 || argc % 2 == 0)
        return give_up("usage: pipeline_tool PIPELINE|decode PICTURE [--option value]...");
    for (int i = 3; i + 1 < argc; i += 2)
        if (!parse_option(&o, argv[i], argv[i + 1]))
            return give_up("unknown option");
    o.info.shape = o.shape;
    if (o.scale != 0) {
        o.info.quantization.count = 1;
        o.info.quantization.scale = &o.scale;
        o.info.quantization.zero_point = &o.zero_point;
    }
    void *data = read_file(argv[2], &size);
    if (!data)
        return give_up("cannot read the picture");
    int result = !strcmp(argv[1], "decode") ? decode_only(&o, data, size) : run(&o, argv[1], data, size);
    free(data);
    return result;
}
