#define _POSIX_C_SOURCE 200809L
#include "replay/told/result.h"

#include "base/error.h"
#include "base/picture_size.h"
#include "base/tensor.h"
#include "replay/told/told_place.h"

#include <exray/log.h>
#include <exray/task.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

enum { MOST_OUTPUTS = 64 };

/* NULL: nothing is told for it. */
static const exray_task *task_of(const xr_task *task)
{
    /* Sounds and texts may be inputs of any task; most that hear or read them tell a class. */
    const bool may_be_classes =
        strcmp(task->name, "audio") == 0 || (strcmp(task->name, "text") == 0 && !task->keys->head);
    return exray_task_named(may_be_classes ? "classification" : task->name);
}

/* A file that the pipeline names cannot be used. */
static exray_status fail_file(const xr_pipeline *pipeline, unsigned line, const char *key,
                              const exray_error *why, exray_error *error)
{
    return xr_error_set(error, why->status, "%.200s:%u: output.%s: %.250s", pipeline->name, line, key,
                        why->message);
}

exray_status xr_task_load(const xr_pipeline *pipeline, xr_task *out, exray_error *error)
{
    const xr_output_keys *keys = xr_pipeline_output(pipeline);
    *out = (xr_task){.name = xr_pipeline_task(pipeline), .keys = keys, .label_offset = keys->label_offset};
    exray_error why = {EXRAY_OK, ""};
    if (keys->labels && xr_names_load(keys->labels, &out->labels, &why))
        return fail_file(pipeline, keys->labels_line, "labels", &why, error);
    if (keys->anchors && xr_anchors_load(keys->anchors, &out->anchors, &why))
        return fail_file(pipeline, keys->anchors_line, "anchors", &why, error);
    return EXRAY_OK;
}

exray_status xr_task_take_notes(xr_task *task, const xr_model_notes *notes, exray_error *error)
{
    enum { MOST_OFFSET = 10000 };
    const xr_note_names *names = NULL;
    for (int i = 0; i < XR_NOTES_OUTPUTS && !names; i++)
        if (notes->labels[i].count)
            names = &notes->labels[i];
    if (!names || task->keys->labels || (notes->are_letters && strcmp(task->name, "text") != 0))
        return EXRAY_OK;
    /* The file names outputs, this list classes. */
    const int64_t offset = notes->are_letters ? 0 : task->label_offset;
    if (offset > (int64_t)names->count || offset < -MOST_OFFSET)
        return EXRAY_OK;
    if (notes->are_letters && task->label_offset == 0)
        task->label_offset = 1;
    const size_t count = (size_t)((int64_t)names->count - offset);
    task->labels.name = calloc(count ? count : 1, sizeof *task->labels.name);
    bool good = task->labels.name != NULL;
    for (size_t i = 0; good && i < count; i++) {
        const int64_t from = (int64_t)i + offset;
        task->labels.name[i] = strdup(from >= 0 ? names->name[from] : "");
        good = task->labels.name[i] != NULL;
        task->labels.count = i + 1;
    }
    return good ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory for the names of classes");
}

void xr_task_free(xr_task *task)
{
    xr_names_free(&task->labels);
    xr_anchors_free(&task->anchors);
}

/* The input that gets the picture; NULL: none does. */
static const xr_feed *picture_of(const xr_feeds *inputs)
{
    const xr_feed *found = NULL;
    for (uint32_t i = 0; i < inputs->count && !found; i++)
        if (inputs->of[i].place.known)
            found = &inputs->of[i];
    return found ? found : inputs->count ? &inputs->of[0] : NULL;
}

static exray_task_options options_of(const xr_task *task, const xr_feeds *inputs)
{
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    const xr_output_keys *keys = task->keys;
    options.labels = (const char *const *)task->labels.name;
    options.label_count = task->labels.count;
    options.anchors = task->anchors.at;
    options.anchor_count = task->anchors.count;
    options.label_offset = task->label_offset;
    options.top_k = keys->top_k;
    options.head = keys->head;
    options.threshold = (float)keys->threshold;
    options.nms = (float)keys->nms;
    options.classes = keys->classes;
    options.sigmoid = keys->sigmoid;
    options.boxes = keys->boxes;
    const xr_feed *feed = picture_of(inputs);
    if (feed)
        xr_picture_size(feed->shape[0] > 0 ? feed->shape : feed->declared, feed->info.rank,
                        &options.input_width, &options.input_height);
    return options;
}

bool xr_task_fits(const xr_task *task, const xr_engine *engine, xr_session *session, const xr_feeds *inputs,
                  char *why, size_t why_size)
{
    const exray_task *known = task_of(task);
    const exray_tensor_info *outputs[MOST_OUTPUTS];
    size_t count = 0;
    while (count < MOST_OUTPUTS && (outputs[count] = engine->output(session, (uint32_t)count)))
        count++;
    const exray_task_options options = options_of(task, inputs);
    if (!known && strncmp(task->name, "user.", 5) == 0) {
        snprintf(why, why_size,
                 "the task %.60s is not known: give the plug-in that has it, --plugin FILE.so; no /result is "
                 "written",
                 task->name);
        return false;
    }
    const bool fits = !known || known->fits(&options, outputs, count, why, why_size);
    if (!fits && strcmp(task->name, "text") == 0 && !task->keys->head) /* nobody said that it tells classes */
        *why = 0;
    return fits;
}

bool xr_task_is_open(const xr_engine *engine, xr_session *session)
{
    const exray_tensor_info *info;
    for (uint32_t i = 0; i < MOST_OUTPUTS && (info = engine->output(session, i)); i++)
        for (uint32_t k = 0; k < info->rank; k++)
            if (info->shape[k] < 0)
                return true;
    return false;
}

int64_t xr_task_classes(const xr_task *task, const xr_engine *engine, xr_session *session)
{
    const exray_tensor_info *first = engine->output(session, 0);
    if (strcmp(task->name, "classification") != 0 || !first || engine->output(session, 1))
        return 0;
    int64_t classes = (int64_t)xr_elements(first) - task->label_offset;
    return classes > 0 ? classes : 0;
}

exray_status xr_task_record(const xr_task *task, const xr_engine *engine, xr_session *session,
                            const xr_feeds *inputs, exray_recorder *recorder, exray_error *error)
{
    const exray_task_options options = options_of(task, inputs);
    exray_task_output outputs[MOST_OUTPUTS];
    float *values[MOST_OUTPUTS];
    size_t count = 0;
    if (!task_of(task))
        return EXRAY_OK;
    exray_told *told = exray_told_new();
    exray_status status = told ? EXRAY_OK : xr_error_set(error, EXRAY_E_MEMORY, "out of memory for /result");
    while (!status && count < MOST_OUTPUTS && engine->output(session, (uint32_t)count)) {
        exray_task_output *o = &outputs[count];
        o->info = engine->output(session, (uint32_t)count);
        o->values = values[count] = output_values(engine, session, (uint32_t)count, &o->count, error);
        if (!o->values)
            status = error ? error->status : EXRAY_E_MEMORY;
        count++;
    }
    exray_result result;
    if (!status)
        status = task_of(task)->decide(&options, outputs, count, told, &result, error);
    if (!status && picture_of(inputs))
        status = xr_told_place(&result, &picture_of(inputs)->place, told, error);
    if (!status)
        status = exray_recorder_log_result(recorder, &result);
    for (size_t i = 0; i < count; i++)
        free(values[i]);
    exray_told_free(told);
    return status == EXRAY_E_UNSUPPORTED ? EXRAY_OK
                                         : status; /* shapes of this frame do not fit: none is told */
}
