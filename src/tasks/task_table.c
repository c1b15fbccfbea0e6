#include "tasks/builtin_tasks.h"

#include <stdio.h>
#include <string.h>

static const exray_task *const table[] = {
    &xr_task_classification, &xr_task_multi_label, &xr_task_detection, &xr_task_segmentation,
    &xr_task_keypoints,      &xr_task_text,        &xr_task_embedding, &xr_task_regression,
};

/* Those of others, behind these. */
enum { BUILT_IN = sizeof table / sizeof *table, MOST_OWN = 16, LONGEST_NAME = 60 };
static const exray_task *own[MOST_OWN];
static size_t own_count;

const exray_task *exray_task_at(size_t i)
{
    return i < BUILT_IN ? table[i] : i - BUILT_IN < own_count ? own[i - BUILT_IN] : NULL;
}

const exray_task *exray_task_named(const char *name)
{
    const exray_task *task;
    for (size_t i = 0; name && (task = exray_task_at(i)); i++)
        if (strcmp(task->name, name) == 0)
            return task;
    return NULL;
}

static exray_status refuse(exray_error *error, exray_status status, const char *name, const char *why)
{
    if (error) {
        error->status = status;
        snprintf(error->message, sizeof error->message, "the task '%.60s' %s", name ? name : "", why);
    }
    return status;
}

static bool is_own_name(const char *name)
{
    return name && strncmp(name, "user.", 5) == 0 && name[5] &&
           strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_.") == strlen(name) &&
           strlen(name) <= LONGEST_NAME;
}

exray_status exray_task_register(const exray_task *task, exray_error *error)
{
    if (task->size != sizeof(exray_task))
        return refuse(error, EXRAY_E_ARGUMENT, "", "was built for another version of exray/task.h");
    if (!is_own_name(task->name))
        return refuse(error, EXRAY_E_ARGUMENT, task->name,
                      "needs a name that begins with user. and has a-z, 0-9, '_' and '.' alone");
    if (!task->fits || !task->decide || !task->has || !task->begin || !task->compare || !task->measure ||
        !task->end)
        return refuse(error, EXRAY_E_ARGUMENT, task->name, "lacks one of its functions");
    const exray_task *there = exray_task_named(task->name);
    if (there)
        return there == task
                   ? EXRAY_OK
                   : refuse(error, EXRAY_E_ARGUMENT, task->name, "is there already, as another task");
    if (own_count == MOST_OWN)
        return refuse(error, EXRAY_E_LIMIT, task->name, "is one too many: there are 16");
    own[own_count++] = task;
    return EXRAY_OK;
}
