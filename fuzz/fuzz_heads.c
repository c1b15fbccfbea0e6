/* Any numbers as the outputs of a raw head, any bytes as a file of anchors.  The first bytes: the head, its
 * options, the shapes of two outputs; then the values. */
#include "base/anchors.h"

#include <exray/task.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_BYTES = 16, OUTPUTS = 2 };

static void read_anchors(const uint8_t *data, size_t size)
{
    exray_error error = {0};
    xr_anchors anchors;
    char *text = malloc(size + 1);
    if (!text)
        return;
    memcpy(text, data, size);
    text[size] = '\0';
    if (xr_anchors_parse(text, "anchors.txt", &anchors, &error) != EXRAY_OK && !*error.message)
        abort(); /* each failure has a line */
    xr_anchors_free(&anchors);
    free(text);
}

static void check(const exray_result *result)
{
    for (uint32_t i = 0; i < result->box_count; i++)
        if (!(result->boxes[i].score >= 0 || result->boxes[i].score < 0))
            abort(); /* no number */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const heads[] = {"ssd", "yolo5", "yolo8", "palm", "ctc", "none"};
    static const char *const orders[] = {NULL, "xyxy pixels", "cxcywh", "cycxhw shares", "xywh"};
    static const char *const labels[] = {"a", "b", "c"};
    if (size < HEAD_BYTES)
        return 0;
    read_anchors(data, size);
    float *values = malloc(size + sizeof *values), anchors[4 * 16];
    exray_told *told = exray_told_new();
    if (!values || !told) {
        free(values);
        exray_told_free(told);
        return 0;
    }
    memcpy(values, data, size);
    for (size_t i = 0; i < sizeof anchors / sizeof *anchors; i++)
        anchors[i] = values[i % (size / sizeof *values)];
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    options.head = heads[data[0] % 6];
    options.boxes = orders[data[1] % 5];
    options.classes = data[2] % 8;
    options.sigmoid = data[3] & 1;
    options.threshold = (float)(data[3] >> 4) / 8 - 0.5F;
    options.label_offset = (int64_t)(data[4] % 3) - 1;
    options.anchors = data[5] & 1 ? anchors : NULL;
    options.anchor_count = data[5] & 1 ? 1 + data[5] % 16 : 0;
    options.input_width = data[6] * 4;
    options.input_height = data[7] * 4;
    options.labels = labels;
    options.label_count = 3;
    int64_t shapes[OUTPUTS][3];
    exray_tensor_info info[OUTPUTS];
    const exray_tensor_info *infos[OUTPUTS];
    exray_task_output outputs[OUTPUTS];
    const size_t count = 1 + (data[8] & 1);
    for (size_t i = 0; i < count; i++) {
        shapes[i][0] = 1;
        shapes[i][1] = data[9 + 2 * i];
        shapes[i][2] = data[10 + 2 * i] % 64;
        info[i] = (exray_tensor_info){.dtype = EXRAY_DTYPE_FLOAT32, .rank = 3, .shape = shapes[i]};
        infos[i] = &info[i];
        const uint64_t wanted = (uint64_t)(shapes[i][1] * shapes[i][2]);
        const uint64_t have = size / sizeof *values;
        outputs[i] = (exray_task_output){infos[i], values, wanted < have ? wanted : have};
    }
    char why[300] = "";
    exray_error error = {0};
    exray_result result = {0};
    const exray_task *task = exray_task_named(data[0] % 6 == 4 ? "text" : "detection");
    const bool fits = task->fits(&options, infos, count, why, sizeof why);
    if (!fits && !*why)
        abort(); /* nobody would know why */
    if (task->decide(&options, outputs, count, told, &result, &error) == EXRAY_OK)
        check(&result);
    exray_told_free(told);
    free(values);
    return 0;
}
