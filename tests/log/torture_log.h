/* Logs for `make torture`: recorded so that every value follows from its frame and place, and judged
 * by that after they were damaged. */
#ifndef TORTURE_LOG_H
#define TORTURE_LOG_H

#include "log/log_file.h"
#include "log/recover.h"
#include <exray/codecs.h>
#include <exray/exray.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LAYERS = 3, MOST_FRAMES = 64, PER_FRAME = 1 + LAYERS + 1 + 1 + 1 + 1 };

/* How a log is written, and how much is in it. */
typedef struct torture_kind {
    const char *name;
    bool stream;
    exray_compression compression;
    int frames;
    size_t input; /* bytes of a frame's picture */
} torture_kind;

/* A recorded log, and how much of it had been handed over at the end of each frame. */
typedef struct torture_log {
    uint8_t *bytes;
    size_t size, capacity;
    size_t begin;                /* when the log was open */
    size_t end[MOST_FRAMES + 1]; /* the last: when it was closed */
    int frames;
    size_t input;
    bool stream;
} torture_log;

static inline float torture_value(uint64_t frame, int layer, size_t i)
{
    return (float)frame * 100 + (float)layer * 10 + (float)i / 64;
}

static inline uint8_t torture_pixel(uint64_t frame, size_t i)
{
    return (uint8_t)(frame * 7 + i * 13 + i / 251);
}

enum { LAYER_SIZE = 40 };

/* One frame with everything that a frame has. */
static inline void torture_frame(exray_recorder *recorder, uint64_t f, size_t input_size)
{
    static uint8_t input[1 << 16];
    static const int64_t layer_shape[] = {1, LAYER_SIZE};
    const int64_t input_shape[] = {1, (int64_t)input_size};
    char source[32];
    snprintf(source, sizeof source, "frame-%llu.png", (unsigned long long)f);
    exray_recorder_frame_begin(recorder, source);
    exray_recorder_frame_label(recorder, (int64_t)f * 3);
    for (size_t i = 0; i < input_size; i++)
        input[i] = torture_pixel(f, i);
    exray_tensor tensor = {
        .kind = EXRAY_KIND_INPUT,
        .info = {.name = "image", .dtype = EXRAY_DTYPE_UINT8, .shape = input_shape, .rank = 2},
        .data = input,
        .size = input_size};
    exray_recorder_log_tensor(recorder, &tensor);
    float values[LAYER_SIZE];
    for (int layer = 0; layer < LAYERS; layer++) {
        for (size_t i = 0; i < LAYER_SIZE; i++)
            values[i] = torture_value(f, layer, i);
        tensor = (exray_tensor){
            .kind = EXRAY_KIND_LAYER,
            .index = (uint32_t)layer,
            .info = {.name = "layer", .dtype = EXRAY_DTYPE_FLOAT32, .shape = layer_shape, .rank = 2},
            .data = values,
            .size = sizeof values};
        exray_recorder_log_tensor(recorder, &tensor);
    }
    const double reading[] = {(double)f + 0.5};
    exray_recorder_log_reading(recorder, "light", reading, 1, "lx");
    exray_recorder_log_scalar(recorder, "speed", (double)f / 4);
    const uint32_t nodes[] = {0, 1, 2};
    const uint64_t start[] = {f, f + 10, f + 20}, took[] = {f * 5 + 1, f * 5 + 2, f * 5 + 3};
    exray_recorder_log_latency(recorder, nodes, start, took, 3);
    exray_recorder_frame_inference(recorder, f * 1000 + 1);
    exray_recorder_frame_end(recorder);
}

static inline int torture_sink(void *user, const void *data, size_t size)
{
    torture_log *log = user;
    if (log->size + size > log->capacity) {
        log->capacity = 2 * (log->size + size);
        log->bytes = realloc(log->bytes, log->capacity);
    }
    memcpy(log->bytes + log->size, data, size);
    log->size += size;
    return 0;
}

static inline exray_recorder_config torture_config(const torture_kind *kind)
{
    exray_recorder_config config = EXRAY_RECORDER_CONFIG_INIT;
    config.capture = EXRAY_CAPTURE_FULL;
    config.stream = kind->stream;
    config.chunk_size = 32 << 10;
    config.compression = kind->compression;
    config.codec = exray_codec_default();
    return config;
}

static inline torture_log torture_record(const torture_kind *kind)
{
    torture_log log = {.frames = kind->frames, .input = kind->input, .stream = kind->stream};
    exray_recorder recorder;
    const exray_recorder_config config = torture_config(kind);
    if (exray_recorder_open_callback(&recorder, torture_sink, &log, &config)) {
        fprintf(stderr, "torture: %s\n", exray_recorder_error_message(&recorder));
        exit(2);
    }
    log.begin = log.size;
    exray_recorder_log_attachment(&recorder, "notes.txt", "text/plain", "tortured", 8);
    for (int f = 0; f < kind->frames; f++) {
        torture_frame(&recorder, (uint64_t)f, kind->input);
        log.end[f] = log.size;
    }
    if (exray_recorder_close(&recorder)) {
        fprintf(stderr, "torture: %s\n", exray_recorder_error_message(&recorder));
        exit(2);
    }
    log.end[kind->frames] = log.size;
    return log;
}

/* ---- Judging ------------------------------------------------------------------ */

/* What was read of a log. */
typedef struct torture_outcome {
    bool opened;
    bool bad, told; /* it says that bytes are lost or missing; or that anything is damaged */
    size_t wrong;   /* values that nobody recorded */
    size_t whole;   /* frames of which all was read */
    bool frame[1 << 16];
} torture_outcome;

static inline bool torture_tensor_is_right(const exray_log *log, const exray_record *record, exray_slot *slot,
                                           size_t input_size, bool *read)
{
    exray_tensor_view view;
    const float *values;
    exray_error error;
    *read = false;
    if (exray_log_read_values(log, record, slot, &view, &values, &error) != EXRAY_OK)
        return true;
    *read = true;
    bool input = record->kind == EXRAY_KIND_INPUT, layer = record->kind == EXRAY_KIND_LAYER;
    if ((!input && !layer) || view.count != (input ? input_size : LAYER_SIZE) ||
        (layer && record->index >= LAYERS))
        return false;
    for (uint64_t i = 0; i < view.count; i++) {
        float expected = input ? (float)torture_pixel(record->frame, (size_t)i)
                               : torture_value(record->frame, (int)record->index, (size_t)i);
        if (memcmp(&values[i], &expected, sizeof expected) != 0)
            return false;
    }
    return true;
}

/* Whether the record holds what was recorded; *read: it could be read. */
static inline bool torture_record_is_right(const exray_log *log, const exray_record *record, exray_slot *slot,
                                           size_t input_size, bool *read)
{
    uint64_t f = record->frame;
    exray_latency latency;
    exray_reading reading;
    exray_error error;
    *read = true;
    switch (record->message) {
    case EXRAY_MESSAGE_TENSOR:
        return torture_tensor_is_right(log, record, slot, input_size, read);
    case EXRAY_MESSAGE_LATENCY:
        *read = exray_log_read_latency(log, record, slot, &latency, &error) == EXRAY_OK;
        return !*read ||
               (latency.count == 3 && latency.start_ns[2] == f + 20 && latency.duration_ns[1] == f * 5 + 2);
    case EXRAY_MESSAGE_READING:
        *read = exray_log_read_reading(log, record, slot, &reading, &error) == EXRAY_OK;
        return !*read || (reading.count == 1 && reading.value[0] == (double)f + 0.5);
    default:
        return true;
    }
}

static inline bool torture_frame_is_right(const exray_log *log, size_t position)
{
    const exray_frame *frame = exray_log_frame(log, position);
    char source[32];
    size_t count;
    if (!frame->complete)
        return true;
    snprintf(source, sizeof source, "frame-%llu.png", (unsigned long long)frame->index);
    const exray_named_value *values = exray_log_frame_values(log, position, &count);
    return strcmp(frame->source, source) == 0 && frame->has_label &&
           frame->label == (int64_t)frame->index * 3 && frame->inference_ns == frame->index * 1000 + 1 &&
           count == 1 && values[0].value == (double)frame->index / 4;
}

static inline void torture_read(exray_log *log, size_t input_size, uint64_t frames, torture_outcome *out)
{
    exray_slot *slot = exray_slot_new();
    size_t count, size;
    const void *data;
    const char *role = exray_log_metadata(log, "role");
    out->opened = true;
    out->wrong += role && strcmp(role, "edge") != 0;
    for (size_t p = 0; p < exray_log_frame_count(log); p++) {
        const exray_frame *frame = exray_log_frame(log, p);
        const exray_record *records = exray_log_records(log, p);
        size_t good = 0;
        out->wrong += !torture_frame_is_right(log, p) || frame->index >= frames;
        for (size_t i = 0; i < frame->record_count; i++) {
            bool read;
            out->wrong += !torture_record_is_right(log, &records[i], slot, input_size, &read);
            good += read;
        }
        bool whole = frame->complete && good >= PER_FRAME;
        out->whole += whole;
        if (frame->index < sizeof out->frame)
            out->frame[frame->index] = whole;
    }
    exray_log_constants(log, &count);
    out->wrong += count != 0;
    for (size_t i = 0; i < exray_log_attachment_count(log); i++)
        if (exray_log_read_attachment(log, i, slot, &data, &size, NULL) == EXRAY_OK)
            out->wrong += size != 8 || memcmp(data, "tortured", 8) != 0;
    out->bad = exray_log_lost(log) || exray_log_truncated(log);
    out->told = out->bad || exray_log_damaged(log);
    exray_slot_free(slot);
}

/* Opened as it is. */
static inline void torture_open(const uint8_t *bytes, size_t size, const torture_log *of,
                                torture_outcome *out)
{
    exray_error error = {0};
    memset(out, 0, sizeof *out);
    exray_log *log = xr_log_open_bytes(bytes, size, "tortured.mcap", &error);
    if (!log)
        return;
    torture_read(log, of->input, (uint64_t)of->frames, out);
    exray_log_close(log);
}

/* Recovered, and then opened. */
static inline void torture_recover(const uint8_t *bytes, size_t size, const torture_log *of,
                                   torture_outcome *out)
{
    char *good = NULL;
    size_t good_size = 0;
    FILE *to = open_memstream(&good, &good_size);
    xr_recovery result;
    exray_error error = {0};
    memset(out, 0, sizeof *out);
    bool recovered = xr_recover_bytes(bytes, size, to, &result, &error);
    fclose(to);
    if (recovered) {
        torture_open((const uint8_t *)good, good_size, of, out);
        out->wrong += out->bad; /* what recover writes is whole */
        out->told = !result.was_whole;
    }
    free(good);
}

#endif
