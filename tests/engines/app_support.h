/* What the test applications of LiteRT and ONNX Runtime share: their options, files. */
#ifndef EXRAY_TEST_APP_SUPPORT_H
#define EXRAY_TEST_APP_SUPPORT_H

#include <exray/exray.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { APP_MOST = 8, APP_OUTPUTS = 512 };

typedef struct app_bytes {
    void *data;
    size_t size;
} app_bytes;

typedef struct app_options {
    const char *library, *model; /* what the application runs */
    const char *told;            /* what the tap is told that it runs */
    const char *log, *capture, *kernels, *dump;
    const char *in[APP_MOST], *out[APP_OUTPUTS]; /* names (ONNX Runtime) */
    const char *shape[APP_MOST];                 /* of inputs: "1,224,224,3" */
    app_bytes input[APP_MOST];
    int in_count, out_count, shape_count, input_count;
    int runs, threads, every;
    /* flags */
    bool bytes, local, no_latency, no_constants, no_options, plain, other, over, frames, closed, again, own,
        vary;
} app_options;

static _Noreturn void app_die(const char *what, const char *why)
{
    fprintf(stderr, "%s: %s\n", what, why);
    exit(2);
}

static app_bytes app_read(const char *path)
{
    app_bytes b = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END) != 0)
        app_die(path, "cannot open");
    long size = ftell(file);
    rewind(file);
    b.size = size > 0 ? (size_t)size : 0;
    b.data = malloc(b.size + 1);
    if (!b.data || fread(b.data, 1, b.size, file) != b.size)
        app_die(path, "cannot read");
    fclose(file);
    return b;
}

static bool app_flag(app_options *o, const char *name)
{
    const struct {
        const char *name;
        bool *flag;
    } flags[] = {{"--bytes", &o->bytes},
                 {"--local", &o->local},
                 {"--no-latency", &o->no_latency},
                 {"--no-constants", &o->no_constants},
                 {"--no-options", &o->no_options},
                 {"--plain", &o->plain},
                 {"--other", &o->other},
                 {"--over", &o->over},
                 {"--frames", &o->frames},
                 {"--closed", &o->closed},
                 {"--again", &o->again},
                 {"--own", &o->own},
                 {"--vary", &o->vary}};
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i].name) == 0)
            return *flags[i].flag = true;
    return false;
}

static void app_parse(int argc, char **argv, app_options *o)
{
    if (argc < 3)
        app_die("usage", "APP LIBRARY MODEL [options]");
    *o = (app_options){.library = argv[1], .model = argv[2], .told = argv[2], .runs = 1, .threads = 1};
    for (int i = 3; i < argc; i++) {
        const char *name = argv[i];
        if (app_flag(o, name))
            continue;
        if (i + 1 == argc)
            app_die(name, "unknown option, or it needs a value");
        const char *value = argv[++i];
        if (strcmp(name, "--input") == 0 && o->input_count < APP_MOST)
            o->input[o->input_count++] = app_read(value);
        else if (strcmp(name, "--in") == 0 && o->in_count < APP_MOST)
            o->in[o->in_count++] = value;
        else if (strcmp(name, "--out") == 0 && o->out_count < APP_OUTPUTS)
            o->out[o->out_count++] = value;
        else if (strcmp(name, "--shape") == 0 && o->shape_count < APP_MOST)
            o->shape[o->shape_count++] = value;
        else if (strcmp(name, "--log") == 0)
            o->log = value;
        else if (strcmp(name, "--capture") == 0)
            o->capture = value;
        else if (strcmp(name, "--kernels") == 0)
            o->kernels = value;
        else if (strcmp(name, "--dump") == 0)
            o->dump = value;
        else if (strcmp(name, "--told") == 0)
            o->told = value;
        else if (strcmp(name, "--runs") == 0)
            o->runs = atoi(value);
        else if (strcmp(name, "--threads") == 0)
            o->threads = atoi(value);
        else if (strcmp(name, "--every") == 0)
            o->every = atoi(value);
        else
            app_die(name, "unknown option");
    }
}

static void app_open(const app_options *o, exray_recorder *recorder)
{
    int capture = o->capture ? exray_capture_from_name(o->capture) : EXRAY_CAPTURE_DEFAULT;
    if (capture < 0)
        app_die("--capture", "no such level");
    exray_recorder_open_file(recorder, o->log,
                             &(exray_recorder_config){.size = sizeof(exray_recorder_config),
                                                      .capture = (exray_capture)capture,
                                                      .every_nth = (uint64_t)o->every});
}

/* Closes the log; 1 and a line where something went wrong. */
static int app_close(const app_options *o, exray_recorder *recorder)
{
    exray_status status = o->log ? exray_recorder_close(recorder) : EXRAY_OK;
    if (status != EXRAY_OK)
        fprintf(stderr, "%s: %s\n", exray_status_name(status), exray_recorder_error_message(recorder));
    return status != EXRAY_OK;
}

/* --vary: another input for each run, of the same values. */
static void app_turn(const app_bytes *bytes)
{
    enum { STEP = 400 };
    char first[STEP];
    if (bytes->size <= STEP)
        return;
    memcpy(first, bytes->data, STEP);
    memmove(bytes->data, (char *)bytes->data + STEP, bytes->size - STEP);
    memcpy((char *)bytes->data + bytes->size - STEP, first, STEP);
}

static void app_free(app_options *o)
{
    for (int i = 0; i < o->input_count; i++)
        free(o->input[i].data);
}

#endif
