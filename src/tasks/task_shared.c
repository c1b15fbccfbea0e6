/* What the tasks share. */
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>

uint64_t xr_task_elements(const exray_tensor_info *info)
{
    uint64_t count = 1;
    for (uint32_t i = 0; i < info->rank; i++) {
        if (info->shape[i] <= 0 || count > (uint64_t)1 << 40)
            return 0;
        count *= (uint64_t)info->shape[i];
    }
    return count;
}

bool xr_task_is_vector(const exray_tensor_info *info)
{
    uint32_t dimensions = 0;
    for (uint32_t i = 0; i < info->rank; i++)
        dimensions += info->shape[i] != 1;
    return dimensions <= 1 && xr_task_elements(info) > 1;
}

const char *xr_task_label(const exray_task_options *options, int64_t id)
{
    return id >= 0 && (uint64_t)id < options->label_count ? options->labels[id] : NULL;
}

exray_status xr_task_no_memory(exray_error *error, const char *task)
{
    if (error) {
        error->status = EXRAY_E_MEMORY;
        snprintf(error->message, sizeof error->message, "out of memory for what the task %s tells", task);
    }
    return EXRAY_E_MEMORY;
}

void xr_task_add(xr_task_mean *mean, double sum, double weight)
{
    if (!isfinite(sum) || !(weight > 0))
        return;
    mean->sum += sum;
    mean->weight += weight;
    mean->frames++;
}

exray_task_measure xr_task_measure_of(const xr_task_mean *mean, const char *name, const char *unit,
                                      bool higher)
{
    return (exray_task_measure){.name = name,
                                .unit = unit,
                                .higher = higher,
                                .frames = mean->frames,
                                .value = mean->weight > 0 ? mean->sum / mean->weight : NAN};
}

void xr_task_of_class(exray_task_measure *measure, const char *label, int id)
{
    if (*label)
        snprintf(measure->group, sizeof measure->group, "%s", label);
    else
        snprintf(measure->group, sizeof measure->group, "class %d", id);
}
