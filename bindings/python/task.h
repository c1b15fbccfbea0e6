/* Tasks that are written in Python: an exray_task has no place for an object, so each has its functions in C,
 * which hand its number to Python. */
#ifndef XR_PY_TASK_H
#define XR_PY_TASK_H

#include <exray/task.h>

/* Registers task `number` (0 to 15) under that name.  As exray_task_register; a number is used once. */
exray_status xr_py_task_register(int number, const char *name, exray_error *error);

#endif
