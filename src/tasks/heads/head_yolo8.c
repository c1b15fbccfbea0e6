/* YOLO v8 and later: columns [x, y, width, height, classes...], mostly one row a number. */
#include "tasks/heads/yolo.h"

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    return xr_yolo_fits(options, outputs, count, false, why, why_size);
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    return xr_yolo_decide(options, outputs, count, false, told, out, error);
}

const xr_raw_head xr_head_yolo8 = {"yolo8", "detection", fits, decide};
