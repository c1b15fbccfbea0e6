/* Landmarks as MediaPipe's models give them: one vector of [x, y], [x, y, z] or [x, y, z, visibility,
 * presence] for each point, x and y in pixels of the input (in shares where all lie within 2), visibility
 * before the sigmoid. */
#include "tasks/heads/raw_heads.h"
#include "tasks/heads/rows.h"
#include "tasks/task_shared.h"

#include <math.h>
#include <stdio.h>

enum { FEWEST = 2, MOST = 5 };

/* The first vector that has so many points; false: there is none. */
static bool find_points(const exray_task_options *options, const exray_tensor_info *const *outputs,
                        size_t count, size_t *which, uint64_t *each)
{
    for (*which = 0; options->classes && *which < count; ++*which) {
        const uint64_t values = xr_task_elements(outputs[*which]);
        *each = values / options->classes;
        if (values && values % options->classes == 0 && *each >= FEWEST && *each <= MOST)
            return true;
    }
    return false;
}

static bool fits(const exray_task_options *options, const exray_tensor_info *const *outputs, size_t count,
                 char *why, size_t why_size)
{
    size_t which;
    uint64_t each;
    if (find_points(options, outputs, count, &which, &each))
        return true;
    if (!options->classes)
        snprintf(why, why_size,
                 "head points needs to know how many points there are, `classes: 39`; no /result is written");
    else
        snprintf(why, why_size,
                 "head points needs an output of 2 to 5 numbers for each of %u points; no /result is written",
                 options->classes);
    return false;
}

static exray_status decide(const exray_task_options *options, const exray_task_output *outputs, size_t count,
                           exray_told *told, exray_result *out, exray_error *error)
{
    enum { MOST_OUTPUTS = 64 };
    const exray_tensor_info *infos[MOST_OUTPUTS];
    size_t which;
    uint64_t each;
    for (size_t i = 0; i < count && i < MOST_OUTPUTS; i++)
        infos[i] = outputs[i].info;
    if (count > MOST_OUTPUTS || !find_points(options, infos, count, &which, &each) ||
        !outputs[which].values || outputs[which].count != each * options->classes)
        return EXRAY_E_UNSUPPORTED;
    const exray_task_output *from = &outputs[which];
    exray_keypoint *points = exray_told_room(told, options->classes, sizeof *points);
    if (!points)
        return xr_task_no_memory(error, "keypoints");
    float most = 0;
    for (uint32_t i = 0; i < options->classes; i++) {
        most = fmaxf(most, fabsf(xr_task_value(from->values, i * each)));
        most = fmaxf(most, fabsf(xr_task_value(from->values, i * each + 1)));
    }
    const bool pixels = most > 2 && options->input_width && options->input_height;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < options->classes; i++) {
        const float x = xr_task_value(from->values, i * each), y = xr_task_value(from->values, i * each + 1);
        if (!isfinite(x) || !isfinite(y))
            continue;
        points[kept++] =
            (exray_keypoint){.x = pixels ? x / (float)options->input_width : x,
                             .y = pixels ? y / (float)options->input_height : y,
                             .z = each > 2 ? xr_task_value(from->values, i * each + 2) : 0,
                             .score = each > 3 ? xr_logistic(xr_task_value(from->values, i * each + 3)) : 1,
                             .id = i};
    }
    out->keypoints = points;
    out->keypoint_count = kept;
    return EXRAY_OK;
}

const xr_raw_head xr_head_points = {"points", "keypoints", fits, decide};
