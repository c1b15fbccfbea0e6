#include "replay/result.h"

#include "base/error.h"
#include "base/tensor.h"

#include <exray/log.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TOP_K = 1000 };

/* Output i as floats; free() it.  NULL on failure. */
static float *output_values(const xr_engine *engine, xr_session *session, uint32_t i, uint64_t *count,
                            exray_error *error)
{
    const exray_tensor_info *info = engine->output(session, i);
    size_t size;
    const void *data = engine->output_data(session, i, &size);
    *count = xr_elements(info);
    if (!data || *count > size) /* no element takes less than half a byte; int4 outputs do not occur */
        *count = 0;
    float *values = malloc(*count ? *count * sizeof *values : 1);
    if (!values) {
        xr_error_set(error, EXRAY_E_MEMORY, "out of memory for output %s", info->name);
    } else if (*count && exray_tensor_dequantize(info, data, size, *count, values)) {
        xr_error_set(error, EXRAY_E_FORMAT, "output %s has %zu bytes, too few for its shape", info->name,
                     size);
        free(values);
        values = NULL;
    }
    return values;
}

static const char *label_of(const xr_task *task, int64_t id)
{
    return id >= 0 && (uint64_t)id < task->labels.count ? task->labels.name[id] : NULL;
}

/* One vector: [n], [1, n], [1, 1, n], ... with n > 1. */
static bool is_vector(const exray_tensor_info *info)
{
    uint64_t count = xr_elements(info);
    return count > 1 && info->rank >= 1 && (uint64_t)info->shape[info->rank - 1] == count;
}

/* The four outputs of TFLite_Detection_PostProcess: boxes [1, n, 4], classes
 * [1, n], scores [1, n], count [1]. */
static bool is_detection(const xr_engine *engine, xr_session *session)
{
    const exray_tensor_info *info[4];
    for (uint32_t i = 0; i < 4; i++)
        if (!(info[i] = engine->output(session, i)))
            return false;
    uint64_t n = xr_elements(info[1]);
    return info[0]->rank >= 2 && info[0]->shape[info[0]->rank - 1] == 4 && xr_elements(info[0]) == 4 * n &&
           xr_elements(info[2]) == n && xr_elements(info[3]) == 1;
}

static bool is_task(const xr_task *task, const char *name)
{
    return strcmp(task->name, name) == 0;
}

bool xr_task_fits(const xr_task *task, const xr_engine *engine, xr_session *session, char *why,
                  size_t why_size)
{
    const exray_tensor_info *first = engine->output(session, 0);
    if (is_task(task, "classification")) {
        if (first && !engine->output(session, 1) && is_vector(first)) {
            uint64_t classes = xr_elements(first);
            if (task->labels.count == 0 ||
                task->labels.count + (uint64_t)llabs(task->label_offset) >= classes)
                return true;
            snprintf(why, why_size, "the model has %llu classes and the label file %zu names",
                     (unsigned long long)classes, task->labels.count);
            return true;
        }
        snprintf(why, why_size, "task classification needs one output vector; no /result is written");
        return false;
    }
    if (is_task(task, "detection") && !is_detection(engine, session)) {
        snprintf(why, why_size,
                 "task detection needs the outputs boxes, classes, scores, count; no /result is written");
        return false;
    }
    if (is_task(task, "segmentation") && (!first || first->rank < 3 || is_vector(first)))
        snprintf(why, why_size, "task segmentation needs an output with a value for each pixel");
    return true;
}

int64_t xr_task_classes(const xr_task *task, const xr_engine *engine, xr_session *session)
{
    const exray_tensor_info *first = engine->output(session, 0);
    if (!is_task(task, "classification") || !first || !is_vector(first))
        return 0;
    int64_t classes = (int64_t)xr_elements(first) - task->label_offset;
    return classes > 0 ? classes : 0;
}

/* Places of the k largest values, best first; NaN never wins. */
static unsigned top(const float *values, uint64_t count, unsigned k, uint64_t *places)
{
    unsigned found = 0;
    for (uint64_t i = 0; k > 0 && i < count; i++) {
        if (isnan(values[i]) || (found == k && values[i] <= values[places[k - 1]]))
            continue;
        unsigned at = found < k ? found++ : k - 1;
        for (; at > 0 && values[places[at - 1]] < values[i]; at--)
            places[at] = places[at - 1];
        places[at] = i;
    }
    return found;
}

static exray_status record_classes(const xr_task *task, const xr_engine *engine, xr_session *session,
                                   exray_recorder *recorder, exray_error *error)
{
    uint64_t count, places[MAX_TOP_K] = {0};
    float *values = output_values(engine, session, 0, &count, error);
    if (!values)
        return error ? error->status : EXRAY_E_MEMORY;
    exray_class classes[MAX_TOP_K];
    unsigned k = top(values, count, task->top_k < MAX_TOP_K ? task->top_k : MAX_TOP_K, places);
    for (unsigned i = 0; i < k; i++) {
        int64_t id = (int64_t)places[i] - task->label_offset;
        classes[i] = (exray_class){.id = id, .score = values[places[i]], .label = label_of(task, id)};
    }
    exray_status status =
        exray_recorder_log_result(recorder, &(exray_result){.classes = classes, .class_count = k});
    free(values);
    return status;
}

static exray_status record_boxes(const xr_task *task, const xr_engine *engine, xr_session *session,
                                 exray_recorder *recorder, exray_error *error)
{
    float *values[4] = {0};
    uint64_t count[4] = {0};
    exray_status status = EXRAY_OK;
    for (uint32_t i = 0; i < 4 && !status; i++)
        if (!(values[i] = output_values(engine, session, i, &count[i], error)))
            status = EXRAY_E_MEMORY;
    uint64_t n = count[1];
    /* Shapes known at run time only may differ from those that the task was judged by. */
    if (!status && (count[0] != 4 * n || count[2] != n))
        status =
            xr_error_set(error, EXRAY_E_FORMAT, "the outputs boxes, classes and scores differ in number");
    if (!status && count[3] == 1 && values[3][0] >= 0 && values[3][0] < (float)n)
        n = (uint64_t)values[3][0];
    exray_box *boxes = status ? NULL : calloc(n ? n : 1, sizeof *boxes);
    if (boxes) {
        for (uint64_t i = 0; i < n; i++) {
            const float *b = values[0] + 4 * i; /* y_min, x_min, y_max, x_max */
            int64_t id = (int64_t)values[1][i] - task->label_offset;
            boxes[i] = (exray_box){.x_min = b[1],
                                   .y_min = b[0],
                                   .x_max = b[3],
                                   .y_max = b[2],
                                   .id = id,
                                   .score = values[2][i],
                                   .label = label_of(task, id)};
        }
        status =
            exray_recorder_log_result(recorder, &(exray_result){.boxes = boxes, .box_count = (uint32_t)n});
    }
    free(boxes);
    for (int i = 0; i < 4; i++)
        free(values[i]);
    return status;
}

exray_status xr_task_record(const xr_task *task, const xr_engine *engine, xr_session *session,
                            exray_recorder *recorder, exray_error *error)
{
    if (is_task(task, "classification"))
        return record_classes(task, engine, session, recorder, error);
    if (is_task(task, "detection"))
        return record_boxes(task, engine, session, recorder, error);
    return EXRAY_OK;
}
