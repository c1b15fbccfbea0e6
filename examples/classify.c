/* A typical image classifier: a camera (JPEG files stand in for it),
 * pre-processing, TensorFlow Lite, the three most likely classes.
 *
 *     classify [--rgb] [--threads N] [--labels NAMES.txt] MODEL.tflite PICTURE.jpg...
 *
 * The model is EfficientNet-Lite0: 224x224 RGB, (x - 127) / 128, 1000 classes.
 *
 * The lines that end in "// exray" record every frame, layer and result into
 * edge.mcap; without them, this is the original application.  It has a bug: this
 * camera delivers BGR but the model expects RGB.  Nothing crashes, and most answers
 * are even right.  --rgb is the fix. */
#include "tflite_c_api.h"

#include <exray/tflite.h> // exray
#include <math.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <jpeglib.h> /* needs stdio.h before it */

enum { SIDE = 224, CLASSES = 1000, NAME_SIZE = 64 };

static const double CENTER_FRACTION = 0.875;

static int fail(const char *what)
{
    fprintf(stderr, "classify: %s\n", what);
    return EXIT_FAILURE;
}

/* ---- The camera ---------------------------------------------------------- */

typedef struct image {
    int width, height;
    unsigned char *pixels; /* [height][width][3], malloc'd */
} image;

/* A whole file in a malloc'd block; NULL on failure. */
static unsigned char *read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return NULL;
    unsigned char *bytes = NULL;
    long end = fseek(file, 0, SEEK_END) == 0 ? ftell(file) : -1;
    if (end > 0 && fseek(file, 0, SEEK_SET) == 0)
        bytes = malloc((size_t)end);
    if (bytes != NULL && fread(bytes, 1, (size_t)end, file) != (size_t)end) {
        free(bytes);
        bytes = NULL;
    }
    fclose(file);
    *size = bytes != NULL ? (size_t)end : 0;
    return bytes;
}

typedef struct jpeg_failure {
    struct jpeg_error_mgr manager;
    jmp_buf back;
} jpeg_failure;

static void on_jpeg_error(j_common_ptr decoder)
{
    decoder->err->output_message(decoder);
    longjmp(((jpeg_failure *)(void *)decoder->err)->back, 1);
}

/* Decodes a JPEG in memory, as the camera delivers it: BGR, or RGB if asked. */
static bool capture(const unsigned char *bytes, size_t size, bool rgb, image *out)
{
    struct jpeg_decompress_struct decoder = {0};
    jpeg_failure failure;
    out->pixels = NULL;
    decoder.err = jpeg_std_error(&failure.manager);
    failure.manager.error_exit = on_jpeg_error;
    if (setjmp(failure.back) != 0) {
        jpeg_destroy_decompress(&decoder);
        free(out->pixels);
        return false;
    }
    jpeg_create_decompress(&decoder);
    jpeg_mem_src(&decoder, bytes, (unsigned long)size);
    jpeg_read_header(&decoder, TRUE);
    decoder.out_color_space = rgb ? JCS_RGB : JCS_EXT_BGR;
    jpeg_start_decompress(&decoder);
    out->width = (int)decoder.output_width;
    out->height = (int)decoder.output_height;
    size_t row_size = (size_t)out->width * 3;
    out->pixels = malloc(row_size * (size_t)out->height);
    bool fits = out->pixels != NULL;
    while (fits && decoder.output_scanline < decoder.output_height) {
        JSAMPROW row = out->pixels + row_size * decoder.output_scanline;
        jpeg_read_scanlines(&decoder, &row, 1);
    }
    jpeg_destroy_decompress(&decoder);
    return fits;
}

/* ---- Pre-processing ------------------------------------------------------ */

/* The two of `length` input pixels that output pixel i of SIDE lies between, and their
 * weights.  Pixel centers are at half a step. */
typedef struct sample {
    int low, high;
    float low_weight, high_weight;
} sample;

static sample sample_at(int i, int length)
{
    double position = (i + 0.5) * length / SIDE - 0.5;
    position = fmin(fmax(position, 0.0), length - 1.0);
    int low = (int)position;
    double fraction = position - low;
    return (sample){low, low + 1 < length ? low + 1 : low, (float)(1 - fraction), (float)fraction};
}

/* The center square, resized to 224x224 by bilinear interpolation, normalized. */
static void preprocess(const image *picture, float *input)
{
    int shorter = picture->width < picture->height ? picture->width : picture->height;
    int square = (int)lround(CENTER_FRACTION * shorter);
    int left = (picture->width - square) / 2;
    int top = (picture->height - square) / 2;
    size_t row_size = (size_t)picture->width * 3;
    const unsigned char *corner = picture->pixels + row_size * (size_t)top + (size_t)left * 3;
    for (int y = 0; y < SIDE; y++) {
        sample v = sample_at(y, square);
        const unsigned char *above = corner + row_size * (size_t)v.low;
        const unsigned char *below = corner + row_size * (size_t)v.high;
        for (int x = 0; x < SIDE; x++) {
            sample h = sample_at(x, square);
            for (int c = 0; c < 3; c++) {
                int l = h.low * 3 + c;
                int r = h.high * 3 + c;
                float upper = h.low_weight * above[l] + h.high_weight * above[r];
                float lower = h.low_weight * below[l] + h.high_weight * below[r];
                float level = floorf(v.low_weight * upper + v.high_weight * lower + 0.5f);
                *input++ = (level - 127.0f) / 128.0f;
            }
        }
    }
}

/* ---- The answer ---------------------------------------------------------- */

/* One name per line, in the order of the classes; without a file, numbers. */
static bool read_names(const char *path, char names[CLASSES][NAME_SIZE])
{
    for (int i = 0; i < CLASSES; i++)
        snprintf(names[i], NAME_SIZE, "class %d", i);
    if (path == NULL)
        return true;
    FILE *file = fopen(path, "r");
    if (file == NULL)
        return false;
    char line[256];
    for (int i = 0; i < CLASSES && fgets(line, sizeof line, file) != NULL; i++) {
        line[strcspn(line, ",\r\n")] = '\0'; /* of several synonyms, the first */
        snprintf(names[i], NAME_SIZE, "%.*s", NAME_SIZE - 1, line);
    }
    fclose(file);
    return true;
}

static void print_answer(const char *path, const float *scores, char names[CLASSES][NAME_SIZE])
{
    const char *slash = strrchr(path, '/');
    printf("%-30s", slash != NULL ? slash + 1 : path);
    int best[3] = {-1, -1, -1};
    for (int rank = 0; rank < 3; rank++) {
        for (int i = 0; i < CLASSES; i++) {
            bool taken = i == best[0] || i == best[1];
            if (!taken && (best[rank] < 0 || scores[i] > scores[best[rank]]))
                best[rank] = i;
        }
        printf("%s %.2f  ", names[best[rank]], (double)scores[best[rank]]);
    }
    printf("\n");
}

/* ---- The application ----------------------------------------------------- */

int main(int argc, char **argv)
{
    static char names[CLASSES][NAME_SIZE];
    const char *names_path = NULL;
    bool rgb = false;
    int threads = 1;
    int next = 1;
    for (; next < argc && strncmp(argv[next], "--", 2) == 0; next++) {
        if (strcmp(argv[next], "--rgb") == 0)
            rgb = true;
        else if (strcmp(argv[next], "--threads") == 0 && next + 1 < argc)
            threads = atoi(argv[++next]);
        else if (strcmp(argv[next], "--labels") == 0 && next + 1 < argc)
            names_path = argv[++next];
        else
            next = argc;
    }
    if (argc - next < 2)
        return fail("usage: classify [--rgb] [--threads N] [--labels NAMES.txt] MODEL.tflite PICTURE.jpg...");
    const char *file = argv[next++];
    if (!read_names(names_path, names))
        return fail("cannot read the file of class names");

    TfLiteModel *model = TfLiteModelCreateFromFile(file);
    if (model == NULL)
        return fail("cannot load the model");
    TfLiteInterpreterOptions *opts = TfLiteInterpreterOptionsCreate();
    TfLiteInterpreterOptionsSetNumThreads(opts, threads);
    exray_recorder rec;                                                                             // exray
    exray_tflite_open(&rec, "edge.mcap", exray_recorder_config_of(EXRAY_CAPTURE_FULL), opts, file); // exray
    TfLiteInterpreter *interpreter = TfLiteInterpreterCreate(model, opts);
    TfLiteInterpreterOptionsDelete(opts);
    if (interpreter == NULL || TfLiteInterpreterAllocateTensors(interpreter) != kTfLiteOk)
        return fail("cannot prepare the model");
    TfLiteTensor *input = TfLiteInterpreterGetInputTensor(interpreter, 0);
    const TfLiteTensor *output = TfLiteInterpreterGetOutputTensor(interpreter, 0);
    if (TfLiteTensorByteSize(input) != sizeof(float[SIDE][SIDE][3]) ||
        TfLiteTensorByteSize(output) != sizeof(float[CLASSES]))
        return fail("the model is not one of 224x224x3 floats and 1000 classes");

    int status = EXIT_SUCCESS;
    for (; next < argc; next++) {
        const char *path = argv[next];
        size_t size;
        image picture;
        unsigned char *bytes = read_file(path, &size);
        if (bytes == NULL || !capture(bytes, size, rgb, &picture)) {
            fprintf(stderr, "classify: %s is not a JPEG that can be read; skipped\n", path);
            status = EXIT_FAILURE;
            free(bytes);
            continue;
        }
        exray_recorder_frame_begin_encoded(&rec, path, "jpeg", bytes, size); // exray
        preprocess(&picture, TfLiteTensorData(input));
        if (TfLiteInterpreterInvoke(interpreter) == kTfLiteOk)
            print_answer(path, TfLiteTensorData(output), names);
        else
            status = fail("the model did not run");
        free(picture.pixels);
        free(bytes);
    }
    TfLiteInterpreterDelete(interpreter);
    TfLiteModelDelete(model);
    status |= exray_recorder_close(&rec) ? fail(exray_recorder_error_message(&rec)) : 0; // exray
    return status;
}
