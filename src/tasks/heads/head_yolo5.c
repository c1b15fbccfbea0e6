/* YOLO v3 to v7: rows [x, y, width, height, objectness, classes...]; a box's score is objectness * class. */
#include "tasks/heads/yolo.h"

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    return xr_yolo_fits(options, outputs, count, true, why, why_size);
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    return xr_yolo_decide(options, outputs, count, true, told, out, error);
}

const xr_raw_head xr_head_yolo5 = {"yolo5", "detection", fits, decide};
