#include "tasks/builtin_tasks.h"

#include <string.h>

static const exray_task *const table[] = {
    &xr_task_classification, &xr_task_detection, &xr_task_segmentation, &xr_task_keypoints,
    &xr_task_text,           &xr_task_embedding, &xr_task_regression,
};

const exray_task *exray_task_at(size_t i)
{
    return i < sizeof table / sizeof *table ? table[i] : NULL;
}

const exray_task *exray_task_named(const char *name)
{
    for (size_t i = 0; name && i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0)
            return table[i];
    return NULL;
}
