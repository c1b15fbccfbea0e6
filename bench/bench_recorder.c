/* What the recorder costs beside a plain write of the same bytes.
 *
 *     bench_recorder LOG FOLDER
 *
 * LOG has a frame of full capture; its tensors are what is written again, each
 * with one call, into fresh files of FOLDER (tmpfs: a disk's cache would drown
 * the difference).  All candidates take turns; the median of 9 rounds counts. */
#define _POSIX_C_SOURCE 200809L
#include "timing.h"

#include <exray/codecs.h>
#include <exray/exray.h>
#include <exray/log.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { ROUNDS = 9, MAX_TENSORS = 4096 };

typedef struct sample {
    exray_tensor tensor[MAX_TENSORS];
    int64_t shape[MAX_TENSORS][EXRAY_MAX_RANK];
    size_t count, bytes;
    const exray_model *model;
    char *scratch; /* as large as all tensors together */
} sample;

static void die(const char *what)
{
    fprintf(stderr, "bench_recorder: %s\n", what);
    exit(2);
}

static void load(sample *s, const exray_log *log)
{
    exray_slot *slot = exray_slot_new();
    exray_error error;
    const exray_record *records = exray_log_records(log, 0);
    s->model = exray_log_model(log);
    for (size_t i = 0; i < exray_log_frame(log, 0)->record_count && s->count < MAX_TENSORS; i++) {
        exray_tensor_view view;
        if (records[i].message != EXRAY_MESSAGE_TENSOR || records[i].kind != EXRAY_KIND_LAYER ||
            !records[i].has_data)
            continue;
        if (exray_log_read_tensor(log, &records[i], slot, &view, &error))
            die(error.message);
        exray_tensor *t = &s->tensor[s->count];
        void *copy = malloc(view.size);
        if (!copy)
            die("out of memory");
        memcpy(copy, view.data, view.size);
        memcpy(s->shape[s->count], view.info.shape, view.info.rank * sizeof(int64_t));
        *t = (exray_tensor){.kind = EXRAY_KIND_LAYER,
                            .index = records[i].index,
                            .output = records[i].output,
                            .in_model = true,
                            .model_tensor = view.model_tensor,
                            .data = copy,
                            .size = view.size};
        t->info = view.info;
        t->info.shape = s->shape[s->count];
        t->info.name = "";
        t->info.quantization = (exray_quantization){0};
        s->bytes += view.size;
        s->count++;
    }
    exray_slot_free(slot);
    if (s->count == 0)
        die("the log's first frame has no layer data");
    if (!(s->scratch = malloc(s->bytes)))
        die("out of memory");
    memset(s->scratch, 1, s->bytes);
}

static double plain_write(const sample *s, const char *path)
{
    unlink(path);
    double begin = bench_now_ms();
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    for (size_t i = 0; i < s->count; i++)
        if (file < 0 || write(file, s->tensor[i].data, s->tensor[i].size) != (ssize_t)s->tensor[i].size)
            die("a plain write failed");
    close(file);
    return bench_now_ms() - begin;
}

static double copy_only(const sample *s)
{
    double begin = bench_now_ms();
    char *to = s->scratch;
    for (size_t i = 0; i < s->count; i++) {
        memcpy(to, s->tensor[i].data, s->tensor[i].size);
        to += s->tensor[i].size;
    }
    return bench_now_ms() - begin;
}

static int discard(void *user, const void *data, size_t size)
{
    (void)data;
    *(uint64_t *)user += size;
    return 0;
}

/* Logs the sample once; path NULL: into a sink that discards. */
static double record(const sample *s, const char *path, const exray_recorder_config *config, uint64_t *bytes)
{
    static exray_recorder recorder;
    uint64_t discarded = 0;
    if (path)
        unlink(path);
    double begin = bench_now_ms();
    if (path)
        exray_recorder_open_file(&recorder, path, config);
    else
        exray_recorder_open_callback(&recorder, discard, &discarded, config);
    exray_recorder_log_model(&recorder, s->model);
    exray_recorder_frame_begin(&recorder, "sample");
    for (size_t i = 0; i < s->count; i++)
        exray_recorder_log_tensor(&recorder, &s->tensor[i]);
    if (exray_recorder_close(&recorder))
        die(exray_recorder_error_message(&recorder));
    double time = bench_now_ms() - begin;
    *bytes = exray_recorder_bytes_written(&recorder);
    return time;
}

int main(int argc, char **argv)
{
    static sample s;
    exray_error error;
    if (argc != 3)
        die("usage: bench_recorder LOG FOLDER");
    exray_log *log = exray_log_open(argv[1], &error);
    if (!log)
        die(error.message);
    load(&s, log);
    exray_recorder_config chunked = {
        .size = sizeof(exray_recorder_config), .capture = EXRAY_CAPTURE_FULL, .codec = exray_codec_default()};
    exray_recorder_config stream = {.size = sizeof(exray_recorder_config),
                                    .capture = EXRAY_CAPTURE_FULL,
                                    .codec = exray_codec_default(),
                                    .stream = true};
    exray_recorder_parts parts = exray_recorder_parts_all();
    parts.checksums = NULL;
    exray_recorder_config unchecked = stream;
    unchecked.parts = &parts;
    char plain_path[512], log_path[512];
    snprintf(plain_path, sizeof plain_path, "%s/plain", argv[2]);
    snprintf(log_path, sizeof log_path, "%s/log.mcap", argv[2]);
    enum { PLAIN, CHUNKED, STREAM, UNCHECKED, COPY, DISCARD, KINDS };
    double times[KINDS][ROUNDS];
    uint64_t bytes = 0, ignored;
    for (int round = -1; round < ROUNDS; round++) { /* one to warm up */
        int at = round < 0 ? 0 : round;
        times[PLAIN][at] = plain_write(&s, plain_path);
        times[CHUNKED][at] = record(&s, log_path, &chunked, &bytes);
        times[STREAM][at] = record(&s, log_path, &stream, &ignored);
        times[UNCHECKED][at] = record(&s, log_path, &unchecked, &ignored);
        times[COPY][at] = copy_only(&s);
        times[DISCARD][at] = record(&s, NULL, &chunked, &ignored);
    }
    unlink(plain_path);
    unlink(log_path);
    static const char *const names[KINDS] = {"plain_ms",     "chunked_ms", "stream_ms",
                                             "unchecked_ms", "memcpy_ms",  "discard_ms"};
    for (int k = 0; k < KINDS; k++)
        printf("%s %.4f\n", names[k], bench_median(times[k], ROUNDS));
    printf("tensors %zu\ntensor_bytes %zu\nlog_bytes %llu\n", s.count, s.bytes, (unsigned long long)bytes);
    exray_log_close(log);
    return 0;
}
