/* What the application tells its user: classes or boxes. */
#include "camera.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 16 };

static size_t count_of(const exray_tensor_info *info)
{
    size_t count = 1;
    for (uint32_t i = 0; i < info->rank; i++)
        count *= info->shape[i] > 0 ? (size_t)info->shape[i] : 0;
    return count;
}

/* One score; `how` is answers.scores. */
static double score_of(const exray_tensor_info *info, const void *data, size_t i, const char *how)
{
    if (info->dtype == EXRAY_DTYPE_FLOAT32)
        return (double)((const float *)data)[i];
    int stored = info->dtype == EXRAY_DTYPE_INT8 ? ((const int8_t *)data)[i] : ((const uint8_t *)data)[i];
    double scale = info->quantization.count ? (double)info->quantization.scale[0] : 1;
    double zero = info->quantization.count && info->quantization.zero_point
                      ? (double)info->quantization.zero_point[0]
                      : 0;
    if (!how)
        return scale * (stored - zero);
    if (strcmp(how, "raw") == 0)
        return stored;
    if (strcmp(how, "other-sign") == 0) /* int8 for uint8, or the other way round */
        stored = info->dtype == EXRAY_DTYPE_INT8 ? (uint8_t)stored : stored > 127 ? stored - 256 : stored;
    if (strcmp(how, "no-zero-point") == 0)
        zero = 0;
    if (strncmp(how, "scale:", 6) == 0)
        scale *= strtod(how + 6, NULL);
    return scale * (stored - zero);
}

static void softmax(double *values, size_t count)
{
    double most = values[0], sum = 0;
    for (size_t i = 0; i < count; i++)
        most = fmax(most, values[i]);
    for (size_t i = 0; i < count; i++)
        sum += values[i] = exp(values[i] - most);
    for (size_t i = 0; i < count; i++)
        values[i] /= sum;
}

/* The class that the application's label file has at the model's index. */
static int64_t class_of(const answers *a, size_t index, size_t count)
{
    long id = (long)index - a->label_offset;
    if (a->permute) /* sorted by name instead of by class: some fixed other order */
        id = (long)(((unsigned long)id * (unsigned long)a->permute + 7) % count);
    return id;
}

double *camera_scores(const answers *a, const exray_tensor_info *info, const void *data, size_t *count)
{
    *count = count_of(info);
    double *scores = camera_allocate(*count * sizeof *scores);
    for (size_t i = 0; i < *count; i++)
        scores[i] = score_of(info, data, i, a->scores);
    if (a->softmax_again)
        softmax(scores, *count);
    return scores;
}

static void answer_classes(const answers *a, const exray_tensor_info *info, const void *data,
                           exray_recorder *recorder)
{
    size_t count;
    double *scores = camera_scores(a, info, data, &count);
    exray_class classes[MOST];
    uint32_t found = 0;
    for (; found < (uint32_t)a->top_k && found < MOST && found < count; found++) {
        size_t best = 0;
        for (size_t i = 1; i < count; i++)
            if (scores[i] > scores[best])
                best = i;
        classes[found] = (exray_class){.id = class_of(a, best, count), .score = (float)scores[best]};
        scores[best] = -HUGE_VAL;
    }
    exray_recorder_log_result(recorder, &(exray_result){.classes = classes, .class_count = found});
    free(scores);
}

static void answer_boxes(const answers *a, const xr_engine *engine, xr_session *session,
                         exray_recorder *recorder)
{
    size_t size;
    const float *corners = engine->output_data(session, 0, &size),
                *ids = engine->output_data(session, 1, &size);
    const float *scores = engine->output_data(session, 2, &size);
    exray_box boxes[MOST];
    uint32_t count = (uint32_t)(size / sizeof *scores < MOST ? size / sizeof *scores : MOST);
    for (uint32_t i = 0; i < count; i++) {
        const float *c = corners + 4 * i; /* y_min, x_min, y_max, x_max */
        boxes[i] = a->boxes_as_xyxy ? (exray_box){.x_min = c[0], .y_min = c[1], .x_max = c[2], .y_max = c[3]}
                                    : (exray_box){.x_min = c[1], .y_min = c[0], .x_max = c[3], .y_max = c[2]};
        boxes[i].id = (int64_t)ids[i] - a->label_offset;
        boxes[i].score = scores[i];
    }
    exray_recorder_log_result(recorder, &(exray_result){.boxes = boxes, .box_count = count});
}

void camera_answer(const answers *a, const xr_engine *engine, xr_session *session, exray_recorder *recorder)
{
    const exray_tensor_info *info = engine->output(session, 0);
    if (engine->output(session, 3)) {
        answer_boxes(a, engine, session, recorder);
        return;
    }
    if (info->rank > 2) /* a picture of classes: nothing to tell in a line */
        return;
    size_t size;
    const void *data = engine->output_data(session, 0, &size);
    answer_classes(a, info, data, recorder);
}
