/* Heads: what the raw outputs of a network become before a task can tell them.  A file each. */
#ifndef XR_RAW_HEADS_H
#define XR_RAW_HEADS_H

#include <exray/task.h>

typedef struct xr_raw_head {
    const char *name, *task; /* "yolo8", "detection" */
    /* As those of exray_task. */
    bool (*fits)(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size);
    exray_status (*decide)(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error);
} xr_raw_head;

extern const xr_raw_head xr_head_ssd, xr_head_yolo5, xr_head_yolo8, xr_head_palm, xr_head_points, xr_head_ctc;

#endif
