/* The tasks of the library, a file each. */
#ifndef XR_BUILTIN_TASKS_H
#define XR_BUILTIN_TASKS_H

#include <exray/task.h>

extern const exray_task xr_task_classification, xr_task_multi_label, xr_task_detection, xr_task_segmentation,
    xr_task_keypoints, xr_task_text, xr_task_embedding, xr_task_regression;

#endif
