/* The heads by their names. */
#ifndef XR_FIND_HEAD_H
#define XR_FIND_HEAD_H

#include "tasks/heads/raw_heads.h"

/* The head that the options name, where it is one of the task; NULL: none is named, or `why` says that there
 * is no such head of the task. */
const xr_raw_head *xr_head_of(const exray_task_options *options, const char *task, char *why,
                              size_t why_size);

#endif
