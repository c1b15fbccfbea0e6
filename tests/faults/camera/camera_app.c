/* An application with a camera, a model and a switch for every bug that such
 * applications have.  The bench (run.py) turns the switches; the log says nothing
 * of them.
 *
 *   camera_app --model M.tflite --frames LIST --out LOG.mcap [switches]
 *
 * LIST has a line for each buffer, in the order of capture:
 *   SOURCE FORMAT WIDTH HEIGHT STRIDE MATRIX RANGE ROTATION LABEL FILE
 * MATRIX is bt601, bt709 or -; RANGE full or limited; LABEL -1 where unknown.
 *
 * --pipeline FILE replaces the application's own pre-processing by a pipeline
 * file: a lab that records a reference without sensor records.
 * --manual: no tap; the application logs what it fed to the model and what it
 * made of the output by itself, as on an engine that exray does not know. */
#define _POSIX_C_SOURCE 200809L
#include "camera.h"

#ifndef CAMERA_RAW_ONLY /* a small machine without the host's libraries */
#include "media/decode.h"
#include "pipeline/parse.h"
#include "pipeline/pipeline.h"
#endif

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_FRAMES = 256 };

typedef struct app {
    settings settings;
    answers answers;
    const char *model, *frames_file, *out, *pipeline_file, *kernels, *library;
    unsigned threads;
    bool no_sensor, manual, no_result;
    exray_recorder_config config;
    frame frames[MAX_FRAMES];
    int frame_count;
    struct xr_pipeline *pipeline;
    exray_recorder recorder;
    const xr_engine *engine;
    xr_session *session;
} app;

_Noreturn void camera_die(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fputs("camera_app: ", stderr);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(2);
}

void *camera_allocate(size_t size)
{
    void *block = malloc(size ? size : 1);
    if (!block)
        camera_die("out of memory");
    return block;
}

void *camera_read_file(const char *path, size_t *size)
{
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END))
        camera_die("cannot read %s", path);
    long end = ftell(file);
    rewind(file);
    *size = end > 0 ? (size_t)end : 0;
    uint8_t *data = camera_allocate(*size + 1);
    if (fread(data, 1, *size, file) != *size)
        camera_die("cannot read %s", path);
    data[*size] = 0;
    fclose(file);
    return data;
}

/* ---- Switches ------------------------------------------------------------------------ */

static void three(const char *value, double out[3])
{
    int n = sscanf(value, "%lf,%lf,%lf", &out[0], &out[1], &out[2]);
    if (n == 1)
        out[1] = out[2] = out[0];
    else if (n != 3)
        camera_die("'%s' is neither one number nor three", value);
}

static int one_of(const char *value, const char *const *names)
{
    for (int i = 0; names[i]; i++)
        if (strcmp(value, names[i]) == 0)
            return i;
    camera_die("unknown value '%s'", value);
}

static bool parse_sensor(settings *s, const char *name, const char *value)
{
    if (!strcmp(name, "--as"))
        s->read_as = value;
    else if (!strcmp(name, "--matrix"))
        s->matrix = value;
    else if (!strcmp(name, "--range"))
        s->full_range = strcmp(value, "full") == 0;
    else if (!strcmp(name, "--stride"))
        s->stride = atoi(value);
    else if (!strcmp(name, "--gamma"))
        s->gamma = atof(value);
    else if (!strcmp(name, "--gray"))
        s->gray = atoi(value) != 0;
    else if (!strcmp(name, "--chroma"))
        s->linear_chroma = strcmp(value, "linear") == 0;
    else if (!strcmp(name, "--dct"))
        s->dct = value;
    else if (!strcmp(name, "--upsampling"))
        s->plain_upsampling = strcmp(value, "plain") == 0;
    else if (!strcmp(name, "--shrink"))
        s->jpeg_shrink = atoi(value);
    else if (!strcmp(name, "--recompress"))
        s->recompress = atoi(value);
    else if (!strcmp(name, "--orient"))
        s->ignore_rotation = strcmp(value, "none") == 0;
    else
        return false;
    return true;
}

static bool parse_shape(settings *s, const char *name, const char *value)
{
    static const char *const crops[] = {"none", "center", "letterbox", NULL};
    static const char *const filters[] = {"nearest", "bilinear", "bicubic", "area", "lanczos", NULL};
    static const char *const grids[] = {"half", "corners", "asymmetric", NULL};
    if (!strcmp(name, "--crop"))
        s->crop = (crop_kind)one_of(value, crops);
    else if (!strcmp(name, "--fraction"))
        s->crop_fraction = atof(value);
    else if (!strcmp(name, "--pad"))
        s->pad = atoi(value);
    else if (!strcmp(name, "--offset")) {
        if (sscanf(value, "%d,%d", &s->offset_x, &s->offset_y) != 2)
            camera_die("--offset X,Y");
    } else if (!strcmp(name, "--resize-first"))
        s->resize_first = atoi(value) != 0;
    else if (!strcmp(name, "--filter"))
        s->filter = (filter)one_of(value, filters);
    else if (!strcmp(name, "--grid"))
        s->grid = (grid)one_of(value, grids);
    else if (!strcmp(name, "--antialias"))
        s->antialias = atoi(value) != 0;
    else if (!strcmp(name, "--rotate"))
        s->rotate = atoi(value);
    else if (!strcmp(name, "--flip"))
        s->flip = value[0];
    else
        return false;
    return true;
}

static bool parse_values(settings *s, const char *name, const char *value)
{
    static const char *const ways[] = {"right", "twice", "not", NULL};
    static const char *const orders[] = {"right", "late", "repeat", "drop", NULL};
    if (!strcmp(name, "--channels") && strlen(value) == 3 && strspn(value, "rgb") == 3)
        memcpy(s->channels, value, 4);
    else if (!strcmp(name, "--mean"))
        three(value, s->mean);
    else if (!strcmp(name, "--std"))
        three(value, s->std);
    else if (!strcmp(name, "--normalize-first"))
        s->normalize_before_channels = atoi(value) != 0;
    else if (!strcmp(name, "--normalize-twice"))
        s->normalize_twice = atoi(value) != 0;
    else if (!strcmp(name, "--signed"))
        s->signed_bytes = atoi(value) != 0;
    else if (!strcmp(name, "--layout"))
        s->nchw = strcmp(value, "nchw") == 0;
    else if (!strcmp(name, "--noise"))
        s->noise = atoi(value);
    else if (!strcmp(name, "--blur"))
        s->blur = atof(value);
    else if (!strcmp(name, "--quantize"))
        s->quantizing = (quantizing)one_of(value, ways);
    else if (!strcmp(name, "--sign-bit"))
        s->flip_sign_bit = atoi(value) != 0;
    else if (!strcmp(name, "--scale"))
        s->scale = atof(value);
    else if (!strcmp(name, "--zero-point"))
        s->zero_point = atol(value);
    else if (!strcmp(name, "--order"))
        s->order = (frame_order)one_of(value, orders);
    else if (!strcmp(name, "--every"))
        s->order_every = atoi(value);
    else
        return false;
    return true;
}

static bool parse_answer(answers *a, const char *name, const char *value)
{
    if (!strcmp(name, "--label-offset"))
        a->label_offset = atol(value);
    else if (!strcmp(name, "--permute"))
        a->permute = atol(value);
    else if (!strcmp(name, "--softmax-again"))
        a->softmax_again = atoi(value) != 0;
    else if (!strcmp(name, "--scores"))
        a->scores = value;
    else if (!strcmp(name, "--boxes"))
        a->boxes_as_xyxy = strcmp(value, "xyxy") == 0;
    else
        return false;
    return true;
}

static bool parse_app(app *a, const char *name, const char *value)
{
    if (!strcmp(name, "--model"))
        a->model = value;
    else if (!strcmp(name, "--frames"))
        a->frames_file = value;
    else if (!strcmp(name, "--out"))
        a->out = value;
    else if (!strcmp(name, "--pipeline"))
        a->pipeline_file = value;
    else if (!strcmp(name, "--kernels"))
        a->kernels = value;
    else if (!strcmp(name, "--threads"))
        a->threads = (unsigned)atoi(value);
    else if (!strcmp(name, "--engine-lib"))
        a->library = value;
    else if (!strcmp(name, "--sensor"))
        a->no_sensor = strcmp(value, "no") == 0;
    else if (!strcmp(name, "--result"))
        a->no_result = strcmp(value, "no") == 0;
    else if (!strcmp(name, "--manual"))
        a->manual = atoi(value) != 0;
    else if (!strcmp(name, "--task"))
        a->config.task = value;
    else if (!strcmp(name, "--role"))
        a->config.role = strcmp(value, "reference") ? EXRAY_ROLE_EDGE : EXRAY_ROLE_REFERENCE;
    else if (!strcmp(name, "--capture"))
        a->config.capture = (exray_capture)exray_capture_from_name(value);
    else
        return false;
    return true;
}

static void parse(app *a, int argc, char **argv)
{
    a->settings = (settings){.full_range = -1,
                             .stride = -1,
                             .gamma = 1,
                             .dct = "islow",
                             .jpeg_shrink = 1,
                             .crop_fraction = 1,
                             .filter = FILTER_BILINEAR,
                             .channels = "rgb",
                             .std = {1, 1, 1},
                             .zero_point = LONG_MIN,
                             .order_every = 3};
    a->answers = (answers){.top_k = 5};
    for (int i = 1; i + 1 < argc; i += 2)
        if (!parse_app(a, argv[i], argv[i + 1]) && !parse_sensor(&a->settings, argv[i], argv[i + 1]) &&
            !parse_shape(&a->settings, argv[i], argv[i + 1]) &&
            !parse_values(&a->settings, argv[i], argv[i + 1]) &&
            !parse_answer(&a->answers, argv[i], argv[i + 1]))
            camera_die("unknown switch %s", argv[i]);
    if (argc % 2 == 0 || !a->model || !a->frames_file || !a->out)
        camera_die("usage: camera_app --model M --frames LIST --out LOG [--SWITCH VALUE]...");
}

/* ---- Frames ---------------------------------------------------------------------------- */

static void read_frames(app *a)
{
    size_t size;
    char *text = camera_read_file(a->frames_file, &size), *rest = NULL;
    for (char *line = strtok_r(text, "\n", &rest); line; line = strtok_r(NULL, "\n", &rest)) {
        if (a->frame_count == MAX_FRAMES)
            camera_die("%s has more than %d frames", a->frames_file, MAX_FRAMES);
        frame *f = &a->frames[a->frame_count++];
        char range[16], path[CAMERA_TEXT];
        if (sscanf(line, "%511s %15s %d %d %d %15s %15s %d %ld %511s", f->source, f->format, &f->width,
                   &f->height, &f->stride, f->matrix, range, &f->rotation, &f->label, path) != 10)
            camera_die("%s: a line does not have 10 fields: %s", a->frames_file, line);
        f->full_range = strcmp(range, "full") == 0;
        f->data = camera_read_file(path, &f->size);
    }
    free(text);
}

static bool is_encoded(const frame *f)
{
    return !strcmp(f->format, "jpeg") || !strcmp(f->format, "png");
}

static exray_media media_of(const frame *f)
{
    return (exray_media){.format = f->format,
                         .width = (uint32_t)f->width,
                         .height = (uint32_t)f->height,
                         .row_stride = (uint32_t)f->stride,
                         .matrix = strcmp(f->matrix, "-") ? f->matrix : NULL,
                         .full_range = f->full_range,
                         .rotation = (uint32_t)f->rotation};
}

/* Which buffer the pre-processing gets hold of for frame i. */
static const frame *buffer_for(const app *a, int i)
{
    int at = i, every = a->settings.order_every;
    if (a->settings.order == ORDER_LATE)
        at = i - every;
    else if (a->settings.order == ORDER_REPEAT)
        at = i % every == every - 1 ? i - 1 : i;
    else if (a->settings.order == ORDER_DROP)
        at = i + i / every; /* one is lost each time; what follows moves up */
    at = at < 0 ? 0 : at >= a->frame_count ? a->frame_count - 1 : at;
    return &a->frames[at];
}

/* ---- The run ----------------------------------------------------------------------------- */

static size_t bytes_of(const exray_tensor_info *info)
{
    size_t size = exray_dtype_bits(info->dtype) / 8;
    for (uint32_t i = 0; i < info->rank; i++)
        size *= (size_t)info->shape[i];
    return size;
}

#ifndef CAMERA_RAW_ONLY
static const xr_engine *find_engine(void)
{
    return xr_engine_by_name("tflite");
}

static void load_pipeline(app *a)
{
    exray_error error;
    if (a->pipeline_file && !(a->pipeline = xr_pipeline_read(a->pipeline_file, &error)))
        camera_die("%s", error.message);
}

static bool run_pipeline(app *a, const frame *f, const exray_tensor_info *info, void *out, size_t size)
{
    exray_error error;
    exray_picture image;
    exray_media media = media_of(f);
    if (!a->pipeline)
        return false;
    if (xr_picture_decode(&media, f->data, f->size, &image, &error) ||
        xr_pipeline_run_image(a->pipeline, &image, info, out, size, &error))
        camera_die("%s: %s", f->source, error.message);
    xr_picture_clear(&image);
    return true;
}
#else
/* The only one that is built there. */
extern const xr_engine xr_engine_tflite;

static const xr_engine *find_engine(void)
{
    return &xr_engine_tflite;
}

static void xr_pipeline_free(struct xr_pipeline *pipeline)
{
    (void)pipeline;
}

static void load_pipeline(app *a)
{
    if (a->pipeline_file)
        camera_die("built without pipelines");
}

static bool run_pipeline(app *a, const frame *f, const exray_tensor_info *info, void *out, size_t size)
{
    (void)a, (void)f, (void)info, (void)out, (void)size;
    return false;
}
#endif

static void preprocess(app *a, const frame *f, const exray_tensor_info *info, void *out, size_t size)
{
    if (run_pipeline(a, f, info, out, size))
        return;
    picture p =
        camera_shape(camera_decode(f, &a->settings), &a->settings, (int)info->shape[2], (int)info->shape[1]);
    camera_fill(&p, &a->settings, info, out);
    free(p.rgb);
}

static void log_sensor(app *a, const frame *f)
{
    exray_media media = media_of(f);
    if (is_encoded(f))
        exray_recorder_log_encoded(&a->recorder, "camera", f->format, f->data, f->size);
    else
        exray_recorder_log_image(&a->recorder, "camera", &media, f->data, f->size);
}

/* What an application logs that has no tap: the bytes that it fed to the model, and
 * the scores that it made of the output. */
static void log_by_hand(app *a, const exray_tensor_info *info, const void *bytes, size_t size)
{
    exray_tensor input = {.kind = EXRAY_KIND_INPUT, .info = *info, .data = bytes, .size = size};
    input.info.name = "image";
    exray_recorder_log_tensor(&a->recorder, &input);
    const exray_tensor_info *from = a->engine->output(a->session, 0);
    const void *data = a->engine->output_data(a->session, 0, &size);
    exray_tensor output = {.kind = EXRAY_KIND_OUTPUT, .info = *from, .data = data, .size = size};
    output.info.name = "scores";
    size_t count;
    double *scores = camera_scores(&a->answers, from, data, &count);
    float *values = camera_allocate(count * sizeof *values);
    for (size_t i = 0; i < count; i++)
        values[i] = (float)scores[i];
    output.info.dtype = EXRAY_DTYPE_FLOAT32;
    output.info.quantization = (exray_quantization){0};
    output.data = values;
    output.size = count * sizeof *values;
    exray_recorder_log_tensor(&a->recorder, &output);
    free(values);
    free(scores);
}

static void run_frame(app *a, int i, const exray_tensor_info *info, void *bytes, size_t size)
{
    const frame *f = &a->frames[i];
    exray_error error;
    exray_recorder_frame_begin(&a->recorder, f->source);
    if (f->label >= 0)
        exray_recorder_frame_label(&a->recorder, f->label);
    if (!a->no_sensor)
        log_sensor(a, f);
    preprocess(a, buffer_for(a, i), info, bytes, size);
    if (a->engine->set_input(a->session, 0, bytes, size, &error) || a->engine->run(a->session, &error))
        camera_die("%s", error.message);
    if (a->manual)
        log_by_hand(a, info, bytes, size);
    if (!a->no_result)
        camera_answer(&a->answers, a->engine, a->session, &a->recorder);
    exray_recorder_frame_end(&a->recorder);
}

static int nowhere(void *user, const void *data, size_t size)
{
    (void)user;
    (void)data;
    (void)size;
    return 0;
}

int main(int argc, char **argv)
{
    static app a;
    static exray_recorder unused;
    exray_error error;
    parse(&a, argc, argv);
    read_frames(&a);
    load_pipeline(&a);
    a.engine = find_engine();
    a.config.size = sizeof a.config;
    a.config.app = a.pipeline_file ? "lab" : "camera_app"; /* a program of its own */
    exray_recorder_open_file(&a.recorder, a.out, &a.config);
    if (a.manual)
        exray_recorder_open_callback(
            &unused, nowhere, NULL,
            &(exray_recorder_config){.size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_OFF});
    xr_session_config config = {.model_path = a.model,
                                .kernels = a.kernels,
                                .threads = a.threads,
                                .library = a.library,
                                .recorder = a.manual ? &unused : &a.recorder};
    config.model_data = camera_read_file(a.model, &config.model_size);
    if (!(a.session = a.engine->open(&config, &error)))
        camera_die("%s", error.message);
    const exray_tensor_info *info = a.engine->input(a.session, 0);
    size_t size = bytes_of(info);
    void *bytes = camera_allocate(size);
    for (int i = 0; i < a.frame_count; i++)
        run_frame(&a, i, info, bytes, size);
    exray_status status = exray_recorder_close(&a.recorder);
    if (a.manual)
        exray_recorder_close(&unused);
    a.engine->close(a.session);
    for (int i = 0; i < a.frame_count; i++)
        free(a.frames[i].data);
    free(bytes);
    free((void *)(uintptr_t)config.model_data);
    xr_pipeline_free(a.pipeline);
    if (status)
        camera_die("%s", exray_recorder_error_message(&a.recorder));
    return 0;
}
