/* What the heads of YOLO share: rows of a box and the scores of its classes. */
#ifndef XR_YOLO_H
#define XR_YOLO_H

#include "tasks/heads/raw_heads.h"

/* `objectness`: a score of its own between the box and the classes. */
bool xr_yolo_fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                  bool objectness, char *why, size_t why_size);
exray_status xr_yolo_decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                            bool objectness, exray_told *told, exray_result *out, exray_error *error);

#endif
