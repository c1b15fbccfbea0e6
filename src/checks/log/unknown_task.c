#include "checks/log/unknown_task.h"

#include "checks/suggest.h"

#include <exray/task.h>

#include <stdio.h>
#include <string.h>

static const char *next_task(void *user)
{
    const exray_task *task = exray_task_at((*(size_t *)user)++);
    return task ? task->name : NULL;
}

/* Sounds are read by the tasks of what comes out. */
static bool is_known(const char *task)
{
    return !task || !*task || strcmp(task, "audio") == 0 || exray_task_named(task);
}

void xr_unknown_task(const exray_comparison *comparison, char *out, size_t size)
{
    static const char *const side_name[] = {"edge", "reference"};
    *out = '\0';
    for (int s = 0; s < 2 && !*out; s++) {
        const char *task = exray_log_metadata(exray_comparison_log(comparison, (exray_side)s), "task");
        if (is_known(task))
            continue;
        char near[64], hint[96] = "";
        size_t next = 0;
        if (strncmp(task, "user.", 5) == 0)
            snprintf(hint, sizeof hint, " (a task of one's own: --plugin)");
        else if (xr_suggest(task, next_task, &next, near, sizeof near))
            snprintf(hint, sizeof hint, " (did you mean %s?)", near);
        snprintf(out, size, "the %s log's task '%.60s' is not known%s: what it says is measured by no task",
                 side_name[s], task, hint);
    }
}
