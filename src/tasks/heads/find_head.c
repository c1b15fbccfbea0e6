#include "tasks/heads/find_head.h"

#include <stdio.h>
#include <string.h>

static const xr_raw_head *const table[] = {&xr_head_ssd,  &xr_head_yolo5,  &xr_head_yolo8,
                                           &xr_head_palm, &xr_head_points, &xr_head_ctc};

const xr_raw_head *xr_head_of(const exray_task_options *options, const char *task, char *why, size_t why_size)
{
    const char *name = options->head;
    if (!name || strcmp(name, "none") == 0)
        return NULL;
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (strcmp(table[i]->name, name) == 0 && strcmp(table[i]->task, task) == 0)
            return table[i];
    snprintf(why, why_size, "task %s has no head '%.40s'; no /result is written", task, name);
    return NULL;
}
