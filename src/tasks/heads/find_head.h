/* The heads by their names. */
#ifndef XR_FIND_HEAD_H
#define XR_FIND_HEAD_H

#include "tasks/heads/raw_heads.h"

/* The head that the options name, where it is one of the task; NULL: none is named, or `why` says that there
 * is no such head of the task. */
const xr_raw_head *xr_head_of(const exray_task_options *options, const char *task, char *why,
                              size_t why_size);

/* fits and decide of a task that only heads can read; `unsaid`: why it does not fit where no head is named.
 */
bool xr_head_fits(const exray_task_options *options, const char *task, const char *unsaid,
                  const exray_tensor_info *const *outputs, size_t count, char *why, size_t why_size);
exray_status xr_head_decide(const exray_task_options *options, const char *task,
                            const exray_task_output *outputs, size_t count, exray_told *told,
                            exray_result *out, exray_error *error);

#endif
