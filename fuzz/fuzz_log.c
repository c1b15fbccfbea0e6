/* Any bytes as a log: opened, everything of it read, and recovered; what was
 * recovered must open again with no fewer records. */
#define _POSIX_C_SOURCE 200809L
#include "log/log_file.h"
#include "log/recover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Touches each byte, so that a sanitizer sees one that is not there. */
static void touch(const void *data, size_t size)
{
    volatile uint8_t sum = 0;
    for (size_t i = 0; i < size; i++)
        sum = (uint8_t)(sum + ((const uint8_t *)data)[i]);
}

static void touch_text(const char *text)
{
    touch(text, strlen(text));
}

static void read_model(const exray_model *model)
{
    touch_text(model->name);
    for (uint32_t i = 0; i < model->tensor_count; i++) {
        touch_text(model->tensors[i].name);
        touch(model->tensors[i].shape, model->tensors[i].rank * sizeof(int64_t));
    }
    for (uint32_t i = 0; i < model->node_count; i++) {
        touch_text(exray_node_name(model, i));
        touch(model->nodes[i].inputs, model->nodes[i].input_count * sizeof(uint32_t));
        for (uint32_t k = 0; k < model->nodes[i].output_count; k++)
            if (model->nodes[i].outputs[k] != EXRAY_NO_INDEX)
                touch_text(model->tensors[model->nodes[i].outputs[k]].name);
    }
}

static void read_result(const exray_result *result)
{
    for (uint32_t i = 0; i < result->class_count; i++)
        touch_text(result->classes[i].label);
    for (uint32_t i = 0; i < result->box_count; i++)
        touch(result->boxes[i].corners, result->boxes[i].corners ? 8 * sizeof(float) : 0);
    touch(result->keypoints, result->keypoint_count * sizeof *result->keypoints);
    for (uint32_t i = 0; i < result->vector_count; i++) {
        touch_text(result->vectors[i].name);
        touch(result->vectors[i].values, result->vectors[i].count * sizeof(float));
    }
    if (result->mask) {
        const exray_mask *mask = result->mask;
        if (mask->size != (uint64_t)mask->width * mask->height * (mask->wide ? 2 : 1))
            abort();
        touch(mask->ids, mask->size);
    }
}

static void read_record(const exray_log *log, const exray_record *record, exray_slot *slot)
{
    exray_tensor_view view;
    const float *values;
    exray_latency latency;
    exray_system system;
    exray_reading reading;
    exray_result result;
    exray_error error;
    touch_text(record->topic);
    touch_text(record->name);
    if (exray_log_read_tensor(log, record, slot, &view, &error) == EXRAY_OK)
        touch(view.data, view.size);
    if (exray_log_read_values(log, record, slot, &view, &values, &error) == EXRAY_OK)
        touch(values, (size_t)view.count * sizeof *values);
    if (exray_log_read_latency(log, record, slot, &latency, &error) == EXRAY_OK) {
        touch(latency.start_ns, latency.count * sizeof *latency.start_ns);
        touch(latency.duration_ns, latency.count * sizeof *latency.duration_ns);
    }
    exray_log_read_system(log, record, slot, &system, &error);
    if (exray_log_read_reading(log, record, slot, &reading, &error) == EXRAY_OK)
        touch(reading.value, reading.count * sizeof *reading.value);
    if (exray_log_read_result(log, record, slot, &result, &error) == EXRAY_OK)
        read_result(&result);
}

static void read_log(const exray_log *log, exray_slot *slot)
{
    size_t count;
    exray_error error;
    if (exray_log_model(log))
        read_model(exray_log_model(log));
    const exray_record *records = exray_log_constants(log, &count);
    for (size_t i = 0; i < count; i++)
        read_record(log, &records[i], slot);
    for (size_t f = 0; f < exray_log_frame_count(log); f++) {
        records = exray_log_records(log, f);
        for (size_t i = 0; i < exray_log_frame(log, f)->record_count; i++)
            read_record(log, &records[i], slot);
        exray_result told;
        if (exray_log_read_told(log, f, EXRAY_MESSAGE_RESULT, slot, &told, &error) == EXRAY_OK)
            read_result(&told);
        if (exray_log_read_told(log, f, EXRAY_MESSAGE_TRUTH, slot, &told, &error) == EXRAY_OK)
            read_result(&told);
        const exray_named_value *values = exray_log_frame_values(log, f, &count);
        for (size_t i = 0; i < count; i++)
            touch_text(values[i].name);
    }
    for (size_t i = 0; i < exray_log_attachment_count(log); i++) {
        const void *data;
        size_t size;
        if (exray_log_read_attachment(log, i, slot, &data, &size, &error) == EXRAY_OK)
            touch(data, size);
    }
}

static void recover(const uint8_t *data, size_t size)
{
    char *good = NULL;
    size_t good_size = 0;
    FILE *to = open_memstream(&good, &good_size);
    xr_recovery result;
    exray_error error;
    bool recovered = xr_recover_bytes(data, size, to, &result, &error);
    fclose(to);
    if (recovered) {
        exray_log *log = xr_log_open_bytes(good, good_size, "recovered", &error);
        if (!log && error.status != EXRAY_E_MEMORY)
            abort(); /* what we wrote must be a log */
        if (log && (exray_log_truncated(log) || result.saved_bytes + result.lost_bytes > 2 * size))
            abort();
        exray_log_close(log);
    }
    free(good);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    exray_error error = {0};
    exray_log *log = xr_log_open_bytes(data, size, "fuzz", &error);
    if (!log) {
        if (error.status == EXRAY_OK || !error.message[0])
            abort();
        return 0;
    }
    exray_slot *slot = exray_slot_new();
    if (slot)
        read_log(log, slot);
    exray_slot_free(slot);
    exray_log_close(log);
    recover(data, size);
    return 0;
}
