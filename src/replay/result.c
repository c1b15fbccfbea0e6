#include "replay/result.h"

#include "base/error.h"
#include "base/tensor.h"

#include <exray/log.h>
#include <exray/task.h>
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

/* NULL: nothing is told for it (sounds and texts may be inputs of any task). */
static const exray_task *task_of(const xr_task *task)
{
    if (strcmp(task->name, "audio") == 0) /* what is heard is a class */
        return exray_task_named("classification");
    return strcmp(task->name, "text") == 0 ? NULL : exray_task_named(task->name);
}

static exray_task_options options_of(const xr_task *task)
{
    exray_task_options options = EXRAY_TASK_OPTIONS_INIT;
    options.label_offset = task->label_offset;
    options.top_k = task->top_k;
    options.labels = (const char *const *)task->labels.name;
    options.label_count = task->labels.count;
    return options;
}

bool xr_task_fits(const xr_task *task, const xr_engine *engine, xr_session *session, char *why,
                  size_t why_size)
{
    const exray_tensor_info *outputs[MOST_OUTPUTS];
    size_t count = 0;
    while (count < MOST_OUTPUTS && (outputs[count] = engine->output(session, (uint32_t)count)))
        count++;
    const exray_task_options options = options_of(task);
    return !task_of(task) || task_of(task)->fits(&options, outputs, count, why, why_size);
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
                            exray_recorder *recorder, exray_error *error)
{
    const exray_task_options options = options_of(task);
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
    if (!status)
        status = exray_recorder_log_result(recorder, &result);
    for (size_t i = 0; i < count; i++)
        free(values[i]);
    exray_told_free(told);
    return status == EXRAY_E_UNSUPPORTED ? EXRAY_OK
                                         : status; /* shapes of this frame do not fit: none is told */
}
