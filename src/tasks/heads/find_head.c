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

bool xr_head_fits(const exray_task_options *options, const char *task, const char *unsaid,
                  const exray_tensor_info *const *outputs, size_t count, char *why, size_t why_size)
{
    const xr_raw_head *head = xr_head_of(options, task, why, why_size);
    if (head)
        return head->fits(options, outputs, count, why, why_size);
    if (!options->head || strcmp(options->head, "none") == 0)
        snprintf(why, why_size, "%s", unsaid);
    return false;
}

exray_status xr_head_decide(const exray_task_options *options, const char *task,
                            const exray_task_output *outputs, size_t count, exray_told *told,
                            exray_result *out, exray_error *error)
{
    char why[200];
    const xr_raw_head *head = xr_head_of(options, task, why, sizeof why);
    *out = (exray_result){.text = ""};
    return head ? head->decide(options, outputs, count, told, out, error) : EXRAY_E_UNSUPPORTED;
}
