#ifndef XR_UNKNOWN_TASK_H
#define XR_UNKNOWN_TASK_H

#include <exray/assertion.h>

/* Says that a log's task is not known, and which one was probably meant: what its outputs mean is then
 * measured by none, however well it was told.  "": both are known, or not given. */
void xr_unknown_task(const exray_comparison *comparison, char *out, size_t size);

#endif
